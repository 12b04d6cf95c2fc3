/**
 * The density behind a redundant count map. The map is the cells' places, each spread over a box of field × field outputs; the
 * box is undone by Richardson and Lucy's iteration (W. H. Richardson, JOSA 62, 1972; L. B. Lucy, Astron. J. 79, 1974), whose
 * density is nowhere negative and, since every pixel of the picture lies in field² outputs, sums to the map's sum over field² after
 * every step; steps are lengthened as D. S. C. Biggs and M. Andrews have it (Applied Optics 36, 1997), or hundreds were needed. The density is kept a sum of small hills (D. L. Snyder, M. I. Miller, "The use of sieves to stabilize images produced with
 * the EM algorithm", IEEE Trans. Nucl. Sci. 32, 1985), or it would run into single pixels and the map's noise with it.
 */

/** Standard deviation of the hills, pixels. */
const SIEVE = 1.2;
const ITERATIONS = 60;

export interface RedundantShape {
  /** Of the picture. */
  readonly columns: number;
  readonly rows: number;
  readonly field: number;
}

/**
 * @param map [rows + field − 1, columns + field − 1], none below 0: output [y, x] counts the cells in rows y − field + 1 … y and columns
 *   x − field + 1 … x of the picture
 * @param sound which outputs are to be heeded, laid out as `map`; all when left out. Where some are not, the sum is that of the others' cells.
 * @returns [rows, columns], cells a pixel
 */
export function redundantDensity(map: Float32Array, { columns, rows, field }: RedundantShape, sound?: Uint8Array): Float32Array {
  const pixels = columns * rows;
  const width = columns + field - 1;
  const spread = new BoxSums(columns, rows, field);
  const gathered = new Float64Array(pixels);
  // How many outputs of those that are heeded see a pixel.
  const seen = new Float64Array(pixels);
  const heeded = Float64Array.from(sound ?? { length: map.length }, sound ? Number : () => 1);
  spread.gather(heeded, seen);

  let total = 0;
  for (let i = 0; i < map.length; i++) total += map[i]! * heeded[i]!;
  const density = new Float64Array(pixels);
  if (total <= 0) return Float32Array.from(density);
  const hills = new Hills(columns, rows, SIEVE);
  const weights = new Float64Array(pixels).fill(total / (field * field) / pixels);
  const ratio = new Float64Array(width * (rows + field - 1));
  const wanted = new Float64Array(pixels);
  hills.blur(seen, wanted);
  const guess = weights.slice();
  const before = weights.slice();
  let change = new Float64Array(pixels);
  let changeBefore = new Float64Array(pixels);
  for (let step = 0; step < ITERATIONS; step++) {
    hills.blur(guess, density);
    spread.spread(density, ratio);
    for (let i = 0; i < ratio.length; i++) ratio[i] = ratio[i]! > 0 ? (map[i]! * heeded[i]!) / ratio[i]! : 0;
    spread.gather(ratio, gathered);
    hills.blur(gathered, gathered);
    before.set(weights);
    [change, changeBefore] = [changeBefore, change];
    let along = 0;
    let length = 0;
    for (let i = 0; i < pixels; i++) {
      weights[i] = wanted[i]! > 0 ? (guess[i]! * gathered[i]!) / wanted[i]! : 0;
      change[i] = weights[i]! - guess[i]!;
      along += change[i]! * changeBefore[i]!;
      length += changeBefore[i]! ** 2;
    }
    const stride = step > 1 && length > 0 ? Math.min(0.95, Math.max(0, along / length)) : 0;
    for (let i = 0; i < pixels; i++) {
      const [here, lengthened] = [weights[i]!, weights[i]! + stride * (weights[i]! - before[i]!)];
      // Never to nothing: what is 0 once stays it.
      guess[i] = lengthened > 0.1 * here ? lengthened : 0.1 * here;
    }
  }
  hills.blur(weights, density);
  // Where rounding left nothing that a part of the map could come from, that part is missing.
  let sum = 0;
  for (let i = 0; i < pixels; i++) sum += density[i]!;
  const scale = sound || sum <= 0 ? 1 : total / (field * field) / sum;
  return Float32Array.from(density, value => value * scale);
}

/**
 * How many cells each field × field window sees, by the window's middle: the redundant map of a density, cut to the picture.
 * @param density [rows, columns]
 */
export function redundantMap(density: Float32Array, { columns, rows, field }: RedundantShape): Float32Array {
  const full = new Float64Array((columns + field - 1) * (rows + field - 1));
  new BoxSums(columns, rows, field).spread(Float64Array.from(density), full);
  const width = columns + field - 1;
  const middle = Math.floor((field - 1) / 2);
  return Float32Array.from({ length: columns * rows }, (_, i) => full[(Math.floor(i / columns) + middle) * width + (i % columns) + middle]!);
}

/** Sums over boxes by running sums: along rows, then down all columns at once. */
class BoxSums {
  readonly #between: Float64Array;
  readonly #line: Float64Array;
  readonly #width: number;

  constructor(private readonly columns: number, private readonly rows: number, private readonly field: number) {
    this.#width = columns + field - 1;
    this.#between = new Float64Array(this.#width * rows);
    this.#line = new Float64Array(this.#width);
  }

  /** Picture → outputs. */
  spread(from: Float64Array, to: Float64Array): void {
    const { columns, rows, field } = this;
    const [between, width, sums] = [this.#between, this.#width, this.#line.fill(0)];
    for (let y = 0; y < rows; y++) {
      let sum = 0;
      for (let x = 0; x < width; x++) {
        if (x < columns) sum += from[y * columns + x]!;
        if (x >= field) sum -= from[y * columns + x - field]!;
        between[y * width + x] = sum;
      }
    }
    for (let y = 0; y < rows + field - 1; y++) {
      for (let x = 0; x < width; x++) {
        let sum = sums[x]!;
        if (y < rows) sum += between[y * width + x]!;
        if (y >= field) sum -= between[(y - field) * width + x]!;
        sums[x] = sum;
        // Rounding must not leave less than nothing.
        to[y * width + x] = sum > 0 ? sum : 0;
      }
    }
  }

  /** Outputs → picture: each pixel's sum over the outputs that see it. */
  gather(from: Float64Array, to: Float64Array): void {
    const { columns, rows, field } = this;
    const [between, width, sums] = [this.#between, this.#width, this.#line.fill(0)];
    for (let y = 0; y < field - 1; y++) for (let x = 0; x < width; x++) sums[x]! += from[y * width + x]!;
    for (let y = 0; y < rows; y++) {
      for (let x = 0; x < width; x++) {
        const sum = sums[x]! + from[(y + field - 1) * width + x]!;
        between[y * width + x] = sum;
        sums[x] = sum - from[y * width + x]!;
      }
    }
    for (let y = 0; y < rows; y++) {
      const line = y * width;
      let sum = 0;
      for (let x = 0; x < field - 1; x++) sum += between[line + x]!;
      for (let x = 0; x < columns; x++) {
        sum += between[line + x + field - 1]!;
        to[y * columns + x] = sum > 0 ? sum : 0;
        sum -= between[line + x]!;
      }
    }
  }
}

/** Gaussian hills, mirrored at the borders: what is put in comes out, and every pixel gives as it takes. */
class Hills {
  readonly #kernel: Float64Array;
  readonly #between: Float64Array;

  constructor(private readonly columns: number, private readonly rows: number, sigma: number) {
    const reach = Math.ceil(3 * sigma);
    const kernel = Float64Array.from({ length: reach + 1 }, (_, i) => Math.exp(-(i * i) / (2 * sigma * sigma)));
    const sum = kernel.reduce((total, value, i) => total + (i ? 2 * value : value), 0);
    this.#kernel = kernel.map(value => value / sum);
    this.#between = new Float64Array(columns * rows);
  }

  /** `to` may be `from`. */
  blur(from: Float64Array, to: Float64Array): void {
    const { columns, rows } = this;
    const [kernel, between] = [this.#kernel, this.#between];
    const reach = kernel.length - 1;
    for (let y = 0; y < rows; y++) {
      const line = y * columns;
      for (let x = 0; x < columns; x++) {
        const inside = x >= reach && x < columns - reach;
        let sum = kernel[0]! * from[line + x]!;
        for (let k = 1; k <= reach; k++) sum += kernel[k]! * (inside ? from[line + x - k]! + from[line + x + k]! : from[line + mirrored(x - k, columns)]! + from[line + mirrored(x + k, columns)]!);
        between[line + x] = sum;
      }
    }
    for (let y = 0; y < rows; y++) {
      const line = y * columns;
      for (let x = 0; x < columns; x++) to[line + x] = kernel[0]! * between[line + x]!;
      for (let k = 1; k <= reach; k++) {
        const [above, below, weight] = [mirrored(y - k, rows) * columns, mirrored(y + k, rows) * columns, kernel[k]!];
        for (let x = 0; x < columns; x++) to[line + x]! += weight * (between[above + x]! + between[below + x]!);
      }
    }
  }
}

/** … 1 0 | 0 1 … size − 1 | size − 1 … */
function mirrored(at: number, size: number): number {
  const period = 2 * size;
  const inside = ((at % period) + period) % period;
  return inside < size ? inside : period - 1 - inside;
}
