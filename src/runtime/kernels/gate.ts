import { activationKey, float, SELU, type Activation } from './activation.ts';
import { groupsOf, kernel, valuesOf, type Launch, type Place } from './kernel.ts';

/** By what a derivative is multiplied on its way back through a layer that works value by value. */
export type Slope = 'gain' | 'gain where positive' | Activation;

export interface Gate {
  readonly slope: Slope;
  /** Pixels of the whole batch. */
  readonly pixels: number;
  readonly quads: number;
  /** The derivative that comes from behind. */
  readonly g: Place;
  /** How many pixels share one of `g`: 1, or a plane's where a plane was summed up. */
  readonly shared: number;
  /** What the slope depends on: what the activation gave; the input where a normalisation and a ReLU follow. Not of a mere gain. */
  readonly x?: Place | undefined;
  /** What comes back on another way, and is added. */
  readonly r?: Place | undefined;
  readonly y: Place;
}

const PARAMS = ['tasks', 'quads', 'sharing', 'gStride', 'gOffset', 'xStride', 'xOffset', 'rStride', 'rOffset', 'yStride', 'yOffset'] as const;

/** True where the slope is known from what the activation gave. Of swish it is not. */
export function hasSlope({ kind }: Activation): boolean {
  return kind !== 'swish';
}

/**
 * The derivative by a layer's input from that by its output, where the layer works value by value: y = g · slope + r; one invocation a
 * quad. Reads g, then x (but for a gain), then scale and shift ('gain where positive': where x · scale + shift > 0), gain, then r.
 */
export function gate({ slope, pixels, quads, g, shared, x, r, y }: Gate): Launch {
  const tasks = pixels * quads;
  const gain = slope === 'gain' || slope === 'gain where positive';
  const masked = slope === 'gain where positive';
  return {
    kernel: kernel({
      key: `gate/${typeof slope === 'string' ? slope : activationKey(slope)}/${r !== undefined}`,
      params: PARAMS,
      reads: [
        ['g', 'stored'], ...(slope === 'gain' ? [] : [['x', 'stored']] as const), ...(masked ? [['scale', 'vec4f'], ['shift', 'vec4f']] as const : []),
        ...(gain ? [['gain', 'vec4f']] as const : []), ...(r ? [['r', 'stored']] as const : []),
      ],
      writes: 'stored',
      body: `
  let c = id % p.quads;
  let pixel = id / p.quads;
  var v = vec4f(g[pixel / p.sharing * p.gStride + p.gOffset + c]);
  ${slope === 'gain' ? '' : 'let u = vec4f(x[pixel * p.xStride + p.xOffset + c]);'}
  ${gain ? 'v *= gain[c];' : `v *= ${slopeOf(slope)};`}
  ${masked ? 'v = select(v, vec4f(), fma(u, scale[c], shift[c]) <= vec4f());' : ''}
  ${r ? 'v += vec4f(r[pixel * p.rStride + p.rOffset + c]);' : ''}
  y[pixel * p.yStride + p.yOffset + c] = stored(v);`,
    }),
    params: valuesOf(PARAMS, {
      tasks, quads, sharing: shared, gStride: g.stride, gOffset: g.offset, xStride: x?.stride ?? 0, xOffset: x?.offset ?? 0,
      rStride: r?.stride ?? 0, rOffset: r?.offset ?? 0, yStride: y.stride, yOffset: y.offset,
    }),
    workgroups: groupsOf(tasks),
  };
}

/** From `u`, what the activation gave. */
function slopeOf(activation: Activation): string {
  const step = (above: string, below: string) => `select(${above}, ${below}, u <= vec4f())`;
  switch (activation.kind) {
    case 'linear': return 'vec4f(1.0)';
    case 'relu': return step('vec4f(1.0)', 'vec4f()');
    case 'clippedRelu': return `select(vec4f(), vec4f(1.0), (u > vec4f()) & (u < vec4f(${float(activation.limit)})))`;
    case 'leakyRelu': return step('vec4f(1.0)', `vec4f(${float(activation.slope)})`);
    case 'elu': return step('vec4f(1.0)', `(u + ${float(activation.alpha)})`);
    case 'selu': return step(`vec4f(${float(SELU.scale)})`, `(u + ${float(SELU.scale * SELU.alpha)})`);
    case 'sigmoid': return '(u * (1.0 - u))';
    case 'tanh': return '(1.0 - u * u)';
    case 'softplus': return '(1.0 - exp(-u))';
    case 'softsign': return '((1.0 - abs(u)) * (1.0 - abs(u)))';
    case 'hardSigmoid': return 'select(vec4f(), vec4f(0.2), (u > vec4f()) & (u < vec4f(1.0)))';
    case 'swish': throw new Error('the slope of swish is not known from what it gave');
  }
}

/** The same of one number, in float64, from what the activation gave. */
export function slopeAt(activation: Activation, u: number): number {
  switch (activation.kind) {
    case 'linear': return 1;
    case 'relu': return u > 0 ? 1 : 0;
    case 'clippedRelu': return u > 0 && u < activation.limit ? 1 : 0;
    case 'leakyRelu': return u > 0 ? 1 : activation.slope;
    case 'elu': return u > 0 ? 1 : u + activation.alpha;
    case 'selu': return u > 0 ? SELU.scale : u + SELU.scale * SELU.alpha;
    case 'sigmoid': return u * (1 - u);
    case 'tanh': return 1 - u * u;
    case 'softplus': return 1 - Math.exp(-u);
    case 'softsign': return (1 - Math.abs(u)) ** 2;
    case 'hardSigmoid': return u > 0 && u < 1 ? 0.2 : 0;
    case 'swish': return NaN;
  }
}
