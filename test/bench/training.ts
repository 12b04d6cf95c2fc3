/**
 * Steps a second beside stock tfjs `model.fit`: the same U-Net, the same batch, Adam, cross-entropy, one process.
 * `node --import ./test/generators/typescript.mjs test/bench/training.ts [--backend webgpu|wasm|cpu] [--steps 12]`; WebGPU on SwiftShader where there is no GPU.
 * The stock run comes first, before tfjs's derivatives are mended: it is tfjs as it is. wasm has no stock training.
 */
import { parseArgs } from 'node:util';
import * as tf from '@tensorflow/tfjs-core';
import { buildUNet } from '../../src/architectures/unet.ts';
import { binaryCrossEntropy } from '../../src/losses/binary-cross-entropy.ts';
import { wasmFolder } from '../../src/runtime/node-wasm.ts';
import { installWebGPU } from '../../src/runtime/node-webgpu.ts';
import { createRuntime } from '../../src/runtime/runtime.ts';
import type { Backend } from '../../src/runtime/types.ts';
import { Optimiser } from '../../src/training/optimiser.ts';
import { Parameters } from '../../src/training/parameters.ts';
import { TrainableNetwork } from '../../src/training/trainable.ts';

const { values } = parseArgs({ options: { backend: { type: 'string', default: 'webgpu' }, steps: { type: 'string', default: '12' }, side: { type: 'string', default: '64' }, batch: { type: 'string', default: '4' } } });
const [steps, side, batch] = [values.steps, values.side, values.batch].map(Number) as [number, number, number];
const backend = values.backend as Backend;
if (backend === 'webgpu') await installWebGPU(true);
const runtime = await createRuntime({ backend, allowSoftware: true, wasmPath: wasmFolder(import.meta.url) });
const RATE = 1e-3;

const network = () => buildUNet({ inputShape: [side, side], inChannels: 3, classes: 2, depth: 3, width: 8, weights: { seed: 1 } });
const x = tf.randomNormal([batch, side, side, 3], 0, 1, 'float32', 1);
const y = tf.tidy(() => tf.cast(tf.greater(tf.randomNormal([batch, side, side, 2], 0, 1, 'float32', 2), 0.5), 'float32'));

async function timed(step: () => Promise<number>): Promise<{ secondsPerStep: number; firstLoss: number; lastLoss: number }> {
  // The first step compiles.
  const firstLoss = await step();
  await step();
  const start = performance.now();
  let lastLoss = 0;
  for (let i = 0; i < steps; i++) lastLoss = await step();
  return { secondsPerStep: (performance.now() - start) / 1000 / steps, firstLoss, lastLoss };
}

async function stock() {
  const model = network();
  model.compile({ optimizer: tf.train.adam(RATE), loss: (labels, logits) => tf.losses.sigmoidCrossEntropy(labels, logits) });
  const result = await timed(async () => (await model.fit(x, y, { batchSize: batch, epochs: 1, shuffle: false, verbose: 0 })).history['loss']![0] as number);
  model.dispose();
  return result;
}

async function ours() {
  const model = network();
  const trainable = new TrainableNetwork(model, { layers: 'all', norms: 'frozen' });
  const parameters = new Parameters(trainable.variables);
  const optimiser = new Optimiser({ kind: 'adam', weightDecay: 0 }, parameters.size);
  let weights = parameters.gather();
  const result = await timed(async () => {
    const { value, grads } = tf.variableGrads(() => binaryCrossEntropy(y, trainable.compute([x]).outputs[0]!), [...trainable.variables]);
    const gradient = parameters.gradient(grads);
    const next = optimiser.step(weights, gradient, RATE);
    tf.dispose([weights, gradient, grads]);
    parameters.scatter((weights = next));
    const [loss] = await value.data();
    value.dispose();
    return loss!;
  });
  tf.dispose(weights);
  optimiser.dispose();
  model.dispose();
  return result;
}

const first = backend === 'wasm' ? undefined : await stock();
const own = await ours();
console.log(JSON.stringify({
  date: new Date().toISOString().slice(0, 10), backend, adapter: runtime.device.adapter, network: `U-Net, depth 3, widths 8 to 64, ${side} × ${side} × 3`, batch, steps,
  ...(first && { modelFit: first }), overread: own, ...(first && { ratio: first.secondsPerStep / own.secondsPerStep }),
}, undefined, 1));
process.exit(0);
