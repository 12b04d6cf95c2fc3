import type { Activation } from '../kernels/activation.ts';
import type { Join } from '../kernels/combination.ts';

export type Pair = readonly [rows: number, columns: number];

/** Of one input of a batch; a vector has one row and one column. */
export interface PlaneShape {
  readonly rows: number;
  readonly columns: number;
  readonly channels: number;
}

/** A factor and a summand for each channel, as an inference-time batch normalisation is. */
export interface Affine {
  readonly scale: Float32Array;
  readonly shift: Float32Array;
}

/** What is done to each value of an input before it is used; padding is put around afterwards. */
export type Before = Affine & { readonly relu: boolean };

interface Windowed {
  readonly size: Pair;
  readonly strides: Pair;
  /** Rows above and columns left of the input that the first output sees. */
  readonly before: Pair;
}

interface Weighted {
  readonly bias?: Float32Array | undefined;
  readonly activation: Activation;
}

/**
 * One computation of a network, with its weights. Fused ones say in their optional fields what they took over. `inputs` of a
 * {@link Node} are what the comment says.
 */
export type Op =
  | { readonly kind: 'input'; readonly index: number }
  /**
   * x, then of a derivative what gates the sums (in place of `pre`): they count where it is positive, or where its map is, times that one's scale; then
   * what `residual` adds before the activation. Kernel [rows][columns][in][out].
   */
  | Windowed & Weighted & { readonly kind: 'convolution'; readonly rates: Pair; readonly kernel: Float32Array; readonly pre?: Before | undefined; readonly gate?: 'relu' | Affine | undefined; readonly residual?: boolean }
  /** x. Kernel [rows][columns][channels]. */
  | Windowed & Weighted & { readonly kind: 'depthwise'; readonly kernel: Float32Array }
  /** x. Kernel [rows][columns][in][out]; `before` is what is cut off at the beginning. */
  | Windowed & Weighted & { readonly kind: 'transposed'; readonly kernel: Float32Array }
  /** x, a vector. Kernel [in][out]. */
  | Weighted & { readonly kind: 'dense'; readonly kernel: Float32Array }
  /** x */
  | Windowed & { readonly kind: 'pooling'; readonly of: 'max' | 'average'; readonly zeros: boolean }
  /** x */
  | { readonly kind: 'global'; readonly of: 'max' | 'average'; readonly pre?: Before | undefined }
  /** x */
  | { readonly kind: 'pointwise'; readonly affine?: Affine | undefined; readonly activation: Activation }
  /** a, b; b as large as a, or one pixel. */
  | { readonly kind: 'combination'; readonly join: Join; readonly activation: Activation }
  /** Any number, along the channels. */
  | { readonly kind: 'concatenation' }
  /** x */
  | { readonly kind: 'resize'; readonly by: 'nearest' | 'bilinear'; readonly factors: Pair }
  /** x; pads with zeros, or crops where negative. */
  | { readonly kind: 'shift'; readonly at: Pair }
  /** x: pixels one after the other as one vector. */
  | { readonly kind: 'flatten' }
  /** x */
  | { readonly kind: 'softmax' }
  /** a, b: vectors. */
  | { readonly kind: 'dot' }
  /** x, its channels at other lanes. */
  | { readonly kind: 'relane' }
  /** The inputs of which mean and variance are taken, then which of them are present. */
  | { readonly kind: 'moments'; readonly variance: boolean }
  /** Of a derivative: g, as large as the node or one pixel, then x where the slope depends on it, then what `residual` adds. */
  | { readonly kind: 'gate'; readonly by: Slope; readonly residual: boolean }
  /** Of a derivative: g, then of maxima x. The pool's own sizes. */
  | Windowed & { readonly kind: 'unpooling'; readonly of: 'max' | 'average'; readonly zeros: boolean }
  /** Of a derivative: g, of which these are the channels from `first` on; a place in g's own buffer. */
  | { readonly kind: 'part'; readonly first: number }
  /** Of a derivative: g, a vector, as pixels; g's own buffer. */
  | { readonly kind: 'unflatten' };

/** What a derivative is multiplied by: the slope of an activation, from what that gave; or a gain a channel, perhaps only where a map of x is positive. */
export type Slope =
  | { readonly of: 'activation'; readonly activation: Activation }
  | { readonly of: 'affine'; readonly gain: Float32Array; readonly positive?: Affine | undefined };

export type OpOf<K extends Op['kind']> = Extract<Op, { kind: K }>;

export interface Node {
  /** Of the layer. */
  readonly name: string;
  readonly op: Op;
  /** Indices of nodes, all smaller than this one's. */
  readonly inputs: readonly number[];
  readonly shape: PlaneShape;
  /** Index of a node whose channels stand at the same lanes as this one's are to: a derivative's as of what it is the derivative by. */
  readonly like?: number | undefined;
}

/** A network without its framework: nodes in the order of computation. */
export interface Network2D {
  readonly nodes: readonly Node[];
  readonly outputs: readonly number[];
}

/** Why a network cannot be a plan, in a few words: it then runs on tfjs's own kernels. */
export class NoPlan extends Error {}

/** A plan that would take more memory than it may; tfjs's own kernels would take more still. */
export class OverBudget extends Error {
  constructor(readonly needed: number, readonly budget: number) {
    super(`it would take ${needed} bytes, and its budget is ${budget}`);
  }
}
