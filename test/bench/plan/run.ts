/**
 * Our plan against stock tfjs layers on the same WebGPU device, in Node over Dawn, with the same weights, in turns:
 *
 *     node --import ./test/generators/typescript.mjs test/bench/plan/run.ts [--null] [--networks densenet121,unet] [--size N] [--rounds N] [--report FILE]
 *
 * With --null, Dawn's device without a GPU: what is timed then is JavaScript and Dawn alone, from the call until all is submitted.
 * Without, from the input in memory to the output in it. Cold is from the loaded layers model, on a device that has compiled nothing.
 */
import { writeFileSync } from 'node:fs';
import os from 'node:os';
import { parseArgs } from 'node:util';
import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { buildDenseNet } from '../../../src/architectures/densenet.ts';
import { buildUNet } from '../../../src/architectures/unet.ts';
import { installWebGPU } from '../../../src/runtime/node-webgpu.ts';
import { memoryOf, type Plan } from '../../../src/runtime/plan/plan.ts';
import { planOf, runPlan } from '../../../src/runtime/plan/tfjs-plan.ts';
import { createRuntime } from '../../../src/runtime/runtime.ts';

const NETWORKS: Record<string, { size: number; build: (size: number) => LayersModel }> = {
  densenet121: { size: 224, build: size => buildDenseNet({ inputShape: [size, size], weights: { seed: 42 } }) },
  unet: { size: 512, build: size => buildUNet({ inputShape: [size, size], width: 16, weights: { seed: 42 } }) },
};
const { values: options } = parseArgs({ options: {
  null: { type: 'boolean', default: false }, networks: { type: 'string', default: 'densenet121,unet' }, size: { type: 'string' },
  rounds: { type: 'string', default: '3' }, report: { type: 'string' },
} });

if (options.null) {
  const { create, globals } = await import('webgpu');
  Object.assign(globalThis, globals);
  Object.defineProperty(globalThis, 'navigator', { value: { gpu: create(['backend=null']) }, configurable: true, writable: true });
} else {
  await installWebGPU(true);
}
const runtime = await createRuntime({ backend: 'webgpu', allowSoftware: true });
const rows: object[] = [];
for (const name of options.networks.split(',')) {
  const { size: usual, build } = NETWORKS[name]!;
  const size = Number(options.size ?? usual);
  const model = build(size);
  const input = tf.tensor(Float32Array.from({ length: size * size }, (_, i) => Math.sin(i * 1.3) * Math.cos(i * 0.001)), [1, size, size, 1]);
  const oursCold = await timed(async () => {
    const plan = await planOf(model);
    return { plan, values: await read(runPlan(plan, model, [input])) };
  });
  const { plan, values: ours } = oursCold.value;
  console.error(`${name} ${size}²: plan cold ${oursCold.ms.toFixed(0)} ms`);
  const stockCold = await timed(() => read([model.predict(input) as tf.Tensor]));
  console.error(`  stock cold ${stockCold.ms.toFixed(0)} ms`);
  const warm = { ours: [] as number[], stock: [] as number[] };
  for (let round = 0; round < Number(options.rounds); round++) {
    warm.ours.push(await once(() => runPlan(plan, model, [input])));
    warm.stock.push(await once(() => [model.predict(input) as tf.Tensor]));
    console.error(`  round ${round + 1}: ours ${warm.ours.at(-1)!.toFixed(2)}, stock ${warm.stock.at(-1)!.toFixed(2)} ms`);
  }
  const most = stockCold.value.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
  const diff = ours.reduce((largest, value, i) => Math.max(largest, Math.abs(value - stockCold.value[i]!)), 0);
  const ratio = median(warm.ours) / median(warm.stock);
  rows.push({
    network: name, size, dispatches: plan.dispatches, memory: memoryOf((plan as Plan).program, 1), coldMs: { ours: oursCold.ms, stock: stockCold.ms }, warmMs: warm,
    ratio, coldRatio: oursCold.ms / stockCold.ms, ...(options.null ? {} : { maxAbsDiff: diff, maxAbsOutput: most }),
  });
  console.log(`${name} ${size}²: ours ${median(warm.ours).toFixed(2)} ms, stock ${median(warm.stock).toFixed(2)} ms, ratio ${ratio.toFixed(3)}; cold ratio ${(oursCold.ms / stockCold.ms).toFixed(3)}; difference ${diff.toExponential(1)} of ${most.toPrecision(3)}`);
  plan.dispose();
  model.dispose();
  input.dispose();
  if (options.report) {
    const machine = { cpu: os.cpus()[0]?.model ?? 'unknown', cores: os.cpus().length, load: os.loadavg(), memoryBytes: os.totalmem(), system: `${os.type()} ${os.release()}` };
    writeFileSync(options.report, `${JSON.stringify({ at: new Date().toISOString(), machine, adapter: runtime.device.adapter, nullDevice: options.null, rows }, undefined, 2)}\n`);
  }
}
process.exit(0);

/**
 * One run: until its output is read; on the null device until all is submitted, in the processor's time and not the
 * clock's, since another process may take the processor away in between.
 */
async function once(run: () => tf.Tensor[]): Promise<number> {
  const start = performance.now();
  const used = process.cpuUsage();
  const made = run();
  const { user, system } = process.cpuUsage(used);
  await read(made);
  return options.null ? (user + system) / 1000 : performance.now() - start;
}

async function read(made: tf.Tensor[]): Promise<Float32Array> {
  const values = (await made.at(-1)!.data()) as Float32Array;
  tf.dispose(made);
  return values;
}

async function timed<T>(work: () => Promise<T>): Promise<{ readonly ms: number; readonly value: T }> {
  const start = performance.now();
  const value = await work();
  return { ms: performance.now() - start, value };
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return (sorted[(sorted.length - 1) >> 1]! + sorted[sorted.length >> 1]!) / 2;
}
