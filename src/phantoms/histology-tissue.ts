import { valueNoise2 } from './noise.ts';
import { hashIntegers } from './random.ts';

/** Taken once: in the inner loops a global costs a look-up, and much in a test runner's sandbox. */
const { atan2, floor, hypot, max, min, PI } = Math;

/** Nuclear classes of the phantom. */
export const NUCLEUS_CLASSES = ['epithelial', 'lymphocyte'] as const;
export type NucleusClass = 1 | 2;

/** A nucleus in base-level pixels. */
export interface Nucleus {
  readonly x: number;
  readonly y: number;
  /** Semi-axes. */
  readonly a: number;
  readonly b: number;
  readonly angle: number;
  readonly kind: NucleusClass;
  /** Haematoxylin, about 0.6..1.4. */
  readonly stain: number;
  /** For its own texture and outline. */
  readonly seed: number;
}

export interface TissueOptions {
  readonly seed: number;
  /** Base-level pixels. */
  readonly width: number;
  readonly height: number;
  /** A piece of tissue on glass, as on a slide; false: tissue to the edges. */
  readonly glass: boolean;
  /** On glass: these pieces, as biopsies lie on a slide; one large piece when left out. */
  readonly pieces?: readonly TissuePiece[];
}

/** About round, in base-level pixels. */
export interface TissuePiece {
  readonly x: number;
  readonly y: number;
  readonly radius: number;
}

/** Nuclei are sown one to a square of this many base pixels; none is as large. */
const SQUARE = 25;

export const LUMEN = 0.47;
export const EPITHELIUM = 0.1;

/**
 * Glandular tissue as functions of position, in base-level pixels of half a micrometre: what is where follows from
 * the seed alone, so any part of it, at any magnification, can be made without the rest.
 */
export class Tissue {
  private readonly glandSeed: number;
  private readonly infiltrateSeed: number;
  private readonly outlineSeed: number;

  constructor(readonly options: TissueOptions) {
    this.glandSeed = hashIntegers(options.seed, 11);
    this.infiltrateSeed = hashIntegers(options.seed, 12);
    this.outlineSeed = hashIntegers(options.seed, 13);
  }

  /** Rises from stroma (below {@link EPITHELIUM}) over epithelium to the lumen of a gland (above {@link LUMEN}). */
  gland(x: number, y: number): number {
    // Two lattices, turned against each other and the picture, so that no edge of theirs shows.
    const u = 0.83 * x + 0.56 * y;
    const v = 0.83 * y - 0.56 * x;
    const p = 0.34 * x - 0.94 * y;
    const q = 0.34 * y + 0.94 * x;
    const broad = valueNoise2(this.glandSeed, u / 165, v / 165) + valueNoise2(this.glandSeed + 7, p / 140, q / 140);
    return 0.62 * broad + 0.12 * valueNoise2(this.glandSeed ^ 0x5bd1e995, u / 45, v / 45);
  }

  /** Above 0.25: lymphocytes gather in the stroma. */
  infiltrate(x: number, y: number): number {
    return valueNoise2(this.infiltrateSeed, x / 330, y / 330);
  }

  /** Above 0: tissue; below: glass. Changes by about 1 over 100 pixels at the border. */
  tissue(x: number, y: number): number {
    const { width, height, glass, pieces } = this.options;
    if (!glass) return 9;
    if (pieces) return this.nearestPiece(pieces, x, y);
    const u = (2 * x) / width - 1;
    const v = (2 * y) / height - 1;
    const size = min(width, height);
    const ragged = valueNoise2(this.outlineSeed, (4 * x) / size, (4 * y) / size) * 0.2
      + valueNoise2(this.outlineSeed + 1, (17 * x) / size, (17 * y) / size) * 0.04;
    return ((0.72 - hypot(u, v * 1.08) + ragged) * size) / 200;
  }

  private nearestPiece(pieces: readonly TissuePiece[], x: number, y: number): number {
    let most = -9;
    for (const piece of pieces) {
      const inside = 1.3 * piece.radius - hypot(x - piece.x, y - piece.y);
      if (inside / 100 <= most) continue;
      const scale = 2 / piece.radius;
      const ragged = valueNoise2(this.outlineSeed, x * scale, y * scale) * 0.2 + valueNoise2(this.outlineSeed + 1, 4 * x * scale, 4 * y * scale) * 0.04;
      most = max(most, (inside + (ragged - 0.3) * piece.radius) / 100);
    }
    return most;
  }

  /** Every nucleus whose centre lies in the rectangle, in a fixed order. */
  nucleiIn(x0: number, y0: number, x1: number, y1: number): Nucleus[] {
    const first = floor(x0 / SQUARE) - 1;
    const last = floor(x1 / SQUARE) + 1;
    const top = floor(y0 / SQUARE) - 1;
    const bottom = floor(y1 / SQUARE) + 1;
    const across = last - first + 1;
    const sown: (Nucleus | undefined)[] = [];
    for (let iy = top; iy <= bottom; iy++) for (let ix = first; ix <= last; ix++) sown.push(this.sow(ix, iy));
    const out: Nucleus[] = [];
    for (let iy = top + 1; iy < bottom; iy++) {
      for (let ix = first + 1; ix < last; ix++) {
        const at = (iy - top) * across + ix - first;
        const nucleus = sown[at];
        if (!nucleus || nucleus.x < x0 || nucleus.x >= x1 || nucleus.y < y0 || nucleus.y >= y1) continue;
        if (!crowded(nucleus, sown, at, across)) out.push(nucleus);
      }
    }
    return out;
  }

  private sow(ix: number, iy: number): Nucleus | undefined {
    const seed = hashIntegers(this.options.seed, 21, ix, iy);
    const dice = (n: number): number => hashIntegers(seed, n) / 4294967296;
    const x = (ix + 0.5 + (dice(1) - 0.5) * 0.62) * SQUARE;
    const y = (iy + 0.5 + (dice(2) - 0.5) * 0.62) * SQUARE;
    const { width, height } = this.options;
    if (x < 0 || y < 0 || x >= width || y >= height || this.tissue(x, y) < 0.12) return undefined;
    const g = this.gland(x, y);
    const stain = 0.85 + 0.3 * dice(3);
    if (g > LUMEN - 0.02) return undefined;
    if (g > EPITHELIUM + 0.015) {
      // Nuclei sit at the base of the cells, away from the lumen.
      if (dice(4) > (g < 0.36 ? 0.97 : 0.5)) return undefined;
      const a = 9 + 2.6 * dice(5);
      return { x, y, a, b: a * (0.66 + 0.26 * dice(6)), angle: this.slope(x, y) + 0.5 * (dice(7) - 0.5), kind: 1, stain: stain * 0.78, seed };
    }
    const gathered = this.infiltrate(x, y) > 0.25;
    if (dice(4) > (gathered ? 0.86 : 0.2)) return undefined;
    if (!gathered && dice(8) < 0.65) {
      // Fibroblasts lie along the fibres; they count with the epithelium's class of larger, paler nuclei.
      const a = 10.5 + 2.5 * dice(5);
      return { x, y, a, b: a * (0.24 + 0.12 * dice(6)), angle: this.slope(x, y) + PI / 2 + 0.3 * (dice(7) - 0.5), kind: 1, stain: stain * 0.9, seed };
    }
    const a = 6 + 1.1 * dice(5);
    return { x, y, a, b: a * (0.86 + 0.14 * dice(6)), angle: PI * dice(7), kind: 2, stain: stain * 1.35, seed };
  }

  /** Direction in which the gland field rises, radians. */
  private slope(x: number, y: number): number {
    return atan2(this.gland(x, y + 4) - this.gland(x, y - 4), this.gland(x + 4, y) - this.gland(x - 4, y));
  }
}

/** Whether a neighbour stands in its way; of two that touch, the one with the larger seed goes. */
function crowded(nucleus: Nucleus, sown: readonly (Nucleus | undefined)[], at: number, across: number): boolean {
  for (const step of [-across - 1, -across, -across + 1, -1, 1, across - 1, across, across + 1]) {
    const other = sown[at + step];
    if (!other || other.seed > nucleus.seed) continue;
    const distance = hypot(other.x - nucleus.x, other.y - nucleus.y);
    if (distance < 0.8 * (nucleus.a + other.a) && distance < nucleus.b + other.b + 3.5) return true;
  }
  return false;
}
