import type { OverlayStyle } from '../configuration.ts';
import type { KeptResult } from '../results-store.ts';
import type { Result, ResultKind, ResultOf } from '../../src/results/result.ts';
import type { DisplaySet } from '../types/ohif.ts';

/** A result, and the image of a display set that each of its slices lies on. */
export interface Placed<R extends Result> {
  readonly kept: KeptResult & { readonly result: R };
  /** One a slice of the result, in slice order. */
  readonly imageIds: readonly string[];
}

/** All results of one model on one display set: they are drawn as one layer. */
export interface Layer<R extends Result> {
  readonly key: string;
  readonly displaySet: DisplaySet;
  readonly placed: readonly Placed<R>[];
  /** Viewports that show the display set and have drawn an image of it. */
  readonly viewportIds: readonly string[];
  readonly visible: boolean;
  readonly style: OverlayStyle;
}

/** Draws one kind of result over images. */
export interface Overlay<R extends Result> {
  /** Makes what is drawn equal to these layers: adds, changes, and takes the others away. */
  draw(layers: readonly Layer<R>[]): Promise<void>;
  /** Forgets everything without drawing: the viewer has taken it down. */
  forget(): void;
}

/** Every kind of result has its answer here; `undefined` is a kind that lives in the panel alone. */
export type Overlays = { readonly [K in ResultKind]: Overlay<ResultOf<K>> | undefined };
