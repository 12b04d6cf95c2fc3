/** ONNX models on onnxruntime's wasm against the same networks in tfjs. */
import { memory, randomNormal, tidy, type Tensor } from '@tensorflow/tfjs-core';
import { isOverreadError, type ErrorCode } from '../../../src/errors.ts';
import { infer } from '../../../src/infer.ts';
import type { LabelmapResult, ScoresResult } from '../../../src/results/result.ts';
import { channelsFirst, channelsLast, shapeChannelsLast } from '../../../src/runtime/onnx-layout.ts';
import { createRuntime, type TfjsRuntime } from '../../../src/runtime/runtime.ts';
import type { LoadedModel, ModelFiles } from '../../../src/runtime/types.ts';
import { asBytes, picture, tinyManifest, WASM } from './tiny.ts';
import { classifier, COLUMNS, folder, folders, ROWS, segmenter, type Both } from './onnx-models.ts';

const colours = picture(60, 40, () => 0, { channels: 3, pixels: Float32Array.from({ length: 60 * 40 * 3 }, (_, i) => (i * 2654435761) >>> 24) });
let runtime: TfjsRuntime;
let scores: Both;
let masks: Both;
beforeAll(async () => {
  runtime = await createRuntime({ backend: 'wasm', wasmPath: WASM });
  scores = await folders(classifier(), 'classify');
  masks = await folders(segmenter(), 'segment');
});
afterAll(() => runtime.dispose());

async function expectError(code: ErrorCode, message: RegExp, running: Promise<unknown>): Promise<void> {
  const before = memory().numTensors;
  const error = await running.then(() => undefined, (e: unknown) => e);
  expect(isOverreadError(error) && error.code).toBe(code);
  expect((error as Error).message).toMatch(message);
  expect(memory().numTensors).toBe(before);
}

async function answers(files: ModelFiles, x: Tensor): Promise<{ shape: number[]; values: Float32Array }> {
  const net = await runtime.load(files);
  const [y] = await net.predict([x]);
  const answer = { shape: y!.shape, values: (await y!.data()) as Float32Array };
  y!.dispose();
  net.dispose();
  return answer;
}

test.each(['classify', 'segment'] as const)('a network to %s gives what it gives in tfjs, channels last, and leaves nothing behind', async task => {
  const both = task === 'classify' ? scores : masks;
  const x = tidy(() => randomNormal([1, ROWS, COLUMNS, 3], 0, 1, 'float32', 7));
  const before = memory().numTensors;
  const wanted = await answers(both.layers, x);
  const got = await answers(both.onnx, x);
  expect(got.shape).toEqual(task === 'classify' ? [1, 2] : [1, ROWS, COLUMNS, 2]);
  expect(got.shape).toEqual(wanted.shape);
  const largest = Math.max(...wanted.values.map(Math.abs));
  expect(largest).toBeGreaterThan(0.01);
  const worst = Math.max(...got.values.map((v, i) => Math.abs(v - wanted.values[i]!)));
  expect(worst).toBeLessThan(1e-5 * largest);
  expect(memory().numTensors).toBe(before);
  x.dispose();
});

test('results are those of tfjs, and say what they were made on', async () => {
  const result = async <T>(files: ModelFiles) => (await infer(runtime, await runtime.load(files), [colours])) as T;
  const [tf, ort] = [await result<ScoresResult>(scores.layers), await result<ScoresResult>(scores.onnx)];
  ort.scores.forEach((score, i) => expect(score.logit).toBeCloseTo(tf.scores[i]!.logit, 4));
  expect(ort.device).toMatchObject({ backend: 'wasm', adapter: expect.stringMatching(/^onnxruntime 1\.\d+\.\d+, 1 thread$/) as unknown, software: false });
  expect(tf.device.adapter).not.toMatch(/onnx/);
  const [tfMask, ortMask] = [await result<LabelmapResult>(masks.layers), await result<LabelmapResult>(masks.onnx)];
  expect(new Set(tfMask.labels).size).toBeGreaterThan(1);
  const different = ortMask.labels.filter((label, i) => label !== tfMask.labels[i]).length;
  expect(different).toBeLessThan(0.001 * tfMask.labels.length);
});

describe('from within', () => {
  let net: LoadedModel;
  beforeAll(async () => (net = await runtime.load(scores.onnx)));
  afterAll(() => net.dispose());

  test('scores, as occlusion asks for them, an input at a time', async () => {
    const x = tidy(() => randomNormal([2, ROWS, COLUMNS, 3], 0, 1, 'float32', 9));
    const values = x.dataSync() as Float32Array;
    const other = await runtime.load(scores.layers);
    const [got, wanted] = [await net.gradients.scores(values, 1), await other.gradients.scores(values, 1)];
    expect(got).toHaveLength(2);
    got.forEach((score, i) => expect(score).toBeCloseTo(wanted[i]!, 4));
    other.dispose();
    x.dispose();
  });

  test('no layer can be entered', () => expectError('model/graph', /Expected a layers model.*got the onnx model tiny-onnx/, net.gradients.topLayer()));
});

describe('refuses', () => {
  const bytes = async () => scores.onnx.read('model.onnx');

  test('a file that is cut short', async () => {
    const short = (await bytes()).slice(0, 200);
    await expectError('model/graph', /Expected an ONNX model in model\.onnx of tiny-onnx, got one that onnxruntime cannot load: .*cut short/, runtime.load(folder(new Map([['model.onnx', short]]), 'onnx', 'classify')));
  });
  test('a file that is not the one that the manifest names', async () => {
    const tampered = (await bytes()).slice();
    tampered[tampered.length - 100]! ^= 1;
    await expectError('model/corrupt', /expected SHA-256/, runtime.load(folder(new Map([['model.onnx', await bytes()]]), 'onnx', 'classify', { 'model.onnx': tampered })));
  });
  test('shapes and targets that are not the manifest\'s', async () => {
    const changed = async (change: Parameters<typeof tinyManifest>[1]) => {
      const manifest = JSON.parse(new TextDecoder().decode(await scores.onnx.read('manifest.json'))) as object;
      return folder(new Map([['model.onnx', await bytes()]]), 'onnx', 'classify', { 'manifest.json': asBytes(change!(manifest as never)) });
    };
    await expectError('model/graph', /one input of shape \[1,24,16,3\].*got \[1,16,24,3\]/, runtime.load(await changed(m => ({ ...m, input: { ...m.input, shape: [COLUMNS, ROWS, 3] } }))));
    await expectError('model/graph', /give 1 channels for its 1 target\(s\), got \[1,2\]/, runtime.load(await changed(m => ({ ...m, output: { ...m.output, targets: m.output.targets.slice(1) } }))));
    await expectError('model/manifest', /expected NHWC with graph\.format onnx/, runtime.load(await changed(m => ({ ...m, input: { ...m.input, layout: 'NDHWC', shape: [1, ROWS, COLUMNS, 3] } }))));
  });
});

test('layouts', () => {
  const nhwc = Float32Array.from({ length: 24 }, (_, i) => i);
  const first = channelsFirst(nhwc, [2, 1, 4, 3]);
  expect(first.shape).toEqual([2, 3, 1, 4]);
  expect([...first.values.subarray(0, 12)]).toEqual([0, 3, 6, 9, 1, 4, 7, 10, 2, 5, 8, 11]);
  expect(channelsLast(first.values, first.shape)).toEqual({ values: nhwc, shape: [2, 1, 4, 3] });
  expect(channelsFirst(nhwc, [6, 4])).toEqual({ values: nhwc, shape: [6, 4] });
  expect(shapeChannelsLast(['batch', 3, 16, 24])).toEqual([null, 16, 24, 3]);
  expect(shapeChannelsLast([1, 2])).toEqual([1, 2]);
});
