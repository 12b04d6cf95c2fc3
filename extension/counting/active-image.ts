import { OverreadError } from '../../src/errors.ts';
import { referenceOf, type ImageReference } from '../../src/image/image.ts';
import { baseReference, shownSlide } from '../slides/target.ts';
import { readFrame } from '../sources/cornerstone-image.ts';
import { activeViewportId, pickTarget } from '../sources/target.ts';
import type { Cornerstone, Services } from '../types/ohif.ts';

/**
 * What the active viewport shows: an image, or a slide by its level with most pixels.
 * @throws OverreadError `input/no-pixels`, and as `readFrame`
 */
export async function activeImage(services: Services, cornerstone: Cornerstone): Promise<ImageReference> {
  const viewportId = activeViewportId(services);
  const slide = viewportId === undefined ? undefined : shownSlide(services, viewportId);
  if (slide) {
    const reference = baseReference(slide);
    if (reference) return reference;
    throw new OverreadError('input/no-pixels', 'Expected a slide that states the size of its levels and its instances\' UIDs, got one without. Dots have no place on it.', { seriesInstanceUID: slide.SeriesInstanceUID });
  }
  const { imageId } = pickTarget(services, cornerstone, viewportId);
  return referenceOf(await readFrame(cornerstone, imageId));
}
