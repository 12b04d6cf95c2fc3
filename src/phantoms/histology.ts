import { EPITHELIUM, LUMEN, Tissue, type Nucleus, type TissuePiece } from './histology-tissue.ts';
import { hashIntegers, seededRandom } from './random.ts';

/** Taken once: in the inner loops a global costs a look-up, and much in a test runner's sandbox. */
const { abs, ceil, exp, floor, log10, max, min, sqrt, PI } = Math;

/** Physical size of a base-level pixel: a 20× objective. */
export const HISTOLOGY_MICRONS_PER_PIXEL = 0.5;

export interface Dot {
  /** Pixels; the centre of the first pixel is 0. */
  readonly x: number;
  readonly y: number;
  /** 1 epithelial or stromal, 2 lymphocyte. */
  readonly class: 1 | 2;
}

export interface HistologyField {
  readonly columns: number;
  readonly rows: number;
  /** RGB interleaved. */
  readonly rgb: Uint8Array;
  /** 0 background; one number a nucleus, from 1, as in `dots`. */
  readonly instances: Uint16Array;
  /** 0 background, else the class of the nucleus. */
  readonly classes: Uint8Array;
  readonly dots: readonly Dot[];
  readonly micronsPerPixel: number;
}

export interface HistologyRegion {
  readonly columns: number;
  readonly rows: number;
  readonly rgb: Uint8Array;
  /** True where nothing but glass is in view: all pixels are one colour. */
  readonly blank: boolean;
}

/** A field of stained tissue with every nucleus known. */
export function histologyField(options: { readonly seed: number; readonly size?: number }): HistologyField {
  const { seed, size = 1024 } = options;
  const tissue = new Tissue({ seed, width: size, height: size, glass: false });
  const { rgb } = renderRegion(tissue, 1, 0, 0, size, size);
  const instances = new Uint16Array(size * size);
  const classes = new Uint8Array(size * size);
  const dots: Dot[] = [];
  for (const nucleus of tissue.nucleiIn(0, 0, size, size)) {
    dots.push({ x: nucleus.x, y: nucleus.y, class: nucleus.kind });
    const number = dots.length;
    forEachPixel(nucleus, 1, 0, 0, size, size, 0, (i, distance) => {
      if (distance >= 1 || instances[i] !== 0) return;
      instances[i] = number;
      classes[i] = nucleus.kind;
    });
  }
  return { columns: size, rows: size, rgb, instances, classes, dots, micronsPerPixel: HISTOLOGY_MICRONS_PER_PIXEL };
}

export interface SlideOptions {
  readonly seed: number;
  /** Base-level pixels. */
  readonly width: number;
  readonly height: number;
  /** The pieces of tissue on it; one large piece when left out. */
  readonly pieces?: readonly TissuePiece[];
}

/** A slide: tissue on glass. */
export function histologySlide(options: SlideOptions): Tissue {
  return new Tissue({ ...options, glass: true });
}

/**
 * A rectangle of a slide at a magnification: the same tissue and nuclei at each. Memory is that of the rectangle.
 * @param downsample base pixels to one of this level, along each side
 * @param x left edge, in pixels of this level
 * @param y top edge, in pixels of this level
 */
export function histologyRegion(slide: Tissue, downsample: number, x: number, y: number, columns: number, rows: number): HistologyRegion {
  return renderRegion(slide, downsample, x, y, columns, rows);
}

/** Optical densities of 1 unit of stain per colour: haematoxylin after Ruifrok & Johnston (2001), eosin warmer than theirs. */
const HAEMATOXYLIN = [0.65, 0.704, 0.286] as const;
const EOSIN = [0.09, 0.9, 0.42] as const;
const GLASS = 0.012;
const TEXTURE = 512;

interface Textures {
  /** Periodic noise of mean 0 in about −1..1: fine and coarse grain. */
  readonly fine: Float32Array;
  readonly coarse: Float32Array;
  /** 255·10^(−density), density in 1/1024. */
  readonly transmit: Uint8Array;
}
let shared: Textures | undefined;

/** Texture tables, the same for all slides: places differ in where they look. */
function textures(): Textures {
  if (shared) return shared;
  const random = seededRandom(90210);
  const grain = (passes: number): Float32Array => {
    let values = Float32Array.from({ length: TEXTURE * TEXTURE }, () => random.gaussian());
    for (let pass = 0; pass < passes; pass++) {
      const next = new Float32Array(values.length);
      for (let y = 0; y < TEXTURE; y++) {
        for (let x = 0; x < TEXTURE; x++) {
          const at = (dx: number, dy: number): number => values[((y + dy) & 511) * TEXTURE + ((x + dx) & 511)]!;
          next[y * TEXTURE + x] = at(0, 0) * 0.36 + (at(1, 0) + at(-1, 0) + at(0, 1) + at(0, -1)) * 0.16;
        }
      }
      values = next;
    }
    let sum = 0;
    for (const value of values) sum += value * value;
    const scale = 0.42 / sqrt(sum / values.length);
    return values.map((value) => value * scale);
  };
  const transmit = Uint8Array.from({ length: 4096 }, (_, i) => Math.round(246 * 10 ** (-i / 1024)));
  shared = { fine: grain(1), coarse: grain(14), transmit };
  return shared;
}

/** A level's pixel covers `step` base pixels: where its centre lies among theirs, and back. */
const toBase = (index: number, step: number): number => (index + 0.5) * step - 0.5;
const toLevel = (base: number, step: number): number => (base + 0.5) / step - 0.5;

function renderRegion(tissue: Tissue, step: number, x0: number, y0: number, columns: number, rows: number): HistologyRegion {
  const h = new Float32Array(columns * rows);
  const e = new Float32Array(columns * rows);
  const blank = !paintGround(tissue, step, x0, y0, columns, rows, h, e);
  if (!blank) {
    // A nucleus reaches past its own radius where a pixel is larger than it.
    const margin = 14 + 2 * step;
    const nuclei = tissue.nucleiIn(x0 * step - margin, y0 * step - margin, (x0 + columns) * step + margin, (y0 + rows) * step + margin);
    for (const nucleus of nuclei) paintNucleus(nucleus, step, x0, y0, columns, rows, h, e);
  }
  const { transmit } = textures();
  const rgb = new Uint8Array(columns * rows * 3);
  for (let i = 0; i < h.length; i++) {
    for (let channel = 0; channel < 3; channel++) {
      const density = GLASS + HAEMATOXYLIN[channel]! * h[i]! + EOSIN[channel]! * e[i]!;
      rgb[i * 3 + channel] = transmit[min(4095, (density * 1024) | 0)]!;
    }
  }
  return { columns, rows, rgb, blank };
}

/** Cytoplasm, fibres and glass into the stain maps. @returns whether there is any tissue */
function paintGround(
  tissue: Tissue, step: number, x0: number, y0: number, columns: number, rows: number, h: Float32Array, e: Float32Array,
): boolean {
  const { fine, coarse } = textures();
  // The slow fields are looked up on a lattice that is fixed to the slide, so that tiles join without a seam.
  const pitch = max(1, floor(8 / step));
  const gx0 = floor(x0 / pitch);
  const gy0 = floor(y0 / pitch);
  const gw = floor((x0 + columns - 1) / pitch) - gx0 + 2;
  const gh = floor((y0 + rows - 1) / pitch) - gy0 + 2;
  const gland = new Float32Array(gw * gh);
  const outline = new Float32Array(gw * gh);
  let any = false;
  for (let gy = 0, i = 0; gy < gh; gy++) {
    for (let gx = 0; gx < gw; gx++, i++) {
      const x = toBase((gx0 + gx) * pitch, step);
      const y = toBase((gy0 + gy) * pitch, step);
      outline[i] = tissue.tissue(x, y);
      if (outline[i]! > -0.1) {
        any = true;
        gland[i] = tissue.gland(x, y);
      }
    }
  }
  if (!any) return false;
  // Grain that is finer than a pixel averages out.
  const fineGain = 1 / step;
  const coarseGain = step <= 2 ? 1 : 2 / step;
  const wobble = hashIntegers(tissue.options.seed, 31) & 511;
  const glandLine = new Float32Array(gw);
  const outlineLine = new Float32Array(gw);
  for (let row = 0, i = 0; row < rows; row++) {
    const y = (y0 + row) * step;
    const gy = floor((y0 + row) / pitch);
    const fy = (y0 + row) / pitch - gy;
    for (let gx = 0, at = (gy - gy0) * gw; gx < gw; gx++, at++) {
      glandLine[gx] = gland[at]! + (gland[at + gw]! - gland[at]!) * fy;
      outlineLine[gx] = outline[at]! + (outline[at + gw]! - outline[at]!) * fy;
    }
    for (let column = 0; column < columns; column++, i++) {
      const gx = floor((x0 + column) / pitch);
      const fx = (x0 + column) / pitch - gx;
      const k = gx - gx0;
      const present = min(1, max(0, (outlineLine[k]! + (outlineLine[k + 1]! - outlineLine[k]!) * fx) * 6));
      if (present <= 0) continue;
      const slow = glandLine[k]! + (glandLine[k + 1]! - glandLine[k]!) * fx;
      const x = (x0 + column) * step;
      const t = ((y & 511) << 9) | ((x + wobble) & 511);
      const f = fine[t]! * fineGain;
      const c = coarse[t]! * coarseGain;
      const g = slow + 0.03 * c;
      // Fibres follow the outlines of the glands.
      const fibre = coarse[(((slow * 1100 + 9 * c) & 511) << 9) | (((x >> 3) + (y >> 3)) & 511)]! * coarseGain;
      const epithelial = min(1, max(0, (g - EPITHELIUM) * 45));
      const open = min(1, max(0, (g - LUMEN) * 26));
      const gap = max(0, -0.5 * fibre + 0.4 * c - 0.3) * 1.6;
      const stromaE = max(0.03, 0.25 + 0.17 * fibre + 0.04 * f - gap);
      const edge = (g - LUMEN + 0.015) * 40;
      const border = max(0, 1 - edge * edge) * 0.12;
      const cytoE = 0.2 + 0.07 * c + 0.03 * f + border;
      const eosin = stromaE + (cytoE - stromaE) * epithelial;
      e[i] = present * (eosin + (0.02 + 0.015 * c - eosin) * open);
      h[i] = present * (0.035 + 0.1 * epithelial * (1 + 0.4 * c)) * (1 - open);
    }
  }
  return true;
}

/** Calls back for each pixel near a nucleus with its elliptical distance: 1 at the border. */
function forEachPixel(
  nucleus: Nucleus, step: number, x0: number, y0: number, columns: number, rows: number, margin: number,
  visit: (index: number, distance: number, u: number, v: number) => void,
): void {
  const cx = toLevel(nucleus.x, step) - x0;
  const cy = toLevel(nucleus.y, step) - y0;
  const a = nucleus.a / step;
  const b = nucleus.b / step;
  const reach = a * 1.1 + margin;
  const cos = Math.cos(nucleus.angle);
  const sin = Math.sin(nucleus.angle);
  const lobe = 0.05 + ((nucleus.seed >>> 8) & 15) * 0.006;
  const phase = (nucleus.seed & 255) / 40;
  const right = min(columns - 1, ceil(cx + reach));
  const bottom = min(rows - 1, ceil(cy + reach));
  for (let row = max(0, floor(cy - reach)); row <= bottom; row++) {
    for (let column = max(0, floor(cx - reach)); column <= right; column++) {
      const dx = column - cx;
      const dy = row - cy;
      const u = (dx * cos + dy * sin) / a;
      const v = (dy * cos - dx * sin) / b;
      const round = sqrt(u * u + v * v);
      const distance = round * (1 + lobe * Math.sin(3 * u + phase) * Math.cos(2.5 * v + phase));
      visit(row * columns + column, distance, u, v);
    }
  }
}

function paintNucleus(
  nucleus: Nucleus, step: number, x0: number, y0: number, columns: number, rows: number, h: Float32Array, e: Float32Array,
): void {
  const { fine, coarse } = textures();
  const radius = sqrt(nucleus.a * nucleus.b) / step;
  if (radius < 0.8) {
    // Smaller than a pixel: its stain is shared out among the four pixels about it.
    const cx = toLevel(nucleus.x, step) - x0;
    const cy = toLevel(nucleus.y, step) - y0;
    const column = floor(cx);
    const row = floor(cy);
    for (const [c, r] of [[column, row], [column + 1, row], [column, row + 1], [column + 1, row + 1]] as const) {
      if (c < 0 || r < 0 || c >= columns || r >= rows) continue;
      const share = (1 - abs(cx - c)) * (1 - abs(cy - r));
      // A pixel partly covered lets through the mean of light, not of stain.
      const cover = min(0.95, PI * radius * radius * share);
      const through = 10 ** (-HAEMATOXYLIN[0] * max(0, nucleus.stain - h[r * columns + c]!));
      h[r * columns + c]! -= log10(1 - cover + cover * through) / HAEMATOXYLIN[0];
    }
    return;
  }
  const vesicular = nucleus.kind === 1;
  const nucleolusU = ((nucleus.seed >>> 12) & 7) / 10 - 0.35;
  const nucleolusV = ((nucleus.seed >>> 16) & 7) / 10 - 0.35;
  const grainAt = nucleus.seed & 0x3ffff;
  forEachPixel(nucleus, step, x0, y0, columns, rows, 1.5, (i, distance, u, v) => {
    const cover = min(1, max(0, (1 - distance) * radius * 0.8 + 0.5));
    if (cover === 0) return;
    const t = (grainAt + ((floor(v * 9 + 32) << 9) | (floor(u * 12) + 64))) & 0x3ffff;
    const grain = step > 2 ? 0 : 0.5 * coarse[t]! + 0.25 * fine[t]!;
    let stain = nucleus.stain * (vesicular ? 0.74 + 0.34 * distance ** 4 : 0.96) * (1 + 0.42 * grain);
    if (vesicular) stain += 0.5 * exp(-(((u - nucleolusU) ** 2 + (v - nucleolusV) ** 2) * 26));
    h[i]! += (stain - h[i]!) * cover;
    e[i]! += (0.16 - e[i]!) * cover * 0.7;
  });
}
