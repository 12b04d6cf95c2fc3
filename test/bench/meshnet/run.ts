/**
 * What a network of volumes takes, in time and memory, and whether its labels are those of stock tfjs:
 *
 *     node --import ./test/generators/typescript.mjs test/bench/meshnet/run.ts --model DIR --volume t1.nii.gz [--side 64] [--backend webgpu] [--stock] [--report FILE]
 *
 * DIR is what `overread import` made of the network. With --side the middle of the volume is read by the network at that
 * size. With --stock the same values are given to tfjs's own layers, whole, on the same backend. On WebGPU all buffers that stand
 * at once are counted, beside what was predicted before the run; --default-limits asks the adapter for no more than every device
 * grants (bindings of 128 MiB), --budget MIB is what the model may take. --labels FILE writes the labels, a byte a voxel; --against FILE
 * compares them with those of another run.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import * as tf from '@tensorflow/tfjs-core';
import { loadLayersModel } from '@tensorflow/tfjs-layers';
import { conform, conformedGrid } from '../../../src/image/conform.ts';
import type { Image } from '../../../src/image/image.ts';
import { imageFromNifti } from '../../../src/image/nifti.ts';
import type { Placed } from '../../../src/image/resample.ts';
import { infer } from '../../../src/infer.ts';
import { parseManifest } from '../../../src/manifest.ts';
import type { LabelmapResult } from '../../../src/results/result.ts';
import { labelsOnGrid } from '../../../src/results/volume-labels.ts';
import { diskFiles } from '../../../src/runtime/node-files.ts';
import { wasmFolder } from '../../../src/runtime/node-wasm.ts';
import { installWebGPU } from '../../../src/runtime/node-webgpu.ts';
import { buildNetwork } from '../../../src/runtime/network.ts';
import { createRuntime } from '../../../src/runtime/runtime.ts';
import { readVerified } from '../../../src/runtime/verified.ts';
import { normalise } from '../../../src/tensor/normalise.ts';
import type { Backend, ModelFiles } from '../../../src/runtime/types.ts';
import { countBuffers, DEFAULT_LIMITS } from './buffers.ts';
import { cropped, sized } from './sized.ts';

const { values: options } = parseArgs({ options: {
  model: { type: 'string' }, volume: { type: 'string' }, side: { type: 'string' }, backend: { type: 'string', default: 'wasm' },
  stock: { type: 'boolean', default: false }, report: { type: 'string' }, 'default-limits': { type: 'boolean', default: false }, budget: { type: 'string' },
  labels: { type: 'string' }, against: { type: 'string' },
} });
if (!options.model || !options.volume) throw new Error('expected --model DIR --volume FILE.nii.gz');

const whole = (await imageFromNifti(readFileSync(options.volume), path.basename(options.volume))) as Image & Placed;
const side = options.side === undefined ? undefined : Number(options.side);
const middle = whole.shape.map(size => Math.floor(size / 2)) as [number, number, number];
const image = side === undefined ? whole : cropped(whole, side, middle);
const files = side === undefined ? diskFiles(options.model) : await sized(diskFiles(options.model), side);
if (options.backend === 'webgpu') await installWebGPU(true);
const buffers = countBuffers();
const runtime = await createRuntime({
  backend: options.backend as Backend, allowSoftware: true, wasmPath: wasmFolder(import.meta.url),
  ...(options['default-limits'] && { deviceLimits: DEFAULT_LIMITS }), ...(options.budget && { memoryBudget: Number(options.budget) * 2 ** 20 }),
});

let deviceBytes = 0;
const loading = performance.now();
const model = await runtime.load(files);
const predicted = await runtime.turn(async () => {
  const network = await buildNetwork(await readVerified(files));
  const memory = network.sliced?.memory();
  network.dispose();
  return memory;
});
const loadMs = performance.now() - loading;
const start = performance.now();
const { labels, timingMs } = (await infer(runtime, model, [image], { onProgress: ({ fraction }) => {
  deviceBytes = Math.max(deviceBytes, runtime.memory().deviceBytes);
  if (fraction !== undefined) process.stderr.write(`\r${(100 * fraction).toFixed(1)} %`);
} })) as LabelmapResult;
const ms = performance.now() - start;
model.dispose();
const row: Record<string, unknown> = {
  date: new Date().toISOString(), machine: `${os.cpus()[0]?.model ?? '?'}, ${os.cpus().length} cores`, device: runtime.device,
  model: model.identity.id, shape: model.manifest.input.shape, loadMs: Math.round(loadMs), ms: Math.round(ms), predictMs: Math.round(timingMs.predict),
  ...(options.backend === 'webgpu' && { defaultLimits: options['default-limits'], budgetMiB: options.budget, predicted, peakBufferBytes: buffers.peak, largestBufferBytes: buffers.largest, load: os.loadavg() }),
  peakDeviceMiB: Math.round(deviceBytes / 2 ** 20), peakProcessMiB: Math.round(process.resourceUsage().maxRSS / 1024),
};
if (options.labels) writeFileSync(options.labels, Uint8Array.from(labels));
if (options.against) {
  const other = readFileSync(options.against);
  Object.assign(row, { against: options.against, voxels: labels.length, labelsThatDiffer: other.length === labels.length ? labels.reduce((count, label, i) => count + Number(label !== other[i]), 0) : 'another size' });
}
if (options.stock) Object.assign(row, await compared(files));
console.log(JSON.stringify(row, undefined, 2));
if (options.report) writeFileSync(options.report, `${JSON.stringify(row, undefined, 2)}\n`);
process.exit(0);

async function compared(from: ModelFiles): Promise<object> {
  const manifest = parseManifest(JSON.parse(new TextDecoder().decode(await from.read('manifest.json'))), 'manifest.json');
  const sides = manifest.input.shape.slice(0, 3) as [number, number, number];
  const grid = conformedGrid(image, sides, manifest.input.grid!);
  const values = normalise({ pixels: conform(image, grid), representableRange: image.representableRange }, manifest.input);
  const json = JSON.parse(new TextDecoder().decode(await from.read('model.json'))) as tf.io.ModelJSON;
  const weights = new Uint8Array(await from.read(json.weightsManifest[0]!.paths[0]!)).buffer;
  const network = await loadLayersModel(tf.io.fromMemory(await tf.io.getModelArtifactsForJSON(json, async groups => [groups[0]!.weights, weights])));
  const begin = performance.now();
  const output = tf.tidy(() => network.predict(tf.tensor(values, [1, ...sides, 1])) as tf.Tensor);
  const logits = (await output.data()) as Float32Array;
  const stockMs = Math.round(performance.now() - begin);
  const channels = output.shape.at(-1)!;
  const argmax = new Uint8Array(logits.length / channels);
  for (let i = 0; i < argmax.length; i++) for (let c = 1; c < channels; c++) if (logits[i * channels + c]! > logits[i * channels + argmax[i]!]!) argmax[i] = c;
  const onSource = labelsOnGrid(argmax, grid, image);
  return { stockMs, labelsThatDiffer: onSource.reduce((count, label, i) => count + (label === labels[i] ? 0 : 1), 0), voxels: labels.length, stockPeakProcessMiB: Math.round(process.resourceUsage().maxRSS / 1024) };
}
