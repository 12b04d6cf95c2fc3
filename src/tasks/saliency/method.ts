import type { Completeness, SaliencyMethodId } from '../../results/saliency.ts';
import type { GradientModel } from '../../runtime/types.ts';

/** What a method works on. It sees numbers only; the tensors are the runtime's. */
export interface SaliencyContext {
  readonly model: GradientModel;
  /** The encoded image, laid out as `shape`. */
  readonly input: Float32Array;
  readonly shape: readonly [rows: number, columns: number, channels: number];
  /** The manifest's `input.valueRange`. */
  readonly valueRange: readonly [min: number, max: number];
  /** Index into the manifest's targets. */
  readonly target: number;
  readonly signal?: AbortSignal;
  /** In place of the top layer's own, for the randomisation check. */
  readonly topWeights?: readonly Float32Array[];
  /** What the layers below the top gave for this input, from the first map. */
  readonly activations?: Float32Array;
  /** Called after every step, with the fraction done. */
  readonly onStep?: (fraction: number) => void;
}

export type Parameters = Readonly<Record<string, number | string>>;

export interface SaliencyMap<P extends Parameters> {
  /** rows · columns, row by row. */
  readonly values: Float32Array;
  readonly rows: number;
  readonly columns: number;
  readonly signed: boolean;
  readonly score: number;
  /** As they were used: the same ones give the same map. */
  readonly parameters: P;
  readonly completeness?: Completeness;
  readonly activations?: Float32Array;
}

export interface SaliencyMethod<P extends Parameters> {
  readonly id: SaliencyMethodId;
  /**
   * The parameters with the defaults in place of those left out.
   * @throws OverreadError `config/invalid`
   */
  parameters(given: Partial<P>, context: SaliencyContext): P;
  map(context: SaliencyContext, parameters: P): Promise<SaliencyMap<P>>;
}
