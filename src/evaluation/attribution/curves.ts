import type { Image } from '../../image/image.ts';
import { enlarged, thumbnail } from '../../image/thumbnail.ts';
import { mulberry32 } from '../../metrics/mulberry32.ts';

/** A score as more and more of the picture is taken away, or given: one value a step, from none to all of it. */
export interface PerturbationCurves {
  /** Of pixels that are replaced by the picture's mean, those first on which the map is highest. */
  readonly deletion: readonly number[];
  /** Of pixels that come back into the blurred picture, the same first. */
  readonly insertion: readonly number[];
  /** The same in an order of chance. */
  readonly randomDeletion: readonly number[];
  readonly randomInsertion: readonly number[];
}

export const STEPS = 10;
/** What is left of the picture before pixels come back: so many cells a side. */
const COARSE = 8;

/**
 * Insertion and deletion curves: where a map has found what a score hangs on, the score falls sooner as its highest pixels are deleted, and rises
 * sooner as they are inserted, than in an order of chance. They say what moves this score, not that it should be moved by it.
 *
 * V. Petsiuk, A. Das and K. Saenko, "RISE: Randomized input sampling for explanation of black-box models", BMVC 2018.
 * @param map a value a pixel of the picture
 * @param score of a picture, 0 to 1
 */
export async function perturbationCurves(image: Image, map: Float32Array, score: (image: Image) => Promise<number>, seed = 1): Promise<PerturbationCurves> {
  const pixels = map.length;
  const byMap = Uint32Array.from({ length: pixels }, (_, i) => i).sort((a, b) => map[b]! - map[a]! || a - b);
  const random = mulberry32(seed);
  // In blocks as large as a map's own detail would be: single pixels at random are seen by no network.
  const cells = Float32Array.from({ length: COARSE ** 4 }, random);
  const side = COARSE ** 2;
  const [columns, rows] = image.shape;
  const chance = Float32Array.from({ length: pixels }, (_, i) => cells[Math.floor((Math.floor(i / columns) * side) / rows) * side + Math.floor(((i % columns) * side) / columns)]!);
  const byChance = Uint32Array.from({ length: pixels }, (_, i) => i).sort((a, b) => chance[b]! - chance[a]! || a - b);
  const mean = meanOf(image);
  const blurred = coarse(image);
  const walk = async (order: Uint32Array, from: Float32Array, to: Float32Array) => {
    const { channels } = image;
    const values = from.slice();
    const scores = [await score({ ...image, pixels: values.slice() })];
    for (let step = 1; step <= STEPS; step++) {
      for (let k = Math.floor(((step - 1) * pixels) / STEPS); k < Math.floor((step * pixels) / STEPS); k++) {
        const at = order[k]! * channels;
        for (let c = 0; c < channels; c++) values[at + c] = to[at + c]!;
      }
      scores.push(await score({ ...image, pixels: values.slice() }));
    }
    return scores;
  };
  return {
    deletion: await walk(byMap, image.pixels, mean), insertion: await walk(byMap, blurred, image.pixels),
    randomDeletion: await walk(byChance, image.pixels, mean), randomInsertion: await walk(byChance, blurred, image.pixels),
  };
}

/** The area under a curve of equal steps, 0 to 1 for scores of 0 to 1: by trapezoids. */
export function curveArea(curve: readonly number[]): number {
  let area = 0;
  for (let i = 1; i < curve.length; i++) area += (curve[i - 1]! + curve[i]!) / 2 / (curve.length - 1);
  return area;
}

function meanOf({ pixels, channels }: Image): Float32Array {
  const sums = new Float64Array(channels);
  pixels.forEach((value, i) => (sums[i % channels]! += value));
  return Float32Array.from(pixels, (_, i) => sums[i % channels]! / (pixels.length / channels));
}

/** Bilinear between the means of a few cells. */
function coarse(image: Image): Float32Array {
  const { pixels, shape: [columns, rows], channels, representableRange: [min, max] } = image;
  const out = new Float32Array(pixels.length);
  for (let c = 0; c < channels; c++) {
    const plane = Float32Array.from({ length: columns * rows }, (_, i) => pixels[i * channels + c]!);
    const cells = thumbnail({ pixels: plane, shape: [columns, rows, 1], channels: 1, representableRange: [min, max] }, COARSE);
    enlarged(cells, COARSE, columns, rows).forEach((value, i) => (out[i * channels + c] = min + value * (max - min)));
  }
  return out;
}
