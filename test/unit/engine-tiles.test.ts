import '@tensorflow/tfjs-backend-cpu';
import { Engine } from '../../src/engine.ts';
import type { LabelmapResult } from '../../src/results/result.ts';
import { asBytes, disc, tinyFiles, tinyManifest } from './runtime/tiny.ts';

const tiled = (id: string) => tinyFiles(id, { 'manifest.json': asBytes(tinyManifest(id, m => ({ ...m, input: { ...m.input, tiling: { overlap: 'receptive-field', padding: 'edge' } } }))) });

let engine: Engine;
beforeAll(() => (engine = new Engine({ backend: 'cpu', fetchModel: location => (location === 'tiled' ? tiled('tiny-bright') : tinyFiles(location)) })));
afterAll(() => engine.dispose());

test('a model with tiling reads a picture at full resolution, tile by tile', async () => {
  const image = disc(100, 70);
  const fractions: number[] = [];
  const run = { jobId: 'a', location: 'tiled', images: [image] };
  const result = (await engine.run(run, ({ stage, fraction }) => stage === 'infer' && fraction !== undefined && fractions.push(fraction))) as LabelmapResult;
  // 100 × 70 in an input of 32 × 32: several tiles, and a word before each.
  expect(fractions.length).toBeGreaterThanOrEqual(12);
  expect(fractions.at(-1)).toBeGreaterThan(0.9);
  // The network's mean of 3 × 3 pixels, zeros outside, but for the right and bottom, where the picture goes on.
  const value = (x: number, y: number) => (x < 0 || y < 0 ? 0 : (image.pixels[Math.min(69, y) * 100 + Math.min(99, x)]! - 40) / 160);
  const mean = (x: number, y: number) => [-1, 0, 1].flatMap(dy => [-1, 0, 1].map(dx => value(x + dx, y + dy))).reduce((a, b) => a + b) / 9;
  const wanted = Array.from({ length: 7000 }, (_, i) => Number(mean(i % 100, Math.floor(i / 100)) >= 0.5));
  expect(wanted.filter(Boolean).length).toBeGreaterThan(500);
  expect(Array.from(result.labels)).toEqual(wanted);
  expect(result).toMatchObject({ kind: 'labelmap', model: { id: 'tiny-bright' }, device: { backend: 'cpu' }, source: { shape: [100, 70, 1] } });
});

test('can be cancelled between tiles', async () => {
  const run = engine.run({ jobId: 'b', location: 'tiled', images: [disc(200, 200)] }, ({ stage, fraction }) => {
    if (stage === 'infer' && fraction !== undefined && fraction > 0.1) engine.cancel('b');
  });
  await expect(run).rejects.toMatchObject({ code: 'job/cancelled' });
});
