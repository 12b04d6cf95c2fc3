/** Derivatives by every weight of every architecture against PyTorch in float64 (test/generators/torch-gradients.py), first and second order. */
import '@tensorflow/tfjs-backend-cpu';
import { memory, setBackend } from '@tensorflow/tfjs-core';
import { installWebGPU } from '../../src/runtime/node-webgpu.ts';
import { createRuntime, type TfjsRuntime } from '../../src/runtime/runtime.ts';
import { dawnMissing } from '../unit/runtime/dawn.ts';
import { farthest, ordersOf, TWINS } from './gradients-twins.ts';
import { useBackend } from './torch-golden.ts';

jest.mock('webgpu', () => jest.requireActual<typeof import('../unit/runtime/dawn.ts')>('../unit/runtime/dawn.ts').dawn());

const missing = dawnMissing();
if (missing) console.warn(`Skipped: derivatives on WebGPU, since there is ${missing}.`);
const TOLERANCE = 1e-4;

describe('on plain JavaScript', () => {
  beforeAll(() => setBackend('cpu'));

  test.each(TWINS.flatMap(name => ordersOf(name).map(order => [name, order] as const)))('%s, %s', async (name, order) => {
    const before = memory().numTensors;
    const { difference, at, compared } = await farthest(name, order);
    expect([at, difference < TOLERANCE ? 'close' : difference]).toEqual([at, 'close']);
    expect(compared).toBeGreaterThan(5);
    expect(memory().numTensors).toBe(before);
  });
});

test.each(['unet', 'patch-classifier'])('%s on WebAssembly, which trains where it is asked for, first order', async name => {
  await useBackend('wasm');
  const { difference, at } = await farthest(name, 'first');
  expect([at, difference < TOLERANCE ? 'close' : difference]).toEqual([at, 'close']);
});

(missing ? describe.skip : describe)('on WebGPU', () => {
  let runtime: TfjsRuntime;
  beforeAll(async () => {
    await installWebGPU();
    runtime = await createRuntime({ backend: 'webgpu', allowSoftware: true });
  });
  afterAll(() => runtime.dispose());

  // These are made of the others' layers and take a minute: they run where OVERREAD_ALL_GRADIENTS is set.
  const fusions = ['resnet', 'stacked', 'hemis', 'dualnet', 'auxloss'];
  test.each(TWINS.filter(name => process.env['OVERREAD_ALL_GRADIENTS'] || !fusions.includes(name)))('%s, second order', async name => {
    const { difference, at } = await runtime.turn(device => device.guard(() => farthest(name, 'second')));
    expect([at, difference < TOLERANCE ? 'close' : difference]).toEqual([at, 'close']);
    expect(memory().numTensors).toBe(0);
  }, 240_000);
});
