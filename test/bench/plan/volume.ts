/**
 * MeshNet's layers with random weights, slice by slice with our kernel against stock tfjs layers on the whole volume, on the
 * same WebGPU device, in turns (Dawn in Node):
 *
 *     node --import ./test/generators/typescript.mjs test/bench/plan/volume.ts [--side 24] [--channels 5] [--rounds 3] [--report FILE]
 */
import { writeFileSync } from 'node:fs';
import os from 'node:os';
import { parseArgs } from 'node:util';
import * as tf from '@tensorflow/tfjs-core';
import { initializers, input, layers as tfl, model as modelOf, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { installWebGPU } from '../../../src/runtime/node-webgpu.ts';
import { createRuntime } from '../../../src/runtime/runtime.ts';
import { SliceNetwork } from '../../../src/runtime/slice-network.ts';

/** Of brainchop's MeshNet; the last layer is 1 × 1 × 1, of three classes. */
const RATES = [1, 2, 4, 8, 16, 8, 4, 2, 1];
const { values: options } = parseArgs({ options: { side: { type: 'string', default: '24' }, channels: { type: 'string', default: '5' }, rounds: { type: 'string', default: '3' }, report: { type: 'string' } } });
const side = Number(options.side);

await installWebGPU(true);
const runtime = await createRuntime({ backend: 'webgpu', allowSoftware: true });
const image = input({ shape: [side, side, side, 1] });
const random = (seed: number) => initializers.randomUniform({ minval: -0.2, maxval: 0.2, seed });
const features = RATES.reduce<SymbolicTensor>((x, dilationRate, i) => {
  const y = tfl.conv3d({ filters: Number(options.channels), kernelSize: 3, dilationRate, padding: 'same', kernelInitializer: random(i), biasInitializer: random(i + 50) }).apply(x) as SymbolicTensor;
  return tfl.activation({ activation: 'relu' }).apply(y) as SymbolicTensor;
}, image);
const network = modelOf({ inputs: image, outputs: tfl.conv3d({ filters: 3, kernelSize: 1, kernelInitializer: random(99) }).apply(features) as SymbolicTensor });
const sliced = new SliceNetwork(network, [side, side, side, 1]);
const values = Float32Array.from({ length: side ** 3 }, (_, i) => Math.sin(i * 1.7));

async function ours(): Promise<Float32Array> {
  const run = sliced.start(slice => values.subarray(slice * side * side, (slice + 1) * side * side));
  const slices: tf.Tensor[] = [];
  for (let y = run.next(); y && y !== 'paused'; y = run.next()) slices.push(y);
  const whole = new Float32Array(side ** 3 * 3);
  for (const [i, slice] of slices.entries()) whole.set(await slice.data(), i * side * side * 3);
  tf.dispose(slices);
  run.dispose();
  return whole;
}

async function stock(): Promise<Float32Array> {
  const [x, y] = tf.tidy(() => {
    const volume = tf.tensor(values, [1, side, side, side, 1]);
    return [volume, network.predict(volume) as tf.Tensor];
  });
  const read = (await y.data()) as Float32Array;
  tf.dispose([x, y]);
  return read;
}

const times = { ours: [] as number[], stock: [] as number[] };
let difference = 0;
for (let round = 0; round <= Number(options.rounds); round++) {
  const begun = performance.now();
  const a = await ours();
  const between = performance.now();
  const b = await stock();
  times.ours.push(between - begun);
  times.stock.push(performance.now() - between);
  difference = a.reduce((largest, value, i) => Math.max(largest, Math.abs(value - b[i]!)), difference);
  console.error(`round ${round}: ours ${times.ours.at(-1)!.toFixed(0)} ms, stock ${times.stock.at(-1)!.toFixed(0)} ms`);
}
const median = (of: readonly number[]) => [...of.slice(1)].sort((a, b) => a - b)[(of.length - 1) >> 1]!;
const row = {
  side, channels: Number(options.channels), cold: { ours: times.ours[0], stock: times.stock[0] }, warm: { ours: times.ours.slice(1), stock: times.stock.slice(1) },
  ratio: median(times.ours) / median(times.stock), maxAbsDiff: difference,
};
console.log(JSON.stringify(row));
if (options.report) {
  const machine = { cpu: os.cpus()[0]?.model ?? 'unknown', cores: os.cpus().length, load: os.loadavg(), memoryBytes: os.totalmem() };
  writeFileSync(options.report, `${JSON.stringify({ at: new Date().toISOString(), machine, adapter: runtime.device.adapter, ...row }, undefined, 2)}\n`);
}
process.exit(0);
