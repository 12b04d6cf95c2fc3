/** A PyTorch checkpoint, imported and run: from the file to the scores, as the two commands are called. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { PUBLISHED_CHECKPOINTS, type PublishedCheckpoint } from '../../../src/architectures/published-checkpoints.ts';
import { openFile } from '../../../src/cli/image-inputs.ts';
import { importModel } from '../../../src/cli/import.ts';
import { infer } from '../../../src/cli/infer.ts';
import type { InferEntry, ScoresJson } from '../../../src/cli/infer-json.ts';
import { greyPng } from '../../../src/cli/io/png.ts';
import { buildNetwork } from '../../../src/runtime/network.ts';
import { diskFiles } from '../../../src/runtime/node-files.ts';
import { readVerified } from '../../../src/runtime/verified.ts';
import { classify } from '../../../src/tasks/classify.ts';

const CHECKPOINT = path.join(__dirname, '../../golden/densenet/state.pt');
const quiet = { print: () => {}, note: () => {} };
let folder: string;
beforeEach(() => (folder = fs.mkdtempSync(path.join(os.tmpdir(), 'overread-import-infer-'))));
afterEach(() => fs.rmSync(folder, { recursive: true }));

/** An 8-bit picture that has every grey value, with no pattern to it. */
function picture(side: number): { file: string; values: Uint8Array } {
  const values = Uint8Array.from({ length: side * side }, (_, i) => (i * 2654435761) >>> 24);
  const file = path.join(folder, `${side}.png`);
  fs.writeFileSync(file, greyPng(values, side, side));
  return { file, values };
}

/** As torchxrayvision scales an 8-bit picture. */
const scaled = (v: number) => ((2 * v) / 255 - 1) * 1024;

async function scoresOf(model: string, file: string): Promise<ScoresJson> {
  const printed: string[] = [];
  expect(await infer([file], { model, backend: 'wasm', json: true }, { print: line => printed.push(line), note: () => {} })).toBe(0);
  const [entry] = JSON.parse(printed.join('\n')) as InferEntry[];
  if (entry?.result?.kind !== 'scores') throw new Error('expected scores');
  return entry.result;
}

/** The logits of the imported network by tfjs' plain backend, on a tensor of our own making. */
async function logitsOf(model: string, values: Uint8Array, side: number): Promise<number[]> {
  await tf.setBackend('cpu');
  const network = await buildNetwork(await readVerified(diskFiles(model)));
  const x = tf.tensor4d(Float32Array.from(values, scaled), [1, side, side, 1]);
  const [y] = (await network.forward([x])) as [tf.Tensor];
  const logits = [...(await y.data())];
  network.dispose();
  tf.dispose([x, y]);
  return logits;
}

test('a random DenseNet: the picture goes in as torchxrayvision scales it, its logits come out', async () => {
  const model = path.join(folder, 'small');
  await importModel(CHECKPOINT, { as: 'densenet', out: model, labels: 'a,b,c', size: '64' }, quiet);
  const { file, values } = picture(64);
  const result = await scoresOf(model, file);
  const logits = await logitsOf(model, values, 64);
  const scale = Math.max(...logits.map(Math.abs));
  expect(result.scores.map(s => s.label)).toEqual(['a', 'b', 'c']);
  result.scores.forEach(({ logit, probability, positive, operatingPoint }, i) => {
    expect(Math.abs(logit - logits[i]!)).toBeLessThan(1e-4 * scale);
    expect(probability).toBeCloseTo(1 / (1 + Math.exp(-logit)), 12);
    expect(positive).toBe(probability >= 0.5);
    expect(operatingPoint).toBeUndefined();
  });
  // The manifest of an import that nothing is known of states no view.
  expect(result).toMatchObject({ viewsUsed: [], viewsMissing: [] });
  expect('outOfDistribution' in result).toBe(false);
});

test('a published model shows its operating points at 0.5; an output that its authors did not test is never positive', async () => {
  const real = PUBLISHED_CHECKPOINTS['xrv-densenet121-res224-all'];
  const points = [0.25, null, 0.75];
  const published: Record<string, PublishedCheckpoint> = {
    tiny: { ...real, architecture: 'densenet' as 'densenet121', size: 64, labels: real.labels.slice(0, 3), operatingPoints: points, ppv80Thresholds: [0.5, 0.6, 0.7] },
  };
  const model = path.join(folder, 'published');
  await importModel(CHECKPOINT, { as: 'tiny', out: model }, quiet, published);
  expect(fs.readFileSync(path.join(model, 'README.md'), 'utf8')).toMatch(/none for Consolidation, which therefore never count as present\. Probabilities are shown .* at 0\.5/);
  const { scores, viewsUsed } = await scoresOf(model, picture(64).file);
  expect(viewsUsed).toEqual(['PA']);
  expect(scores.map(s => s.operatingPoint)).toEqual([0.5, undefined, 0.5]);
  expect(scores[1]!.positive).toBe(false);
  for (const i of [0, 2]) {
    const p = 1 / (1 + Math.exp(-scores[i]!.logit));
    const t = points[i]!;
    expect(scores[i]!.probability).toBeCloseTo(p < t ? p / (2 * t) : 1 - (1 - p) / (2 * (1 - t)), 12);
    expect(scores[i]!.positive).toBe(p >= t);
  }
});

test('an 8-bit picture of 224 × 224 enters as (2 · v / 255 − 1) · 1024, no pixel of it moved', async () => {
  const model = path.join(folder, 'full');
  await importModel(CHECKPOINT, { as: 'densenet', out: model, labels: 'a,b,c', size: '224' }, quiet);
  const { manifest } = await readVerified(diskFiles(model));
  const { file, values } = picture(224);
  await tf.setBackend('cpu');
  const [tensor] = classify.encode([{ image: await openFile(file) }], manifest).inputs as [tf.Tensor];
  expect(tensor.shape).toEqual([1, 224, 224, 1]);
  const entered = tensor.dataSync();
  let worst = 0;
  values.forEach((v, i) => (worst = Math.max(worst, Math.abs(entered[i]! - scaled(v)))));
  expect(worst).toBeLessThan(2e-4); // rounding of a float near 1024 is 6e-5
  expect(Math.min(...entered)).toBeCloseTo(-1024, 3);
  expect(Math.max(...entered)).toBeCloseTo(1024, 3);
  tensor.dispose();
});
