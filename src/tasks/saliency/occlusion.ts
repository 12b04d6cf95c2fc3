import type { SaliencyContext, SaliencyMethod } from './method.ts';
import { integerWithin, numberWithin } from './parameters.ts';

export type OcclusionParameters = {
  /** Side of the square window in pixels of the network's input; an eighth of its shorter side when left out. */
  readonly size: number;
  /** From one window to the next; half of `size` when left out. */
  readonly stride: number;
  /** What the window is filled with; the mean of the encoded image when left out. */
  readonly fill: number;
};

/** Windows that are sent to the model at once; between them a run can be cancelled. */
const BATCH = 16;

/**
 * Occlusion (Zeiler, Fergus 2014, "Visualizing and Understanding Convolutional Networks", arXiv 1311.2901): how much
 * the score drops when a window of the image is filled; each pixel has the mean of all windows that cover it. Signed:
 * where a fill raises the score, what was there spoke against the target. Needs no derivatives, so it works on every
 * backend and for graph models; it costs a forward pass a window.
 */
export const occlusion: SaliencyMethod<OcclusionParameters> = {
  id: 'occlusion',

  parameters(given, { shape: [rows, columns], valueRange: [min, max], input }) {
    const shorter = Math.min(rows, columns);
    const size = integerWithin('size', given.size ?? Math.max(1, Math.round(shorter / 8)), 1, shorter);
    const stride = integerWithin('stride', given.stride ?? Math.max(1, Math.floor(size / 2)), 1, size);
    // What is normalised by its own statistics may lie outside of the stated range.
    const fill = given.fill === undefined ? meanOf(input) : numberWithin('fill', given.fill, min - (max - min), max + (max - min));
    return { size, stride, fill };
  },

  async map({ model, input, shape, target, signal, topWeights, onStep }, parameters) {
    const [rows, columns] = shape;
    const { size, stride, fill } = parameters;
    const windows = starts(rows, size, stride).flatMap(y => starts(columns, size, stride).map(x => ({ x, y })));
    const [score] = await model.scores(input, target, { signal, topWeights });
    const drops = new Float64Array(rows * columns);
    const covers = new Uint32Array(rows * columns);
    for (let first = 0; first < windows.length; first += BATCH) {
      const part = windows.slice(first, first + BATCH);
      const occluded = new Float32Array(part.length * input.length);
      part.forEach(({ x, y }, i) => {
        const copy = occluded.subarray(i * input.length, (i + 1) * input.length);
        copy.set(input);
        fillWindow(copy, shape, x, y, size, fill);
      });
      const scores = await model.scores(occluded, target, { signal, topWeights });
      part.forEach(({ x, y }, i) => {
        for (let row = y; row < y + size; row++) {
          for (let at = row * columns + x; at < row * columns + x + size; at++) {
            drops[at]! += score! - scores[i]!;
            covers[at]!++;
          }
        }
      });
      onStep?.(Math.min(1, (first + BATCH) / windows.length));
    }
    return { values: Float32Array.from(drops, (drop, i) => drop / covers[i]!), rows, columns, signed: true, score: score!, parameters };
  },
};

/** Where windows begin along a side: every `stride`, the last one at the very end, so that every pixel is covered. */
function starts(side: number, size: number, stride: number): number[] {
  const at: number[] = [];
  for (let start = 0; start < side - size; start += stride) at.push(start);
  return [...at, side - size];
}

function fillWindow(image: Float32Array, [, columns, channels]: SaliencyContext['shape'], x: number, y: number, size: number, fill: number): void {
  for (let row = y; row < y + size; row++) image.fill(fill, (row * columns + x) * channels, (row * columns + x + size) * channels);
}

function meanOf(values: Float32Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
