/**
 * A layers model on WebAssembly as the engine runs it (onnxruntime's kernels, the network fused by us, or tfjs's, whichever suits the
 * network), beside stock tfjs and beside onnxruntime with the same network written layer by layer; one thread each, in turns, the same weights:
 *
 *     node --import ./test/generators/typescript.mjs test/bench/plan/wasm.ts [--rounds 7] [--report FILE]
 */
import { readFileSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import { parseArgs } from 'node:util';
import * as tf from '@tensorflow/tfjs-core';
import { loadLayersModel, type LayersModel } from '@tensorflow/tfjs-layers';
import { buildDenseNet } from '../../../src/architectures/densenet.ts';
import { buildResNet } from '../../../src/architectures/resnet.ts';
import { buildUNet } from '../../../src/architectures/unet.ts';
import { wasmFolder } from '../../../src/runtime/node-wasm.ts';
import { channelsFirst } from '../../../src/runtime/onnx-layout.ts';
import { OnnxPlan } from '../../../src/runtime/onnx-plan.ts';
import { openOnnx } from '../../../src/runtime/onnx-session.ts';
import { createRuntime } from '../../../src/runtime/runtime.ts';
import { onnxOf } from '../pages/onnx.ts';

const { values: options } = parseArgs({ options: { rounds: { type: 'string', default: '7' }, report: { type: 'string' } } });
const runtime = await createRuntime({ backend: 'wasm', wasmPath: wasmFolder(import.meta.url) });
const networks: Record<string, () => LayersModel | Promise<LayersModel>> = {
  'DenseNet-121, 224²': () => buildDenseNet({ inputShape: [224, 224], weights: { seed: 42 } }),
  'ResNet-50, 224²': () => buildResNet({ inputShape: [224, 224], weights: { seed: 42 } }),
  'U-Net, 256², width 16': () => buildUNet({ inputShape: [256, 256], width: 16, weights: { seed: 42 } }),
  ...Object.fromEntries(['nuclei-unet', 'lung-unet', 'cxr-findings'].map(id => [id, () => shipped(id)])),
};
const rows: object[] = [];
for (const [name, build] of Object.entries(networks)) {
  const model = await build();
  const shape = [1, ...(model.inputs[0]!.shape.slice(1) as number[])];
  const x = tf.randomNormal(shape, 0, 1, 'float32', 3);
  const plan = new OnnxPlan(model, name, { on: runtime.device });
  await runtime.turn(device => plan.make(device));
  const { ort, session } = await openOnnx(onnxOf(model), new Map(), name, {});
  const ways: Record<string, () => Promise<Float32Array>> = {
    ours: async () => read((await plan.run([x])) ?? [model.predict(x) as tf.Tensor]),
    'stock tfjs': () => read([model.predict(x) as tf.Tensor]),
    onnxruntime: async () => {
      const { values, shape: dims } = channelsFirst(await x.data(), shape);
      return (await session.run({ input: new ort.Tensor('float32', values, dims) })).output!.data as Float32Array;
    },
  };
  const times = new Map(Object.keys(ways).map(way => [way, [] as number[]]));
  // One thread computes, in this process: its own time is not stretched by what else the machine does.
  const processor = new Map(Object.keys(ways).map(way => [way, [] as number[]]));
  for (let round = 0; round <= Number(options.rounds); round++) {
    for (const [way, run] of Object.entries(ways)) {
      const start = performance.now();
      const used = process.cpuUsage();
      await run();
      const { user, system } = process.cpuUsage(used);
      if (round === 0) continue;
      times.get(way)!.push(performance.now() - start);
      processor.get(way)!.push((user + system) / 1000);
    }
  }
  const medians = (all: typeof times) => Object.fromEntries([...all].map(([way, of]) => [way, of.sort((a, b) => a - b)[of.length >> 1]!]));
  const [medianMs, processorMs] = [medians(times), medians(processor)];
  const [own, stock] = [await ways['ours']!(), await ways['stock tfjs']!()];
  const row = { network: name, chosen: plan.kernels, medianMs, minMs: Object.fromEntries([...times].map(([way, of]) => [way, of[0]!])), processorMs, ofStock: processorMs['ours']! / processorMs['stock tfjs']!, ofOnnxruntime: processorMs['ours']! / processorMs['onnxruntime']!, difference: own.reduce((most, value, i) => Math.max(most, Math.abs(value - stock[i]!)), 0) };
  rows.push(row);
  console.log(JSON.stringify(row));
  plan.dispose();
  void session.release();
  tf.dispose(x);
  model.dispose();
}
if (options.report) writeFileSync(options.report, `${JSON.stringify({ at: new Date().toISOString(), machine: { cpu: os.cpus()[0]?.model ?? 'unknown', load: os.loadavg() }, rounds: Number(options.rounds), rows }, undefined, 1)}\n`);
process.exit(0);

async function read(tensors: readonly tf.Tensor[]): Promise<Float32Array> {
  const values = ((await tensors[0]!.data()) as Float32Array).slice();
  tf.dispose([...tensors]);
  return values;
}

async function shipped(id: string): Promise<LayersModel> {
  const folder = new URL(`../../../models/${id}/`, import.meta.url);
  const json = JSON.parse(readFileSync(new URL('model.json', folder), 'utf8')) as tf.io.ModelJSON;
  const weights = new Uint8Array(readFileSync(new URL(json.weightsManifest[0]!.paths[0]!, folder))).buffer;
  return loadLayersModel(tf.io.fromMemory(await tf.io.getModelArtifactsForJSON(json, async groups => [groups[0]!.weights, weights])));
}
