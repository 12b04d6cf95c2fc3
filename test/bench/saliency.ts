/**
 * What saliency costs, in forward passes of the same network on the same device, measured in turns in one run:
 *
 *     node --import ./test/generators/typescript.mjs test/bench/saliency.ts [--backend cpu|webgpu] [--rounds 5] [--side 128] [--report FILE]
 *
 * The network is a DenseNet with random weights. A forward pass is `scores` of one picture; every time has the way to the
 * device and back in it. The randomisation check is a pass of its own and counted by itself. A software adapter's times say
 * nothing of a GPU's; it computes in this process, so that its processor time is counted too, which other work on the machine
 * does not stretch.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { setBackend } from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { buildDenseNet } from '../../src/architectures/densenet.ts';
import { installWebGPU } from '../../src/node.ts';
import { createRuntime } from '../../src/runtime/runtime.ts';
import type { Backend } from '../../src/runtime/types.ts';
import { gradCam } from '../../src/tasks/saliency/grad-cam.ts';
import { inputGradient } from '../../src/tasks/saliency/input-gradient.ts';
import type { SaliencyContext } from '../../src/tasks/saliency/method.ts';
import { gaussians } from '../../src/tasks/saliency/random.ts';
import { randomisationCheck } from '../../src/tasks/saliency/randomisation.ts';
import { classifierFiles } from './classifier-folder.ts';

const { values: options } = parseArgs({ options: {
  backend: { type: 'string', default: 'cpu' }, rounds: { type: 'string', default: '5' }, side: { type: 'string', default: '128' }, report: { type: 'string' },
} });
const backend = options.backend as Backend;
const [rounds, side] = [Number(options.rounds), Number(options.side)];
const NETWORK = { inputShape: [side, side], classes: 3, growth: 12, blockConfig: [4, 6, 8, 6], initFeatures: 24, bnSize: 4, weights: { seed: 1 } } as const;

await setBackend('cpu');
const made = await classifierFiles(buildDenseNet(NETWORK), {
  id: 'bench-densenet', name: 'DenseNet with random weights', labels: ['A', 'B', 'C'], normalisation: { kind: 'window', min: 0, max: 1 }, intendedUse: 'A benchmark.', notice: 'Not for diagnosis.',
});
if (backend === 'webgpu') await installWebGPU(true);
const runtime = await createRuntime({ backend, allowSoftware: true });
const net = await runtime.load(made);
const next = gaussians(1);
const input = Float32Array.from({ length: side * side }, () => 0.5 + 0.2 * next());
const context: SaliencyContext = { model: net.gradients, input, shape: [side, side, 1], valueRange: [0, 1], target: 1 };
const cam = await gradCam.map(context, { layer: '' });

const STEPS: Readonly<Record<string, () => Promise<unknown>>> = {
  'forward pass': () => net.gradients.scores(input, 1),
  'Grad-CAM': () => gradCam.map(context, { layer: '' }),
  'input gradient': () => inputGradient.map(context, {}),
  'randomisation check of Grad-CAM': () => randomisationCheck(gradCam, cam, context, 0),
};
const times = Object.fromEntries(Object.keys(STEPS).map(name => [name, [] as number[]]));
const processor = Object.fromEntries(Object.keys(STEPS).map(name => [name, [] as number[]]));
for (let round = -1; round < rounds; round++) {
  for (const [name, step] of Object.entries(STEPS)) {
    const start = performance.now();
    const used = process.cpuUsage();
    await step();
    const { user, system } = process.cpuUsage(used);
    // The first round compiles shaders.
    if (round < 0) continue;
    times[name]!.push(performance.now() - start);
    processor[name]!.push((user + system) / 1000);
  }
  process.stderr.write(`round ${round + 1} of ${rounds}\n`);
}
const { device } = runtime;
net.dispose();
runtime.dispose();

const median = (of: number[]) => [...of].sort((a, b) => a - b)[Math.floor(of.length / 2)]!;
const forward = median(times['forward pass']!);
const computed = median(processor['forward pass']!);
const rows = Object.entries(times).map(([name, ms]) => ({
  name, medianMs: Math.round(10 * median(ms)) / 10, minMs: Math.round(10 * Math.min(...ms)) / 10, maxMs: Math.round(10 * Math.max(...ms)) / 10,
  forwardPasses: Math.round((100 * median(ms)) / forward) / 100,
  processorMs: Math.round(10 * median(processor[name]!)) / 10, forwardPassesByProcessor: Math.round((100 * median(processor[name]!)) / computed) / 100,
}));
console.log(`${device.backend} (${device.adapter}), ${side} × ${side}, ${rounds} rounds`);
for (const { name, medianMs, minMs, maxMs, forwardPasses, processorMs, forwardPassesByProcessor } of rows) {
  console.log(`${name}: ${medianMs} ms (${minMs} to ${maxMs}), ${forwardPasses} forward passes; processor ${processorMs} ms, ${forwardPassesByProcessor}`);
}
if (options.report) {
  mkdirSync(path.dirname(path.resolve(options.report)), { recursive: true });
  const machine = { cpu: os.cpus()[0]?.model ?? 'unknown', cores: os.cpus().length, memoryBytes: os.totalmem(), system: `${os.type()} ${os.release()}` };
  writeFileSync(options.report, `${JSON.stringify({ at: new Date().toISOString(), machine, device, network: NETWORK, rounds, rows }, undefined, 2)}\n`);
}
// Dawn's threads keep the process alive.
process.exit();
