import type { DicomObject } from '../../src/export/part10.ts';
import type { Region } from '../../src/image/tiles.ts';
import type { GlassTiles } from '../../src/results/tiled-result.ts';
import { browserDatabase } from '../../src/runtime/browser-database.ts';
import { SlideMask, type MaskPlane } from '../slides/mask.ts';
import type { Runs } from '../slides/runs.ts';
import type { KeptSlide, SlideResults } from '../slides/slide-results.ts';
import { plain } from './drafts.ts';

/** A mask of a slide that is not stored yet, as it survives a reload: its runs. Never a patient's name or number. */
export interface SlideDraft {
  readonly key: string;
  readonly studyInstanceUID: string;
  readonly slide: Omit<KeptSlide, 'mask'>;
  readonly plane: MaskPlane;
  readonly parts: readonly { readonly index: number; readonly region: Region; readonly runs: Runs }[];
  readonly glass?: GlassTiles;
  /** From the first attempt to store on, without patient and study. */
  readonly object?: DicomObject;
}

export interface SlideDrafts {
  put(draft: SlideDraft): Promise<void>;
  remove(key: string): Promise<void>;
  all(): Promise<readonly SlideDraft[]>;
}

/** A larger mask is not kept: writing it again and again would hold the page up. */
export const MOST_BYTES = 64 * 2 ** 20;
/** How often a mask that grows is written. */
const EVERY_MS = 20_000;
const DATABASE = 'overread-slides';
const STORE = 'masks';

/** In the browser's IndexedDB, of this origin; in memory where there is none. */
export function browserSlideDrafts(): SlideDrafts {
  const database = browserDatabase(DATABASE, { [STORE]: 'key' });
  if (!database) return memorySlideDrafts();
  return {
    put: draft => database.write([{ store: STORE, put: draft }]),
    remove: key => database.write([{ store: STORE, remove: key }]),
    all: () => database.all<SlideDraft>(STORE),
  };
}

export function memorySlideDrafts(): SlideDrafts {
  const drafts = new Map<string, SlideDraft>();
  return {
    put: async draft => void drafts.set(draft.key, draft),
    remove: async key => void drafts.delete(key),
    all: async () => [...drafts.values()],
  };
}

/** Keeps masks of slides over a reload of the page until they are stored: when a run ends, and now and then while it goes on. */
export class SlideKeeping {
  readonly #slides: Pick<SlideResults, 'all' | 'get' | 'keep'>;
  readonly #drafts: SlideDrafts;
  readonly #problem: (message: string | undefined) => void;
  /** What was written last of each, and when. */
  readonly #written = new Map<string, { readonly slide: KeptSlide; readonly object?: DicomObject | undefined; readonly at: number }>();
  readonly #objects = new Map<string, DicomObject>();
  readonly #stored = new Set<string>();
  readonly #followed = new WeakSet<SlideMask>();

  /** @param problem hears why the newest mask cannot be kept, and of nothing when it can */
  constructor(parts: { readonly slides: Pick<SlideResults, 'all' | 'get' | 'keep'>; readonly drafts: SlideDrafts; readonly problem: (message: string | undefined) => void }) {
    this.#slides = parts.slides;
    this.#drafts = parts.drafts;
    this.#problem = parts.problem;
  }

  /** The object that was made of a mask, which is the same at every attempt to store it. */
  objectOf(key: string): DicomObject | undefined {
    return this.#objects.get(key);
  }

  made(key: string, object: DicomObject): void {
    this.#objects.set(key, object);
    this.look();
  }

  /** It is in the PACS: no draft any more. */
  stored(key: string): void {
    this.#objects.delete(key);
    this.#stored.add(key);
    this.#forget(key);
  }

  /** To be called whenever masks of slides change. */
  look(): void {
    const all = this.#slides.all();
    for (const slide of all) {
      const { key, status, mask, stored } = slide;
      if (stored) continue;
      if (status === 'running') {
        // A mask that is read further is another one.
        this.#objects.delete(key);
        this.#stored.delete(key);
        this.#follow(key, mask);
      } else if (!this.#stored.has(key)) this.#put(slide);
    }
    const there = new Set(all.map(({ key }) => key));
    for (const key of [...this.#written.keys()]) if (!there.has(key)) this.#forget(key);
  }

  /** @returns what was not stored of these studies when the page was left */
  async restore(studies: ReadonlySet<string>): Promise<void> {
    for (const { key, studyInstanceUID, slide, plane, parts, glass, object } of await this.#drafts.all().catch(() => [])) {
      if (!studies.has(studyInstanceUID) || this.#slides.get(key)) continue;
      const mask = new SlideMask(plane);
      for (const { index, region, runs } of parts) mask.putRuns(index, region, runs);
      if (glass) mask.leaveOut(glass);
      if (object) this.#objects.set(key, object);
      const kept: KeptSlide = { ...slide, mask };
      this.#written.set(key, { slide: kept, object, at: performance.now() });
      this.#slides.keep(kept);
    }
  }

  #follow(key: string, mask: SlideMask): void {
    if (this.#followed.has(mask)) return;
    this.#followed.add(mask);
    mask.subscribe(() => {
      const slide = this.#slides.get(key);
      if (slide?.status === 'running' && slide.mask === mask && performance.now() - (this.#written.get(key)?.at ?? 0) > EVERY_MS) this.#put(slide);
    });
  }

  #put(slide: KeptSlide): void {
    const { key, studyInstanceUID, mask, status, ...rest } = slide;
    const object = this.#objects.get(key);
    const before = this.#written.get(key);
    // What is looked at is no other mask.
    if (before && status !== 'running' && before.object === object && same(before.slide, slide)) return;
    this.#written.set(key, { slide, object, at: performance.now() });
    const pixels = object?.PixelData as ArrayBuffer | undefined;
    if (mask.bytes > MOST_BYTES) {
      this.#problem(`The mask of this slide is too large (${Math.round(mask.bytes / 2 ** 20)} MB) to be kept in the browser over a reload of this page. Store it before you leave.`);
      return;
    }
    const draft: SlideDraft = {
      key, studyInstanceUID, plane: mask.plane,
      slide: plain({ ...rest, key, studyInstanceUID, status: status === 'running' ? 'stopped' : status }) as Omit<KeptSlide, 'mask'>,
      parts: [...mask.parts].map(([index, { region, runs }]) => ({ index, region, runs })),
      ...(mask.glass && { glass: mask.glass }),
      ...(object && (pixels?.byteLength ?? 0) <= MOST_BYTES && { object }),
    };
    this.#drafts.put(draft).then(() => this.#problem(undefined), (error: unknown) => this.#problem(`The mask of this slide cannot be kept over a reload of this page. ${error instanceof Error ? error.message : String(error)}`));
  }

  #forget(key: string): void {
    this.#written.delete(key);
    this.#objects.delete(key);
    void this.#drafts.remove(key).catch(() => undefined);
  }
}

/** Whether two states of a mask differ in nothing that is kept. */
function same(a: KeptSlide, b: KeptSlide): boolean {
  return a.mask === b.mask && a.status === b.status && a.ms === b.ms && a.objects === b.objects && a.visible === b.visible;
}
