import { isInstanceReference } from '../../src/image/image.ts';
import type { Result } from '../../src/results/result.ts';
import { frameKey, instanceReference, picturesOf } from '../identity.ts';
import type { Cornerstone, DicomInstance, DisplaySet } from '../types/ohif.ts';

/** Which image of a display set shows which frame: {@link frameKey} → imageId. */
export type FrameIndex = ReadonlyMap<string, string>;

/** Indexes display sets by frame, once each. */
export class FrameIndexes {
  readonly #cornerstone: Cornerstone;
  readonly #known = new WeakMap<DisplaySet, { readonly size: number; readonly frames: FrameIndex }>();

  constructor(cornerstone: Cornerstone) {
    this.#cornerstone = cornerstone;
  }

  of(displaySet: DisplaySet): FrameIndex {
    const imageIds = displaySet.imageIds ?? [];
    const known = this.#known.get(displaySet);
    if (known?.size === imageIds.length) return known.frames;
    const frames = new Map<string, string>();
    for (const imageId of imageIds) {
      const source = instanceReference(this.#cornerstone.metaData.get('instance', imageId) as DicomInstance | undefined);
      if (source) frames.set(frameKey(source), imageId);
    }
    this.#known.set(displaySet, { size: imageIds.length, frames });
    return frames;
  }
}

/**
 * The images that a result lies on, one a slice; undefined when any of a picture's frames is not in the display set, and
 * then it must not be drawn there. A result of two views lies on each of their display sets.
 */
export function placeOn(result: Result, frames: FrameIndex): readonly string[] | undefined {
  for (const { sources } of picturesOf(result)) {
    const imageIds = sources.flatMap(source => (isInstanceReference(source) ? (frames.get(frameKey(source)) ?? []) : []));
    if (imageIds.length > 0 && imageIds.length === sources.length) return imageIds;
  }
  return undefined;
}
