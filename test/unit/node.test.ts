import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createNodeEngine, type Engine } from '../../src/node.ts';
import { FIXTURES, disc } from './runtime/tiny.ts';

describe('the engine in Node', () => {
  let engine: Engine | undefined;
  afterEach(() => engine?.dispose());

  test('finds its wasm files and reads models from disk', async () => {
    engine = await createNodeEngine({ backend: 'wasm' });
    const result = await engine.run({ jobId: 'a', location: join(FIXTURES, 'tiny-bright'), images: [disc(20, 20)] });
    expect(result).toMatchObject({ kind: 'labelmap', device: { backend: 'wasm', adapter: 'simd, 1 thread' } });
  });

  test('a folder that is no model', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'overread-node-'));
    engine = await createNodeEngine({ backend: 'wasm' });
    await expect(engine.describe(folder)).rejects.toMatchObject({ code: 'model/not-found', message: expect.stringContaining(folder) });
    await rm(folder, { recursive: true });
  });
});
