import { OverreadError } from '../errors.ts';
import { hashIntegers } from '../phantoms/random.ts';
import type { DatasetItem } from './dataset.ts';

export interface Split<T> {
  readonly train: readonly T[];
  readonly validation: readonly T[];
}

type Item = Pick<DatasetItem, 'id' | 'patientId'>;

/**
 * Splits by patient, the same way each time: patients in the order of a hash of their id and the seed.
 * @throws OverreadError `dataset/invalid` for one patient only
 */
export function splitByPatient<T extends Item>(items: readonly T[], share: number, seed: number): Split<T> {
  const patients = [...new Set(items.map(({ patientId }) => patientId))];
  if (patients.length < 2) {
    throw new OverreadError('dataset/invalid', `Expected items of at least two patients, so that one can be held back, got ${patients.length}. Collect more patients.`, { expected: 2, got: patients.length });
  }
  const rank = new Map(patients.map(patient => [patient, hashIntegers(seed, ...[...patient].map(letter => letter.codePointAt(0)!))]));
  const ordered = [...patients].sort((a, b) => rank.get(a)! - rank.get(b)! || (a < b ? -1 : 1));
  const held = new Set(ordered.slice(0, Math.min(patients.length - 1, Math.max(1, Math.round(share * patients.length)))));
  return { train: items.filter(item => !held.has(item.patientId)), validation: items.filter(item => held.has(item.patientId)) };
}

/**
 * A split that is given, by ids of items or of patients.
 * @throws OverreadError `dataset/invalid` for ids that no item has, an empty side, or a patient on both
 */
export function splitByIds<T extends Item>(items: readonly T[], given: { readonly train: readonly string[]; readonly validation: readonly string[] }): Split<T> {
  const of = (ids: readonly string[], side: string) => {
    const wanted = new Set(ids);
    const found = items.filter(({ id, patientId }) => wanted.has(id) || wanted.has(patientId));
    const known = new Set(found.flatMap(({ id, patientId }) => [id, patientId]));
    const unknown = ids.find(id => !known.has(id));
    if (unknown !== undefined) throw new OverreadError('dataset/invalid', `Expected ids of items or patients in the split's ${side}, got ${unknown}, which the data set does not have or which has no labels. Mend the split.`, { got: unknown });
    return found;
  };
  const split = { train: of(given.train, 'train'), validation: of(given.validation, 'validation') };
  checkSplit(split);
  return split;
}

/** @throws OverreadError `dataset/invalid` when a side is empty or a patient stands on both */
export function checkSplit<T extends Item>({ train, validation }: Split<T>): void {
  if (train.length === 0 || validation.length === 0) throw new OverreadError('dataset/invalid', `Expected items on both sides of the split, got ${train.length} to train and ${validation.length} to validate. Mend the split.`, { got: [train.length, validation.length] });
  const trained = new Set(train.map(({ patientId }) => patientId));
  const both = [...new Set(validation.filter(({ patientId }) => trained.has(patientId)).map(({ patientId }) => patientId))];
  if (both.length === 0) return;
  throw new OverreadError('dataset/invalid', `Expected each patient on one side of the split, got ${both.length} on both sides, of which the first is item '${validation.find(({ patientId }) => patientId === both[0])!.id}'. Split by patient: a metric on known patients means nothing.`, { expected: 0, got: both.length });
}

/** A picture as 64 bits that hardly change with size, brightness and noise: which of neighbouring cells is brighter (dHash, Krawetz 2013). */
export function pictureHash({ values, columns, rows, channels }: { readonly values: Float32Array; readonly columns: number; readonly rows: number; readonly channels: number }): Uint8Array {
  const [across, down] = [9, 8];
  const sums = new Float64Array(across * down);
  const counts = new Float64Array(across * down);
  for (let y = 0; y < rows; y++) {
    const row = Math.floor((y * down) / rows);
    for (let x = 0; x < columns; x++) {
      const cell = row * across + Math.floor((x * across) / columns);
      for (let c = 0; c < channels; c++) sums[cell]! += values[(y * columns + x) * channels + c]!;
      counts[cell]! += channels;
    }
  }
  const mean = (row: number, column: number) => sums[row * across + column]! / Math.max(1, counts[row * across + column]!);
  return Uint8Array.from({ length: 64 }, (_, i) => Number(mean(i >> 3, i & 7) < mean(i >> 3, (i & 7) + 1)));
}

/** Bits that two pictures of one subject may differ in. */
const NEAR = 4;

/** Pairs across the split whose pictures look alike; they are reported, not refused. */
export function nearDuplicates(train: readonly { id: string; hash: Uint8Array }[], validation: readonly { id: string; hash: Uint8Array }[]): readonly (readonly [train: string, validation: string])[] {
  return validation.flatMap(v => train.flatMap(t => {
    let differing = 0;
    for (let i = 0; i < 64; i++) differing += v.hash[i]! ^ t.hash[i]!;
    return differing <= NEAR ? [[t.id, v.id] as const] : [];
  }));
}
