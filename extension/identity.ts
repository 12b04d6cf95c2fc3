import { isInstanceReference, type ImageReference, type InstanceReference, type SourceReference } from '../src/image/image.ts';
import { sourcesOf as allSourcesOf, type Result } from '../src/results/result.ts';
import type { DicomInstance } from './types/ohif.ts';

/**
 * What a run was started on. Everything that has to be the same when its result comes back: a result is drawn on these
 * instances and frames or not at all.
 */
export interface Target {
  /** Empty for a picture that no viewport shows. */
  readonly viewportId: string;
  readonly displaySetInstanceUID: string;
  readonly imageId: string;
  readonly source: InstanceReference;
}

/** Which DICOM frame an instance of the viewer stands for; `frame` counts from 1. Undefined without the three UIDs. */
export function instanceReference(instance: DicomInstance | undefined): InstanceReference | undefined {
  const { StudyInstanceUID, SeriesInstanceUID, SOPInstanceUID, frameNumber } = instance ?? {};
  if (!StudyInstanceUID || !SeriesInstanceUID || !SOPInstanceUID) return undefined;
  const frame = Number(frameNumber ?? 1);
  return {
    studyInstanceUID: StudyInstanceUID,
    seriesInstanceUID: SeriesInstanceUID,
    sopInstanceUID: SOPInstanceUID,
    frame: Number.isInteger(frame) && frame > 0 ? frame : 1,
  };
}

/** One text for one frame of one instance. SOP Instance UIDs are unique in the world, so nothing else is needed. */
export function frameKey(source: InstanceReference): string {
  return `${source.sopInstanceUID}#${source.frame}`;
}

/** Equal in study, series, instance and frame. A picture that is no DICOM object equals nothing. */
export function sameSource(a: SourceReference | undefined, b: SourceReference | undefined): boolean {
  if (!a || !b || !isInstanceReference(a) || !isInstanceReference(b)) return false;
  return (
    a.studyInstanceUID === b.studyInstanceUID &&
    a.seriesInstanceUID === b.seriesInstanceUID &&
    a.sopInstanceUID === b.sopInstanceUID &&
    a.frame === b.frame
  );
}

/** The frames that a result was computed from, of every picture. Empty for pictures that are no DICOM objects. */
export function sourcesOf(result: Result): readonly InstanceReference[] {
  return allSourcesOf(result).filter(isInstanceReference);
}

/** The pictures that a result was computed from: one, or each view's. */
export function picturesOf(result: Result): readonly ImageReference[] {
  const views = result.kind === 'scores' ? Object.values(result.viewSources ?? {}) : [];
  return views.length > 0 ? views : [result.source];
}

/**
 * Whether a result is of exactly the frames that the run was started on: none missing, none other, in the same order. Of
 * several views the result has its own order, PA first, and of several series that of their slices.
 */
export function isResultOf(result: Result, asked: readonly SourceReference[]): boolean {
  const got = allSourcesOf(result);
  if (got.length !== asked.length) return false;
  const ordered = picturesOf(result).length === 1 && !(result.kind === 'labelmap' && result.modalities);
  if (ordered) return got.every((source, i) => sameSource(source, asked[i]));
  return got.every(source => asked.filter(other => sameSource(source, other)).length === 1) && new Set(got.filter(isInstanceReference).map(frameKey)).size === got.length;
}
