/** Our engine: the runtime as the worker has it, with its verified loading, limits and error scopes. */
import { tensor4d, type Tensor } from '@tensorflow/tfjs-core';
import { createRuntime } from '../../../src/runtime/runtime.ts';
import type { LoadedModel, ModelFiles } from '../../../src/runtime/types.ts';
import type { Cold, InferenceInput } from './contract.ts';
import { inputOf, madeDescription, madeFile } from './network-files.ts';

let model: LoadedModel;
let input: InferenceInput;

async function run(): Promise<Float32Array> {
  const x = tensor4d(input.data, [1, input.rows, input.columns, input.channels]);
  const [y] = await model.predict([x]) as [Tensor];
  const output = await y.data();
  x.dispose();
  y.dispose();
  return output as Float32Array;
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
