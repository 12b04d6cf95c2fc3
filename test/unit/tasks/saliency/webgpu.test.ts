/** Saliency on WebGPU in Node (Dawn on SwiftShader): the maps that plain JavaScript makes, and nothing left on the device. */
import { memory, setBackend } from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { buildDenseNet } from '../../../../src/architectures/densenet.ts';
import { installWebGPU } from '../../../../src/runtime/node-webgpu.ts';
import { createRuntime } from '../../../../src/runtime/runtime.ts';
import type { ModelFiles } from '../../../../src/runtime/types.ts';
import { SALIENCY_METHODS, type SaliencyRequest, type SaliencyResult } from '../../../../src/tasks/saliency/index.ts';
import { dawnMissing } from '../../runtime/dawn.ts';
import { classifierFiles, explainOne, SIDE, spotted } from './networks.ts';

jest.mock('webgpu', () => jest.requireActual<typeof import('../../runtime/dawn.ts')>('../../runtime/dawn.ts').dawn());

const missing = dawnMissing();
if (missing) console.warn(`Skipped: saliency on WebGPU in Node, since there is ${missing}.`);

const SHORT: Record<string, object> = { 'smooth-grad': { samples: 2 }, 'integrated-gradients': { steps: 2, maxSteps: 2 }, occlusion: { size: 8, stride: 8 } };
const image = spotted(40, 30, { x: 12, y: 10, radius: 6 }, { x: 30, y: 22, radius: 5 });

async function maps(files: ModelFiles, backend: 'cpu' | 'webgpu'): Promise<SaliencyResult[]> {
  const runtime = await createRuntime({ backend, allowSoftware: true });
  const net = await runtime.load(files);
  const results: SaliencyResult[] = [];
  const run = async (method: string) => explainOne(runtime, net, image, { target: 'A', method, ...SHORT[method] } as SaliencyRequest);
  for (const method of SALIENCY_METHODS) results.push(await run(method));
  const before = runtime.memory();
  for (const method of ['grad-cam', 'input-gradient']) await run(method);
  expect(runtime.memory()).toEqual(before);
  net.dispose();
  expect(memory().numTensors).toBe(0);
  runtime.dispose();
  return results;
}

(missing ? test.skip : test)('every method makes the map that plain JavaScript makes, on a small DenseNet', async () => {
  await setBackend('cpu');
  // Convolutions, batch normalisation, both kinds of pools, concatenations.
  const files = await classifierFiles(buildDenseNet({ inputShape: [SIDE, SIDE], classes: 2, growth: 2, blockConfig: [1, 1], initFeatures: 4, bnSize: 2, weights: { seed: 5 } }), ['A', 'B']);
  const expected = await maps(files, 'cpu');
  await installWebGPU();
  const got = await maps(files, 'webgpu');
  for (const [i, { saliency, values, range }] of expected.entries()) {
    expect(got[i]!.device.backend).toBe('webgpu');
    expect(got[i]!.saliency.score).toBeCloseTo(saliency.score, 4);
    expect(Math.max(...values.map((v, k) => Math.abs(v - got[i]!.values[k]!))) / range[1]).toBeLessThan(1e-3);
    expect(Math.max(...values.map(Math.abs))).toBeGreaterThan(0);
  }
});
