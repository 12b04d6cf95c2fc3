import type { ModelManifest } from '../manifest.ts';
import { numberComponents } from './components.ts';
import { forEachNeighbour, growMarkers } from './watershed.ts';

/** How a mask falls into objects. */
export interface InstanceRule {
  /** Value in `labels` of the edge between objects; absent where objects that touch are one. */
  readonly edge?: number;
  /** A smaller object is none. */
  readonly minimumPixels: number;
  /** A smaller part of a mask within its edges does not make an object of its own. */
  readonly minimumMarkerPixels: number;
}

/** @returns undefined for a model whose mask is not to fall into objects */
export function instanceRuleOf({ output: { instances, targets } }: Pick<ModelManifest, 'output'>): InstanceRule | undefined {
  if (!instances) return undefined;
  const { edge, minimumPixels, minimumMarkerPixels } = instances;
  return { ...(edge !== undefined && { edge: targets.findIndex(({ label }) => label === edge) + 1 }), minimumPixels, minimumMarkerPixels };
}

/** The objects of a mask on one plane. */
export interface Instances {
  /** Laid out as `labels`: 0 background, else an object's number, from 1 in the order of their first pixels. */
  readonly labels: Int32Array;
  readonly count: number;
  /** Of `count`, those that the picture's border may have cut. */
  readonly atBorder: number;
  /** Sizes in pixels; absent where there are no objects. */
  readonly sizes?: SizeStatistics;
  /** What they were made by, to make them again after a change of the mask. */
  readonly rule: InstanceRule;
}

/** Quartiles are interpolated linearly between the sorted sizes. */
export interface SizeStatistics {
  readonly minimum: number;
  readonly lowerQuartile: number;
  readonly median: number;
  readonly upperQuartile: number;
  readonly maximum: number;
  readonly mean: number;
}

/**
 * Objects out of a mask by a marker-controlled watershed: markers are the parts of the mask within its edges (pixels
 * touch over edges, not corners), but the smallest; a part of the mask without a marker is one itself. They grow into
 * the edges at one speed. The smallest are dropped, then background that one object alone encloses becomes its own.
 * `labels` is made to agree: what is no object's is cleared, what was enclosed is filled.
 *
 * The edge output that splits objects: T. Polzounov et al., "WordFence", 2017; O. Ronneberger et al., "U-Net", MICCAI 2015.
 * @param labels columns · rows values; changed in place
 */
export function splitInstances(labels: Uint8Array, columns: number, rule: InstanceRule): Instances {
  const mask = labels.map(label => Number(label !== 0));
  const objects = markersOf(labels, mask, columns, rule);
  growMarkers(objects, mask, columns);
  dropSmall(objects, rule.minimumPixels);
  fillHoles(objects, columns);
  const sizes = [...countsOf(objects)].slice(1);
  for (let i = 0; i < labels.length; i++) {
    if (objects[i] === 0) labels[i] = 0;
    else if (labels[i] === 0) labels[i] = rule.edge === 1 ? 2 : 1;
  }
  return { labels: objects, count: sizes.length, atBorder: countAtBorder(objects, columns), ...(sizes.length && { sizes: statistics(sizes) }), rule };
}

function markersOf(labels: Uint8Array, mask: Uint8Array, columns: number, { edge, minimumMarkerPixels }: InstanceRule): Int32Array {
  const markers = numberComponents(labels.map(label => Number(label !== 0 && label !== edge)), columns, false);
  const areas = countsOf(markers);
  const parts = numberComponents(mask, columns, false);
  const marked = new Uint8Array(highest(parts) + 1);
  for (let i = 0; i < markers.length; i++) {
    if (areas[markers[i]!]! < minimumMarkerPixels) markers[i] = 0;
    if (markers[i] !== 0) marked[parts[i]!] = 1;
  }
  for (let i = 0; i < markers.length; i++) if (mask[i] !== 0 && marked[parts[i]!] === 0) markers[i] = areas.length + parts[i]!;
  return markers;
}

function fillHoles(objects: Int32Array, columns: number): void {
  const holes = numberComponents(Uint8Array.from(objects, value => Number(value === 0)), columns, false);
  const rows = objects.length / columns;
  // 0: nothing seen yet; −1: several, or the picture's border.
  const owners = new Int32Array(highest(holes) + 1);
  for (let i = 0; i < holes.length; i++) {
    const hole = holes[i]!;
    if (hole === 0 || owners[hole] === -1) continue;
    const [x, y] = [i % columns, Math.floor(i / columns)];
    if (x === 0 || y === 0 || x === columns - 1 || y === rows - 1) owners[hole] = -1;
    else forEachNeighbour(i, columns, holes.length, j => {
      const object = objects[j]!;
      if (object !== 0 && owners[hole] !== object) owners[hole] = owners[hole] === 0 ? object : -1;
    });
  }
  for (let i = 0; i < holes.length; i++) if (holes[i] !== 0 && owners[holes[i]!]! > 0) objects[i] = owners[holes[i]!]!;
}

/** Drops the small ones and numbers those that stay in the order of their first pixels, in place. */
function dropSmall(objects: Int32Array, minimumPixels: number): void {
  const areas = countsOf(objects);
  const numbers = new Int32Array(areas.length);
  let count = 0;
  for (let i = 0; i < objects.length; i++) {
    const object = objects[i]!;
    if (object === 0) continue;
    if (numbers[object] === 0 && areas[object]! >= minimumPixels) numbers[object] = ++count;
    objects[i] = numbers[object]!;
  }
}

function countsOf(numbers: Int32Array): Float64Array {
  const counts = new Float64Array(highest(numbers) + 1);
  for (const number of numbers) counts[number]!++;
  return counts;
}

function highest(numbers: Int32Array): number {
  let most = 0;
  for (const number of numbers) if (number > most) most = number;
  return most;
}

function countAtBorder(objects: Int32Array, columns: number): number {
  const seen = new Set<number>();
  const rows = objects.length / columns;
  for (let x = 0; x < columns; x++) seen.add(objects[x]!).add(objects[(rows - 1) * columns + x]!);
  for (let y = 0; y < rows; y++) seen.add(objects[y * columns]!).add(objects[(y + 1) * columns - 1]!);
  seen.delete(0);
  return seen.size;
}

export function statistics(sizes: readonly number[]): SizeStatistics {
  const sorted = [...sizes].sort((a, b) => a - b);
  const at = (share: number) => {
    const place = share * (sorted.length - 1);
    const below = Math.floor(place);
    return sorted[below]! + (place - below) * ((sorted[below + 1] ?? sorted[below]!) - sorted[below]!);
  };
  return { minimum: at(0), lowerQuartile: at(0.25), median: at(0.5), upperQuartile: at(0.75), maximum: at(1), mean: sizes.reduce((sum, size) => sum + size, 0) / sizes.length };
}
