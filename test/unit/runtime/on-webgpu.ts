import { memory } from '@tensorflow/tfjs-core';
import { installWebGPU } from '../../../src/runtime/node-webgpu.ts';
import { createRuntime, type TfjsRuntime } from '../../../src/runtime/runtime.ts';

/**
 * A runtime on WebGPU for each test of a suite, which must leave no tensor.
 * @param take told of each before its test
 * @param taken the one to close after it: a test may have put another in its place
 */
export function onWebGPU(take: (runtime: TfjsRuntime) => void, taken: () => TfjsRuntime): void {
  beforeAll(() => installWebGPU());
  beforeEach(async () => take(await createRuntime({ backend: 'webgpu', allowSoftware: true })));
  afterEach(() => {
    taken().dispose();
    expect(memory().numTensors).toBe(0);
  });
}
