/**
 * The benchmark on a GPU without a browser: `overread bench --device`. Our plan and stock tfjs layers on one WebGPU device, in Node over
 * Dawn, the same weights, in turns; needs no network.
 *
 *     node --import ./test/generators/typescript.mjs test/bench/device.ts [--networks A,B] [--rounds N] [--size N] [--full] [--report FILE]
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { installWebGPU } from '../../src/runtime/node-webgpu.ts';
import { memoryOf } from '../../src/runtime/plan/plan.ts';
import { deviceOfTfjs, planOf, runPlan } from '../../src/runtime/plan/tfjs-plan.ts';
import { tunedTiles } from '../../src/runtime/plan/tune.ts';
import { createRuntime } from '../../src/runtime/runtime.ts';
import { SliceNetwork } from '../../src/runtime/slice-network.ts';
import type { VolumeShape } from '../../src/runtime/slice-schedule.ts';
import { ceilings } from './ceilings.ts';
import { countBuffers } from './meshnet/buffers.ts';
import { benchInput, multiplicationsOf, NETWORKS } from './networks.ts';

const { values: options } = parseArgs({ options: {
  networks: { type: 'string' }, rounds: { type: 'string' }, size: { type: 'string' }, full: { type: 'boolean', default: false }, report: { type: 'string' },
} });
const names = options.networks?.split(',') ?? Object.keys(NETWORKS);
const wrong = names.filter(name => !NETWORKS[name]);
if (wrong.length) throw new Error(`Expected some of ${Object.keys(NETWORKS).join(', ')} for --networks, got '${wrong.join(',')}'.`);
const say = (line: string) => process.stderr.write(`${line}\n`);

await installWebGPU(true);
const buffers = countBuffers();
const runtime = await createRuntime({ backend: 'webgpu', allowSoftware: true });
const { adapter, software } = runtime.device;
const rounds = Number(options.rounds ?? (software ? 2 : 20));
say(`${adapter}${software ? ' (software: its times say nothing of a GPU)' : ''}; ${rounds} warm rounds`);
const own = await (await navigator.gpu.requestAdapter({ powerPreference: 'high-performance' }))!.requestDevice();
const best = await ceilings(own);
own.destroy();
say(`Ceilings: copies ${(best.copyBytesPerSecond / 1e9).toFixed(1)} GB/s, matrix product ${(best.multiplyAddsPerSecond / 1e9).toFixed(1)} G multiply-adds/s`);
// Once for an adapter, not for a network: it is no part of what the first one takes cold.
const tuning = performance.now();
if (!software) await tunedTiles(deviceOfTfjs(), adapter);
const tuningMs = software ? undefined : performance.now() - tuning;

type Run = () => Promise<Float32Array>;
interface Engine {
  readonly name: 'overread' | 'tfjs';
  /** Compiles, and gives what runs. */
  readonly make: () => Promise<{ readonly run: Run; readonly note?: object; dispose(): void }>;
}
const rows: object[] = [];
for (const name of names) {
  const { size: usual, small, batch = 1, stream = 1, build } = NETWORKS[name]!;
  const size = Number(options.size ?? (software && !options.full ? small : usual));
  const model = build(size);
  const shape = [batch, ...(model.inputs[0]!.shape.slice(1) as number[])];
  const values = benchInput(shape.reduce((product, side) => product * side, 1));
  const multiplications = batch * stream * multiplicationsOf(model);
  const engines: readonly Engine[] = [{ name: 'overread', make: () => ours(model, values, shape) }, { name: 'tfjs', make: async () => ({ run: () => stock(model, values, shape), dispose: () => {} }) }];
  const made: { engine: Engine['name']; run: Run; dispose(): void; row: Record<string, unknown>; warm: number[]; peak: number; failed?: boolean }[] = [];
  let reference: Float32Array | undefined;
  for (const { name: engine, make } of engines) {
    const row: Record<string, unknown> = { network: name, shape: shape.slice(1), batch, stream, engine, backend: 'webgpu' };
    rows.push(row);
    try {
      const standing = buffers.reset();
      const start = performance.now();
      const { run, note, dispose } = await make();
      const output = await streamed(run, stream);
      row['coldMs'] = performance.now() - start;
      Object.assign(row, note);
      reference ??= output;
      row['maxAbsDiff'] = output.reduce((most, value, i) => Math.max(most, Math.abs(value - reference![i]!)), 0);
      row['maxAbsOutput'] = output.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      made.push({ engine, run, dispose, row, warm: [], peak: buffers.peak - standing });
      say(`${name} ${size}: ${engine} cold ${(row['coldMs'] as number).toFixed(0)} ms`);
    } catch (error) {
      row['error'] = (error as Error).message.split('\n')[0];
      say(`${name} ${size}: ${engine} failed: ${row['error'] as string}`);
    }
  }
  for (let round = 0; round < rounds; round++) {
    for (let i = 0; i < made.length; i++) {
      const { run, warm } = made[(i + round) % made.length]!;
      const start = performance.now();
      await streamed(run, stream);
      warm.push(performance.now() - start);
    }
  }
  for (const { row, warm, peak, dispose } of made) {
    const sorted = warm.sort((a, b) => a - b);
    const median = (sorted[(sorted.length - 1) >> 1]! + sorted[sorted.length >> 1]!) / 2;
    Object.assign(row, {
      warmMs: { min: sorted[0], median, max: sorted.at(-1) }, peakBufferBytes: peak, ofCeiling: multiplications / (median / 1000) / best.multiplyAddsPerSecond,
      ...(stream > 1 && { megapixelsPerSecond: (stream * shape[1]! * shape[2]!) / 1e6 / (median / 1000) }),
    });
    dispose();
  }
  const of = (engine: string) => made.find(one => one.engine === engine)?.warm;
  const [a, b] = [of('overread'), of('tfjs')].map(warm => warm?.[warm.length >> 1]);
  console.log(`${name} ${shape.join(' × ')}: ours ${a?.toFixed(2)} ms, stock tfjs ${b?.toFixed(2)} ms${a && b ? `, ${(b / a).toFixed(2)} times as quick, ${(100 * multiplications / (a / 1000) / best.multiplyAddsPerSecond).toFixed(1)} % of the ceiling` : ''}`);
  model.dispose();
  if (options.report) {
    const machine = { cpu: os.cpus()[0]?.model ?? 'unknown', cores: os.cpus().length, memoryBytes: os.totalmem(), load: os.loadavg(), system: `${os.type()} ${os.release()}` };
    mkdirSync(path.dirname(path.resolve(options.report)), { recursive: true });
    writeFileSync(options.report, `${JSON.stringify({ at: new Date().toISOString(), machine, node: process.version, adapter, software, rounds, size: options.size ?? (software && !options.full ? 'small' : 'default'), ceilings: best, tuningMs, rows }, undefined, 1)}\n`);
  }
}
process.exit(rows.some(row => !('error' in row)) ? 0 : 1);

async function streamed(run: Run, stream: number): Promise<Float32Array> {
  let output = await run();
  for (let i = 1; i < stream; i++) output = await run();
  return output;
}

async function read(made: tf.Tensor[]): Promise<Float32Array> {
  const values = (await made.at(-1)!.data()) as Float32Array;
  tf.dispose(made);
  return values;
}

async function stock(model: LayersModel, values: Float32Array, shape: number[]): Promise<Float32Array> {
  const x = tf.tensor(values, shape);
  const output = await read([model.predict(x) as tf.Tensor]);
  x.dispose();
  return output;
}

async function ours(model: LayersModel, values: Float32Array, shape: number[]): Promise<Awaited<ReturnType<Engine['make']>>> {
  if (shape.length === 5) {
    const sliced = new SliceNetwork(model, shape.slice(1) as unknown as VolumeShape);
    return { run: () => bySlices(sliced, values), note: { predictedBytes: sliced.memory().total }, dispose: () => sliced.dispose() };
  }
  const plan = await planOf(model, { on: runtime.device });
  const { weights, arena, rest } = memoryOf(plan.program, shape[0]!);
  return {
    note: { dispatches: plan.dispatches, predictedBytes: weights + arena + rest, tiles: plan.program.tiles },
    dispose: () => plan.dispose(),
    async run() {
      const x = tf.tensor(values, shape);
      const output = await read(runPlan(plan, model, [x]));
      x.dispose();
      return output;
    },
  };
}

async function bySlices(sliced: SliceNetwork, values: Float32Array): Promise<Float32Array> {
  const [slices, ...plane] = sliced.outputShape;
  const size = plane.reduce((product, side) => product * side, 1);
  const from = values.length / slices;
  const whole = new Float32Array(slices * size);
  const run = sliced.start(slice => values.subarray(slice * from, (slice + 1) * from));
  for (let at = 0; at < slices; at++) {
    const slice = run.next() as tf.Tensor;
    whole.set(await slice.data(), at * size);
    slice.dispose();
  }
  run.dispose();
  return whole;
}
