import { OverreadError } from '../errors.ts';
import { bootstrapMean } from '../metrics/bootstrap.ts';
import { dice } from '../metrics/dice.ts';
import { iou } from '../metrics/iou.ts';
import { overlap, type Labels } from '../metrics/overlap.ts';
import { precision } from '../metrics/precision.ts';
import { recall } from '../metrics/recall.ts';
import type { Image } from '../image/image.ts';
import type { LabelmapResult } from '../results/result.ts';
import type { DatasetFiles } from '../training/dataset.ts';
import { objectMetrics, objectReport, objectsOfResult, scoreObjects, trueObjectsOf, type ObjectRule, type ObjectScores } from './objects.ts';
import type { Measured, Yardstick } from './report.ts';
import { scoreSurfaces } from './surfaces.ts';

/** Metrics of one item, by name. */
export type Scores = Readonly<Record<string, number>>;

const METRICS = { dice, iou, precision, recall } as const;

/** A scored item with its pixels, for a picture of it. */
export interface Judged {
  readonly id: string;
  readonly image: Image;
  readonly truth: Uint8Array;
  readonly result: LabelmapResult;
  readonly scores: Scores;
}

/**
 * Measures labelmaps against the masks of a data set, and against its numbered objects where it has them. Without a mask
 * all objects together are one.
 * @param keepWorst how many of the worst items, by Dice, `worst` comes to hold, the worst first
 * @param objectsOf what counts as one object of a result
 */
export function maskYardstick(files: DatasetFiles, keepWorst: number, worst: Judged[], objectsOf: ObjectRule = objectsOfResult): Yardstick {
  const scored: { patientId: string; scores: Scores }[] = [];
  const found: { patientId: string; objects: ObjectScores }[] = [];
  return {
    wants: 'a mask or instances',
    ofPixels: true,
    has: item => item.mask !== undefined || item.instances !== undefined,
    async judge({ id, patientId, mask, instances }, image, run) {
      const objects = instances === undefined ? undefined : trueObjectsOf(await files.image(instances), image, `${instances} of item '${id}'`);
      const truth = mask === undefined ? Uint8Array.from(objects!, value => Number(value > 0)) : truthOf(await files.image(mask), image, `${mask} of item '${id}'`, files.dataset.maskClasses);
      const result = await run();
      if (result.kind !== 'labelmap') throw new OverreadError('internal', `Expected a labelmap, got ${result.kind}. Please report this.`);
      const scores = scoreMask(truth, result, mask === undefined ? undefined : files.dataset.maskClasses);
      scored.push({ patientId, scores });
      worst.push({ id, image, truth, result, scores });
      worst.sort((a, b) => a.scores.dice! - b.scores.dice!).splice(keepWorst);
      const said = `dice ${scores.dice!.toFixed(4)}`;
      if (!objects) return { report: finite(scores), said };
      const counted = scoreObjects(objects, result, objectsOf);
      found.push({ patientId, objects: counted });
      const report = objectReport(counted);
      return { report: { ...finite(scores), ...report }, said: `${said}, AP at IoU 0.5 ${report.objectAp50.toFixed(4)}` };
    },
    summary: () => ({ metrics: { ...estimates(scored), ...objectMetrics(found) }, ...absences(scored) }),
  };
}

/** Each metric over the items where it has a value. */
function estimates(scored: readonly { patientId: string; scores: Scores }[]): Record<string, Measured> {
  const measured = (name: string): Measured | undefined => {
    const some = scored.filter(({ scores }) => Number.isFinite(scores[name]));
    if (some.length === 0) return undefined;
    const patients = some.map(s => s.patientId);
    const mean = bootstrapMean(some.map(s => s.scores[name]!), patients);
    // Draws of one patient are all alike: an interval of no width would say that nothing is uncertain.
    return new Set(patients).size > 1 ? mean : { value: mean.value };
  };
  return Object.fromEntries(namesOf(scored).flatMap(name => {
    const value = measured(name);
    return value ? [[name, value]] : [];
  }));
}

/** In how many items a metric has no value. */
function absences(scored: readonly { scores: Scores }[]): { leftOut?: Record<string, number> } {
  const counts = namesOf(scored).flatMap(name => {
    const n = scored.filter(({ scores }) => name in scores && !Number.isFinite(scores[name])).length;
    return n > 0 ? [[name, n] as const] : [];
  });
  return counts.length ? { leftOut: Object.fromEntries(counts) } : {};
}

/** Overlap first, then surfaces; pictures with spacing and without may have metrics of their own. */
function namesOf(scored: readonly { scores: Scores }[]): string[] {
  return [...new Set(scored.flatMap(({ scores }) => Object.keys(scores)))];
}

/** JSON has no Infinity: a distance to nothing is left out. */
function finite(scores: Scores): Scores {
  return Object.fromEntries(Object.entries(scores).filter(([, value]) => Number.isFinite(value)));
}

/** A class of the truth and the segment that stands for it. */
interface ClassPair {
  readonly name: string;
  readonly truth: number | 'any';
  readonly prediction: number | 'any';
}

/**
 * Scores a labelmap against its true mask: overlap, surfaces, sizes. With two classes (or none named) any non-zero pixel of the truth is set
 * against all segments together. With more, each class is set against the segment of its name; `dice` and its like are
 * then means over the classes, and `dice:NAME` is one class. A distance is Infinity where one of the two masks is empty.
 * @param truth class indices on the result's grid
 * @throws OverreadError `dataset/invalid` when no segment has a class's name
 */
export function scoreMask(truth: Labels, result: LabelmapResult, maskClasses: readonly string[] | undefined): Scores {
  const pairs = classPairs(result, maskClasses);
  const ofPairs = pairs.map(pair => {
    const [t, p] = [select(truth, pair.truth), select(result.labels, pair.prediction)];
    const counts = overlap(t, p, 1);
    return { ...Object.fromEntries(Object.entries(METRICS).map(([metric, of]) => [metric, of(counts)])), ...scoreSurfaces(t, p, result.source) };
  });
  const scores: Record<string, number> = {};
  for (const metric of Object.keys(ofPairs[0]!)) {
    const values = ofPairs.map(of => of[metric]!);
    scores[metric] = values.reduce((sum, v) => sum + v, 0) / values.length;
    if (pairs.length > 1) pairs.forEach((pair, i) => (scores[`${metric}:${pair.name}`] = values[i]!));
  }
  return scores;
}

/**
 * The class indices of a mask image, checked against the picture that it belongs to.
 * @throws OverreadError `dataset/invalid` for another size, colour, or an index that no class has
 */
export function truthOf(mask: Image, picture: Image, where: string, maskClasses: readonly string[] | undefined): Uint8Array {
  const got = mask.shape.join(' × ');
  const expected = picture.shape.join(' × ');
  if (got !== expected) throw invalid(`a mask of the picture's size, ${expected}`, got, where);
  const values = singleChannel(mask, where);
  const classes = maskClasses?.length ?? 2;
  return Uint8Array.from(values, value => {
    if (classes === 2) return value === 0 ? 0 : 1;
    if (!Number.isInteger(value) || value < 0 || value >= classes) throw invalid(`class indices 0 to ${classes - 1}`, value, where);
    return value;
  });
}

/** A grey picture that was stored as colour is a mask still. */
function singleChannel({ pixels, channels }: Image, where: string): Float32Array {
  if (channels === 1) return pixels;
  const grey = new Float32Array(pixels.length / 3);
  for (let i = 0; i < grey.length; i++) {
    const [r, g, b] = [pixels[3 * i]!, pixels[3 * i + 1]!, pixels[3 * i + 2]!];
    if (r !== g || g !== b) throw invalid('a mask with one number a pixel', 'colours', where);
    grey[i] = r;
  }
  return grey;
}

function classPairs({ segments }: LabelmapResult, maskClasses: readonly string[] | undefined): ClassPair[] {
  if (maskClasses === undefined || maskClasses.length === 2) return [{ name: maskClasses?.[1] ?? 'foreground', truth: 'any', prediction: 'any' }];
  return maskClasses.slice(1).map((name, i) => {
    const segment = segments.find(s => s.target.label.toLowerCase() === name.toLowerCase());
    if (!segment) throw invalid(`a class of the model (${segments.map(s => s.target.label).join(', ')})`, `'${name}'`, 'maskClasses');
    return { name, truth: i + 1, prediction: segment.segmentNumber };
  });
}

/** Ones where the label is the wanted one. */
function select(labels: Labels, wanted: number | 'any'): Uint8Array {
  return Uint8Array.from(labels, value => Number(wanted === 'any' ? value !== 0 : value === wanted));
}

function invalid(expected: string, got: unknown, where: string): OverreadError {
  return new OverreadError('dataset/invalid', `Expected ${expected}, got ${String(got)}, in ${where}. Mend the data set.`, { expected, got, where });
}
