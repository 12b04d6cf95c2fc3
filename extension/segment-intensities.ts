import { intensitiesOf, type Intensity } from '../src/results/intensity.ts';
import type { LabelmapResult } from '../src/results/result.ts';
import type { Image } from '../src/image/image.ts';
import { picturesOf } from './identity.ts';
import { FrameIndexes, placeOn } from './overlays/place.ts';
import { readFrame } from './sources/cornerstone-image.ts';
import type { Cornerstone, Services } from './types/ohif.ts';

/** Intensities by segment number. */
export type Intensities = ReadonlyMap<number, Intensity>;

/** Reads one plane, in the order of the result's own. */
export type ReadPlane = (imageId: string) => Promise<Pick<Image, 'pixels' | 'channels'>>;

/**
 * Mean intensity of each segment in the image's own values, of the image that the viewer holds. The pixels of the image
 * that was asked for last are kept, so that a slider can move over them.
 */
export class SegmentIntensities {
  readonly #place: (result: LabelmapResult) => readonly string[] | undefined;
  readonly #read: ReadPlane;
  #last: { readonly of: string; readonly pixels: Promise<Float32Array | undefined> } | undefined;

  /** @param place the images that a result lies on; undefined where they are not open */
  constructor(place: (result: LabelmapResult) => readonly string[] | undefined, read: ReadPlane) {
    this.#place = place;
    this.#read = read;
  }

  /** Undefined of colour, which has no one intensity, and of an image that is not open. */
  async of(result: LabelmapResult): Promise<Intensities | undefined> {
    const imageIds = this.#place(result);
    if (!imageIds) return undefined;
    const of = imageIds.join();
    if (this.#last?.of !== of) this.#last = { of, pixels: this.#pixels(imageIds, result) };
    const pixels = await this.#last.pixels.catch(error => {
      this.#last = undefined;
      throw error;
    });
    return pixels && intensitiesOf(result.labels, pixels);
  }

  async #pixels(imageIds: readonly string[], { labels }: LabelmapResult): Promise<Float32Array | undefined> {
    const pixels = new Float32Array(labels.length);
    const size = labels.length / imageIds.length;
    for (const [slice, imageId] of imageIds.entries()) {
      const plane = await this.#read(imageId);
      if (plane.channels !== 1 || plane.pixels.length !== size) return undefined;
      pixels.set(plane.pixels, slice * size);
    }
    return pixels;
  }
}

/** Over what the viewer has open. */
export function openIntensities(services: Services, cornerstone: Cornerstone, frames: FrameIndexes): SegmentIntensities {
  const place = (result: LabelmapResult) => placeOpen(services, frames, result);
  return new SegmentIntensities(place, imageId => readFrame(cornerstone, imageId));
}

/** The images of an open display set that a result lies on. */
export function placeOpen(services: Services, frames: FrameIndexes, result: LabelmapResult): readonly string[] | undefined {
  const series = new Set(picturesOf(result).flatMap(({ sources }) => sources.map(source => ('seriesInstanceUID' in source ? source.seriesInstanceUID : ''))));
  for (const displaySet of services.displaySetService.getActiveDisplaySets()) {
    if (!series.has(displaySet.SeriesInstanceUID)) continue;
    const imageIds = placeOn(result, frames.of(displaySet));
    if (imageIds) return imageIds;
  }
  return undefined;
}
