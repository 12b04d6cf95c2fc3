/** Every layer of a plan, written as ONNX and run by onnxruntime on WebAssembly, on random shapes, against float64. */
import fc from 'fast-check';
import { setBackend } from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { openOnnx } from '../../src/runtime/onnx-session.ts';
import { NoPlan } from '../../src/runtime/plan/ops.ts';
import { toOnnx } from '../../src/runtime/plan/to-onnx.ts';
import { CASES, DERIVATIVES, fedNetwork, largestError, TOLERANCE } from './kernel-cases.ts';

beforeAll(() => setBackend('cpu'));

test.each(Object.entries(CASES))('%s is what float64 says', async (_, cases) => {
  await fc.assert(fc.asyncProperty(cases, fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 1e6 }), async (one, batch, seed) => {
    const { network, node, feeds } = fedNetwork(one, batch, seed);
    const file = toOnnx(network, { inputs: one.inputs.map(() => 4), outputs: [4] });
    const { ort, session } = await openOnnx(file, new Map(), 'a layer', {});
    const given = feeds.map((values, i) => {
      const { rows, columns, channels } = one.inputs[i]!;
      return [`x${i}`, new ort.Tensor('float32', values, [batch, rows, columns, channels])] as const;
    });
    const { y0 } = await session.run(Object.fromEntries(given));
    expect(y0!.dims).toEqual([batch, one.shape.rows, one.shape.columns, one.shape.channels]);
    expect(largestError(Float32Array.from(y0!.data as Float32Array), node, one.inputs, feeds, batch)).toBeLessThan(TOLERANCE);
    await session.release();
  }), { numRuns: 12 });
});

test.each(Object.entries(DERIVATIVES))('%s is refused: ONNX files hold no way back', (_, cases) => {
  fc.assert(fc.property(cases, one => {
    expect(() => toOnnx(fedNetwork(one, 1, 1).network, { inputs: one.inputs.map(() => 4), outputs: [4] })).toThrow(NoPlan);
  }), { numRuns: 12 });
});
