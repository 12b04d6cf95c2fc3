import { isInstanceReference, type ImageReference } from '../image/image.ts';
import type { CountedClass, PointsResult } from '../results/points.ts';
import { codeItem, container, imageItem, numberItem, pointsInImage, pointsInSpace, textItem, uidItem, type Code, type Content } from './content.ts';
import { referencedImage, sourceOf, sourcesIn, type ExportContext } from './derived.ts';
import type { DicomObject } from './part10.ts';
import { gateVerdict } from './report-scores.ts';
import { algorithm, closing, Concept, measurementReport, Own, Unit } from './report.ts';
import { groupName, labelPlace } from './report-places.ts';
import { freshUid } from './uid.ts';

/** Coordinates of one item: its length is told in 16 bits. */
const MOST_VALUES = 16_380;

/**
 * Counts as a structured report (TID 1500): for each class the count with its interval, and one MULTIPOINT of its markers,
 * in space where the picture lies in a frame of reference, else on the picture. Markers on slides are written as bulk
 * annotations in its place: a report is no place for a hundred thousand.
 * @throws OverreadError as `sourceOf`
 */
export function countsReport(result: PointsResult, context: ExportContext): DicomObject {
  const { classes, total: { interval }, source, model, outOfDistribution, remarks = [] } = result;
  sourcesIn(source.sources, context);
  const sources = source.sources.filter(isInstanceReference).map(reference => sourceOf(reference, context));
  const image = referencedImage(sources[0]!);
  const slide = sources[0]!.slide !== undefined;
  const spatial = !slide && source.indexToPatient !== undefined && sources[0]!.frameOfReferenceUID !== undefined;
  const where = (points: readonly number[]): Content[] => {
    if (points.length === 0 || slide) return [imageItem('INFERRED FROM', undefined, image)];
    const coordinates = spatial ? inPatient(points, source) : points.map(v => v + 0.5);
    return chunks(coordinates, spatial ? 3 : 2).map(of => (spatial ? pointsInSpace(of, sources[0]!.frameOfReferenceUID!) : pointsInImage(of, imageItem('SELECTED FROM', undefined, image))));
  };
  return measurementReport({
    made: result, context, sources, spatial,
    description: `${model.name} ${model.version}: counts`,
    groups: classes.map((counted, index) => countGroup(counted, result, context, where(markersOf(result, index)), labelPlace(index, classes.length, sources[0]!))),
    evaluations: [...(interval ? [textItem('CONTAINS', Own.totalInterval, `${interval.low} to ${interval.high} (${100 * interval.level} %)`)] : []), ...remarks.map(remark => textItem('CONTAINS', Own.remark, remark)), ...gateVerdict(outOfDistribution), ...closing(result, context)],
  });
}

function countGroup({ target, count, markers, interval, cellsPerMm2 }: CountedClass, result: PointsResult, context: ExportContext, where: readonly Content[], place: readonly Content[]): Content {
  const how = algorithm(result, context, { editedAt: result.editedAt });
  const number = (name: Code, value: number, unit: Code = Unit.none): Content => numberItem(name, value, unit, how);
  return container('CONTAINS', Concept.group, [
    textItem('HAS OBS CONTEXT', Concept.trackingId, target.label),
    uidItem('HAS OBS CONTEXT', Concept.trackingUid, freshUid()),
    codeItem('CONTAINS', Concept.finding, target.concept),
    groupName(target.label),
    // First, since its place is on a picture: OHIF looks for the picture of a group by the first coordinates, which of markers may be in space.
    numberItem(Own.markers, markers, Unit.none, [...how, ...place]),
    numberItem(Concept.count, count, Unit.none, [...how, ...where]),
    ...(interval ? [number(Own.intervalLow, interval.low), number(Own.intervalHigh, interval.high), number(Own.intervalLevel, 100 * interval.level, Unit.percent)] : []),
    ...(cellsPerMm2 === undefined ? [] : [number(Own.density, cellsPerMm2, Unit.perMm2)]),
  ], '1501');
}

/** [x0, y0, x1, y1, …] of one class. */
export function markersOf({ coordinates, classOf }: Pick<PointsResult, 'coordinates' | 'classOf'>, index: number): number[] {
  const out: number[] = [];
  classOf.forEach((of, i) => of === index && out.push(coordinates[2 * i]!, coordinates[2 * i + 1]!));
  return out;
}

function inPatient(points: readonly number[], { indexToPatient }: ImageReference): number[] {
  const m = indexToPatient!;
  const out: number[] = [];
  for (let i = 0; i < points.length; i += 2) {
    const [x, y] = [points[i]!, points[i + 1]!];
    for (const row of [0, 4, 8]) out.push(m[row]! * x + m[row + 1]! * y + m[row + 3]!);
  }
  return out;
}

function chunks(values: readonly number[], dimensions: number): number[][] {
  const size = MOST_VALUES - (MOST_VALUES % dimensions);
  return Array.from({ length: Math.ceil(values.length / size) }, (_, i) => values.slice(i * size, (i + 1) * size));
}
