/** Our engine: the runtime as the worker has it, with its verified loading, limits and error scopes. */
import { tensor, type Tensor } from '@tensorflow/tfjs-core';
import { createRuntime } from '../../../src/runtime/runtime.ts';
import type { LoadedModel, ModelFiles } from '../../../src/runtime/types.ts';
import type { Cold, InferenceInput } from './contract.ts';
import { inputOf, madeDescription, madeFile } from './network-files.ts';

let model: LoadedModel;
let input: InferenceInput;

async function run(): Promise<Float32Array> {
  let output = await once();
  for (let i = 1; i < input.stream; i++) output = await once();
  return output;
}

async function once(): Promise<Float32Array> {
  if (input.shape.length === 5) return volume();
  const x = tensor(input.data, [...input.shape]);
  const [y] = await model.predict([x]) as [Tensor];
  const output = await y.data();
  x.dispose();
  y.dispose();
  return output as Float32Array;
}

/** Slice by slice, as the engine runs networks of volumes. */
async function volume(): Promise<Float32Array> {
  const plane = input.shape.slice(2).reduce((product, side) => product * side, 1);
  let whole = new Float32Array();
  let at = 0;
  for await (const { shape, slices } of model.predictSlices(slice => input.data.subarray(slice * plane, (slice + 1) * plane))) {
    if (at === 0) whole = new Float32Array(shape.reduce((product, side) => product * side, 1));
    for (const values of slices) {
      whole.set(values, at);
      at += values.length;
    }
  }
  return whole;
}

window.bench = {
  async cold(network, backend): Promise<Cold> {
    input = inputOf(await madeDescription(network));
    const held = new Map<string, Uint8Array>();
    for (const file of ['manifest.json', 'model.json', 'weights.bin']) held.set(file, new Uint8Array(await madeFile(network, file)));
    const files: ModelFiles = { location: network, read: async path => held.get(path)! };
    const start = performance.now();
    const runtime = await createRuntime({ backend, allowSoftware: true, wasmPath: '/tfjs-wasm/' });
    model = await runtime.load(files);
    const output = await run();
    return { ms: performance.now() - start, output: [...output], device: runtime.device.adapter };
  },
  async warm() {
    const start = performance.now();
    await run();
    return performance.now() - start;
  },
};
