/**
 * Every model that is shipped has a plan, and every classifier one of its derivatives. That they give on WebGPU what stock tfjs gives on
 * wasm, and its tape on plain JavaScript, is asked for by hand, since a software GPU takes minutes: FULL_SIZE=webgpu npx jest test/golden/shipped-plans
 * In float16, too, where the adapter has it: with VK_DRIVER_FILES=/usr/share/vulkan/icd.d/lvp_icd.json on Mesa's lavapipe.
 */
import '@tensorflow/tfjs-backend-cpu';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel, SymbolicTensor } from '@tensorflow/tfjs-layers';
import '../../src/runtime/modality-moments.ts';
import '../../src/runtime/view-moments.ts';
import { dialectFeatures } from '../../src/runtime/kernels/kernel.ts';
import { installGradientRules } from '../../src/runtime/gradient-rules.ts';
import { evaluate, featureMap } from '../../src/runtime/layer-graph.ts';
import { installWebGPU } from '../../src/runtime/node-webgpu.ts';
import { derivativeOf } from '../../src/runtime/plan/derivative.ts';
import { fused } from '../../src/runtime/plan/fuse.ts';
import { fromLayers } from '../../src/runtime/plan/from-layers.ts';
import { memoryOf, Plan } from '../../src/runtime/plan/plan.ts';
import { Program } from '../../src/runtime/plan/program.ts';
import { dawnMissing } from '../unit/runtime/dawn.ts';
import { noise, valuesIn } from '../unit/runtime/gpu-values.ts';
import { decided } from './decided.ts';
import { shippedModel } from './shipped-model.ts';

jest.mock('webgpu', () => jest.requireActual<typeof import('../unit/runtime/dawn.ts')>('../unit/runtime/dawn.ts').dawn());

const MODELS = join(__dirname, '../../models');
const RELATIVE_TOLERANCE = 1e-4;
const HALF_TOLERANCE = 1e-2;
/** All are held to what the reference leaves undecided of them, one at least to the tolerance alone. */
const PICTURES = 3;
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
    const device = await adapter.requestDevice({ requiredFeatures: dialectFeatures(adapter) });
    const subgroups = device.features.has('subgroups');
    for (const precision of ['float32', 'float16'] as const) {
      if (precision === 'float16' && !device.features.has('shader-f16')) continue;
      const plan = await Plan.make(device, new Program(program.network, undefined, { precision, subgroups }));
      plan.poison(NaN);
      const got = await Promise.all(plan.run(feeds).map(buffer => valuesIn(device, buffer)));
      plan.dispose();
      wanted.forEach((values, k) => {
        const most = values.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
        const difference = values.reduce((largest, value, i) => Math.max(largest, Math.abs(value - got[k]![i]!)), 0);
        console.log(`${id}, output ${k} in ${precision}: ${difference.toExponential(1)} of ${most.toPrecision(3)}`);
        expect(difference).toBeLessThan((precision === 'float16' ? HALF_TOLERANCE : RELATIVE_TOLERANCE) * most);
      });
    }
    device.destroy();
  }, 600_000);

  const { task } = shippedModel<{ sha256: Record<string, string> }>(id).manifest;
  if (task === 'classify') test('a classifier has its derivatives in a plan, by the picture and by its last map', async () => {
    expect(derivatives().length).toBeGreaterThan(1);
    for (const { wrt, output } of derivatives()) {
      const forward = fused(await fromLayers(network, [output, wrt]));
      const made = new Program(derivativeOf(forward, forward.outputs[0]!, forward.outputs[1]!));
      expect(memoryOf(made, 1).largest).toBeLessThanOrEqual(128 * 2 ** 20);
      if (!asked) continue;
      await installWebGPU();
      const device = await (await navigator.gpu.requestAdapter())!.requestDevice();
      const plan = await Plan.make(device, made);
      let least = Infinity;
      for (let picture = 0; picture < PICTURES; picture++) {
        const { feeds, weights, wanted, apart } = await onTheTape(output, wrt, picture);
        plan.poison(NaN);
        const [, , got] = await Promise.all(plan.run([...feeds, weights]).map(buffer => valuesIn(device, buffer)));
        const most = wanted.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
        const difference = wanted.reduce((largest, value, i) => Math.max(largest, Math.abs(value - got![i]!)), 0);
        console.log(`${id}, ${output.sourceLayer.name} by ${wrt.sourceLayer.name}, picture ${picture}: ${difference.toExponential(1)} of ${most.toPrecision(3)}, undecided ${apart.toExponential(1)}`);
        // Some of what is undecided may cancel when all of it falls to one side.
        expect(difference).toBeLessThan(RELATIVE_TOLERANCE * most + 2 * apart);
        least = Math.min(least, difference / most);
      }
      plan.dispose();
      device.destroy();
      expect(least).toBeLessThan(RELATIVE_TOLERANCE);
    }
  }, 600_000);

  /** Of the last scores, by the first picture and by the last map that it has a part in. */
  function derivatives() {
    const output = network.outputs.at(-1)!;
    // Of several pictures, the one that these scores come from.
    return network.inputs.filter(({ shape }) => shape.length === 4).flatMap((image, _, all) => {
      try {
        return [image, featureMap(output, { asked: image, others: all.filter(other => other !== image) })].map(wrt => ({ output, wrt }));
      } catch {
        return [];
      }
    });
  }

  async function onTheTape(output: SymbolicTensor, wrt: SymbolicTensor, picture: number) {
    const feeds = network.inputs.map(({ shape }, i) => noise(shape.slice(1).reduce<number>((product, side) => product * side!, 1), 10 * picture + i + 1));
    const weights = Float32Array.from({ length: output.shape[1]! }, (_, i) => Number(i === 0));
    const values = await Promise.all(network.layers.map(layer => Promise.all(layer.getWeights().map(async weight => [weight.shape, (await weight.data()) as Float32Array] as const))));
    await tf.setBackend('cpu');
    try {
      installGradientRules();
      network.layers.forEach((layer, i) => layer.setWeights(values[i]!.map(([shape, of]) => tf.tensor(of, shape))));
      const { values: wanted, apart } = decided(() => tf.tidy(() => {
        const given = new Map(network.inputs.map(({ id: of, shape }, i) => [of, tf.tensor(feeds[i]!, [1, ...shape.slice(1)] as number[])]));
        const at = given.get(wrt.id) ?? evaluate(wrt, given);
        return tf.valueAndGrad(of => evaluate(output, new Map([...given, [wrt.id, of]])))(at, tf.tensor(weights, [1, weights.length])).grad.dataSync() as Float32Array;
      }));
      return { feeds, weights, wanted, apart };
    } finally {
      await tf.setBackend('wasm');
    }
  }
});
