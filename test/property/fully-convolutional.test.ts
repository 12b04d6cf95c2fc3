import '@tensorflow/tfjs-backend-cpu';
import { concat, memory, randomUniform, setBackend, slice, tidy, type Tensor } from '@tensorflow/tfjs-core';
import { initializers, input, layers as tfl, model, type LayersModel, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import fc from 'fast-check';
import { fullyConvolutionalSaving, toFullyConvolutional } from '../../src/architectures/fully-convolutional.ts';
import { receptiveField } from '../../src/runtime/receptive-field.ts';

beforeAll(() => setBackend('cpu'));

const level = fc.oneof(
  fc.record({ kind: fc.constant('conv' as const), size: fc.integer({ min: 1, max: 3 }), stride: fc.integer({ min: 1, max: 2 }), rate: fc.constant(1) }),
  fc.record({ kind: fc.constant('conv' as const), size: fc.constant(2), stride: fc.constant(1), rate: fc.constant(2) }),
  fc.record({ kind: fc.constantFrom('max' as const, 'average' as const), size: fc.integer({ min: 1, max: 3 }), stride: fc.integer({ min: 1, max: 2 }), rate: fc.constant(1) }),
  fc.record({ kind: fc.constantFrom('normalise' as const, 'residual' as const), size: fc.constant(1), stride: fc.constant(1), rate: fc.constant(1) }),
);
const head = fc.record({ end: fc.constantFrom('flatten' as const, 'mean' as const, 'max' as const), hidden: fc.array(fc.integer({ min: 1, max: 3 }), { maxLength: 2 }), normalise: fc.boolean(), activation: fc.constantFrom('linear' as const, 'softmax' as const) });

type Level = typeof level extends fc.Arbitrary<infer L> ? L : never;
type Head = typeof head extends fc.Arbitrary<infer H> ? H : never;

/** A classifier of patches without padding, or nothing where its layers leave nothing of the patch. */
function classifierOf(levels: readonly Level[], { end, hidden, normalise, activation }: Head, patch: readonly [number, number], seed: number): LayersModel | undefined {
  let made = seed;
  const random = () => initializers.randomUniform({ minval: -0.5, maxval: 0.5, seed: made++ });
  const apply = (layer: { apply(x: SymbolicTensor | SymbolicTensor[]): unknown }, x: SymbolicTensor | SymbolicTensor[]) => layer.apply(x) as SymbolicTensor;
  const image = input({ shape: [...patch, 2] });
  const smallest = levels.reduce<readonly number[]>((sides, { size, stride, rate }) => sides.map(side => Math.floor((side - (size - 1) * rate - 1) / stride) + 1), patch);
  if (smallest.some(side => side < 1)) return undefined;
  const batch = () => tfl.batchNormalization({ betaInitializer: random(), movingMeanInitializer: random(), gammaInitializer: random() });
  const conv = (x: SymbolicTensor, kernelSize: number, strides: number, dilationRate: number) =>
    apply(tfl.conv2d({ filters: 2, kernelSize, strides, dilationRate, padding: 'valid', activation: 'elu', kernelInitializer: random(), biasInitializer: random() }), x);
  let x: SymbolicTensor = image;
  for (const { kind, size, stride, rate } of levels) {
    if (kind === 'conv') x = conv(x, size, stride, rate);
    else if (kind === 'normalise') x = apply(batch(), x);
    else if (kind === 'residual') x = apply(tfl.add(), [x, conv(x, 1, 1, 1)]);
    else x = apply(kind === 'max' ? tfl.maxPooling2d({ poolSize: size, strides: stride }) : tfl.averagePooling2d({ poolSize: size, strides: stride }), x);
  }
  x = apply(end === 'flatten' ? tfl.flatten() : end === 'mean' ? tfl.globalAveragePooling2d({}) : tfl.globalMaxPooling2d({}), x);
  for (const units of hidden) x = apply(tfl.dense({ units, activation: 'elu', kernelInitializer: random(), biasInitializer: random() }), apply(tfl.dropout({ rate: 0.5 }), x));
  if (normalise && hidden.length) x = apply(batch(), x);
  return model({ inputs: image, outputs: apply(tfl.dense({ units: 3, activation, kernelInitializer: random(), biasInitializer: random() }), x) });
}

test('one pass over an image equals its patches one by one, for any classifier that does not pad', () => {
  let compared = 0;
  fc.assert(
    fc.property(
      fc.array(level, { minLength: 1, maxLength: 4 }), head, fc.tuple(fc.integer({ min: 6, max: 12 }), fc.integer({ min: 6, max: 12 })), fc.integer({ min: 0, max: 9 }), fc.integer({ min: 0, max: 9 }), fc.integer({ min: 1, max: 999 }),
      (levels, end, patch, moreRows, moreColumns, seed) => {
        const classifier = classifierOf(levels, end, patch, seed);
        fc.pre(classifier !== undefined);
        const size = [patch[0] + moreRows, patch[1] + moreColumns] as const;
        const before = memory().numTensors;
        const whole = toFullyConvolutional(classifier!);
        const field = receptiveField(whole, size);
        tidy(() => {
          const image = randomUniform([1, ...size, 2], -1, 1, 'float32', seed);
          const map = whole.predict(image) as Tensor;
          expect(map.shape).toEqual([1, field.rows.output, field.columns.output, 3]);
          const places: [number, number][] = [];
          const [rows, columns] = [Math.floor(moreRows / field.rows.stride) + 1, Math.floor(moreColumns / field.columns.stride) + 1];
          expect(field.rows.output >= rows && field.columns.output >= columns).toBe(true);
          for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) places.push([i, j]);
          const patches = concat(places.map(([i, j]) => slice(image, [0, i * field.rows.stride, j * field.columns.stride, 0], [1, ...patch, 2])));
          const one = (classifier!.predict(patches) as Tensor).dataSync();
          const got = places.flatMap(([i, j]) => [...slice(map, [0, i, j, 0], [1, 1, 1, 3]).dataSync()]);
          got.forEach((value, i) => expect(Math.abs(value - one[i]!)).toBeLessThan(1e-5 * Math.max(1, Math.abs(one[i]!))));
          compared += places.length;
        });
        const saving = fullyConvolutionalSaving(classifier!, whole, size);
        expect(saving.patches).toBe(field.rows.output * field.columns.output);
        expect(saving.ratio).toBe(saving.patchByPatch / saving.onePass);
        whole.dispose();
        expect(memory().numTensors).toBe(before);
        classifier!.dispose();
      },
    ),
    { numRuns: 40 },
  );
  expect(compared).toBeGreaterThan(200);
});
