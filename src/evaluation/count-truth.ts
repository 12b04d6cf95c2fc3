import { OverreadError } from '../errors.ts';
import { checkInside } from '../export/point-records.ts';
import { parsePointsCsv } from '../export/points-csv.ts';
import type { Image } from '../image/image.ts';
import type { DatasetFiles, DatasetItem } from '../training/dataset.ts';
import { trueObjectsOf } from './objects.ts';

/** The cells that are in a picture. */
export interface CountTruth {
  /** [x0, y0, …] in index coordinates. */
  readonly coordinates: Float64Array;
  /** Of each: index into the labels that were given; absent where the set names no classes. */
  readonly classOf?: readonly number[];
  /** Of a circle as large as the middlemost cell, pixels; absent where the set has no outlines. */
  readonly medianDiameter?: number;
}

/**
 * The dots of an item, or the middles of its objects.
 * @param labels the classes that a dot's class may name, or number from 1
 * @throws OverreadError `dataset/invalid`
 */
export async function countTruth({ id, dots, instances }: DatasetItem, image: Image, files: DatasetFiles, labels: readonly string[]): Promise<CountTruth> {
  const objects = instances === undefined ? undefined : objectsOf(trueObjectsOf(await files.image(instances), image, `${instances} of item '${id}'`), image.shape[0]);
  const medianDiameter = objects && medianOf(objects.diameters);
  if (dots === undefined) return { coordinates: objects!.coordinates, ...(medianDiameter !== undefined && { medianDiameter }) };
  const where = `${dots} of item '${id}'`;
  const points = parsePointsCsv(await files.text(dots), where);
  checkInside(points, image.shape, where);
  const classed = points.length > 0 && points.every(({ className }) => className !== undefined) && labels.length > 1;
  return {
    coordinates: Float64Array.from(points.flatMap(({ x, y }) => [x, y])),
    ...(classed && { classOf: points.map(({ className }) => classIndex(className!, labels, where)) }),
    ...(medianDiameter !== undefined && { medianDiameter }),
  };
}

function classIndex(name: string, labels: readonly string[], where: string): number {
  const at = labels.findIndex(label => label.toLowerCase() === name.toLowerCase());
  if (at >= 0) return at;
  const number = Number(name);
  if (Number.isInteger(number) && number >= 1 && number <= labels.length) return number - 1;
  throw new OverreadError('dataset/invalid', `Expected a class of the model (${labels.join(', ')}) or its number from 1, got '${name}', in ${where}. Mend the data set.`, { expected: labels, got: name, where });
}

function objectsOf(numbers: Uint32Array, columns: number): { coordinates: Float64Array; diameters: number[] } {
  const sums = new Map<number, { x: number; y: number; pixels: number }>();
  for (let i = 0; i < numbers.length; i++) {
    if (numbers[i] === 0) continue;
    let object = sums.get(numbers[i]!);
    if (!object) sums.set(numbers[i]!, (object = { x: 0, y: 0, pixels: 0 }));
    object.x += i % columns;
    object.y += Math.floor(i / columns);
    object.pixels++;
  }
  const all = [...sums.values()];
  return { coordinates: Float64Array.from(all.flatMap(({ x, y, pixels }) => [x / pixels, y / pixels])), diameters: all.map(({ pixels }) => 2 * Math.sqrt(pixels / Math.PI)) };
}

export function medianOf(values: readonly number[]): number | undefined {
  if (values.length === 0) return undefined;
  const sorted = [...values].sort((a, b) => a - b);
  return (sorted[(sorted.length - 1) >> 1]! + sorted[sorted.length >> 1]!) / 2;
}
