/**
 * Injects GPU faults into runs of the tiny models, and counts wrong results and what stays on the device (Dawn in Node):
 *
 *     node --import ./test/generators/typescript.mjs test/bench/plan/faults.ts [--tries 100] [--runs 1000] [--report FILE]
 *
 * Each try puts another picture in than the run before, so that a stale result would be another one. Recovery is from the
 * rejection to the next right result, on a device made anew.
 */
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import type { Image } from '../../../src/image/image.ts';
import { infer } from '../../../src/infer.ts';
import { mulberry32 } from '../../../src/metrics/mulberry32.ts';
import type { LabelmapResult } from '../../../src/results/result.ts';
import { diskFiles } from '../../../src/runtime/node-files.ts';
import { installWebGPU } from '../../../src/runtime/node-webgpu.ts';
import { createRuntime } from '../../../src/runtime/runtime.ts';
import type { ModelFiles } from '../../../src/runtime/types.ts';

const { values: options } = parseArgs({ options: { tries: { type: 'string', default: '100' }, runs: { type: 'string', default: '1000' }, report: { type: 'string' } } });
const TRIES = Number(options.tries);
const RUNS = Number(options.runs);
const FIXTURES = path.resolve(import.meta.dirname, '../../fixtures');
const MODELS = ['tiny-bright', 'tiny-dark', 'tiny-unet', 'tiny-softmax'];

await installWebGPU(true);
const files = (id: string): ModelFiles => diskFiles(path.join(FIXTURES, id));
const open = (deviceLimits?: Record<string, number>) => createRuntime({ backend: 'webgpu', allowSoftware: true, ...(deviceLimits && { deviceLimits }) });
const next = mulberry32(1);
const among = (count: number) => Math.floor(next() * count);

/** A bright disc somewhere. */
function picture(): Image {
  const [columns, rows] = [40, 50];
  const [x, y, radius] = [8 + among(24), 8 + among(34), 4 + among(8)];
  const pixels = Float32Array.from({ length: columns * rows }, (_, i) => (Math.hypot(i % columns - x, Math.floor(i / columns) - y) < radius ? 220 : 20));
  return { pixels, sources: [{ file: 'disc' }], modality: 'OT', shape: [columns, rows, 1], channels: 1, representableRange: [0, 255], attributes: {} };
}

const counts = { refused: 0, right: 0, wrong: 0 };
const outcome = () => ({ ...counts, recoveryMs: [] as number[] });
const report: Record<string, unknown> = {};
const runtime = await open();
const model = await runtime.load(files('tiny-bright'));
const labels = async (image: Image) => ((await infer(runtime, model, [image])) as LabelmapResult).labels.join('');

const faults: Record<string, () => () => void> = {
  'uncaptured error': () => {
    const real = GPUCommandEncoder.prototype.copyBufferToBuffer;
    GPUCommandEncoder.prototype.copyBufferToBuffer = function (this: GPUCommandEncoder, ...given: unknown[]) {
      GPUCommandEncoder.prototype.copyBufferToBuffer = real;
      const [from, start, to, offset] = given as [GPUBuffer, number, GPUBuffer, number];
      return real.call(this, from, start, to, offset, 8 * from.size);
    } as typeof real;
    return () => (GPUCommandEncoder.prototype.copyBufferToBuffer = real);
  },
  'lost device': () => {
    const real = GPUQueue.prototype.submit;
    let left = among(2);
    GPUQueue.prototype.submit = function (this: GPUQueue, buffers) {
      if (left-- === 0) runtime.loseDevice();
      return real.call(this, buffers);
    };
    return () => (GPUQueue.prototype.submit = real);
  },
};
for (const [name, inject] of Object.entries(faults)) {
  const seen = outcome();
  for (let i = 0; i < TRIES; i++) {
    const image = picture();
    const right = await labels(image);
    await labels(picture());
    const mend = inject();
    try {
      seen[(await labels(image)) === right ? 'right' : 'wrong']++;
    } catch {
      seen.refused++;
    } finally {
      mend();
    }
    const start = performance.now();
    if ((await labels(image)) !== right) seen.wrong++;
    seen.recoveryMs.push(performance.now() - start);
  }
  report[name] = { ...seen, recoveryMs: { median: seen.recoveryMs.sort((a, b) => a - b)[TRIES >> 1], max: seen.recoveryMs.at(-1) } };
  console.log(name, JSON.stringify(report[name]));
}

const kinds = await Promise.all(MODELS.map(id => runtime.load(files(id))));
for (const kind of kinds) await infer(runtime, kind, [picture()]);
const before = runtime.memory();
let cancelled = 0;
for (let i = 0; i < RUNS; i++) {
  const abort = new AbortController();
  const run = infer(runtime, kinds[among(kinds.length)]!, [picture()], { signal: abort.signal });
  if (among(3) === 0) setTimeout(() => abort.abort(), among(4));
  await run.catch(() => cancelled++);
}
await runtime.turn(async () => {});
report['runs'] = { runs: RUNS, cancelled, before, after: runtime.memory() };
console.log('runs', JSON.stringify(report['runs']));
runtime.dispose();

const binding = 128 * 2 ** 20;
const small = await open({ maxStorageBufferBindingSize: binding });
const over = outcome();
for (let i = 0; i < TRIES; i++) {
  const side = 4096 + 16 * among(64);
  await small.load(await enlarged('tiny-softmax', side)).then(made => (made.dispose(), over.wrong++), (error: { code?: string }) => (error.code === 'device/limit' ? over.refused++ : over.wrong++));
}
report['tensor over the limit'] = { refused: over.refused, wrong: over.wrong, limit: binding };
console.log('tensor over the limit', JSON.stringify(report['tensor over the limit']));
if (options.report) {
  const machine = { cpu: os.cpus()[0]?.model ?? 'unknown', cores: os.cpus().length, load: os.loadavg(), memoryBytes: os.totalmem() };
  writeFileSync(options.report, `${JSON.stringify({ at: new Date().toISOString(), machine, adapter: small.device.adapter, tries: TRIES, ...report }, undefined, 2)}\n`);
}
process.exit(0);

/** A tiny model of one convolution, for pictures of another size. */
async function enlarged(id: string, side: number): Promise<ModelFiles> {
  const real = files(id);
  const text = new TextDecoder();
  const graph = new TextEncoder().encode(JSON.stringify(JSON.parse(text.decode(await real.read('model.json')))).replaceAll('[null,32,32,1]', `[null,${side},${side},1]`));
  const manifest = JSON.parse(text.decode(await real.read('manifest.json'))) as { graph: { sha256: Record<string, string> }; input: { shape: number[] } };
  manifest.graph.sha256['model.json'] = createHash('sha256').update(graph).digest('hex');
  manifest.input.shape = [side, side, 1];
  const replaced: Record<string, Uint8Array> = { 'model.json': graph, 'manifest.json': new TextEncoder().encode(JSON.stringify(manifest)) };
  return { location: real.location, read: async (file, given) => replaced[file] ?? real.read(file, given) };
}
