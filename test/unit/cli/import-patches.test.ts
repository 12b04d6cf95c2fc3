/** A classifier of patches, imported as a network of whole pictures and run in tiles: every label is its patch's. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { buildPatchClassifier } from '../../../src/architectures/patch-classifier.ts';
import { layersFiles } from '../../../src/architectures/layers-files.ts';
import { importModel, type ImportOptions } from '../../../src/cli/import.ts';
import { infer } from '../../../src/infer.ts';
import type { LabelmapResult } from '../../../src/results/result.ts';
import { diskFiles } from '../../../src/runtime/node-files.ts';
import { createRuntime } from '../../../src/runtime/runtime.ts';
import { picture, WASM } from '../runtime/tiny.ts';

const PATCH = 22;
const STRIDE = 4;
let folder: string;
beforeEach(() => (folder = fs.mkdtempSync(path.join(os.tmpdir(), 'overread-patches-'))));
afterEach(() => fs.rmSync(folder, { recursive: true }));

async function saved(): Promise<string> {
  await tf.setBackend('cpu');
  const network = buildPatchClassifier({ patchSize: [PATCH, PATCH], inChannels: 1, classes: 1, widths: [4, 6], hidden: [8], weights: { seed: 15 } });
  const from = path.join(folder, 'classifier');
  fs.mkdirSync(from);
  for (const [name, bytes] of await layersFiles(network)) fs.writeFileSync(path.join(from, name), bytes);
  network.dispose();
  return from;
}
const options = (more: Partial<ImportOptions> = {}): ImportOptions => ({
  out: path.join(folder, 'whole'), task: 'segment', activation: 'sigmoid', gives: 'logits', range: '-1,1', labels: 'tumour', size: '48', fullyConvolutional: true, ...more,
});

test('the map is the classifier\'s, patch by patch, and the saving is told', async () => {
  const notes: string[] = [];
  expect(await importModel(await saved(), options(), { print: () => {}, note: line => notes.push(line) })).toBe(0);
  const told = notes.find(line => line.includes('multiplications'));
  expect(told).toMatch(/^One pass over 48 × 48 pixels stands for 144 patches: [\d,]+ multiplications in place of [\d,]+, \d+\.\d times fewer\.$/);

  const [columns, rows] = [72, 60];
  const image = picture(columns, rows, (x, y) => 127 + 120 * Math.sin(x * 0.6) * Math.cos(y * 0.45 + x * 0.1));
  const runtime = await createRuntime({ backend: 'wasm', wasmPath: WASM });
  const model = await runtime.load(diskFiles(path.join(folder, 'whole')));
  const { labels } = (await infer(runtime, model, [image])) as LabelmapResult;
  model.dispose();
  runtime.dispose();

  // Of the patch in whose middle the pixels lie: away from the picture's borders, where there is nothing to see.
  await tf.setBackend('cpu');
  const classifier = buildPatchClassifier({ patchSize: [PATCH, PATCH], inChannels: 1, classes: 1, widths: [4, 6], hidden: [8], weights: { seed: 15 } });
  const before = (PATCH - STRIDE) / 2;
  const score = (i: number, j: number) => tf.tidy(() => {
    const values = Float32Array.from({ length: PATCH * PATCH }, (_, k) => (2 * image.pixels[(i * STRIDE - before + Math.floor(k / PATCH)) * columns + j * STRIDE - before + (k % PATCH)]!) / 255 - 1);
    return (classifier.predict(tf.tensor4d(values, [1, PATCH, PATCH, 1])) as tf.Tensor).dataSync()[0]!;
  });
  let compared = 0;
  const seen = new Set<number>();
  for (let i = 3; i < rows / STRIDE - 4; i++) {
    for (let j = 3; j < columns / STRIDE - 4; j++) {
      // Between the centres of four outputs, an eighth of a stride from each side: labels are decided on their blend.
      const [a, b, c, d] = [score(i, j), score(i, j + 1), score(i + 1, j), score(i + 1, j + 1)];
      const [fx, fy] = [1 / 8, 1 / 8];
      const blend = (a * (1 - fx) + b * fx) * (1 - fy) + (c * (1 - fx) + d * fx) * fy;
      if (Math.abs(blend) < 1e-4) continue;
      const label = labels[(i * STRIDE + STRIDE / 2) * columns + j * STRIDE + STRIDE / 2];
      expect(label).toBe(blend >= 0 ? 1 : 0);
      seen.add(label!);
      compared++;
    }
  }
  classifier.dispose();
  expect(compared).toBeGreaterThan(60);
  expect(seen.size).toBe(2);
}, 120_000);

test('refused by name: another task, a tile that is no multiple of the stride, a network that is no classifier', async () => {
  const from = await saved();
  const quiet = { print: () => {}, note: () => {} };
  await expect(importModel(from, options({ task: 'classify' }), quiet)).rejects.toMatchObject({ code: 'cli/usage' });
  await expect(importModel(from, options({ size: '50' }), quiet)).rejects.toMatchObject({ code: 'model/graph', message: expect.stringContaining('Give 52') as string });
  await expect(importModel(path.join(__dirname, '../../fixtures/tiny-unet'), options(), quiet)).rejects.toMatchObject({ code: 'model/graph' });
});
