/** Stock tfjs, as its documentation says to use it, tile by tile. */
import '@tensorflow/tfjs-backend-webgpu';
import { getThreadsCount, setThreadsCount, setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import { env, io, ready, setBackend, tensor4d, type Tensor } from '@tensorflow/tfjs-core';
import { loadLayersModel, type LayersModel } from '@tensorflow/tfjs-layers';
import { WASM_THREADS } from './network-files.ts';
import { absoluteSum, description, fetched, inputs, type SlideTiles } from './slide-contract.ts';

let model: LayersModel;
let made: SlideTiles;
let tiles: Float32Array[];

async function one(values: Float32Array): Promise<number> {
  const x = tensor4d(values, [1, ...made.shape]);
  const y = model.predict(x) as Tensor;
  const output = await y.data();
  x.dispose();
  y.dispose();
  return absoluteSum(output);
}

window.slide = {
  async open(backend) {
    made = await description();
    tiles = await inputs(made);
    const json = JSON.parse(new TextDecoder().decode(await fetched('/model/model.json'))) as io.ModelJSON;
    const weights = await fetched('/model/weights.bin');
    setWasmPaths('/tfjs-wasm/');
    setThreadsCount(WASM_THREADS);
    await setBackend(backend);
    await ready();
    model = await loadLayersModel(io.fromMemory(await io.getModelArtifactsForJSON(json, async groups => [groups.flatMap(g => g.weights), weights])));
    await one(tiles[0]!);
    if (backend === 'webgpu') return 'webgpu';
    return `${(await env().getAsync('WASM_HAS_MULTITHREAD_SUPPORT')) ? getThreadsCount() : 1} threads`;
  },
  async network() {
    const start = performance.now();
    let sum = 0;
    for (const tile of tiles) sum += await one(tile);
    return { ms: performance.now() - start, sum };
  },
};
