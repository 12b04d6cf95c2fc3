import { memory } from '@tensorflow/tfjs-core';
import { infer } from '../../src/infer.ts';
import type { LabelmapResult } from '../../src/results/result.ts';
import { createRuntime, type TfjsRuntime } from '../../src/runtime/runtime.ts';
import { disc, picture, tinyFiles, WASM } from './runtime/tiny.ts';

describe('infer on wasm', () => {
  let runtime: TfjsRuntime;

  beforeAll(async () => {
    runtime = await createRuntime({ backend: 'wasm', wasmPath: WASM });
  });
  afterAll(() => runtime.dispose());

  test('gives a mask on the source grid, with area, time and where it came from', async () => {
    const model = await runtime.load(tinyFiles('tiny-bright'));
    const image = disc(200, 120, { spacingMm: [0.5, 0.25] });
    const result = (await infer(runtime, model, [image])) as LabelmapResult;
    expect(result.kind).toBe('labelmap');
    expect(result.labels).toHaveLength(200 * 120);
    const truth = image.pixels.map(v => (v > 100 ? 1 : 0));
    let both = 0;
    let either = 0;
    truth.forEach((t, i) => {
      both += t & result.labels[i]!;
      either += t + result.labels[i]!;
    });
    expect((2 * both) / either).toBeGreaterThan(0.95);
    const [segment] = result.segments;
    expect(segment!.areaMm2).toBeCloseTo(segment!.pixels * 0.125, 6);
    expect(result.device).toMatchObject({ backend: 'wasm', software: false, reason: expect.stringMatching(/^WebAssembly was asked for; computed by onnxruntime [\d.]+, 1 thread$/) });
    expect(result.model).toMatchObject({ id: 'tiny-bright', version: '1.0.0' });
    expect(result.source.sources).toEqual([{ file: 'picture.png' }]);
    expect('pixels' in result.source).toBe(false);
    expect(Object.values(result.timingMs).every(ms => ms >= 0)).toBe(true);
    model.dispose();
  });

  test('layers and graph models of the same network agree', async () => {
    const masks: Uint8Array[] = [];
    for (const id of ['tiny-bright', 'tiny-graph']) {
      const model = await runtime.load(tinyFiles(id));
      masks.push(((await infer(runtime, model, [disc(64, 64)])) as LabelmapResult).labels);
      model.dispose();
    }
    expect(masks[0]!.some(v => v === 1)).toBe(true);
    expect(masks[1]).toEqual(masks[0]);
  });

  test('softmax has a background', async () => {
    const model = await runtime.load(tinyFiles('tiny-softmax'));
    const result = (await infer(runtime, model, [picture(32, 32, x => x)])) as LabelmapResult;
    // Normalised to 0..1; the classes meet at 1/4 and 3/4.
    const row = [...result.labels.subarray(0, 32)];
    expect(row).toEqual(Array.from({ length: 32 }, (_, x) => (x / 31 <= 0.25 ? 0 : x / 31 <= 0.75 ? 1 : 2)));
    model.dispose();
  });

  test('what was synthesised is refused by name; forced, the result says so; a model that was made for such takes it', async () => {
    const model = await runtime.load(tinyFiles('tiny-bright'));
    const image = disc(64, 64, { attributes: { seriesDescription: 'sFLAIR', synthesised: 'Image Type has SYNTHETIC' } });
    await expect(infer(runtime, model, [image])).rejects.toMatchObject({
      code: 'input/out-of-distribution', message: expect.stringMatching(/'sFLAIR' was synthesised.*Image Type has SYNTHETIC.*--force/), fields: { outOfDistribution: { refused: true } },
    });
    const forced = await infer(runtime, model, [image], { force: true });
    expect(forced.outOfDistribution).toMatchObject({ refused: true, reason: expect.stringContaining('was synthesised') });
    const made = { ...model, identity: model.identity, device: model.device, predict: model.predict.bind(model), receptiveField: model.receptiveField.bind(model), manifest: { ...model.manifest, input: { ...model.manifest.input, synthesised: true as const } } };
    expect(await infer(runtime, made, [image])).not.toHaveProperty('outOfDistribution');
    model.dispose();
  });

  test('a picture of one pixel is an image too', async () => {
    const model = await runtime.load(tinyFiles('tiny-unet'));
    const result = (await infer(runtime, model, [picture(1, 1, () => 7)])) as LabelmapResult;
    expect(result.labels).toHaveLength(1);
    model.dispose();
  });

  test('50 runs leave the memory as it was', async () => {
    const model = await runtime.load(tinyFiles('tiny-unet'));
    const image = disc(40, 50);
    await infer(runtime, model, [image]);
    const before = runtime.memory();
    for (let i = 0; i < 50; i++) await infer(runtime, model, [image]);
    expect(runtime.memory()).toEqual(before);
    model.dispose();
    expect(memory().numTensors).toBe(0);
  });

  test('stops at an aborted signal', async () => {
    const model = await runtime.load(tinyFiles('tiny-bright'));
    const signal = AbortSignal.abort();
    await expect(infer(runtime, model, [disc(10, 10)], { signal })).rejects.toMatchObject({ code: 'job/cancelled' });
    model.dispose();
    expect(memory().numTensors).toBe(0);
  });
});
