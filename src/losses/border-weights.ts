import { squaredDistances } from '../metrics/distance-transform.ts';

export interface BorderWeightOptions {
  /** w₀: what the thinnest border adds; 10 in the paper. */
  readonly height?: number;
  /** σ, in pixels; 5 in the paper. */
  readonly sigma?: number;
  /** Let objects and background have the same sum of weights, before borders are added. */
  readonly balanced?: boolean;
}

/** Beyond so many σ of d₁ + d₂ a border adds less than 10⁻⁷ of its height. */
const REACH = 6;

/**
 * U-Net's weight map, which makes a network learn the thin borders between objects that touch:
 * w(x) = w_c(x) + w₀·exp(−(d₁(x) + d₂(x))² / (2σ²)) on the background, with d₁ and d₂ the distances to the nearest and
 * the second nearest object; w_c is 1, or balances the classes.
 *
 * O. Ronneberger, P. Fischer, T. Brox, "U-Net: convolutional networks for biomedical image segmentation", MICCAI 2015.
 * @param instances columns · rows, 0 is background, one number an object
 * @returns columns · rows weights
 */
export function borderWeights(instances: ArrayLike<number>, columns: number, rows: number, { height = 10, sigma = 5, balanced = false }: BorderWeightOptions = {}): Float32Array {
  const count = columns * rows;
  const nearest = new Float64Array(count).fill(Infinity);
  const second = new Float64Array(count).fill(Infinity);
  const reach = Math.ceil(REACH * sigma);
  for (const [label, box] of boxes(instances, columns, rows)) {
    const [x0, y0, x1, y1] = [Math.max(0, box[0] - reach), Math.max(0, box[1] - reach), Math.min(columns, box[2] + reach + 1), Math.min(rows, box[3] + reach + 1)];
    const width = x1 - x0;
    const set = Uint8Array.from({ length: width * (y1 - y0) }, (_, i) => (instances[(y0 + Math.floor(i / width)) * columns + x0 + (i % width)] === label ? 1 : 0));
    const squares = squaredDistances(set, { shape: [width, y1 - y0, 1], spacing: [1, 1, 1] });
    for (let i = 0; i < squares.length; i++) {
      const at = (y0 + Math.floor(i / width)) * columns + x0 + (i % width);
      const distance = Math.sqrt(squares[i]!);
      if (distance < nearest[at]!) {
        second[at] = nearest[at]!;
        nearest[at] = distance;
      } else if (distance < second[at]!) second[at] = distance;
    }
  }
  let objects = 0;
  for (let i = 0; i < count; i++) if (instances[i] !== 0) objects++;
  const even = !balanced || objects === 0 || objects === count;
  const [inside, outside] = even ? [1, 1] : [count / (2 * objects), count / (2 * (count - objects))];
  return Float32Array.from({ length: count }, (_, i) => {
    if (instances[i] !== 0) return inside;
    const sum = nearest[i]! + second[i]!;
    return outside + height * Math.exp(-(sum * sum) / (2 * sigma * sigma));
  });
}

type Box = [left: number, top: number, right: number, bottom: number];

function boxes(instances: ArrayLike<number>, columns: number, rows: number): Map<number, Box> {
  const found = new Map<number, Box>();
  for (let y = 0, i = 0; y < rows; y++) {
    for (let x = 0; x < columns; x++, i++) {
      const label = instances[i]!;
      if (label === 0) continue;
      const box = found.get(label);
      if (!box) found.set(label, [x, y, x, y]);
      else {
        box[0] = Math.min(box[0], x);
        box[2] = Math.max(box[2], x);
        box[3] = y;
      }
    }
  }
  return found;
}
