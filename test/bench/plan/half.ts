/**
 * Plans in float16 beside the same in float32 and stock tfjs, on one WebGPU device with `shader-f16`, the same weights, in turns: how far outputs differ
 * and what is decided otherwise, memory, time. Of shipped models on their golden inputs; of the benchmark's networks on noise, with seeded random weights.
 *
 *     node --import ./test/generators/typescript.mjs test/bench/plan/half.ts [--only A,B] [--rounds N] [--size N] [--report FILE]
 *
 * Without a GPU, Mesa's lavapipe has the feature: VK_DRIVER_FILES=/usr/share/vulkan/icd.d/lvp_icd.json
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import { parseArgs } from 'node:util';
import * as tf from '@tensorflow/tfjs-core';
import { loadLayersModel, type LayersModel } from '@tensorflow/tfjs-layers';
import { parseManifest, type ModelManifest } from '../../../src/manifest.ts';
import '../../../src/runtime/modality-moments.ts';
import '../../../src/runtime/view-moments.ts';
import { installWebGPU } from '../../../src/runtime/node-webgpu.ts';
import { differenceOf } from '../../../src/runtime/plan/half-test.ts';
import { memoryOf, type Plan } from '../../../src/runtime/plan/plan.ts';
import { deviceOfTfjs, planOf } from '../../../src/runtime/plan/tfjs-plan.ts';
import { createRuntime } from '../../../src/runtime/runtime.ts';
import { countBuffers } from '../meshnet/buffers.ts';
import { benchInput, NETWORKS } from '../networks.ts';

const { values: options } = parseArgs({ options: { only: { type: 'string' }, rounds: { type: 'string', default: '5' }, size: { type: 'string' }, report: { type: 'string' } } });
const ROUNDS = Number(options.rounds);
const MODELS = new URL('../../../models/', import.meta.url);

interface Subject {
  readonly model: LayersModel;
  /** Of each run, one value list an input. */
  readonly inputs: readonly (readonly Float32Array[])[];
  readonly manifest?: ModelManifest;
}

await installWebGPU(true);
const buffers = countBuffers();
const runtime = await createRuntime({ backend: 'webgpu', allowSoftware: true });
const { adapter, software } = runtime.device;
if (!deviceOfTfjs().features.has('shader-f16')) throw new Error(`Expected an adapter with shader-f16, got ${adapter}. Set VK_DRIVER_FILES to another driver's.`);
console.error(`${adapter}${software ? ' (software: its times say nothing of a GPU)' : ''}`);

const shipped = readdirSync(MODELS).filter(id => existsSync(new URL(`${id}/model.json`, MODELS)));
// A network of volumes runs slice by slice on tensors of tfjs's, which has no float16.
const networks = ['densenet121', 'resnet50', 'unet'];
const rows: object[] = [];
for (const name of options.only?.split(',') ?? [...shipped, ...networks]) {
  const { model, inputs, manifest } = shipped.includes(name) ? await shippedSubject(name) : network(name);
  const made: Record<string, { plan: Plan; predicted: number; stood: number }> = {};
  for (const precision of ['float32', 'float16'] as const) {
    const standing = buffers.reset();
    const plan = await planOf(model, { precision });
    const { weights, arena, rest } = memoryOf(plan.program, 1);
    await plan.values(inputs[0]!);
    made[precision] = { plan, predicted: weights + arena + rest, stood: buffers.now - standing };
  }
  const { float32: full, float16: half } = made as { float32: (typeof made)[string]; float16: (typeof made)[string] };
  const differences = { ofFloat32: 0, ofTfjs: 0 };
  const decisions = { made: 0, otherwise: 0 };
  let counts: { readonly float32: readonly number[]; readonly float16: readonly number[] } | undefined;
  for (const feeds of inputs) {
    const [own, narrow, stock] = [await full.plan.values(feeds), await half.plan.values(feeds), await stockOf(model, feeds)];
    own.forEach((values, i) => {
      differences.ofFloat32 = Math.max(differences.ofFloat32, differenceOf(narrow[i]!, values));
      differences.ofTfjs = Math.max(differences.ofTfjs, differenceOf(narrow[i]!, stock[i]!));
    });
    if (!manifest) continue;
    const [a, b] = [own, narrow].map(outputs => decided(outputs.at(-1)!, manifest)) as [number[], number[]];
    decisions.made += a.length;
    decisions.otherwise += a.filter((value, i) => value !== b[i]).length;
    if (manifest.task === 'count') counts = { float32: sums(own.at(-1)!, manifest), float16: sums(narrow.at(-1)!, manifest) };
  }
  const times: { readonly float32: number[]; readonly float16: number[] } = { float32: [], float16: [] };
  for (let round = 0; round < ROUNDS; round++) {
    for (const precision of round % 2 ? (['float16', 'float32'] as const) : (['float32', 'float16'] as const)) {
      const start = performance.now();
      await made[precision]!.plan.values(inputs[0]!);
      times[precision].push(performance.now() - start);
    }
  }
  const median = (of: readonly number[]) => [...of].sort((x, y) => x - y)[of.length >> 1]!;
  const row = {
    network: name, shapes: model.inputs.map(({ shape }) => shape.slice(1)), runs: inputs.length, dispatches: half.plan.dispatches, differences, ...(manifest && manifest.task !== 'count' && { decisions }), ...(counts && { counts }),
    bytes: { float32: { predicted: full.predicted, stood: full.stood }, float16: { predicted: half.predicted, stood: half.stood } },
    warmMs: times, ratio: median(times.float16) / median(times.float32),
  };
  rows.push(row);
  console.log(`${name}: ${differences.ofFloat32.toExponential(1)} of float32, ${differences.ofTfjs.toExponential(1)} of tfjs${manifest ? `, ${decisions.otherwise} of ${decisions.made} otherwise` : ''}; ${(half.stood / 2 ** 20).toFixed(1)} of ${(full.stood / 2 ** 20).toFixed(1)} MiB; ${median(times.float16).toFixed(0)} of ${median(times.float32).toFixed(0)} ms`);
  full.plan.dispose();
  half.plan.dispose();
  model.dispose();
  if (options.report) {
    const machine = { cpu: os.cpus()[0]?.model ?? 'unknown', cores: os.cpus().length, load: os.loadavg(), memoryBytes: os.totalmem() };
    writeFileSync(options.report, `${JSON.stringify({ at: new Date().toISOString(), machine, adapter, software, rounds: ROUNDS, rows }, undefined, 1)}\n`);
  }
}
process.exit(0);

/** Presence of each target, or the class, of each pixel or picture; of counts none. */
function decided(scores: Float32Array, { output: { activation, targets }, task }: ModelManifest): number[] {
  if (task === 'count') return [];
  if (activation === 'sigmoid') {
    const thresholds = targets.map(({ operatingPoint: p = 0.5 }) => Math.log(p / (1 - p)));
    return Array.from(scores, (score, i) => Number(score >= thresholds[i % thresholds.length]!));
  }
  const classes = targets.length;
  return Array.from({ length: scores.length / classes }, (_, at) => Array.from({ length: classes }, (__, c) => c).reduce((best, c) => (scores[at * classes + c]! > scores[at * classes + best]! ? c : best), 0));
}

function sums(density: Float32Array, { output: { targets, counting } }: ModelManifest): number[] {
  return targets.map((_, c) => density.reduce((sum, value, i) => sum + (i % targets.length === c ? Math.max(0, value) : 0), 0) / counting!.unitSum);
}

async function stockOf(model: LayersModel, feeds: readonly Float32Array[]): Promise<Float32Array[]> {
  const given = feeds.map((values, i) => tf.tensor(values, [1, ...model.inputs[i]!.shape.slice(1)] as number[]));
  const outputs = [model.predict(given.length === 1 ? given[0]! : given)].flat() as tf.Tensor[];
  const read = await Promise.all(outputs.map(async output => ((await output.data()) as Float32Array).slice()));
  tf.dispose([given, outputs]);
  return read;
}

function network(name: string): Subject {
  const { size, build } = NETWORKS[name]!;
  const model = build(Number(options.size ?? size));
  return { model, inputs: [[benchInput(model.inputs[0]!.shape.slice(1).reduce<number>((product, side) => product * side!, 1))]] };
}

/** With all its golden inputs: pictures one after the other, or an input each. */
async function shippedSubject(id: string): Promise<Subject> {
  const folder = new URL(`${id}/`, MODELS);
  const json = JSON.parse(readFileSync(new URL('model.json', folder), 'utf8')) as tf.io.ModelJSON;
  const weights = new Uint8Array(readFileSync(new URL(json.weightsManifest[0]!.paths[0]!, folder))).buffer;
  const model = await loadLayersModel(tf.io.fromMemory(await tf.io.getModelArtifactsForJSON(json, async groups => [groups[0]!.weights, weights])));
  const golden = new Float32Array(new Uint8Array(readFileSync(new URL('golden/input.bin', folder))).buffer);
  const size = model.inputs[0]!.shape.slice(1).reduce<number>((product, side) => product * side!, 1);
  const pictures = Array.from({ length: golden.length / size }, (_, i) => golden.slice(i * size, (i + 1) * size));
  const present = model.inputs.findIndex((_, i) => model.inputNames[i]!.startsWith('present'));
  const ports = model.inputs.length;
  const inputs = ports === 1 ? pictures.map(picture => [picture]) : [model.inputs.map(({ shape }, i) => (i === present ? new Float32Array(shape[1]!).fill(1) : pictures[present >= 0 && i > present ? i - 1 : i]!))];
  return { model, inputs, manifest: parseManifest(JSON.parse(readFileSync(new URL('manifest.json', folder), 'utf8')), id) };
}
