import '@tensorflow/tfjs-backend-cpu';
import { setBackend } from '@tensorflow/tfjs-core';
import { featuresOf } from '../../src/features.ts';
import { infer } from '../../src/infer.ts';
import { createRuntime } from '../../src/runtime/runtime.ts';
import { classifierFiles, meanGraph, spotDetector, spotted } from './tasks/saliency/networks.ts';
import { WASM } from './runtime/tiny.ts';

const image = { ...spotted(48, 48, { x: 20, y: 15, radius: 7 }, { x: 30, y: 34, radius: 9 }), representableRange: [0, 1] as const };

// Derivatives are not needed, so that WebAssembly does.
test.each(['cpu', 'wasm'] as const)("what the last layer reads gives the scores by that layer's weights, on %s", async backend => {
  await setBackend('cpu');
  const files = await classifierFiles(spotDetector(), ['Bright', 'Dark']);
  const runtime = await createRuntime({ backend, wasmPath: WASM });
  try {
    const model = await runtime.load(files);
    const features = await featuresOf(runtime, model, [image]);
    expect(features).toHaveLength(2);
    expect(Math.min(...features)).toBeGreaterThan(0);
    const result = await infer(runtime, model, [image]);
    if (result.kind !== 'scores') throw new Error('scores are expected');
    const [bright, dark] = features as unknown as [number, number];
    expect(result.scores[0]!.logit).toBeCloseTo(100 * bright - 20 * dark - 1, 3);
    expect(result.scores[1]!.logit).toBeCloseTo(100 * dark - 20 * bright - 1, 3);
  } finally {
    runtime.dispose();
  }
});

test('a graph model has no layers to enter, and says so', async () => {
  const runtime = await createRuntime({ backend: 'cpu' });
  try {
    await expect(featuresOf(runtime, await runtime.load(meanGraph()), [image])).rejects.toMatchObject({ code: 'model/graph' });
  } finally {
    runtime.dispose();
  }
});
