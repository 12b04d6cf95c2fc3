import type { ImageReference } from '../../src/image/image.ts';
import { isInstanceReference } from '../../src/image/image.ts';
import { instanceReference } from '../identity.ts';
import { attributesOf, numberOf, spacingOf } from '../sources/attributes.ts';
import { gridViewports } from '../sources/target.ts';
import type { DicomInstance, DisplaySet, Services } from '../types/ohif.ts';
import { isSlideViewport, type MatrixSize } from './map.ts';

/** VL Whole Slide Microscopy Image Storage. */
const WHOLE_SLIDE = '1.2.840.10008.5.1.4.1.1.77.1.6';

/** What the viewer keeps of an instance of a slide. */
interface SlideInstance extends DicomInstance {
  readonly ImageType?: readonly string[] | string;
  readonly TotalPixelMatrixColumns?: number | string;
  readonly TotalPixelMatrixRows?: number | string;
}

/** A slide's series: an instance, or several, for each level. */
export interface SlideDisplaySet extends DisplaySet {
  readonly instances: readonly SlideInstance[];
}

/** The slide that a viewport shows; undefined when it shows none. */
export function shownSlide(services: Services, viewportId: string): SlideDisplaySet | undefined {
  const viewport = services.cornerstoneViewportService.getCornerstoneViewport(viewportId);
  if (!isSlideViewport(viewport)) return undefined;
  const imageId = viewport.getCurrentImageId();
  const grid = gridViewports(services).find(v => v.viewportId === viewportId);
  for (const uid of grid?.displaySetInstanceUIDs ?? []) {
    const displaySet = services.displaySetService.getDisplaySetByUID(uid);
    if (imageId && displaySet?.imageIds?.includes(imageId) && displaySet.instances?.some(({ SOPClassUID }) => SOPClassUID === WHOLE_SLIDE)) return displaySet as SlideDisplaySet;
  }
  return undefined;
}

/** The level with most pixels of those that the viewer shows: its map counts in that level's pixels. */
function baseInstance({ instances }: SlideDisplaySet): SlideInstance {
  const levels = instances.filter(({ ImageType }) => /^(VOLUME|THUMBNAIL)$/.test((typeof ImageType === 'string' ? ImageType.split('\\') : ImageType)?.[2] ?? 'VOLUME'));
  return (levels.length > 0 ? levels : instances).reduce((base, other) => (sizeOf(other).columns > sizeOf(base).columns ? other : base));
}

function sizeOf({ TotalPixelMatrixColumns, TotalPixelMatrixRows }: SlideInstance): MatrixSize {
  return { columns: numberOf(TotalPixelMatrixColumns) ?? 0, rows: numberOf(TotalPixelMatrixRows) ?? 0 };
}

export function baseMatrix(displaySet: SlideDisplaySet): MatrixSize {
  return sizeOf(baseInstance(displaySet));
}

/** Where both levels state their spacing, and it says nearly what their sizes say: these are rounded up to whole pixels. */
const SAME_SCALE = 0.02;

/** Pixels of the base level for one of a plane, along a row and down a column. */
export function scaleOn(displaySet: SlideDisplaySet, { shape: [columns, rows], spacingMm }: Pick<ImageReference, 'shape' | 'spacingMm'>): readonly [x: number, y: number] {
  const base = baseInstance(displaySet);
  const size = sizeOf(base);
  const bySize = [size.columns / columns, size.rows / rows] as const;
  const spacing = spacingOf(base)?.spacingMm;
  if (!spacing || !spacingMm) return bySize;
  const bySpacing = [spacingMm[0] / spacing[0], spacingMm[1] / spacing[1]] as const;
  return bySpacing.every((scale, i) => Math.abs(scale / bySize[i]! - 1) < SAME_SCALE) ? bySpacing : bySize;
}

/** Whether a result was computed from this slide: from instances that the display set has, by their UIDs. */
export function isOfSlide({ sources }: Pick<ImageReference, 'sources'>, { StudyInstanceUID, SeriesInstanceUID, instances }: SlideDisplaySet): boolean {
  return sources.length > 0 && sources.every(source =>
    isInstanceReference(source) && source.studyInstanceUID === StudyInstanceUID && source.seriesInstanceUID === SeriesInstanceUID
    && instances.some(({ SOPInstanceUID }) => SOPInstanceUID === source.sopInstanceUID));
}

/** The slide as the picture that its level with most pixels is; undefined where that states no size or no UIDs. */
export function baseReference(displaySet: SlideDisplaySet): ImageReference | undefined {
  const base = baseInstance(displaySet);
  const { columns, rows } = sizeOf(base);
  const source = instanceReference(base);
  if (!source || columns < 1 || rows < 1) return undefined;
  return {
    sources: [{ ...source, frame: 1 }], modality: 'SM', shape: [columns, rows, 1], channels: 3, attributes: attributesOf(base),
    ...(base.FrameOfReferenceUID && { frameOfReferenceUID: base.FrameOfReferenceUID }),
    ...spacingOf(base),
  };
}
