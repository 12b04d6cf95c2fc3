import { stackGeometry } from '../../src/dicom/geometry.ts';
import { OverreadError } from '../../src/errors.ts';
import { isInstanceReference, type Image } from '../../src/image/image.ts';
import { modalityOf, type MrModality } from '../../src/image/modality.ts';
import type { ModelManifest } from '../../src/manifest.ts';
import { instanceReference, type Target } from '../identity.ts';
import type { Cornerstone, DicomInstance, DisplaySet, Services } from '../types/ohif.ts';
import { attributesOf } from './attributes.ts';
import { gridViewports, imageIdsOf, pickTarget, shownImage } from './target.ts';
import type { Picked } from './views.ts';

interface Series {
  readonly displaySet: DisplaySet;
  readonly instance: DicomInstance;
  readonly modality: MrModality;
}

/**
 * The frames of every MR series of the study that a model of several modalities reads, those of the series in the
 * viewport first: the result lies on its grid. Of several series that are one modality, the one that is on screen.
 * @param viewportId the active viewport when left out
 * @throws OverreadError `input/no-pixels`; `input/modalities` when the series in the viewport is none that the model reads,
 *   or it cannot be told which of several is meant
 */
export function pickSeries(services: Services, cornerstone: Cornerstone, manifest: ModelManifest, viewportId?: string): Picked {
  const first = pickTarget(services, cornerstone, viewportId);
  const { name, input: { modality: accepted, modalities = [] } } = manifest;
  const instanceOf = (imageId: string) => (cornerstone.metaData.get('instance', imageId) as DicomInstance | undefined) ?? {};
  const own = instanceOf(first.imageId);
  const found = modalityOf(attributesOf(own));
  if (!accepted.includes(own.Modality ?? 'OT')) {
    throw new OverreadError('input/refused', `${name} reads series of modality ${accepted.join(' or ')}, but this one is ${own.Modality ?? 'of none'}. Choose another series or another model.`, { expected: accepted, got: own.Modality });
  }
  if (found.modality === undefined || !modalities.includes(found.modality)) {
    const why = found.modality === undefined ? found.why : `it is ${found.modality}`;
    throw new OverreadError('input/modalities', `${name} reads ${modalities.join(', ')}, and the series in this viewport is not known to be one of these: ${why}. Click on another series first.`, { expected: modalities, got: found.modality });
  }
  const series = services.displaySetService.getActiveDisplaySets().flatMap((displaySet): Series[] => {
    const [imageId] = imageIdsOf(displaySet);
    if (imageId === undefined || displaySet.StudyInstanceUID !== first.source.studyInstanceUID) return [];
    const instance = instanceOf(imageId);
    const { modality } = modalityOf(attributesOf(instance));
    const samePatient = instance.PatientID === own.PatientID;
    return modality && modalities.includes(modality) && accepted.includes(instance.Modality ?? 'OT') && samePatient ? [{ displaySet, instance, modality }] : [];
  });
  const chosen = modalities.flatMap(modality => {
    const same = series.filter(s => s.modality === modality);
    if (modality === found.modality) return same.filter(({ displaySet }) => displaySet.displaySetInstanceUID === first.displaySetInstanceUID);
    return oneOf(same, services, name);
  });
  chosen.sort((a, b) => Number(b.modality === found.modality) - Number(a.modality === found.modality));
  return { targets: chosen.flatMap(({ displaySet }) => targetsOf(displaySet, first, instanceOf)) };
}

/** The only one, or the only one that is shown. */
function oneOf(same: readonly Series[], services: Services, name: string): readonly Series[] {
  if (same.length < 2) return same;
  const shown = new Set(gridViewports(services).flatMap(({ viewportId }) => shownImage(services, viewportId)?.displaySet.displaySetInstanceUID ?? []));
  const onScreen = same.filter(({ displaySet }) => shown.has(displaySet.displaySetInstanceUID));
  if (onScreen.length === 1) return onScreen;
  const names = same.map(({ instance: { SeriesDescription, SeriesNumber } }) => `${SeriesDescription?.trim() || 'no description'}${SeriesNumber === undefined ? '' : ` (series ${SeriesNumber})`}`);
  throw new OverreadError('input/modalities', `${name} reads one ${same[0]!.modality}, and this study has ${same.length}: ${names.join('; ')}. Show the one that is meant, and no other of them, in another viewport, then run again.`, { expected: 1, got: names });
}

function targetsOf(displaySet: DisplaySet, first: Target, instanceOf: (imageId: string) => DicomInstance): Target[] {
  const { displaySetInstanceUID } = displaySet;
  return imageIdsOf(displaySet).map(imageId => {
    const source = instanceReference(instanceOf(imageId));
    if (source) return { viewportId: displaySetInstanceUID === first.displaySetInstanceUID ? first.viewportId : '', displaySetInstanceUID, imageId, source };
    throw new OverreadError('input/no-pixels', 'Expected slices with their study, series and instance UIDs, got one without. Overread cannot say what a result would belong to.', { imageId });
  });
}

/**
 * Frames of the viewer as volumes, one a series, in the order of their first frame; slices are sorted by where they lie.
 * @throws OverreadError `input/geometry` for slices that make no volume
 */
export function volumesOfFrames(frames: readonly Image[]): Image[] {
  const series = new Map<string, Image[]>();
  for (const frame of frames) {
    const [source] = frame.sources;
    const key = source && isInstanceReference(source) ? source.seriesInstanceUID : '';
    series.set(key, [...(series.get(key) ?? []), frame]);
  }
  return [...series.values()].map(volumeOf);
}

function volumeOf(frames: readonly Image[]): Image {
  const [first] = frames as readonly [Image, ...Image[]];
  for (const frame of frames) {
    if (frame.shape[0] === first.shape[0] && frame.shape[1] === first.shape[1] && frame.channels === first.channels && frame.frameOfReferenceUID === first.frameOfReferenceUID) continue;
    throw new OverreadError('input/geometry', `Slices of one volume have one size and one frame of reference, but two of ${first.attributes.seriesDescription ?? 'the series'} differ. Choose another series.`, { expected: first.shape, got: frame.shape });
  }
  const geometry = stackGeometry(frames.map((frame, i) => {
    const { indexToPatient: m, spacingMm } = frame;
    if (!m || !spacingMm) {
      throw new OverreadError('input/geometry', `Slices of a volume say where they lie, but slice ${i + 1} of ${first.attributes.seriesDescription ?? 'the series'} has no position, orientation or pixel spacing. Choose another series.`, { expected: 'ImagePositionPatient, ImageOrientationPatient, PixelSpacing' });
    }
    const [x, y] = spacingMm;
    return { imageOrientationPatient: [m[0]! / x, m[4]! / x, m[8]! / x, m[1]! / y, m[5]! / y, m[9]! / y], imagePositionPatient: [m[3]!, m[7]!, m[11]!], spacingMm, name: `slice ${i + 1}` };
  }));
  const sorted = geometry.order.map(i => frames[i]!);
  const size = first.pixels.length;
  const pixels = new Float32Array(size * sorted.length);
  sorted.forEach((frame, i) => pixels.set(frame.pixels, i * size));
  return {
    ...first,
    sources: sorted.flatMap(({ sources }) => sources),
    shape: [first.shape[0], first.shape[1], sorted.length],
    indexToPatient: geometry.indexToPatient,
    ...(geometry.sliceSpacingMm !== undefined && { sliceSpacingMm: geometry.sliceSpacingMm }),
    pixels,
    representableRange: [Math.min(...sorted.map(f => f.representableRange[0])), Math.max(...sorted.map(f => f.representableRange[1]))],
  };
}
