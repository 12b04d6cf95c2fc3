/** onnxruntime-web, tile by tile; its tiles are NCHW already when the clock starts. */
import type * as Ort from 'onnxruntime-web';
import { WASM_THREADS } from './network-files.ts';
import { absoluteSum, description, fetched, inputs, type SlideTiles } from './slide-contract.ts';

let ort: typeof Ort;
let session: Ort.InferenceSession;
let made: SlideTiles;
let tiles: Float32Array[];

async function one(values: Float32Array): Promise<number> {
  const [rows, columns, channels] = made.shape;
  const { output } = await session.run({ input: new ort.Tensor('float32', values, [1, channels, rows, columns]) });
  return absoluteSum((await output!.getData()) as Float32Array);
}

window.slide = {
  async open(backend) {
    made = await description();
    tiles = (await inputs(made)).map(planar);
    const bundle = `/ort/ort.${backend === 'webgpu' ? 'webgpu' : 'wasm'}.min.mjs`;
    ort = (await import(/* webpackIgnore: true */ bundle)) as typeof Ort;
    ort.env.wasm.wasmPaths = '/ort/';
    ort.env.wasm.numThreads = WASM_THREADS;
    ort.env.logLevel = 'error';
    session = await ort.InferenceSession.create(new Uint8Array(await fetched('/made/slide/model.onnx')), { executionProviders: [backend], graphOptimizationLevel: 'all' });
    await one(tiles[0]!);
    return backend === 'webgpu' ? 'webgpu' : `${ort.env.wasm.numThreads} threads`;
  },
  async network() {
    const start = performance.now();
    let sum = 0;
    for (const tile of tiles) sum += await one(tile);
    return { ms: performance.now() - start, sum };
  },
};

function planar(data: Float32Array): Float32Array {
  const [rows, columns, channels] = made.shape;
  const out = new Float32Array(data.length);
  for (let i = 0; i < rows * columns; i++) for (let c = 0; c < channels; c++) out[c * rows * columns + i] = data[i * channels + c]!;
  return out;
}
