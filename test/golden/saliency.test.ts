import { assignStateDict } from '../../src/architectures/assign.ts';
import { buildDenseNet } from '../../src/architectures/densenet.ts';
import { readCheckpoint } from '../../src/runtime/checkpoints/read.ts';
import { createRuntime, type TfjsRuntime } from '../../src/runtime/runtime.ts';
import type { LoadedModel } from '../../src/runtime/types.ts';
import { gradCam } from '../../src/tasks/saliency/grad-cam.ts';
import { inputGradient } from '../../src/tasks/saliency/input-gradient.ts';
import type { SaliencyContext } from '../../src/tasks/saliency/method.ts';
import { classifierFiles } from '../unit/tasks/saliency/networks.ts';
import { decode, type Encoded, goldenBytes, goldenJson, useBackend } from './torch-golden.ts';

interface Golden {
  targets: { score: number; gradCam: Record<string, number[][]> }[];
  inputGradient: { target: number; map: number[][] };
}
interface DenseNetGolden {
  options: { classes: number; growth: number; block_config: number[]; features: number; bn_size: number };
  input: Encoded;
}
const golden = goldenJson<Golden>('saliency.json');
const { options, input } = goldenJson<DenseNetGolden>('densenet/golden.json');
const [, rows, columns] = input.shape;
/** Of the map's largest value. */
const TOLERANCE = 1e-3;

describe('saliency of a small DenseNet, beside PyTorch', () => {
  let runtime: TfjsRuntime;
  let model: LoadedModel;
  let values: Float32Array;

  beforeAll(async () => {
    await useBackend('cpu');
    const { classes, growth, block_config: blockConfig, features: initFeatures, bn_size: bnSize } = options;
    const network = buildDenseNet({ inputShape: [rows, columns], classes, growth, blockConfig, initFeatures, bnSize, weights: 'zeros' });
    assignStateDict(network, readCheckpoint(goldenBytes('densenet/model.safetensors'), 'model.safetensors'));
    const files = await classifierFiles(network, ['A', 'B', 'C']);
    const images = decode(input);
    values = ((await images.data()) as Float32Array).slice(0, rows * columns);
    images.dispose();
    runtime = await createRuntime({ backend: 'cpu' });
    model = await runtime.load(files);
  });
  afterAll(() => runtime.dispose());

  const context = (target: number): SaliencyContext => ({ model: model.gradients, input: values, shape: [rows, columns, 1], valueRange: [0, 1], target });

  function expectClose(got: Float32Array, expected: readonly (readonly number[])[]) {
    const flat = expected.flat();
    expect(got).toHaveLength(flat.length);
    const scale = Math.max(...flat);
    expect(scale).toBeGreaterThan(0);
    expect(Math.max(...flat.map((v, i) => Math.abs(got[i]! - v))) / scale).toBeLessThan(TOLERANCE);
  }

  test.each([0, 1, 2])('Grad-CAM of target %i, on the last feature map and on one that is named', async target => {
    const { score, gradCam: maps } = golden.targets[target]!;
    for (const [layer, expected] of Object.entries(maps)) {
      const named = layer === 'features.relu5' ? '' : layer;
      const got = await gradCam.map(context(target), { layer: named });
      expect(got.parameters).toEqual({ layer });
      expect([got.rows, got.columns]).toEqual([expected.length, expected[0]!.length]);
      expect(got.score).toBeCloseTo(score, 4);
      expectClose(got.values, expected);
    }
  });

  test('the input gradient', async () => {
    const got = await inputGradient.map(context(golden.inputGradient.target), {});
    expectClose(got.values, golden.inputGradient.map);
  });
});
