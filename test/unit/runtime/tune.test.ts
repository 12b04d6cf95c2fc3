/** Tiles of convolutions, on WebGPU in Node (Dawn on SwiftShader). */
import { TILES, USUAL_TILES } from '../../../src/runtime/kernels/convolution.ts';
import { PLAIN } from '../../../src/runtime/kernels/kernel.ts';
import { installWebGPU } from '../../../src/runtime/node-webgpu.ts';
import type { Network2D, Op } from '../../../src/runtime/plan/ops.ts';
import { Plan } from '../../../src/runtime/plan/plan.ts';
import { Program } from '../../../src/runtime/plan/program.ts';
import { remember } from '../../../src/runtime/plan/remembered.ts';
import { tune, tunedTiles } from '../../../src/runtime/plan/tune.ts';
import { dawnMissing } from './dawn.ts';
import { noise, valuesIn } from './gpu-values.ts';

jest.mock('webgpu', () => jest.requireActual<typeof import('./dawn.ts')>('./dawn.ts').dawn());

const missing = dawnMissing();
if (missing) console.warn(`Skipped: the tuning of tiles, since there is ${missing}.`);

/** Two layers, 7 → 18 → 18 channels at 5 × 11, of one size; the second has a residual sum, both an odd number of quads. */
function networkOf(size: number): Network2D {
  const before = [(size - 1) / 2, (size - 1) / 2] as const;
  const layer = (from: number, to: number, seed: number, more: object): Op => ({
    kind: 'convolution', size: [size, size], strides: [1, 1], rates: [1, 1], before, kernel: noise(size * size * from * to, seed), bias: noise(to, seed + 1), activation: { kind: 'relu' }, ...more,
  });
  const plane = { rows: 5, columns: 11 };
  return {
    nodes: [
      { name: 'image', op: { kind: 'input', index: 0 }, inputs: [], shape: { ...plane, channels: 7 } },
      { name: 'first', op: layer(7, 18, 2, { pre: { scale: noise(7, 5), shift: noise(7, 6), relu: true } }), inputs: [0], shape: { ...plane, channels: 18 } },
      { name: 'second', op: layer(18, 18, 8, { residual: true }), inputs: [1, 1], shape: { ...plane, channels: 18 } },
    ],
    outputs: [2],
  };
}

(missing ? describe.skip : describe)('tiles', () => {
  let device: GPUDevice;

  beforeAll(async () => {
    await installWebGPU();
    device = await (await navigator.gpu.requestAdapter())!.requestDevice();
  });
  afterAll(() => device.destroy());

  test.each([1, 3])('all give the same bits, with kernels of side %i', async size => {
    const network = networkOf(size);
    const values = await Promise.all(TILES.map(async tile => {
      const plan = await Plan.make(device, new Program(network, { pointwise: tile, windowed: tile }));
      plan.poison(NaN, 2);
      const got = await valuesIn(device, plan.run([noise(2 * 5 * 11 * 7, 3)], 2)[0]!);
      plan.dispose();
      return got;
    }));
    expect(values[0]!.some(value => value > 0)).toBe(true);
    for (const other of values.slice(1)) expect(other).toEqual(values[0]);
    expect(new Set(TILES.map(tile => new Program(network, { pointwise: tile, windowed: tile }).steps(1)[1]!.launch.kernel.key)).size).toBe(TILES.length);
  });

  test('without time to try them the usual ones are taken; what was tried is remembered for its adapter', async () => {
    expect(await tune(device, PLAIN, 0)).toEqual({ ...USUAL_TILES, whole: false });
    expect((await tune(device, PLAIN, 60_000)).whole).toBe(true);
    // What was kept and cannot be read is tried anew.
    await remember('tiles 2 float32 a broken one', '{');
    expect(TILES).toContainEqual((await tunedTiles(device, 'a broken one')).windowed);
    const submit = jest.spyOn(device.queue, 'submit');
    const tuned = await tunedTiles(device, 'an adapter');
    expect(TILES).toContainEqual(tuned.pointwise);
    expect(TILES).toContainEqual(tuned.windowed);
    expect(submit).toHaveBeenCalled();
    submit.mockClear();
    expect(await tunedTiles(device, 'an adapter')).toEqual(tuned);
    expect(submit).not.toHaveBeenCalled();
    submit.mockRestore();
  });
});
