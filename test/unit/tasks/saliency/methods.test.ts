/** Every method on a hand-made detector of spots: what it finds, that it stops, and that it leaves nothing behind. */
import { memory, setBackend } from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { input, layers, model } from '@tensorflow/tfjs-layers';
import { createRuntime, type TfjsRuntime } from '../../../../src/runtime/runtime.ts';
import type { LoadedModel, ModelFiles } from '../../../../src/runtime/types.ts';
import { SALIENCY_METHODS, type SaliencyRequest, type SaliencyResult } from '../../../../src/tasks/saliency/index.ts';
import { gaussians } from '../../../../src/tasks/saliency/random.ts';
import { picture, tinyFiles, WASM } from '../../runtime/tiny.ts';
import { classifierFiles, explainOne, meanGraph, SIDE, spotDetector, spotted, within, type Spot } from './networks.ts';

const LABELS = ['Bright spot', 'Dark spot'];
/** Few steps, since plain JavaScript is slow. */
const SHORT: Partial<Record<SaliencyResult['saliency']['method'], object>> = { 'smooth-grad': { samples: 5 }, occlusion: { stride: 2 } };
const request = (method: SaliencyResult['saliency']['method'], target = 'Bright spot', more = {}) =>
  ({ method, target, ...SHORT[method], ...more }) as SaliencyRequest;

/** The source pixel with the largest value. */
function peak({ values, source: { shape } }: SaliencyResult): [column: number, row: number] {
  let at = 0;
  values.forEach((v, i) => v > values[at]! && (at = i));
  return [at % shape[0], Math.floor(at / shape[0])];
}

describe('saliency on plain JavaScript', () => {
  let runtime: TfjsRuntime;
  let net: LoadedModel;
  beforeAll(async () => {
    await setBackend('cpu');
    const files = await classifierFiles(spotDetector(), LABELS);
    runtime = await createRuntime({ backend: 'cpu' });
    net = await runtime.load(files);
  });
  afterAll(() => {
    runtime.dispose();
    expect(memory().numTensors).toBe(0);
  });

  test.each(SALIENCY_METHODS)('%s: the peak lies in the spot of each target, on the source grid', async method => {
    // Wider than high and of another size than the input, so that a wrong way back shows.
    const [columns, rows] = [80, 60];
    const next = gaussians(3);
    const anywhere = (low: number, high: number) => low + (high - low) * (0.5 + Math.atan(next()) / Math.PI);
    let hits = 0;
    const runs = method === 'grad-cam' || method === 'input-gradient' ? 20 : 5;
    for (let i = 0; i < runs; i++) {
      const bright: Spot = { x: anywhere(11, 69), y: anywhere(11, 20), radius: 9 };
      const dark: Spot = { x: anywhere(11, 69), y: anywhere(40, 49), radius: 9 };
      const image = spotted(columns, rows, bright, dark);
      const [target, spot] = i % 2 ? ['Dark spot', dark] : ['Bright spot', bright];
      const result = await explainOne(runtime, net, image, request(method, target as string));
      expect(result.values).toHaveLength(columns * rows);
      if (within(spot as Spot, ...peak(result))) hits++;
    }
    expect(hits / runs).toBeGreaterThanOrEqual(0.95);
  });

  test.each(SALIENCY_METHODS)('%s: says how it was made, and never a number that is not finite', async method => {
    const fractions: number[] = [];
    const image = spotted(40, 40, { x: 10, y: 12, radius: 5 }, { x: 30, y: 30, radius: 5 });
    const result = await explainOne(runtime, net, image, request(method), { onProgress: ({ fraction }) => fraction !== undefined && fractions.push(fraction) });
    expect(result).toMatchObject({ kind: 'heatmap', target: { label: 'Bright spot' }, model: { id: 'tiny-classifier' }, device: { backend: 'cpu' } });
    const { saliency, values, range } = result;
    expect(saliency).toMatchObject({ method, scoreIs: 'logit', mapSize: [SIDE, SIDE], signed: ['integrated-gradients', 'occlusion'].includes(method) });
    expect(fractions.at(-1)).toBe(1);
    expect([...fractions].sort((a, b) => a - b)).toEqual(fractions);
    expect(values.every(Number.isFinite)).toBe(true);
    expect(range[1]).toBeGreaterThan(0);
    expect(range[0]).toBe(saliency.signed ? -range[1] : 0);
    expect(Math.max(...values.map(Math.abs))).toBeLessThanOrEqual(range[1] * (1 + 1e-6));
    expect(saliency.randomisation).toMatchObject({ layer: 'scores', seed: 0, similarity: expect.any(Number), suspicious: expect.any(Boolean) });
    // The parameters as used give the same map again.
    const again = await explainOne(runtime, net, image, { ...request(method), ...saliency.parameters } as SaliencyRequest);
    expect(again.values).toEqual(values);
    expect(again.saliency.parameters).toEqual(saliency.parameters);
  });

  test('integrated gradients add up to the difference of the scores within 1 %', async () => {
    for (let i = 0; i < 4; i++) {
      const image = spotted(SIDE, SIDE, { x: 6 + 4 * i, y: 8, radius: 2 + i / 2 }, { x: 20, y: 22, radius: 4 });
      const { values, saliency } = await explainOne(runtime, net, image, request('integrated-gradients', LABELS[i % 2]!));
      expect(saliency.completeness!.error).toBeLessThanOrEqual(0.01);
      const shown = values.reduce((sum, v) => sum + v, 0);
      expect(shown).toBeCloseTo(saliency.completeness!.sum, 3);
      const [score, baseline] = await net.gradients.scores(Float32Array.from([...image.pixels, ...image.pixels.map(() => 0)]), i % 2);
      expect(saliency.completeness!.difference).toBeCloseTo(score! - baseline!, 4);
    }
  });

  test('integrated gradients say so when their steps do not suffice', async () => {
    const image = spotted(SIDE, SIDE, { x: 10, y: 10, radius: 4 }, { x: 19, y: 19, radius: 3 });
    const { saliency } = await explainOne(runtime, net, image, { method: 'integrated-gradients', target: 'Bright spot', steps: 1, maxSteps: 1 });
    expect(saliency.parameters).toMatchObject({ steps: 1 });
    expect(saliency.completeness!.error).toBeGreaterThan(0.01);
  });

  test('occlusion: what a window hides is what the score loses', async () => {
    const image = spotted(SIDE, SIDE, { x: 12, y: 12, radius: 3 }, { x: 20, y: 21, radius: 2 });
    const { values, saliency } = await explainOne(runtime, net, image, { method: 'occlusion', target: 'Bright spot', size: 8, stride: 8, fill: 0.4 });
    const hidden = image.pixels.slice();
    for (let y = 8; y < 16; y++) hidden.fill(0.4, y * SIDE + 8, y * SIDE + 16);
    const [score, without] = await net.gradients.scores(Float32Array.from([...image.pixels, ...hidden]), 0);
    expect(saliency.score).toBeCloseTo(score!, 5);
    expect(values[12 * SIDE + 12]).toBeCloseTo(score! - without!, 5);
    // Nothing that counts is hidden there.
    expect(values[12 * SIDE + 20]).toBeCloseTo(0, 5);
  });

  test('the same seed gives the same noise, another one another', async () => {
    const image = spotted(SIDE, SIDE, { x: 10, y: 10, radius: 4 }, { x: 19, y: 19, radius: 3 });
    const maps = [];
    for (const seed of [1, 1, 2]) maps.push((await explainOne(runtime, net, image, request('smooth-grad', 'Bright spot', { seed, noise: 0.3 }))).values);
    expect(maps[1]).toEqual(maps[0]);
    expect(maps[2]).not.toEqual(maps[0]);
  });

  test.each(SALIENCY_METHODS)('%s leaves the memory as it was, cancelled too', async method => {
    const image = spotted(SIDE, SIDE, { x: 10, y: 10, radius: 4 }, { x: 19, y: 19, radius: 3 });
    await explainOne(runtime, net, image, request(method));
    const before = runtime.memory();
    await explainOne(runtime, net, image, request(method));
    const aborted = new AbortController();
    const run = explainOne(runtime, net, image, request(method), { signal: aborted.signal, onProgress: ({ fraction }) => fraction !== undefined && aborted.abort() });
    await expect(run).rejects.toMatchObject({ code: 'job/cancelled' });
    await explainOne(runtime, net, image, request('grad-cam'));
    expect(runtime.memory()).toEqual(before);
  });

  test('a cancelled run stops at its next step', async () => {
    const aborted = new AbortController();
    let steps = 0;
    const onProgress = ({ fraction }: { fraction?: number }) => {
      if (fraction !== undefined && ++steps === 3) aborted.abort();
    };
    const image = picture(SIDE, SIDE, x => x / SIDE);
    await expect(explainOne(runtime, net, image, { method: 'smooth-grad', target: 'Dark spot', samples: 1000 }, { signal: aborted.signal, onProgress })).rejects.toMatchObject({ code: 'job/cancelled' });
    expect(steps).toBe(3);
  });

  const wrong: [string, object, string][] = [
    ['a target that there is not', { method: 'grad-cam', target: 'Nodule' }, 'Bright spot, Dark spot'],
    ['a method that there is not', { method: 'dowsing', target: 'Dark spot' }, 'grad-cam'],
    ['no samples', { method: 'smooth-grad', target: 'Dark spot', samples: 0 }, 'samples'],
    ['half a step', { method: 'integrated-gradients', target: 'Dark spot', steps: 2.5 }, 'steps'],
    ['a window beyond the image', { method: 'occlusion', target: 'Dark spot', size: 33 }, 'size'],
    ['a stride that leaves gaps', { method: 'occlusion', target: 'Dark spot', size: 4, stride: 5 }, 'stride'],
    ['noise that is no number', { method: 'smooth-grad', target: 'Dark spot', noise: NaN }, 'noise'],
    ['a layer that there is not', { method: 'grad-cam', target: 'Dark spot', layer: 'nowhere' }, 'positive'],
  ];
  test.each(wrong)('%s is an error that says what there is', async (_, asked, said) => {
    await expect(explainOne(runtime, net, picture(8, 8, () => 0.5), asked as SaliencyRequest)).rejects.toMatchObject({ code: 'config/invalid', message: expect.stringContaining(said) });
  });

  test('an image that the model does not read is refused', async () => {
    await expect(explainOne(runtime, net, picture(8, 8, () => 0.5, { modality: 'MR' }), request('grad-cam'))).rejects.toMatchObject({ code: 'input/refused' });
  });

  test('a picture of one grey, of one pixel: a map of zeros is a map', async () => {
    const { values, range } = await explainOne(runtime, net, picture(1, 1, () => 0.4), request('grad-cam'));
    expect([...values]).toEqual([0]);
    expect(range).toEqual([0, 1]);
  });
});

describe('the randomisation check', () => {
  let runtime: TfjsRuntime;
  beforeAll(async () => {
    runtime = await createRuntime({ backend: 'cpu' });
  });
  afterAll(() => runtime.dispose());
  const image = spotted(SIDE, SIDE, { x: 10, y: 10, radius: 4 }, { x: 19, y: 19, radius: 3 });

  test('warns of a map that the top layer does not change', async () => {
    // One feature only: whatever its weight, the map is the same.
    const x = input({ shape: [SIDE, SIDE, 1], name: 'image' });
    const edges = layers.conv2d({ name: 'edges', filters: 1, kernelSize: 3, padding: 'same', activation: 'tanh' }).apply(x);
    const mean = layers.globalAveragePooling2d({ name: 'mean', dataFormat: 'channelsLast' }).apply(edges);
    const network = model({ inputs: x, outputs: layers.dense({ name: 'scores', units: 1 }).apply(mean) as ReturnType<typeof input> });
    const net = await runtime.load(await classifierFiles(network, ['Edges']));
    const { saliency } = await explainOne(runtime, net, image, request('input-gradient', 'Edges'));
    expect(saliency.randomisation).toMatchObject({ suspicious: true });
    expect((saliency.randomisation as { similarity: number }).similarity).toBeGreaterThan(0.99);
    net.dispose();
  });

  test('does not warn where what was learnt makes the map, and has its seed from the request', async () => {
    const net = await runtime.load(await classifierFiles(spotDetector(), LABELS));
    const similarities = new Set<number>();
    let suspicious = 0;
    for (const checkSeed of [1, 2, 3, 4, 5, 6]) {
      const { randomisation } = (await explainOne(runtime, net, image, request('grad-cam', 'Bright spot', { checkSeed }))).saliency;
      if ('unavailable' in randomisation) throw new Error(randomisation.unavailable);
      expect(randomisation.seed).toBe(checkSeed);
      similarities.add(randomisation.similarity);
      if (randomisation.suspicious) suspicious++;
    }
    // The top has two features; about one seed in four weighs the bright one well above the dark one.
    expect(suspicious).toBeLessThan(6);
    expect(similarities.size).toBeGreaterThan(1);
    net.dispose();
  });
});

describe('saliency on wasm', () => {
  let runtime: TfjsRuntime;
  let files: ModelFiles;
  beforeAll(async () => {
    await setBackend('cpu');
    files = await classifierFiles(spotDetector(), LABELS);
    runtime = await createRuntime({ backend: 'wasm', wasmPath: WASM });
  });
  afterAll(() => runtime.dispose());
  const bright: Spot = { x: 30, y: 20, radius: 7 };
  const image = spotted(80, 60, bright, { x: 60, y: 45, radius: 7 });

  test('occlusion works, its check too', async () => {
    const net = await runtime.load(files);
    const result = await explainOne(runtime, net, image, request('occlusion'));
    expect(within(bright, ...peak(result))).toBe(true);
    expect(result.saliency.randomisation).toMatchObject({ layer: 'scores' });
    net.dispose();
  });

  test.each(SALIENCY_METHODS.filter(method => method !== 'occlusion'))('%s says what works instead', async method => {
    const net = await runtime.load(files);
    await expect(explainOne(runtime, net, image, request(method))).rejects.toMatchObject({ code: 'device/unavailable', message: expect.stringMatching(/occlusion/) });
    net.dispose();
  });

  test('occlusion explains graph models too, and says why their check is missing', async () => {
    const net = await runtime.load(meanGraph());
    const result = await explainOne(runtime, net, image, request('occlusion', 'Mean', { fill: 0 }));
    expect(result.saliency.randomisation).toEqual({ unavailable: expect.stringMatching(/graph model/) });
    // Nothing but the mean of the pixels: what is brighter counts for more.
    expect(within(bright, ...peak(result))).toBe(true);
    net.dispose();
  });

  test('a segmentation model is no classifier', async () => {
    const net = await runtime.load(tinyFiles('tiny-bright'));
    await expect(explainOne(runtime, net, image, request('occlusion', 'Bright'))).rejects.toMatchObject({ code: 'model/graph', message: expect.stringMatching(/classifier/) });
    net.dispose();
  });
});
