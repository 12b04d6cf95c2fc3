import type { ErrorCode, OverreadError } from '../errors.ts';
import type { SourceReference } from '../image/image.ts';
import type { Region } from '../image/tiles.ts';
import type { ObjectCount } from '../results/block-instances.ts';
import type { LevelRead } from '../results/tiled-result.ts';
import type { Instances, SizeStatistics } from '../results/instances.ts';
import type { PointsResult } from '../results/points.ts';
import { sourcesOf, type LabelmapResult, type ModalitiesReport, type ModelIdentity, type OutOfDistribution, type Result, type Score, type ScoresResult, type Timing, type UsedModality } from '../results/result.ts';
import { nameOf } from '../tasks/modalities.ts';

/** What `overread infer --json` prints of one input, and of each plane of an input that has several. */
export interface InferEntry {
  readonly model: { readonly id: string; readonly version: string; readonly sha256: string };
  readonly backend: string;
  /** Of a refused input: its files. */
  readonly sources: readonly SourceReference[];
  readonly result?: ResultJson;
  readonly timingMs?: Timing;
  /** The DICOM objects on disk, where asked for. */
  readonly dicom?: readonly string[];
  /** `outOfDistribution`: of a picture that the model's gate refused. */
  readonly error?: { readonly code: ErrorCode; readonly message: string; readonly outOfDistribution?: OutOfDistribution };
}

export interface LabelmapJson {
  readonly kind: 'labelmap';
  readonly segments: readonly SegmentJson[];
  /** The labelmap on disk, when a folder for it was given. */
  readonly file?: string;
  /** Of a model that tells objects apart; of slides where a folder for the mask was given. */
  readonly objects?: ObjectsJson;
  readonly outOfDistribution?: OutOfDistribution;
  /** Of a slide. */
  readonly slide?: SlideJson;
  /** Of a model that reads several MR modalities. */
  readonly modalities?: ModalitiesJson;
}

/** Which MR modalities were read, how each is known and how it came to the grid of the result, and which were not there. */
export interface ModalitiesJson {
  readonly used: readonly (Omit<UsedModality, 'source'> & { readonly series: string })[];
  readonly missing: ModalitiesReport['missing'];
}

/** The objects of a mask: their number, and how large they are. */
export interface ObjectsJson extends Pick<Instances, 'count' | 'atBorder'> {
  /** Absent where there are none. */
  readonly pixels?: SizeStatistics;
  /** Where the spacing is known. */
  readonly areaMm2?: SizeStatistics;
  /** Of `count`, those that are larger than what is looked at of a slide at once; absent where there are none. */
  readonly cut?: number;
  /** The objects' numbers on disk, where asked for; of a slide their places and sizes. */
  readonly file?: string;
}

/** How a slide was read, and what of it was not. */
export interface SlideJson {
  readonly level: LevelRead;
  /** Of the level, and of the labelmap. */
  readonly shape: readonly [columns: number, rows: number];
  /** Absent where the slide does not say: areas are in pixels only. */
  readonly spacingMm?: readonly [column: number, row: number];
  readonly tiles: number;
  /** Of them, how many were there from a run that was stopped. */
  readonly resumed: number;
  /** Nothing is known of these regions; in the labelmap they have the value 255. */
  readonly unread: readonly { readonly index: number; readonly region: Region; readonly code: ErrorCode; readonly message: string }[];
  /** Of a model that leaves glass out: nothing was looked for in so many tiles; in the labelmap they have the value 254. */
  readonly glass?: { readonly tiles: number; readonly pixels: number; readonly reason: string };
}

export interface SegmentJson {
  readonly label: string;
  readonly segmentNumber: number;
  readonly pixels: number;
  readonly areaMm2?: number;
  readonly volumeMm3?: number;
}

/** The fields of {@link ScoresResult}, a target by its label only. */
export interface ScoresJson {
  readonly kind: 'scores';
  readonly scores: readonly ({ readonly label: string } & Omit<Score, 'target'>)[];
  readonly viewsUsed: ScoresResult['viewsUsed'];
  readonly viewsMissing: ScoresResult['viewsMissing'];
  readonly viewsFrom: ScoresResult['viewsFrom'];
  /** What stood in for a missing view. */
  readonly substitute?: string;
  readonly outOfDistribution?: OutOfDistribution;
}

/** A count: of cells by the density's sum, of markers by their list. */
export interface PointsJson {
  readonly kind: 'points';
  readonly count: number;
  /** Absent where none was calibrated, as of classic counts. */
  readonly interval?: readonly [low: number, high: number];
  /** With which probability the interval holds the true count. */
  readonly level?: number;
  readonly classes: Readonly<Record<string, number>>;
  /** A marker each, in index coordinates of the source: a pixel's centre is a whole number. */
  readonly points: readonly (readonly [x: number, y: number, className: string, confidence: number])[];
  readonly unit: 'px';
  /** Where the source states its pixel spacing. */
  readonly cellsPerMm2?: number;
  readonly remarks?: readonly string[];
  /** Of a slide. */
  readonly slide?: SlideJson;
  /** The files of the markers, when a folder for them was given. */
  readonly files?: readonly string[];
  readonly outOfDistribution?: OutOfDistribution;
}

export type ResultJson =
  | LabelmapJson
  | ScoresJson
  | PointsJson
  | { readonly kind: 'heatmap'; readonly label: string; readonly range: readonly [number, number] };

export function resultEntry(result: Result, file?: string, instancesFile?: string, pointsFiles?: readonly string[]): InferEntry {
  const { id, version, sha256 } = result.model;
  return {
    model: { id, version, sha256 },
    backend: result.device.backend,
    sources: distinct(sourcesOf(result)),
    result: resultJson(result, file, instancesFile, pointsFiles),
    timingMs: result.timingMs,
  };
}

/** A file that holds all slices of a volume once. */
function distinct(sources: readonly SourceReference[]): readonly SourceReference[] {
  const files = new Set<string>();
  return sources.filter(source => !('file' in source) || (!files.has(source.file) && files.add(source.file)));
}

export function refusedEntry(identity: ModelIdentity, backend: string, files: readonly string[], { code, message, fields }: OverreadError): InferEntry {
  const { id, version, sha256 } = identity;
  return { model: { id, version, sha256 }, backend, sources: files.map(file => ({ file })), error: { code, message, ...(code === 'input/out-of-distribution' && { outOfDistribution: fields['outOfDistribution'] as OutOfDistribution }) } };
}

function resultJson(result: Result, file?: string, instancesFile?: string, pointsFiles?: readonly string[]): ResultJson {
  switch (result.kind) {
    case 'labelmap':
      return { kind: 'labelmap', segments: segmentsJson(result), ...(file !== undefined && { file }), ...(result.instances && { objects: objectsJson(result.instances, result.source.spacingMm, instancesFile) }), ...modalitiesJson(result), ...(result.outOfDistribution && { outOfDistribution: result.outOfDistribution }) };
    case 'scores':
      return scoresJson(result);
    case 'heatmap':
      return { kind: 'heatmap', label: result.target.label, range: result.range };
    case 'points':
      return pointsJson(result, pointsFiles);
  }
}

/** Numbers as they are printed: more digits of a place than a thousandth of a pixel say nothing. */
export function pointsJson({ total, classes, coordinates, classOf, confidences, remarks, outOfDistribution }: PointsResult, files: readonly string[] = []): PointsJson {
  const { count, interval, cellsPerMm2 } = total;
  const rounded = (value: number) => Math.round(value * 1000) / 1000;
  return {
    kind: 'points',
    count,
    ...(interval && { interval: [interval.low, interval.high], level: interval.level }),
    classes: Object.fromEntries(classes.map(({ target, count: ofClass }) => [target.label, ofClass])),
    points: Array.from(classOf, (c, i) => [rounded(coordinates[2 * i]!), rounded(coordinates[2 * i + 1]!), classes[c]!.target.label, rounded(confidences[i]!)] as const),
    unit: 'px',
    ...(cellsPerMm2 !== undefined && { cellsPerMm2 }),
    ...(remarks?.length && { remarks }),
    ...(files.length && { files }),
    ...(outOfDistribution && { outOfDistribution }),
  };
}

function modalitiesJson({ modalities }: LabelmapResult): Pick<LabelmapJson, 'modalities'> {
  if (!modalities) return {};
  return { modalities: { used: modalities.used.map(({ source, ...used }) => ({ ...used, series: nameOf(source) })), missing: modalities.missing } };
}

function scoresJson({ kind, scores, viewsUsed, viewsMissing, viewsFrom, substitute, outOfDistribution }: ScoresResult): ScoresJson {
  return {
    kind,
    scores: scores.map(({ target, logit, probability, operatingPoint, positive, views }) => ({
      label: target.label, logit, probability, ...(operatingPoint !== undefined && { operatingPoint }), positive, views,
    })),
    viewsUsed,
    viewsMissing,
    viewsFrom,
    ...(substitute !== undefined && { substitute }),
    ...(outOfDistribution && { outOfDistribution }),
  };
}

export function objectsJson({ count, atBorder, cut, sizes }: Pick<ObjectCount, 'count' | 'atBorder' | 'sizes'> & { readonly cut?: number }, spacingMm?: readonly [number, number], file?: string): ObjectsJson {
  const area = (pixels: SizeStatistics, mm2: number) => Object.fromEntries(Object.entries(pixels).map(([name, value]) => [name, (value as number) * mm2])) as unknown as SizeStatistics;
  return { count, atBorder, ...(cut && { cut }), ...(sizes && { pixels: sizes }), ...(sizes && spacingMm && { areaMm2: area(sizes, spacingMm[0] * spacingMm[1]) }), ...(file !== undefined && { file }) };
}

export function segmentsJson({ segments }: Pick<LabelmapResult, 'segments'>): SegmentJson[] {
  return segments.map(({ target, segmentNumber, pixels, areaMm2, volumeMm3 }) => ({
    label: target.label,
    segmentNumber,
    pixels,
    ...(areaMm2 !== undefined && { areaMm2 }),
    ...(volumeMm3 !== undefined && { volumeMm3 }),
  }));
}
