import { OverreadError } from '../errors.ts';
import type { Image } from '../image/image.ts';
import { sourcesOf, type HeatmapResult, type Result, type ResultKind, type ResultOf } from '../results/result.ts';
import type { PointsResult } from '../results/points.ts';
import { bulkAnnotations } from './annotations.ts';
import { sourceOf, type ExportContext } from './derived.ts';
import { planesOf } from './frames.ts';
import { keyObjects } from './key-objects.ts';
import { mapParameters } from './map-parameters.ts';
import { OBJECT_DENSITY, parametricMap, PROBABILITY, SALIENCY } from './parametric-map.ts';
import type { DicomObject } from './part10.ts';
import { countsReport } from './report-counts.ts';
import { scoresReport } from './report-scores.ts';
import { segmentsReport } from './report-segments.ts';
import { saliencyCapture } from './saliency-capture.ts';
import { segmentation, type SegmentationType } from './segmentation.ts';

export interface ExportOptions {
  /** Of masks; BINARY when left out. */
  readonly segmentation?: SegmentationType;
  /** Also name the images behind the result in a Key Object Selection. */
  readonly keyObjects?: boolean;
  /** The picture that a heat map lies on, with its pixels: where the map has to be drawn over it. */
  readonly image?: Image;
}

type Exporter<R extends Result> = (result: R, context: ExportContext, options: ExportOptions) => readonly DicomObject[];

/** What each kind of result is written as. */
export const exporters: { readonly [K in ResultKind]: Exporter<ResultOf<K>> } = {
  labelmap: (result, context, { segmentation: type }) => {
    const mask = segmentation(result, context, type);
    return [mask, segmentsReport(result, mask, context)];
  },
  scores: (result, context) => [scoresReport(result, context)],
  heatmap: heatmapObjects,
  points: pointsObjects,
};

/**
 * The DICOM objects that keep a result: new UIDs every time.
 * @throws OverreadError `input/refused` for pictures that are no DICOM images, `input/inconsistent`
 */
export function dicomObjects(result: Result, context: ExportContext, options: ExportOptions = {}): readonly DicomObject[] {
  const write = exporters[result.kind] as Exporter<Result>;
  return [...write(result, context, options), ...(options.keyObjects ? [keyObjects(result, context)] : [])];
}

function heatmapObjects(result: HeatmapResult, context: ExportContext, { image }: ExportOptions): readonly DicomObject[] {
  const { target, saliency, source } = result;
  if (planesOf(source, context).placed) {
    const what = saliency ? { concept: SALIENCY, label: 'saliency', explanation: `Saliency of ${target.label}` } : { concept: PROBABILITY, label: 'probability', explanation: `Probability of ${target.label}` };
    return [parametricMap(result, result, { ...what, unit: ['1', 'UCUM', 'no units'], parameters: mapParameters(result) }, context)];
  }
  if (!image) throw new OverreadError('input/refused', 'A heat map of a projection X-ray is written over its picture, whose pixels are not at hand. Open the image, and write it again.', { expected: 'pixels', got: 'none' });
  return [saliencyCapture(result, image, context)];
}

function pointsObjects(result: PointsResult, context: ExportContext): readonly DicomObject[] {
  const { classes, density, source } = result;
  const [first] = sourcesOf(result);
  const slide = first !== undefined && sourceOf(first, context).slide !== undefined;
  const plane = source.shape[0] * source.shape[1];
  const maps = density && planesOf(source, context).placed ? classes.map(({ target }, i) => {
    const values = density.subarray(i * plane, (i + 1) * plane);
    const high = values.reduce((most, value) => Math.max(most, value), 0);
    return parametricMap(result, { source, values, range: [0, high] }, {
      concept: OBJECT_DENSITY, unit: ['{objects}', 'UCUM', 'objects'], label: 'density', explanation: `Density of ${target.label}`, parameters: { target: target.label },
    }, context);
  }) : [];
  return [...(slide && result.classOf.length > 0 ? [bulkAnnotations(result, context)] : []), countsReport(result, context), ...maps];
}
