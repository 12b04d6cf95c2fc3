/**
 * Kernels that join sums of a workgroup, by its memory and by subgroups, in turns on one device with `subgroups` (Dawn in Node):
 *
 *     node --import ./test/generators/typescript.mjs test/bench/plan/subgroups.ts [--rounds N] [--report FILE]
 */
import { writeFileSync } from 'node:fs';
import os from 'node:os';
import { parseArgs } from 'node:util';
import { LINEAR } from '../../../src/runtime/kernels/activation.ts';
import { dialectFeatures, PLAIN } from '../../../src/runtime/kernels/kernel.ts';
import { installWebGPU } from '../../../src/runtime/node-webgpu.ts';
import type { Op, PlaneShape } from '../../../src/runtime/plan/ops.ts';
import { Plan } from '../../../src/runtime/plan/plan.ts';
import { Program } from '../../../src/runtime/plan/program.ts';
import { benchInput } from '../networks.ts';

const { values: options } = parseArgs({ options: { rounds: { type: 'string', default: '15' }, report: { type: 'string' } } });
/** Of one kind behind each other, so that a run takes longer than what is around it. */
const REPEATS = 20;
const vector = (channels: number): PlaneShape => ({ rows: 1, columns: 1, channels });
const dense = (from: number, to: number): Op => ({ kind: 'dense', kernel: benchInput(from * to), activation: LINEAR });
const CASES: Readonly<Record<string, { readonly op: Op; readonly inputs: readonly PlaneShape[]; readonly shape: PlaneShape }>> = {
  'dense, 1024 → 14, as DenseNet-121 ends': { op: dense(1024, 14), inputs: [vector(1024)], shape: vector(14) },
  'dense, 2048 → 1000, as ResNet-50 ends': { op: dense(2048, 1000), inputs: [vector(2048)], shape: vector(1000) },
  'mean of 7 × 7 × 1024': { op: { kind: 'global', of: 'average' }, inputs: [{ rows: 7, columns: 7, channels: 1024 }], shape: vector(1024) },
  'mean of 56 × 56 × 256': { op: { kind: 'global', of: 'average' }, inputs: [{ rows: 56, columns: 56, channels: 256 }], shape: vector(256) },
  'largest of 56 × 56 × 256': { op: { kind: 'global', of: 'max' }, inputs: [{ rows: 56, columns: 56, channels: 256 }], shape: vector(256) },
  'inner product of 4096': { op: { kind: 'dot' }, inputs: [vector(4096), vector(4096)], shape: vector(1) },
};

await installWebGPU(true);
const adapter = (await navigator.gpu.requestAdapter())!;
const device = await adapter.requestDevice({ requiredFeatures: dialectFeatures(adapter) });
if (!(device.features as ReadonlySet<string>).has('subgroups')) throw new Error('Expected an adapter with subgroups. Set VK_DRIVER_FILES to another driver\'s.');
const { vendor, architecture, device: name, description } = adapter.info;
const sizes = adapter.info as { readonly subgroupMinSize?: number; readonly subgroupMaxSize?: number };
const rows: object[] = [];
for (const [title, { op, inputs, shape }] of Object.entries(CASES)) {
  const ports = inputs.map((of, index) => ({ name: `input ${index}`, op: { kind: 'input' as const, index }, inputs: [], shape: of }));
  const layers = Array.from({ length: REPEATS }, (_, i) => ({ name: `layer ${i}`, op, inputs: ports.map((_port, k) => k), shape }));
  const network = { nodes: [...ports, ...layers], outputs: layers.map((_, i) => ports.length + i) };
  const feeds = inputs.map(({ rows: r, columns, channels }) => benchInput(r * columns * channels));
  const plans = await Promise.all([PLAIN, { ...PLAIN, subgroups: true }].map(dialect => Plan.make(device, new Program(network, undefined, dialect))));
  const times: [number[], number[]] = [[], []];
  for (let round = -1; round < Number(options.rounds); round++) {
    for (const which of round % 2 ? [1, 0] as const : [0, 1] as const) {
      const start = performance.now();
      plans[which]!.run(feeds);
      await device.queue.onSubmittedWorkDone();
      if (round >= 0) times[which].push(performance.now() - start);
    }
  }
  plans.forEach(plan => plan.dispose());
  const [memory, subgroups] = times.map(of => [...of].sort((a, b) => a - b)) as [number[], number[]];
  const row = { case: title, medianMs: { memory: memory[memory.length >> 1]!, subgroups: subgroups[subgroups.length >> 1]! }, minMs: { memory: memory[0]!, subgroups: subgroups[0]! }, ratio: subgroups[subgroups.length >> 1]! / memory[memory.length >> 1]!, minRatio: subgroups[0]! / memory[0]! };
  rows.push(row);
  console.log(JSON.stringify(row));
}
if (options.report) {
  const machine = { cpu: os.cpus()[0]?.model ?? 'unknown', cores: os.cpus().length, load: os.loadavg() };
  writeFileSync(options.report, `${JSON.stringify({ at: new Date().toISOString(), machine, adapter: [vendor, architecture, name, description].join(' '), subgroupSizes: [sizes.subgroupMinSize, sizes.subgroupMaxSize], rounds: Number(options.rounds), repeats: REPEATS, rows }, undefined, 1)}\n`);
}
process.exit(0);
