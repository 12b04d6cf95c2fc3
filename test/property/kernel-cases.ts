import fc from 'fast-check';
import type { Activation } from '../../src/runtime/kernels/activation.ts';
import type { Network2D, Node, Op, Pair, PlaneShape } from '../../src/runtime/plan/ops.ts';
import { referenceOf, type Given } from '../../src/runtime/plan/reference.ts';
import { noise } from '../unit/runtime/gpu-values.ts';

/** float32 sums of a few hundred products of numbers around 1. */
export const TOLERANCE = 2e-5;

const ACTIVATIONS: readonly Activation[] = [
  ...(['linear', 'relu', 'sigmoid', 'tanh', 'softplus', 'softsign', 'swish', 'hardSigmoid'] as const).map(kind => ({ kind })),
  { kind: 'clippedRelu', limit: 0.75 }, { kind: 'leakyRelu', slope: 0.3 }, { kind: 'elu', alpha: 1.5 }, { kind: 'selu' },
];
/** All of them where there is nothing else to compile; else few. */
const anyActivation = fc.constantFrom(...ACTIVATIONS);
const activation = fc.constantFrom(...ACTIVATIONS.filter(({ kind }) => ['linear', 'relu', 'elu'].includes(kind)));
const pair = (from: number, to: number): fc.Arbitrary<Pair> => fc.tuple(fc.integer({ min: from, max: to }), fc.integer({ min: from, max: to }));
const channels = fc.integer({ min: 1, max: 19 });
const plane: fc.Arbitrary<PlaneShape> = fc.record({ rows: fc.integer({ min: 1, max: 9 }), columns: fc.integer({ min: 1, max: 11 }), channels });

/** One layer with its inputs, all of which are given from outside. */
export interface Case {
  readonly op: Op;
  readonly inputs: readonly PlaneShape[];
  readonly shape: PlaneShape;
}

const sizeOf = ({ rows, columns, channels: k }: PlaneShape) => rows * columns * k;

const windowed = fc.record({ x: plane, out: channels, size: pair(1, 4), strides: pair(1, 3), rates: pair(1, 3), padded: fc.boolean(), seed: fc.integer({ min: 1, max: 1e6 }), activation, bias: fc.boolean() })
  .map(({ padded, ...of }) => {
    const extent = of.size.map((size, axis) => (size - 1) * of.rates[axis]! + 1);
    const before = extent.map(size => (padded ? Math.floor((size - 1) / 2) : 0)) as unknown as Pair;
    const [rows, columns] = [of.x.rows, of.x.columns].map((side, axis) => Math.floor((side + (padded ? extent[axis]! - 1 : 0) - extent[axis]!) / of.strides[axis]!) + 1);
    return { ...of, before, rows: rows!, columns: columns! };
  }).filter(({ rows, columns }) => rows > 0 && columns > 0);

export const CASES: Readonly<Record<string, fc.Arbitrary<Case>>> = {
  convolution: fc.record({ of: windowed, pre: fc.constantFrom(undefined, true, false), residual: fc.boolean() }).map(({ of, pre, residual }) => {
    const shape = { rows: of.rows, columns: of.columns, channels: of.out };
    const { size, strides, rates, before, seed } = of;
    return {
      op: {
        kind: 'convolution', size, strides, rates, before, residual, activation: of.activation,
        kernel: noise(size[0] * size[1] * of.x.channels * of.out, seed), bias: of.bias ? noise(of.out, seed + 1) : undefined,
        pre: pre === undefined ? undefined : { scale: noise(of.x.channels, seed + 2), shift: noise(of.x.channels, seed + 3), relu: pre },
      },
      inputs: [of.x, ...(residual ? [shape] : [])], shape,
    };
  }),
  depthwise: windowed.filter(({ rates }) => rates.join() === '1,1').map(({ x, size, strides, before, rows, columns, seed, bias, activation: of }) => ({
    op: { kind: 'depthwise', size, strides, before, kernel: noise(size[0] * size[1] * x.channels, seed), bias: bias ? noise(x.channels, seed + 1) : undefined, activation: of },
    inputs: [x], shape: { rows, columns, channels: x.channels },
  })),
  'transposed convolution': fc.record({ x: plane, out: channels, size: pair(1, 4), strides: pair(1, 3), same: fc.boolean(), seed: fc.integer({ min: 1, max: 1e6 }), activation }).map(({ x, out, size, strides, same, seed, activation: of }) => {
    const grows = size.map((k, axis) => Math.max(k - strides[axis]!, 0));
    const [rows, columns] = [x.rows, x.columns].map((side, axis) => side * strides[axis]! + (same ? 0 : grows[axis]!));
    return {
      op: { kind: 'transposed', size, strides, before: grows.map(side => (same ? Math.floor(side / 2) : 0)) as unknown as Pair, kernel: noise(size[0] * size[1] * x.channels * out, seed), bias: noise(out, seed + 1), activation: of },
      inputs: [x], shape: { rows: rows!, columns: columns!, channels: out },
    };
  }),
  dense: fc.record({ from: fc.integer({ min: 1, max: 700 }), out: channels, seed: fc.integer({ min: 1, max: 1e6 }), activation }).map(({ from, out, seed, activation: of }) => ({
    op: { kind: 'dense', kernel: noise(from * out, seed).map(value => value / 8), bias: noise(out, seed + 1), activation: of },
    inputs: [{ rows: 1, columns: 1, channels: from }], shape: { rows: 1, columns: 1, channels: out },
  })),
  pooling: fc.record({ of: windowed, by: fc.constantFrom('max' as const, 'average' as const), zeros: fc.boolean() }).filter(({ of }) => of.rates.join() === '1,1').map(({ of: { x, size, strides, before, rows, columns }, by, zeros }) => ({
    op: { kind: 'pooling', of: by, zeros, size, strides, before }, inputs: [x], shape: { rows, columns, channels: x.channels },
  })),
  'global pooling': fc.record({ x: plane, by: fc.constantFrom('max' as const, 'average' as const), pre: fc.constantFrom(undefined, true, false), seed: fc.integer({ min: 1, max: 1e6 }) }).map(({ x, by, pre, seed }) => ({
    op: { kind: 'global', of: by, pre: pre === undefined ? undefined : { scale: noise(x.channels, seed), shift: noise(x.channels, seed + 1), relu: pre } },
    inputs: [x], shape: { rows: 1, columns: 1, channels: x.channels },
  })),
  'normalisation and activation': fc.record({ x: plane, affine: fc.boolean(), seed: fc.integer({ min: 1, max: 1e6 }), activation: anyActivation }).map(({ x, affine, seed, activation: of }) => ({
    op: { kind: 'pointwise', affine: affine ? { scale: noise(x.channels, seed), shift: noise(x.channels, seed + 1) } : undefined, activation: of }, inputs: [x], shape: x,
  })),
  combination: fc.record({ x: plane, join: fc.constantFrom('add' as const, 'multiply' as const, 'maximum' as const, 'minimum' as const, 'average' as const), one: fc.boolean(), activation }).map(({ x, join, one, activation: of }) => ({
    op: { kind: 'combination', join, activation: of }, inputs: [x, one ? { rows: 1, columns: 1, channels: x.channels } : x], shape: x,
  })),
  concatenation: fc.record({ x: plane, parts: fc.array(channels, { minLength: 1, maxLength: 4 }) }).map(({ x, parts }) => ({
    op: { kind: 'concatenation' }, inputs: parts.map(count => ({ ...x, channels: count })), shape: { ...x, channels: parts.reduce((sum, count) => sum + count, 0) },
  })),
  resize: fc.record({ x: plane, by: fc.constantFrom('nearest' as const, 'bilinear' as const), factors: pair(1, 4) }).map(({ x, by, factors }) => ({
    op: { kind: 'resize', by, factors }, inputs: [x], shape: { ...x, rows: x.rows * factors[0], columns: x.columns * factors[1] },
  })),
  'padding and cropping': fc.record({ x: plane, at: pair(-2, 2), after: pair(-2, 2) }).map(({ x, at, after }) => ({
    op: { kind: 'shift' as const, at }, inputs: [x], shape: { ...x, rows: x.rows + at[0] + after[0], columns: x.columns + at[1] + after[1] },
  })).filter(({ shape: { rows, columns } }) => rows > 0 && columns > 0),
  flatten: plane.map(x => ({ op: { kind: 'flatten' }, inputs: [x], shape: { rows: 1, columns: 1, channels: sizeOf(x) } })),
  softmax: plane.map(x => ({ op: { kind: 'softmax' }, inputs: [x], shape: x })),
  'inner product': fc.integer({ min: 1, max: 600 }).map(count => ({ op: { kind: 'dot' }, inputs: [{ rows: 1, columns: 1, channels: count }, { rows: 1, columns: 1, channels: count }], shape: { rows: 1, columns: 1, channels: 1 } })),
  moments: fc.record({ x: plane, count: fc.integer({ min: 2, max: 5 }), variance: fc.boolean() }).map(({ x, count, variance }) => ({
    op: { kind: 'moments', variance }, inputs: [...Array.from({ length: count }, () => x), { rows: 1, columns: 1, channels: count }], shape: { ...x, channels: variance ? 2 * x.channels : x.channels },
  })),
};

/** Steps of the way back, which only plans have. */
export const DERIVATIVES: Readonly<Record<string, fc.Arbitrary<Case>>> = {
  'convolution that is gated': fc.record({ of: windowed, gate: fc.constantFrom('relu' as const, 'affine' as const), residual: fc.boolean() }).map(({ of, gate, residual }) => {
    const shape = { rows: of.rows, columns: of.columns, channels: of.out };
    const { size, strides, rates, before, seed } = of;
    return {
      op: {
        kind: 'convolution', size, strides, rates, before, residual, activation: { kind: 'linear' }, kernel: noise(size[0] * size[1] * of.x.channels * of.out, seed),
        gate: gate === 'relu' ? gate : { scale: noise(of.out, seed + 2), shift: noise(of.out, seed + 3) },
      },
      inputs: [of.x, shape, ...(residual ? [shape] : [])], shape,
    };
  }),
  'slope of an activation': fc.record({ x: plane, residual: fc.boolean(), activation: fc.constantFrom(...ACTIVATIONS.filter(({ kind }) => kind !== 'swish')) }).map(({ x, residual, activation: of }) => ({
    op: { kind: 'gate', by: { of: 'activation', activation: of }, residual }, inputs: [x, x, ...(residual ? [x] : [])], shape: x,
  })),
  'slope of a normalisation': fc.record({ x: plane, positive: fc.boolean(), one: fc.boolean(), residual: fc.boolean(), seed: fc.integer({ min: 1, max: 1e6 }) }).map(({ x, positive, one, residual, seed }) => ({
    op: { kind: 'gate', residual, by: { of: 'affine', gain: noise(x.channels, seed), positive: positive ? { scale: noise(x.channels, seed + 1), shift: noise(x.channels, seed + 2) } : undefined } },
    inputs: [one ? { rows: 1, columns: 1, channels: x.channels } : x, ...(positive ? [x] : []), ...(residual ? [x] : [])], shape: x,
  })),
  'the way back through a pool': fc.record({ of: windowed, by: fc.constantFrom('max' as const, 'average' as const), zeros: fc.boolean() }).filter(({ of }) => of.rates.join() === '1,1').map(({ of: { x, size, strides, before, rows, columns }, by, zeros }) => ({
    op: { kind: 'unpooling', of: by, zeros, size, strides, before }, inputs: [{ rows, columns, channels: x.channels }, ...(by === 'max' ? [x] : [])], shape: x,
  })),
};

/** The layer as a network, and what it is fed for each input of a batch. */
export function fedNetwork(one: Case, batch: number, seed: number): { readonly network: Network2D; readonly node: Node; readonly feeds: readonly Float32Array[] } {
  const inputs = one.inputs.map((shape, index): Node => ({ name: `input ${index}`, op: { kind: 'input', index }, inputs: [], shape }));
  const node: Node = { name: 'layer', op: one.op, inputs: inputs.map((_node, i) => i), shape: one.shape };
  const feeds = one.inputs.map((shape, i) => {
    const values = noise(batch * sizeOf(shape), seed + i);
    // Which of the inputs are there is 1 or 0, at least one of them.
    return one.op.kind === 'moments' && i === inputs.length - 1 ? values.map((value, k) => (value > 0 || k % sizeOf(shape) === 0 ? 1 : 0)) : values;
  });
  return { network: { nodes: [...inputs, node], outputs: [inputs.length] }, node, feeds };
}

/**
 * By the size of what is summed up: differences of 0.0001 matter little beside 100.
 * @param rounding of each value, of itself, which is no error
 */
export function largestError(got: Float32Array, node: Node, shapes: readonly PlaneShape[], feeds: readonly Float32Array[], batch: number, rounding = 0): number {
  const { rows, columns, channels: count } = node.shape;
  let largest = 0;
  for (let image = 0, i = 0; image < batch; image++) {
    const given = shapes.map((shape, k): Given => ({ shape, value: index => feeds[k]![image * sizeOf(shape) + index]! }));
    const wanted = referenceOf(node, given);
    for (let r = 0; r < rows; r++) for (let c = 0; c < columns; c++) for (let k = 0; k < count; k++, i++) {
      const value = wanted(r, c, k);
      const error = (Math.abs(got[i]! - value) - rounding * Math.abs(value)) / Math.max(1, Math.abs(value));
      if (!(error <= largest)) largest = Number.isNaN(error) ? Infinity : error;
    }
  }
  return largest;
}
