import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ModelFiles } from '../../../src/runtime/types.ts';
import { readVerified } from '../../../src/runtime/verified.ts';
import { FIXTURES, tinyFiles, tinyManifest } from './tiny.ts';

const hashOf = (path: string) => createHash('sha256').update(readFileSync(join(FIXTURES, 'tiny-bright', path))).digest('hex');

/** Cache Storage in memory, as much of it as is used. */
class FakeCaches {
  readonly held = new Map<string, Uint8Array<ArrayBuffer>>();
  full = false;
  async open() {
    return {
      match: async (key: string) => (this.held.has(key) ? new Response(this.held.get(key)) : undefined),
      put: async (key: string, response: Response) => {
        if (this.full) throw new DOMException('no room', 'QuotaExceededError');
        this.held.set(key, new Uint8Array(await response.arrayBuffer()));
      },
      delete: async (key: string) => this.held.delete(key),
    };
  }
}

function counted(): { files: ModelFiles; read: string[] } {
  const files = tinyFiles('tiny-bright');
  const read: string[] = [];
  return { read, files: { ...files, read: (path, options) => (read.push(path), files.read(path, options)) } };
}

describe('readVerified', () => {
  const scope = globalThis as { caches?: unknown };
  let caches: FakeCaches;
  beforeEach(() => {
    scope.caches = caches = new FakeCaches();
  });
  afterEach(() => {
    delete scope.caches;
  });

  test('one identity for the folder, which sha256sum gives too', async () => {
    const { identity, bytes } = await readVerified(tinyFiles('tiny-bright'));
    const lines = ['manifest.json', 'model.json', 'weights.bin'].map(path => `${hashOf(path)}  ${path}\n`);
    expect(identity).toEqual({
      id: 'tiny-bright', version: '1.0.0', name: 'Tiny brightness threshold', notice: 'A test model. Not for diagnosis.',
      sha256: createHash('sha256').update(lines.join('')).digest('hex'),
    });
    expect(bytes).toBe(readFileSync(join(FIXTURES, 'tiny-bright/model.json')).length + 40);
  });

  test('a second time comes from the cache, by hash', async () => {
    await readVerified(counted().files);
    expect([...caches.held.keys()].sort()).toEqual(Object.values(tinyManifest('tiny-bright').graph.sha256).map(hash => `https://overread.invalid/sha256/${hash}`).sort());
    const again = counted();
    await readVerified(again.files);
    expect(again.read).toEqual(['manifest.json']);
  });

  test('what the cache holds is verified again', async () => {
    await readVerified(counted().files);
    for (const key of caches.held.keys()) caches.held.set(key, new Uint8Array(5));
    const again = counted();
    const { files } = await readVerified(again.files);
    expect(again.read).toEqual(['manifest.json', 'model.json', 'weights.bin']);
    expect(files.get('weights.bin')).toHaveLength(40);
  });

  test('a full cache, and none at all, are no fault; a corrupt file is never kept', async () => {
    caches.full = true;
    await expect(readVerified(counted().files)).resolves.toBeDefined();
    caches.full = false;
    const corrupt = tinyFiles('tiny-bright', { 'weights.bin': new Uint8Array(40) });
    await expect(readVerified(corrupt)).rejects.toMatchObject({ code: 'model/corrupt', fields: { path: 'weights.bin', expected: hashOf('weights.bin') } });
    expect(caches.held.size).toBe(1);
    delete scope.caches;
    await expect(readVerified(counted().files)).resolves.toBeDefined();
  });

  test('stops between files', async () => {
    const stop = new AbortController();
    const { files, read } = counted();
    const run = readVerified(files, ({ stage }) => stage === 'verify' && stop.abort(), stop.signal);
    await expect(run).rejects.toMatchObject({ code: 'job/cancelled' });
    expect(read).toEqual(['manifest.json', 'model.json']);
  });
});
