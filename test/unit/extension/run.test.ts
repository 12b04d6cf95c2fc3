import type { OverreadError } from '../../../src/errors.ts';
import { OverreadError as Refusal } from '../../../src/errors.ts';
import type { Image } from '../../../src/image/image.ts';
import type { Result } from '../../../src/results/result.ts';
import type { OnProgress } from '../../../src/runtime/types.ts';
import { ResultsStore } from '../../../extension/results-store.ts';
import { Runner, type Engine, type Viewer } from '../../../extension/run.ts';
import { image, result, source, state as makeState, target, twoViews } from './made.ts';

/** An engine whose run ends when the test says so. */
function setup({ open = true, state = makeState() } = {}) {
  let finish!: (result: Result) => void;
  let fail!: (error: OverreadError) => void;
  let progress: OnProgress | undefined;
  const outcome = new Promise<Result>((resolve, reject) => { finish = resolve; fail = reject; });
  const { device } = result();
  const engine = {
    start: jest.fn(async () => device),
    run: jest.fn(async (_: unknown, options?: { onProgress?: OnProgress }) => { progress = options?.onProgress; return outcome; }),
  };
  const viewer: Viewer = {
    pickTargets: jest.fn(() => ({ targets: [target()] })),
    isStillOpen: jest.fn(() => open),
    readFrame: jest.fn(async () => image()),
    notify: jest.fn(),
  };
  const results = new ResultsStore();
  const audit = jest.fn();
  const runner = new Runner({ viewer, engine: engine as unknown as Engine, results, state, audit });
  return { runner, audit, engine, viewer, results, state, finish, fail, progress: () => progress! };
}

const settle = () => new Promise(resolve => setTimeout(resolve, 0));

describe('the audit of a run', () => {
  it.each([
    ['kept', undefined, { outcome: 'success', model: { id: 'lung-unet', version: '1.0.0', sha256: 'a' } }],
    ['refused', new Refusal('input/out-of-distribution', 'Mrs Müller has no lung'), { outcome: 'failure', error: 'input/out-of-distribution', model: { id: 'lung-unet', version: '1.0.0' } }],
    ['cancelled', new Refusal('job/cancelled', 'cancelled'), { outcome: 'cancelled', error: 'job/cancelled' }],
  ] as const)('%s: model, pictures and outcome, no words', async (_, error, expected) => {
    const { runner, audit, finish, fail } = setup();
    if (error) fail(error);
    else finish(result());
    await runner.run();
    expect(audit.mock.calls).toEqual([[expect.objectContaining({ action: 'run', studyInstanceUID: '1', sources: ['1.2.3'], ...expected })]]);
    expect(JSON.stringify(audit.mock.calls)).not.toContain('Müller');
  });

  it('a forced run is an override', async () => {
    const { runner, audit, finish } = setup();
    finish(result());
    await runner.run({ force: true });
    expect(audit).toHaveBeenCalledWith(expect.objectContaining({ action: 'override', outcome: 'success' }));
  });
});

describe('a run', () => {
  it('keeps the result and clears what it said before', async () => {
    const { runner, results, state, finish, engine } = setup();
    state.set({ lastError: new Refusal('internal', 'old') });
    const made = result();
    finish(made);
    expect(await runner.run()).toHaveProperty('result', made);
    expect(results.all()).toHaveLength(1);
    expect(state.get()).toMatchObject({ running: undefined, lastError: undefined, note: undefined, device: made.device });
    expect(engine.run.mock.calls[0]![0]).toMatchObject({ location: 'https://x/lung-unet/' });
  });

  it('is refused where it would replace a mask that was edited by hand, before it begins', async () => {
    const { runner, engine, results, state, finish } = setup();
    finish(result());
    const kept = await runner.run();
    results.replaceMask(kept!.key, { ...result(), editedAt: '2026-01-02T03:04:05.000Z' }, result());
    expect(await runner.run()).toBeUndefined();
    expect(state.get().lastError).toMatchObject({ code: 'input/refused', message: expect.stringContaining('edited by hand') });
    expect(engine.run).toHaveBeenCalledTimes(1);
    results.replaceMask(kept!.key, result());
    expect(await runner.run()).toBeDefined();
  });

  it('is one, however often it is asked for', async () => {
    const { runner, engine, state, finish, results } = setup();
    const all = Array.from({ length: 20 }, () => runner.run());
    await settle();
    expect(state.get().note).toMatch(/running already/);
    finish(result());
    expect((await Promise.all(all)).filter(Boolean)).toHaveLength(1);
    expect(engine.run).toHaveBeenCalledTimes(1);
    expect(results.all()).toHaveLength(1);
  });

  it('ends at once when it is cancelled, keeps nothing, and makes room for the next', async () => {
    const { runner, state, results, viewer, finish } = setup();
    const run = runner.run();
    await settle();
    runner.cancel();
    expect(state.get().running?.cancelling).toBe(true);
    expect(await run).toBeUndefined();
    expect(state.get()).toMatchObject({ running: undefined, note: 'Cancelled. Nothing was kept.' });
    expect(state.get().lastError).toBeUndefined();
    expect(viewer.notify).not.toHaveBeenCalled();
    finish(result()); // the worker had not heard of it
    await settle();
    expect(results.all()).toEqual([]);
    expect(await runner.run()).toBeDefined();
  });

  it('hears no late progress of a run that was given up', async () => {
    const { runner, state, progress } = setup();
    const first = runner.run();
    await settle();
    progress()({ stage: 'download', fraction: 0.5 });
    expect(state.get().running?.progress.percent).toBe(50);
    const late = progress();
    runner.cancel();
    await first;
    const second = runner.run();
    await settle();
    late({ stage: 'decode' });
    expect(state.get().running?.progress.text).toBe('Reading the image');
    runner.cancel();
    await second;
  });

  it('reads every picture that it was given, and takes a result of all of them only', async () => {
    const [pa, lateral] = [source('pa', 1, '1', 's1'), source('l', 1, '1', 's2')];
    const setups = [twoViews(), result(image(pa))].map(made => ({ made, ...setup() }));
    for (const { made, runner, viewer, engine, finish } of setups) {
      jest.mocked(viewer.pickTargets).mockReturnValue({ targets: [target(lateral), target(pa)], note: 'A remark.' });
      jest.mocked(viewer.readFrame).mockImplementation(async ({ source: of }) => image(of));
      finish(made);
      await runner.run();
      expect((engine.run.mock.calls[0]![0] as { images: Image[] }).images.map(({ sources }) => sources)).toEqual([[lateral], [pa]]);
    }
    const [both, one] = setups;
    expect(both!.results.all().map(kept => kept.result)).toEqual([both!.made]);
    expect(both!.state.get()).toMatchObject({ note: 'A remark.' });
    expect(one!.results.all()).toEqual([]);
    expect(one!.state.get().lastError?.code).toBe('internal');
  });

  it('is stale when any of its pictures was closed', async () => {
    const { runner, viewer, state, finish } = setup();
    const [pa, lateral] = [source('pa', 1, '1', 's1'), source('l', 1, '1', 's2')];
    jest.mocked(viewer.pickTargets).mockReturnValue({ targets: [target(pa), target(lateral)] });
    jest.mocked(viewer.isStillOpen).mockImplementation(({ source: of }) => of.sopInstanceUID === 'pa');
    finish(twoViews());
    expect(await runner.run()).toBeUndefined();
    expect(state.get().lastError?.code).toBe('job/stale');
  });

  it('keeps the result of a study that was closed meanwhile, and says so', async () => {
    const { runner, results, state, finish, viewer } = setup({ open: false });
    finish(result());
    expect(await runner.run()).toBeUndefined();
    expect(results.all()).toHaveLength(1);
    expect(state.get().lastError?.code).toBe('job/stale');
    expect(viewer.notify).toHaveBeenCalledWith('warning', expect.stringContaining('open the study again'));
  });

  it('throws a result of another image away', async () => {
    const { runner, results, state, finish } = setup();
    finish(result(image(source('another'))));
    expect(await runner.run()).toBeUndefined();
    expect(results.all()).toEqual([]);
    expect(state.get().lastError?.code).toBe('internal');
  });

  it('says in words what the engine refuses, and runs again after it', async () => {
    const { runner, state, fail, viewer } = setup();
    fail(new Refusal('device/lost', 'The GPU went away. Run the model again.'));
    expect(await runner.run()).toBeUndefined();
    expect(state.get().lastError).toMatchObject({ code: 'device/lost' });
    expect(viewer.notify).toHaveBeenCalledWith('error', 'The GPU went away. Run the model again.');
    expect(state.get().running).toBeUndefined();
  });

  it('is forced past a gate by hand, on the same picture and model, and only once', async () => {
    const { runner, state, engine, viewer, results } = setup();
    const refusal = new Refusal('input/out-of-distribution', 'Not a chest radiograph.', { outOfDistribution: { score: 0.9, threshold: 0.6, refused: true } });
    engine.run.mockRejectedValueOnce(refusal).mockResolvedValueOnce(result());
    expect(await runner.runAnyway()).toBeUndefined();
    expect(await runner.run()).toBeUndefined();
    expect(state.get()).toMatchObject({ lastError: refusal, refusal: { modelId: 'lung-unet', targets: [target()] } });
    expect(viewer.notify).toHaveBeenCalledWith('warning', 'Not a chest radiograph.');
    state.set({ modelId: 'another model, chosen meanwhile' });
    expect(await runner.runAnyway()).toBeDefined();
    expect(engine.run.mock.calls.map(([job]) => (job as { force?: boolean }).force)).toEqual([undefined, true]);
    expect(viewer.pickTargets).toHaveBeenCalledTimes(1);
    expect(state.get().refusal).toBeUndefined();
    expect(await runner.runAnyway()).toBeUndefined();
    expect(results.all()).toHaveLength(1);
  });

  it('is not forced on a picture that is no longer open', async () => {
    const { runner, state, engine, viewer } = setup();
    engine.run.mockRejectedValueOnce(new Refusal('input/out-of-distribution', 'Not a chest radiograph.'));
    await runner.run();
    jest.mocked(viewer.isStillOpen).mockReturnValue(false);
    expect(await runner.runAnyway()).toBeUndefined();
    expect(state.get().lastError?.code).toBe('input/no-pixels');
    expect(engine.run).toHaveBeenCalledTimes(1);
  });

  it.each([
    ['a model that is not there', { modelId: 'other' }, /model other; there is: lung-unet/],
    ['no models at all', { catalogue: { entries: [], problems: [] } }, /there is: none/],
    ['a list that is still being read', { catalogue: undefined }, /still being read/],
    ['a refused configuration', { configurationError: new Refusal('config/invalid', 'overread.x: no such setting') }, /no such setting/],
  ])('does not start with %s', async (_, change, message) => {
    const { runner, state, engine } = setup({ state: makeState(change) });
    expect(await runner.run()).toBeUndefined();
    expect(state.get().lastError?.message).toMatch(message);
    expect(engine.start).not.toHaveBeenCalled();
  });
});
