/**
 * Every model that is shipped has a plan. That its plan on WebGPU gives what stock tfjs gives on wasm is asked for by hand,
 * since a software GPU takes minutes: FULL_SIZE=webgpu npx jest test/golden/shipped-plans
 */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import '../../src/runtime/modality-moments.ts';
import '../../src/runtime/view-moments.ts';
import { installWebGPU } from '../../src/runtime/node-webgpu.ts';
import { fused } from '../../src/runtime/plan/fuse.ts';
import { fromLayers } from '../../src/runtime/plan/from-layers.ts';
import { memoryOf, Plan } from '../../src/runtime/plan/plan.ts';
import { Program } from '../../src/runtime/plan/program.ts';
import { dawnMissing } from '../unit/runtime/dawn.ts';
import { noise, valuesIn } from '../unit/runtime/gpu-values.ts';
import { shippedModel } from './shipped-model.ts';

jest.mock('webgpu', () => jest.requireActual<typeof import('../unit/runtime/dawn.ts')>('../unit/runtime/dawn.ts').dawn());

const MODELS = join(__dirname, '../../models');
const RELATIVE_TOLERANCE = 1e-4;
const ids = readdirSync(MODELS).filter(id => existsSync(join(MODELS, id, 'model.json')) && existsSync(join(MODELS, id, 'golden/golden.json')));
const asked = (process.env['FULL_SIZE'] ?? '').split(',').includes('webgpu') && !dawnMissing();

describe.each(ids)('%s', id => {
  let network: LayersModel;
  let program: Program;

  beforeAll(async () => {
    network = await shippedModel<{ sha256: Record<string, string> }>(id).load();
    program = new Program(fused(await fromLayers(network)));
  });
  afterAll(() => network.dispose());

  test('has a plan, within the limits that every WebGPU device grants', () => {
    const dispatches = program.steps(1).length;
    expect(dispatches).toBeLessThan(network.layers.length + program.inputs.length + program.outputs.length);
    expect(memoryOf(program, 1).largest).toBeLessThanOrEqual(128 * 2 ** 20);
  });

  (asked ? test : test.skip)('its plan gives what stock tfjs gives', async () => {
    const feeds = network.inputs.map(({ shape, name }, i) => {
      const count = shape.slice(1).reduce<number>((product, side) => product * side!, 1);
      return name.startsWith('present') ? Float32Array.from({ length: count }, (_, k) => (k === 1 ? 0 : 1)) : noise(count, i + 1);
    });
    const wanted = await Promise.all(tf.tidy(() => {
      const inputs = feeds.map((values, i) => tf.tensor(values, [1, ...network.inputs[i]!.shape.slice(1)] as number[]));
      return [network.predict(inputs.length === 1 ? inputs[0]! : inputs)].flat() as tf.Tensor[];
    }).map(async output => {
      const values = (await output.data()) as Float32Array;
      output.dispose();
      return values;
    }));
    await installWebGPU();
    const adapter = (await navigator.gpu.requestAdapter())!;
    const device = await adapter.requestDevice();
    const plan = await Plan.make(device, program);
    plan.poison(NaN);
    const got = await Promise.all(plan.run(feeds).map(buffer => valuesIn(device, buffer)));
    plan.dispose();
    device.destroy();
    wanted.forEach((values, k) => {
      const most = values.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
      const difference = values.reduce((largest, value, i) => Math.max(largest, Math.abs(value - got[k]![i]!)), 0);
      console.log(`${id}, output ${k}: ${difference.toExponential(1)} of ${most.toPrecision(3)}`);
      expect(difference).toBeLessThan(RELATIVE_TOLERANCE * most);
    });
  }, 600_000);
});
