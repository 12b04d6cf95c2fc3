/** Stock tfjs, as its documentation says to use it. */
import '@tensorflow/tfjs-backend-webgpu';
import { getThreadsCount, setThreadsCount, setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import { env, io, ready, setBackend, tensor, type Tensor } from '@tensorflow/tfjs-core';
import { loadLayersModel, type LayersModel } from '@tensorflow/tfjs-layers';
import type { Cold, InferenceInput } from './contract.ts';
import { inputOf, madeDescription, madeFile, WASM_THREADS } from './network-files.ts';

let model: LayersModel;
let input: InferenceInput;

async function run(): Promise<Float32Array> {
  let output = await once();
  for (let i = 1; i < input.stream; i++) output = await once();
  return output;
}

async function once(): Promise<Float32Array> {
  const x = tensor(input.data, [...input.shape]);
  const y = model.predict(x) as Tensor;
  const output = await y.data();
  x.dispose();
  y.dispose();
  return output as Float32Array;
}

window.bench = {
  async cold(network, backend): Promise<Cold> {
    input = inputOf(await madeDescription(network));
    const json = JSON.parse(new TextDecoder().decode(await madeFile(network, 'model.json'))) as io.ModelJSON;
    const weights = await madeFile(network, 'weights.bin');
    setWasmPaths('/tfjs-wasm/');
    setThreadsCount(WASM_THREADS);
    const start = performance.now();
    await setBackend(backend);
    await ready();
    const artifacts = await io.getModelArtifactsForJSON(json, async groups => [groups.flatMap(g => g.weights), weights]);
    model = await loadLayersModel(io.fromMemory(artifacts));
    const output = await run();
    const ms = performance.now() - start;
    return { ms, output: [...output], device: backend === 'wasm' ? await wasmDevice() : 'webgpu' };
  },
  async warm() {
    const start = performance.now();
    await run();
    return performance.now() - start;
  },
};

async function wasmDevice(): Promise<string> {
  const threads = (await env().getAsync('WASM_HAS_MULTITHREAD_SUPPORT')) ? getThreadsCount() : 1;
  return `${threads} thread${threads === 1 ? '' : 's'}`;
}
