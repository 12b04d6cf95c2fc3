/**
 * MeshNet's layers with random weights on WebAssembly: as the engine runs them (slice by slice with onnxruntime's kernels), slice by slice with
 * tfjs's, and the whole volume at once by onnxruntime, the network written layer by layer; one thread each, in turns, the same weights:
 *
 *     node --import ./test/generators/typescript.mjs test/bench/plan/wasm-volume.ts [--sides 32,64] [--channels 5] [--rounds 3] [--report FILE]
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import { parseArgs } from 'node:util';
import { initializers, input, layers as tfl, model as modelOf, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { wasmFolder } from '../../../src/runtime/node-wasm.ts';
import { channelsFirst } from '../../../src/runtime/onnx-layout.ts';
import { openOnnx } from '../../../src/runtime/onnx-session.ts';
import { OnnxSlices } from '../../../src/runtime/onnx-slices.ts';
import { createRuntime } from '../../../src/runtime/runtime.ts';
import { SliceNetwork, type SliceRun } from '../../../src/runtime/slice-network.ts';
import { benchInput } from '../networks.ts';
import { onnxOf } from '../pages/onnx.ts';

/** Of brainchop's MeshNet; the last layer is 1 × 1 × 1, of three classes. */
const RATES = [1, 2, 4, 8, 16, 8, 4, 2, 1];
const CLASSES = 3;
const { values: options } = parseArgs({ options: { sides: { type: 'string', default: '32,64' }, channels: { type: 'string', default: '5' }, rounds: { type: 'string', default: '3' }, report: { type: 'string' } } });
const channels = Number(options.channels);
const runtime = await createRuntime({ backend: 'wasm', wasmPath: wasmFolder(import.meta.url) });
const rows: object[] = [];
for (const side of options.sides.split(',').map(Number)) {
  const random = (seed: number) => initializers.varianceScaling({ scale: 2, mode: 'fanIn', distribution: 'uniform', seed });
  const image = input({ shape: [side, side, side, 1] });
  const features = RATES.reduce<SymbolicTensor>((x, dilationRate, i) => tfl.conv3d({ filters: channels, kernelSize: 3, dilationRate, padding: 'same', activation: 'relu', kernelInitializer: random(i) }).apply(x) as SymbolicTensor, image);
  const model = modelOf({ inputs: image, outputs: tfl.conv3d({ filters: CLASSES, kernelSize: 1, kernelInitializer: random(99) }).apply(features) as SymbolicTensor });
  const values = benchInput(side ** 3);
  const slice = (at: number) => values.subarray(at * side * side, (at + 1) * side * side);
  const sliced = new SliceNetwork(model, [side, side, side, 1]);
  const plan = new OnnxSlices(model, [side, side, side, 1], 'MeshNet', { on: runtime.device });
  await runtime.turn(device => plan.make(device));
  const { ort, session } = await openOnnx(onnxOf(model), new Map(), 'MeshNet', {});
  const ways: Record<string, () => Promise<Float32Array>> = {
    ours: () => collected(plan.start(slice) ?? sliced.start(slice), side),
    'tfjs by slices': () => collected(sliced.start(slice), side),
    'onnxruntime at once': async () => {
      const { output } = await session.run({ input: new ort.Tensor('float32', values, [1, 1, side, side, side]) });
      // [channels, voxels] as [voxels, channels]
      return channelsFirst(output!.data as Float32Array, [1, 1, CLASSES, side ** 3]).values;
    },
  };
  const times = Object.fromEntries(Object.keys(ways).map(way => [way, { wallMs: [] as number[], processorMs: [] as number[] }]));
  const outputs: Record<string, Float32Array> = {};
  for (let round = 0; round <= Number(options.rounds); round++) {
    for (const [way, run] of Object.entries(ways)) {
      const start = performance.now();
      const used = process.cpuUsage();
      outputs[way] = await run();
      const { user, system } = process.cpuUsage(used);
      if (round === 0) continue;
      times[way]!.wallMs.push(performance.now() - start);
      times[way]!.processorMs.push((user + system) / 1000);
    }
  }
  const median = (of: readonly number[]) => [...of].sort((a, b) => a - b)[of.length >> 1]!;
  const own = outputs['ours']!;
  const labels = (of: Float32Array) => Array.from({ length: side ** 3 }, (_, voxel) => { const [a, b, c] = of.subarray(voxel * CLASSES) as unknown as [number, number, number]; return a >= b && a >= c ? 0 : b >= c ? 1 : 2; });
  const compared = Object.fromEntries(Object.entries(outputs).filter(([way]) => way !== 'ours').map(([way, of]) => {
    const [a, b] = [labels(own), labels(of)];
    return [way, { maxAbsDiff: own.reduce((most, value, i) => Math.max(most, Math.abs(value - of[i]!)), 0), otherLabels: a.filter((label, i) => label !== b[i]).length }];
  }));
  const row = {
    side, channels, rounds: Number(options.rounds), chosen: plan.kernels, processorMs: Object.fromEntries(Object.entries(times).map(([way, { processorMs }]) => [way, median(processorMs)])),
    wallMs: Object.fromEntries(Object.entries(times).map(([way, { wallMs }]) => [way, median(wallMs)])), compared, maxAbsOutput: own.reduce((most, value) => Math.max(most, Math.abs(value)), 0),
  };
  rows.push(row);
  console.log(JSON.stringify(row));
  await session.release();
  plan.dispose();
  sliced.dispose();
  model.dispose();
}
if (options.report) {
  const before = existsSync(options.report) ? (JSON.parse(readFileSync(options.report, 'utf8')) as { rows: object[] }).rows : [];
  writeFileSync(options.report, `${JSON.stringify({ at: new Date().toISOString(), machine: { cpu: os.cpus()[0]?.model ?? 'unknown', load: os.loadavg() }, rows: [...before, ...rows] }, undefined, 1)}\n`);
}
process.exit(0);

async function collected(run: SliceRun, side: number): Promise<Float32Array> {
  const whole = new Float32Array(side ** 3 * CLASSES);
  let at = 0;
  for (let y = await run.next(); y && y !== 'paused'; y = await run.next()) {
    whole.set((await y.data()) as Float32Array, at);
    at += side * side * CLASSES;
    y.dispose();
  }
  run.dispose();
  return whole;
}
