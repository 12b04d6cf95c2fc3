import '@tensorflow/tfjs-backend-cpu';
import { memory, setBackend, tensor, type Tensor } from '@tensorflow/tfjs-core';
import { input, layers as tfl, model as tfModel } from '@tensorflow/tfjs-layers';
import { layersFiles } from '../../../src/architectures/layers-files.ts';
import type { Image } from '../../../src/image/image.ts';
import { infer } from '../../../src/infer.ts';
import { parseManifest, type ModelManifest } from '../../../src/manifest.ts';
import type { LabelmapResult } from '../../../src/results/result.ts';
import type { Device } from '../../../src/runtime/device.ts';
import type { Network } from '../../../src/runtime/network.ts';
import { checkLimits } from '../../../src/runtime/preflight.ts';
import { createRuntime, type TfjsRuntime } from '../../../src/runtime/runtime.ts';
import { sha256 } from '../../../src/runtime/sha256.ts';
import { SliceNetwork } from '../../../src/runtime/slice-network.ts';
import type { LoadedModel, ModelFiles } from '../../../src/runtime/types.ts';
import { volumeNetworkOf, type VolumeStep } from '../../property/volume-networks.ts';
import { installWebGPU } from '../../../src/runtime/node-webgpu.ts';
import { dawnMissing } from '../runtime/dawn.ts';
import { asBytes, tinyManifest, WASM } from '../runtime/tiny.ts';

jest.mock('webgpu', () => jest.requireActual<typeof import('../runtime/dawn.ts')>('../runtime/dawn.ts').dawn());

const SIDE = 8;
const MESHNET: readonly VolumeStep[] = [1, 2, 4, 1].map(rate => ({ kind: 'conv', size: 3, stride: 1, rate, padding: 'same', activation: rate === 4 ? 'elu' : 'relu' }));
const concept = { codeValue: '12738006', codingSchemeDesignator: 'SCT', codeMeaning: 'Brain' };

/** Voxels as stored: columns to the left, rows to the back, slices to the head. */
function volume(pixels: Float32Array, shape: readonly [number, number, number] = [SIDE, SIDE, SIDE], changes: Partial<Image> = {}): Image {
  return {
    sources: Array.from({ length: shape[2] }, () => ({ file: 'a.nii' })), modality: 'MR', shape, channels: 1, attributes: {}, pixels, representableRange: [0, 255],
    indexToPatient: [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1], spacingMm: [1, 1], sliceSpacingMm: 1, ...changes,
  };
}
const waves = (count: number) => Float32Array.from({ length: count }, (_, i) => 100 + 90 * Math.sin(i * 0.37) * Math.cos(i * 0.11));

async function files(change: (manifest: ModelManifest) => object = m => m, steps = MESHNET): Promise<ModelFiles> {
  await setBackend('cpu');
  const network = volumeNetworkOf(steps, [SIDE, SIDE, SIDE], 11);
  const all = new Map(await layersFiles(network));
  network.dispose();
  const hashes = Object.fromEntries(await Promise.all([...all].map(async ([name, bytes]) => [name, await sha256(bytes)] as const)));
  const manifest = parseManifest(change(tinyManifest('tiny-softmax', m => ({
    ...m, id: 'tiny-volume', task: 'segment', graph: { url: 'model.json', format: 'layers', sha256: hashes },
    input: { modality: ['MR', 'OT'], shape: [SIDE, SIDE, SIDE, 1], layout: 'NDHWC', valueRange: [0, 1], channels: ['t1'], normalisation: { kind: 'percentile', low: 5, high: 95, clip: false }, fit: 'conform', grid: { axes: 'SPL', spacingMm: 1 } },
    output: { activation: 'softmax', gives: 'logits', targets: [{ label: 'brain', concept }] },
  }))), 'tiny-volume');
  all.set('manifest.json', asBytes(manifest));
  return { location: 'tiny-volume', read: async path => all.get(path)! };
}

/** Stock tfjs on the whole volume, in the network's own axes. */
async function stock(pixels: Float32Array): Promise<Float32Array> {
  const sorted = Float32Array.from(pixels).sort();
  const at = (p: number) => {
    const place = p * (sorted.length - 1);
    return sorted[Math.floor(place)]! + (sorted[Math.ceil(place)]! - sorted[Math.floor(place)]!) * (place % 1);
  };
  const [low, high] = [at(0.05), at(0.95)];
  await setBackend('cpu');
  const network = volumeNetworkOf(MESHNET, [SIDE, SIDE, SIDE], 11);
  const x = tensor(pixels.map(v => (v - low) / (high - low)), [1, SIDE, SIDE, SIDE, 1]);
  const y = network.predict(x) as Tensor;
  const logits = y.dataSync() as Float32Array;
  [x, y].forEach(t => t.dispose());
  network.dispose();
  return logits;
}

async function withModel<T>(work: (runtime: TfjsRuntime, model: LoadedModel) => Promise<T>, of: Promise<ModelFiles> = files(), backend: 'wasm' | 'webgpu' | 'cpu' = 'wasm'): Promise<T> {
  const from = await of;
  const runtime = await createRuntime({ backend, wasmPath: WASM, allowSoftware: true });
  try {
    const model = await runtime.load(from);
    const done = await work(runtime, model);
    model.dispose();
    expect(memory().numTensors).toBe(0);
    return done;
  } finally {
    runtime.dispose();
  }
}

const noGpu = dawnMissing();
if (noGpu) console.warn(`Skipped: volumes on WebGPU, since there is ${noGpu}.`);

test.each(['wasm', 'cpu', ...(noGpu ? [] : ['webgpu' as const])] as const)('the labels of stock tfjs, on the source grid, on %s', async backend => {
  if (backend === 'webgpu') await installWebGPU();
  const pixels = waves(SIDE ** 3);
  const logits = await stock(pixels);
  const stages: string[] = [];
  const { labels, segments } = await withModel(async (runtime, model) => (await infer(runtime, model, [volume(pixels)], { onProgress: ({ stage }) => stages.push(stage) })) as LabelmapResult, files(), backend);
  const expected = Array.from({ length: SIDE ** 3 }, (_, i) => (logits[2 * i + 1]! > logits[2 * i]! ? 1 : 0));
  const sure = expected.map((_, i) => Math.abs(logits[2 * i + 1]! - logits[2 * i]!) > 1e-4);
  expect(sure.filter(Boolean).length).toBeGreaterThan(SIDE ** 3 - 5);
  expected.forEach((label, i) => sure[i] && expect(labels[i]).toBe(label));
  const found = labels.reduce((sum, label) => sum + label, 0);
  expect(found).toBeGreaterThan(20);
  expect(found).toBeLessThan(SIDE ** 3 - 20);
  expect(segments[0]).toMatchObject({ pixels: found, volumeMm3: found });
  expect(stages).toEqual(expect.arrayContaining(['encode', 'infer', 'decode']));
}, 120_000);

test('a layer of a whole volume may be over a device\'s limit, as long as a plane is not', async () => {
  await setBackend('cpu');
  // 256³ voxels of 2 channels are 128 MiB in a layer; a plane with its three taps 1.5 MiB.
  const network = volumeNetworkOf(MESHNET, [256, 256, 256], 11);
  const sliced = new SliceNetwork(network, [256, 256, 256, 1]);
  const check = (bytes: number) => checkLimits({ tensors: sliced.tensors } as unknown as Network, 'x', { maxTensor: { bytes, limit: 'maxStorageBufferBindingSize' }, description: { backend: 'webgpu', adapter: 'small' } } as unknown as Device);
  expect(() => check(1.5 * 2 ** 20)).not.toThrow();
  expect(() => check(1.4 * 2 ** 20)).toThrow(expect.objectContaining({ code: 'device/limit' }));
  const { total } = sliced.memory();
  const budgeted = (budget: number) => checkLimits({ tensors: [], sliced } as unknown as Network, 'x', { budget, maxTensor: { bytes: 2 ** 30 }, description: {} } as unknown as Device);
  expect(() => budgeted(total)).not.toThrow();
  expect(() => budgeted(total - 1)).toThrow(expect.objectContaining({ code: 'device/limit', message: expect.stringMatching(/needs \d+ MiB .* its budget is \d+ MiB/) as string }));
  sliced.dispose();
  network.dispose();
});

test('slices, rows and columns in any order and spacing: the labels stay where the tissue is', async () => {
  const pixels = waves(SIDE ** 3);
  await withModel(async (runtime, model) => {
    const plain = (await infer(runtime, model, [volume(pixels)])) as LabelmapResult;
    // The same voxels, stored with the columns last and from the other end.
    const turned = new Float32Array(SIDE ** 3);
    const at = (c: number, r: number, s: number) => (s * SIDE + r) * SIDE + c;
    for (let s = 0; s < SIDE; s++) for (let r = 0; r < SIDE; r++) for (let c = 0; c < SIDE; c++) turned[at(s, r, SIDE - 1 - c)] = pixels[at(c, r, s)]!;
    const indexToPatient = [0, 0, -1, SIDE - 1, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1];
    // About the voxel at half of the size, a turned axis would begin a voxel later: the centre is kept by one more plane.
    const other = (await infer(runtime, model, [volume(turned, [SIDE, SIDE, SIDE], { indexToPatient })])) as LabelmapResult;
    expect(other.source.shape).toEqual([SIDE, SIDE, SIDE]);
    let same = 0;
    for (let s = 0; s < SIDE; s++) for (let r = 0; r < SIDE; r++) for (let c = 0; c < SIDE; c++) same += other.labels[at(s, r, SIDE - 1 - c)] === plain.labels[at(c, r, s)] ? 1 : 0;
    expect(same / SIDE ** 3).toBeGreaterThan(0.75);
  });
});

test('a volume of one value, and one much smaller than the grid, are read; no value is NaN', async () => {
  await withModel(async (runtime, model) => {
    const flat = (await infer(runtime, model, [volume(new Float32Array(SIDE ** 3).fill(7))])) as LabelmapResult;
    expect(flat.labels).toHaveLength(SIDE ** 3);
    const small = (await infer(runtime, model, [volume(waves(2), [1, 1, 2])])) as LabelmapResult;
    expect(small.labels).toHaveLength(2);
  });
});

test('refused by name: one plane, several series, colour, no geometry, axes in one plane, NaN, another modality', async () => {
  await withModel(async (runtime, model) => {
    const run = (image: Image, ...more: Image[]) => infer(runtime, model, [image, ...more]);
    const good = volume(waves(SIDE ** 3));
    const { indexToPatient: _, ...lost } = good;
    await expect(run(volume(waves(1), [1, 1, 1]))).rejects.toMatchObject({ code: 'input/refused', message: expect.stringContaining('a single plane of 1 × 1') as string });
    await expect(run(good, good)).rejects.toMatchObject({ code: 'input/views' });
    await expect(run({ ...good, channels: 3, pixels: waves(3 * SIDE ** 3) })).rejects.toMatchObject({ code: 'input/refused' });
    await expect(run(lost)).rejects.toMatchObject({ code: 'input/refused', message: expect.stringContaining('without position and orientation') as string });
    await expect(run({ ...good, indexToPatient: [1, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1] })).rejects.toMatchObject({ code: 'input/geometry' });
    await expect(run(volume(waves(SIDE ** 3).fill(NaN, 100, 101)))).rejects.toMatchObject({ code: 'input/unsupported-pixels' });
    await expect(run({ ...good, modality: 'CT' })).rejects.toMatchObject({ code: 'input/refused' });
  });
});

test('a cancelled run leaves nothing on the device', async () => {
  await withModel(async (runtime, model) => {
    const abort = new AbortController();
    const running = infer(runtime, model, [volume(waves(SIDE ** 3))], { signal: abort.signal, onProgress: ({ stage }) => stage === 'infer' && abort.abort() });
    await expect(running).rejects.toMatchObject({ code: 'job/cancelled' });
    await runtime.turn(async () => {});
  });
});

test('a manifest of volumes must state its grid and be conformed; of planes, neither', async () => {
  const manifest = JSON.parse(new TextDecoder().decode(await (await files()).read('manifest.json'))) as ModelManifest;
  const changed = (of: object) => () => parseManifest({ ...manifest, input: { ...manifest.input, ...of } }, 'x');
  expect(changed({})).not.toThrow();
  expect(changed({ grid: undefined })).toThrow(/input\.grid: expected the axes and spacingMm/);
  expect(changed({ fit: 'crop' })).toThrow(/input\.fit: expected 'conform'/);
  expect(changed({ grid: { axes: 'LRA', spacingMm: 1 } })).toThrow(/expected one of L and R/);
  expect(changed({ grid: { axes: 'XYZ', spacingMm: 1 } })).toThrow(/three of the letters/);
  expect(changed({ shape: [8, 8, 1], layout: 'NHWC' })).toThrow(/conform/);
});

test('a layer that sees the whole volume is refused by its name', async () => {
  await setBackend('cpu');
  const image = input({ shape: [SIDE, SIDE, SIDE, 1] });
  const network = tfModel({ inputs: image, outputs: tfl.reshape({ name: 'turned', targetShape: [SIDE, SIDE, SIDE, 1] }).apply(image) as never });
  expect(() => new SliceNetwork(network, [SIDE, SIDE, SIDE, 1])).toThrow(expect.objectContaining({ code: 'model/graph', message: expect.stringContaining('turned (Reshape)') as string }));
  network.dispose();
});
