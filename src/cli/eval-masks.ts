import { OverreadError } from '../errors.ts';
import { bootstrapMean } from '../metrics/bootstrap.ts';
import { dice } from '../metrics/dice.ts';
import { iou } from '../metrics/iou.ts';
import { overlap, type Labels } from '../metrics/overlap.ts';
import { precision } from '../metrics/precision.ts';
import { recall } from '../metrics/recall.ts';
import type { Image } from '../image/image.ts';
import type { LabelmapResult } from '../results/result.ts';
import type { DatasetFolder } from './dataset-folder.ts';
import type { Measured, Yardstick } from './eval-report.ts';
import { openFile } from './image-inputs.ts';

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
 * Measures labelmaps against the masks of a data set.
 * @param keepWorst how many of the worst items, by Dice, `worst` comes to hold, the worst first
 */
export function maskYardstick({ dataset, resolve }: DatasetFolder, keepWorst: number, worst: Judged[]): Yardstick {
  const scored: { patientId: string; scores: Scores }[] = [];
  return {
    wants: 'a mask',
    has: item => item.mask !== undefined,
    async judge({ id, patientId, mask }, image, run) {
      const truth = truthOf(await openFile(resolve(mask!)), image, `${mask} of item '${id}'`, dataset.maskClasses);
      const result = await run();
      if (result.kind !== 'labelmap') throw new OverreadError('internal', `Expected a labelmap, got ${result.kind}. Please report this.`);
      const scores = scoreMask(truth, result, dataset.maskClasses);
      scored.push({ patientId, scores });
      worst.push({ id, image, truth, result, scores });
      worst.sort((a, b) => a.scores.dice! - b.scores.dice!).splice(keepWorst);
      return { report: scores, said: `dice ${scores.dice!.toFixed(4)}` };
    },
    summary: () => ({ metrics: estimates(scored) }),
  };
}

function estimates(scored: readonly { patientId: string; scores: Scores }[]): Record<string, Measured> {
  const [first] = scored;
  if (!first) return {};
  const patients = scored.map(s => s.patientId);
  // Draws of one patient are all alike: an interval of no width would say that nothing is uncertain.
  const several = new Set(patients).size > 1;
  const measured = (mean: Measured): Measured => (several ? mean : { value: mean.value });
  return Object.fromEntries(Object.keys(first.scores).map(name => [name, measured(bootstrapMean(scored.map(s => s.scores[name]!), patients))]));
}

/** A class of the truth and the segment that stands for it. */
interface ClassPair {
  readonly name: string;
  readonly truth: number | 'any';
  readonly prediction: number | 'any';
}

/**
 * Scores a labelmap against its true mask. With two classes (or none named) any non-zero pixel of the truth is set
 * against all segments together. With more, each class is set against the segment of its name; `dice` and its like are
 * then means over the classes, and `dice:NAME` is one class.
 * @param truth class indices on the result's grid
 * @throws OverreadError `dataset/invalid` when no segment has a class's name
 */
export function scoreMask(truth: Labels, result: LabelmapResult, maskClasses: readonly string[] | undefined): Scores {
  const pairs = classPairs(result, maskClasses);
  const scores: Record<string, number> = {};
  for (const [metric, of] of Object.entries(METRICS)) {
    const values = pairs.map(pair => of(overlap(select(truth, pair.truth), select(result.labels, pair.prediction), 1)));
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
