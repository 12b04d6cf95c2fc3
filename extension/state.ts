import type { OverreadError } from '../src/errors.ts';
import type { DeviceDescription } from '../src/results/result.ts';
import type { Catalogue } from './catalogue.ts';
import type { OverlayStyle } from './configuration.ts';
import type { Target } from './identity.ts';
import type { ProgressView } from './progress.ts';
import type { SlideTarget } from './slides/run.ts';

/** A run that is under way. */
export interface Running {
  readonly jobId: string;
  readonly modelName: string;
  readonly progress: ProgressView;
  /** Milliseconds of the page's clock. */
  readonly startedAt: number;
  readonly cancelling: boolean;
  /** Nobody pressed a button for it: the configuration's `autoRun` did. */
  readonly automatic: boolean;
}

/** What a model's gate would not let through, for one more run that the user asks for by hand. */
export interface Refusal {
  readonly modelId: string;
  readonly targets: readonly Target[];
  readonly slide?: SlideTarget;
}

/** Everything that the panel shows and that is not a result. Replaced, never changed in place. */
export interface State {
  readonly configurationError?: OverreadError;
  /** Of a viewer that Overread was not tried with. */
  readonly viewerNote?: string;
  /** Absent until it is read. */
  readonly catalogue?: Catalogue;
  readonly modelId?: string;
  /** What the engine got; absent before the first run. */
  readonly device?: DeviceDescription;
  readonly running?: Running;
  readonly lastError?: OverreadError;
  /** Set with a `lastError` of code `input/out-of-distribution`, and gone with it. */
  readonly refusal?: Refusal;
  /** A quiet line: nothing is wrong. */
  readonly note?: string;
  /** A quiet line on the runs that the configuration asked for. */
  readonly autoNote?: string;
  /** The score whose origin is being shown. */
  readonly explaining?: { readonly key: string; readonly label: string };
  readonly overlay: OverlayStyle;
  /** False hides every overlay, whatever each result says. */
  readonly overlaysShown: boolean;
  /** Studies that are open in the viewer. */
  readonly openStudies: ReadonlySet<string>;
  /** Whether the active viewport shows an image that can be read. */
  readonly hasImage: boolean;
  /** Why the image of the active viewport counts as synthesised; absent where nothing says so. */
  readonly synthesised?: string;
  /** Whether that is a slide, of which a model reads tile after tile. */
  readonly hasSlide: boolean;
}

/** A value that can be watched. */
export class Observable<T extends object> {
  #value: T;
  readonly #listeners = new Set<() => void>();

  constructor(initial: T) {
    this.#value = initial;
  }

  readonly get = (): T => this.#value;

  /** Merges a change in; listeners hear of it only when something differs. */
  set(change: Partial<T>): void {
    const before = this.#value;
    if ((Object.keys(change) as (keyof T)[]).every(key => Object.is(before[key], change[key]))) return;
    this.#value = { ...before, ...change };
    for (const listener of this.#listeners) listener();
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };
}
