import type { ImageReference } from '../../src/image/image.ts';
import type { Target } from '../../src/manifest.ts';
import type { ObjectCount } from '../../src/results/block-instances.ts';
import type { InstanceRule } from '../../src/results/instances.ts';
import type { DeviceDescription, ModelIdentity, OutOfDistribution } from '../../src/results/result.ts';
import type { LevelRead } from '../../src/results/tiled-result.ts';
import type { SlideMask } from './mask.ts';

/** A mask of a slide, whole or as far as it came. */
export interface KeptSlide {
  readonly key: string;
  /** Runs of an equal one go on with the same mask. */
  readonly fingerprint: string;
  /** The level that was read. */
  readonly source: ImageReference;
  readonly studyInstanceUID: string;
  readonly model: ModelIdentity;
  readonly targets: readonly Target[];
  readonly device: DeviceDescription;
  readonly mask: SlideMask;
  readonly status: 'running' | 'stopped' | 'done';
  /** Milliseconds spent on it, all runs together; of a run under way, what was spent before it. */
  readonly ms: number;
  readonly level?: LevelRead;
  /** How the mask falls into objects; absent where it does not. */
  readonly rule?: InstanceRule;
  /** Of what was read when the last run ended; absent until they are counted. */
  readonly objects?: ObjectCount;
  readonly outOfDistribution?: OutOfDistribution;
  readonly createdAt: string;
  readonly visible: boolean;
  /** Of one that was read back from the PACS. */
  readonly stored?: { readonly glassTiles: number };
}

/** Masks of slides, for this page's lifetime. */
export class SlideResults {
  readonly #byKey = new Map<string, KeptSlide>();
  readonly #listeners = new Set<() => void>();
  #snapshot: readonly KeptSlide[] = [];

  readonly all = (): readonly KeptSlide[] => this.#snapshot;

  get(key: string): KeptSlide | undefined {
    return this.#byKey.get(key);
  }

  /** Puts it last: the newest. */
  keep(slide: KeptSlide): void {
    this.#byKey.delete(slide.key);
    this.#byKey.set(slide.key, slide);
    this.#changed();
  }

  update(key: string, change: Partial<Omit<KeptSlide, 'key' | 'mask'>>): void {
    const slide = this.#byKey.get(key);
    if (!slide || Object.entries(change).every(([name, value]) => Object.is(slide[name as keyof KeptSlide], value))) return;
    this.#byKey.set(key, { ...slide, ...change });
    this.#changed();
  }

  remove(key: string): void {
    if (this.#byKey.delete(key)) this.#changed();
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  #changed(): void {
    this.#snapshot = [...this.#byKey.values()];
    for (const listener of this.#listeners) listener();
  }
}

/** Square millimetres of a label so far; undefined where the slide states no spacing. */
export function areaMm2({ source: { spacingMm }, mask }: Pick<KeptSlide, 'source' | 'mask'>, label: number): number | undefined {
  return spacingMm && mask.pixelsOf(label) * spacingMm[0] * spacingMm[1];
}
