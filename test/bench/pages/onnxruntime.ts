/** onnxruntime-web, its WebGPU or its wasm execution provider, from the files of its npm package under /ort/. */
import type * as Ort from 'onnxruntime-web';
import type { Cold, InferenceInput } from './contract.ts';
import { transposedValues } from '../../../src/runtime/strided.ts';
import { inputOf, madeDescription, madeFile, WASM_THREADS } from './network-files.ts';

let ort: typeof Ort;
let session: Ort.InferenceSession;
let input: InferenceInput;
/** Channels first. */
let planar: Float32Array;

async function run(): Promise<Ort.Tensor> {
  let output = await once();
  for (let i = 1; i < input.stream; i++) output = await once();
  return output;
}

async function once(): Promise<Ort.Tensor> {
  const [batch, ...sides] = input.shape;
  const tensor = new ort.Tensor('float32', planar, [batch!, sides.at(-1)!, ...sides.slice(0, -1)]);
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

function toPlanar({ data, shape }: InferenceInput): Float32Array {
  const last = shape.length - 1;
  return transposedValues(data, shape, [0, last, ...shape.map((_, axis) => axis).slice(1, last)]);
}

function toInterleaved({ data, dims }: Ort.Tensor): number[] {
  const planarOut = data as Float32Array;
  if (dims.length === 2) return [...planarOut];
  return [...transposedValues(planarOut, dims, [0, ...dims.map((_, axis) => axis).slice(2), 1])];
}
