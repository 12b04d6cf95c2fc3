import type { PointsResult } from '../../results/points.ts';
import type { Result } from '../../results/result.ts';
import { DerivedClass, type Verdict } from '../derived.ts';
import { items, text, type SourceInstance } from '../source.ts';
import { readAnnotations } from './annotations.ts';
import { readFile, type ReadFile } from './data-set.ts';
import { readCapture, readMap, type ReadCapture } from './maps.ts';
import type { Provenance } from './provenance.ts';
import { readReport, type ReadReport } from './report.ts';
import { readSegmentation, readTiles, type ReadTiles } from './segmentation.ts';

/** What an object of a study gave. */
export interface ReadObject {
  readonly sopInstanceUID: string;
  readonly sopClassUID: string;
  readonly provenance: Provenance;
  readonly result?: Result;
  /** Of a mask of a slide, in place of a result. */
  readonly tiles?: ReadTiles;
  /** Of a Secondary Capture: what it is a picture of. */
  readonly capture?: ReadCapture;
  readonly verdict?: Pick<Verdict, 'decision' | 'reason'>;
  /** Of a report of measurements: of which segmentation. */
  readonly measured?: ReadReport['measured'];
}

/** SOP classes that may hold results. */
export const RESULT_CLASSES: ReadonlySet<string> = new Set([
  DerivedClass.segmentation, DerivedClass.labelMapSegmentation, DerivedClass.parametricMap, DerivedClass.enhancedSr, DerivedClass.comprehensiveSr,
  DerivedClass.comprehensive3dSr, DerivedClass.bulkAnnotations, DerivedClass.secondaryCapture,
]);

/**
 * Reads a stored object back: results of ours, and segmentations of others.
 * @param file its bytes
 * @param sources every image of the study
 * @returns undefined for an object of another class
 * @throws OverreadError `input/refused` for objects of others, `input/inconsistent`, `input/truncated`
 */
export async function readObject(file: Uint8Array, sources: readonly SourceInstance[]): Promise<ReadObject | undefined> {
  const read = readFile(file);
  const [sopClassUID = '', sopInstanceUID = ''] = [text(read.set.SOPClassUID), text(read.set.SOPInstanceUID)];
  const of = { sopClassUID, sopInstanceUID };
  switch (sopClassUID) {
    case DerivedClass.segmentation:
    case DerivedClass.labelMapSegmentation:
      return { ...of, ...(isTiledMask(read) ? await readTiles(file, read, sources) : await readSegmentation(file, read, sources)) };
    case DerivedClass.parametricMap:
      return { ...of, ...readMap(read, sources) };
    case DerivedClass.bulkAnnotations:
      return { ...of, ...readAnnotations(read, sources) };
    case DerivedClass.enhancedSr:
    case DerivedClass.comprehensiveSr:
    case DerivedClass.comprehensive3dSr:
      return { ...of, ...readReport(read, sources) };
    case DerivedClass.secondaryCapture:
      return { ...of, ...readCapture(read, sources) };
    default:
      return undefined;
  }
}

/** A mask of ours on a slide, in tiles; one in a single frame is small. */
function isTiledMask({ set }: ReadFile): boolean {
  const ours = items(set.ContributingEquipmentSequence).some(item => text(item.Manufacturer) === 'Overread');
  return ours && set.TotalPixelMatrixColumns !== undefined && Number(set.TotalPixelMatrixColumns) * Number(set.TotalPixelMatrixRows) !== Number(set.Columns) * Number(set.Rows);
}

/** Results that lie in several objects, made whole again: {@link joinMeasurements} and {@link joinCounts}. */
export function joinObjects(objects: readonly ReadObject[]): readonly ReadObject[] {
  return joinCounts(joinMeasurements(objects));
}

/** What a report of measurements says of a segmentation, the reader's verdict and the gate's, said of the segmentation. */
export function joinMeasurements(objects: readonly ReadObject[]): readonly ReadObject[] {
  return objects.map(object => {
    const report = objects.find(({ measured }) => measured?.sopInstanceUID === object.sopInstanceUID);
    if (!report || !object.result) return object;
    const { outOfDistribution } = report.measured!;
    return { ...object, ...(report.verdict && { verdict: report.verdict }), result: { ...object.result, ...(outOfDistribution && { outOfDistribution }) } };
  });
}

/**
 * Counts whose markers lie in another object, as on slides, made whole again: same model, same moment, same picture.
 * @returns one result in place of two
 */
export function joinCounts(objects: readonly ReadObject[]): readonly ReadObject[] {
  const same = (a: PointsResult, b: PointsResult): boolean => a.model.sha256 === b.model.sha256 && a.createdAt === b.createdAt && JSON.stringify(a.source.sources) === JSON.stringify(b.source.sources);
  const pointsOf = ({ result }: ReadObject): PointsResult | undefined => (result?.kind === 'points' ? result : undefined);
  const taken = new Set<ReadObject>();
  return objects.flatMap(object => {
    const counts = pointsOf(object);
    if (taken.has(object)) return [];
    if (!counts) return [object];
    const other = objects.find(o => o !== object && !taken.has(o) && pointsOf(o) && same(counts, pointsOf(o)!));
    if (!other) return [object];
    taken.add(other);
    const [report, markers] = object.sopClassUID === DerivedClass.bulkAnnotations ? [pointsOf(other)!, counts] : [counts, pointsOf(other)!];
    // By their labels: a class without a marker has no group of annotations.
    const classes = report.classes.map(counted => ({ ...counted, markers: markers.classes.find(({ target }) => target.label === counted.target.label)?.markers ?? 0 }));
    const classOf = markers.classOf.map(index => classes.findIndex(({ target }) => target.label === markers.classes[index]!.target.label));
    const verdict = object.verdict ?? other.verdict;
    return [{ ...object, ...(verdict && { verdict }), result: { ...report, classes, classOf, coordinates: markers.coordinates, confidences: markers.confidences, total: { ...report.total, markers: markers.total.markers } } }];
  });
}
