/** onnxruntime-web, its WebGPU or its wasm execution provider, from the files of its npm package under /ort/. */
import type * as Ort from 'onnxruntime-web';
import type { Cold, InferenceInput } from './contract.ts';
import { inputOf, madeDescription, madeFile, WASM_THREADS } from './network-files.ts';

let ort: typeof Ort;
let session: Ort.InferenceSession;
let input: InferenceInput;
/** NCHW */
let planar: Float32Array;

async function run(): Promise<Ort.Tensor> {
  const tensor = new ort.Tensor('float32', planar, [1, input.channels, input.rows, input.columns]);
  const { output } = await session.run({ input: tensor });
  await output!.getData();
  return output!;
}

window.bench = {
  async cold(network, backend): Promise<Cold> {
    input = inputOf(await madeDescription(network));
    planar = toPlanar(input);
    const bytes = new Uint8Array(await madeFile(network, 'model.onnx'));
    const bundle = `/ort/ort.${backend === 'webgpu' ? 'webgpu' : 'wasm'}.min.mjs`;
    ort = (await import(/* webpackIgnore: true */ bundle)) as typeof Ort;
    ort.env.wasm.wasmPaths = '/ort/';
    ort.env.wasm.numThreads = WASM_THREADS;
    ort.env.logLevel = 'error';
    const start = performance.now();
    session = await ort.InferenceSession.create(bytes, { executionProviders: [backend], graphOptimizationLevel: 'all' });
    const output = await run();
    const ms = performance.now() - start;
    const threads = ort.env.wasm.numThreads ?? 1;
    return { ms, output: toInterleaved(output), device: backend === 'wasm' ? `${threads} thread${threads === 1 ? '' : 's'}` : 'webgpu' };
  },
  async warm() {
    const start = performance.now();
    await run();
    return performance.now() - start;
  },
};

function toPlanar({ data, rows, columns, channels }: InferenceInput): Float32Array {
  const out = new Float32Array(data.length);
  for (let i = 0; i < rows * columns; i++) for (let c = 0; c < channels; c++) out[c * rows * columns + i] = data[i * channels + c]!;
  return out;
}

function toInterleaved({ data, dims }: Ort.Tensor): number[] {
  const planarOut = data as Float32Array;
  if (dims.length === 2) return [...planarOut];
  const [, channels, rows, columns] = dims as [number, number, number, number];
  const out = new Array<number>(planarOut.length);
  for (let i = 0; i < rows * columns; i++) for (let c = 0; c < channels; c++) out[i * channels + c] = planarOut[c * rows * columns + i]!;
  return out;
}
