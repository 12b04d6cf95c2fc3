import { orAborted, Queue } from '../../../src/runtime/queue.ts';

const later = <T>(value: T, ms = 5) => new Promise<T>(resolve => setTimeout(() => resolve(value), ms));

test('jobs run one after the other, also after one that failed', async () => {
  const queue = new Queue();
  const log: string[] = [];
  const job = (name: string, fails = false) => queue.run(async () => {
    log.push(`+${name}`);
    await later(0);
    log.push(`-${name}`);
    if (fails) throw new Error(name);
    return name;
  });
  const [a, b, c] = await Promise.allSettled([job('a'), job('b', true), job('c')]);
  expect(log).toEqual(['+a', '-a', '+b', '-b', '+c', '-c']);
  expect([a!.status, b!.status, c!.status]).toEqual(['fulfilled', 'rejected', 'fulfilled']);
});

describe('orAborted', () => {
  test('gives what the work gives', async () => {
    const discard = jest.fn();
    await expect(orAborted(later(7), new AbortController().signal, discard)).resolves.toBe(7);
    await expect(orAborted(later(8), undefined, discard)).resolves.toBe(8);
    await expect(orAborted(Promise.reject(new Error('x')), new AbortController().signal, discard)).rejects.toThrow('x');
    expect(discard).not.toHaveBeenCalled();
  });
  test('rejects at once when aborted, and frees what comes after all', async () => {
    const stop = new AbortController();
    const discard = jest.fn();
    const work = later('late', 30);
    const run = orAborted(work, stop.signal, discard);
    stop.abort();
    await expect(run).rejects.toMatchObject({ code: 'job/cancelled' });
    expect(discard).not.toHaveBeenCalled();
    await work;
    expect(discard).toHaveBeenCalledWith('late');
  });
});
