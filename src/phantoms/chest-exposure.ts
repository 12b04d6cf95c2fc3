import { boxBlur } from './blur.ts';
import type { FilmGeometry } from './film-geometry.ts';
import { fractalNoise2 } from './noise.ts';
import type { Random } from './random.ts';

/** Taken once: in the inner loops a global costs a look-up, and much in a test runner's sandbox. */
const { exp, log, max, min, round, sqrt } = Math;

export interface ExposureOptions {
  readonly random: Random;
  readonly seed: number;
  readonly view: 'PA' | 'AP' | 'LL';
  readonly variation: number;
  readonly lungMask: Uint8Array;
}

/** Attenuation of water at about 100 kVp after the table and the grid, per mm. */
const WATER = 0.0185;

/** Path lengths (mm water) → 12-bit presentation values, bright = dense. */
export function exposeFilm(path: Float32Array, film: FilmGeometry, options: ExposureOptions): Uint16Array {
  const { random, view, variation } = options;
  const { columns, rows } = film;
  const spread = (mean: number, deviation: number): number =>
    mean + variation * deviation * max(-2, min(2, random.gaussian()));
  const count = columns * rows;
  const intensity = new Float32Array(count);
  const texture = 1 / 38;
  for (let row = 0, i = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++, i++) {
      const mm = path[i]!;
      const fat = fractalNoise2(options.seed, column * film.spacingMm * texture, row * film.spacingMm * texture, 3);
      intensity[i] = exp(-WATER * mm * (1 + 0.035 * fat));
    }
  }
  const scatter = boxBlur(intensity, columns, rows, 18 / film.spacingMm);
  const scatterFraction = max(0.02, spread(view === 'AP' ? 0.16 : 0.085, 0.025));
  const dose = max(3000, spread(26000, 7000)) * (film.spacingMm / 0.36) ** 2;
  const exposure = new Float32Array(count);
  for (let i = 0; i < count; i++) {
    const mean = intensity[i]! * (1 - scatterFraction) + scatter[i]! * scatterFraction;
    const photons = max(1, mean * dose + random.gaussian() * sqrt(mean * dose));
    exposure[i] = -log(photons / dose);
  }
  stampMarker(exposure, film, options);
  const sharp = boxBlur(exposure, columns, rows, 0.45);
  return present(sharp, film, options, spread);
}

/** Look-up curve and local contrast, as a digital system's default processing gives. */
function present(
  exposure: Float32Array,
  film: FilmGeometry,
  options: ExposureOptions,
  spread: (mean: number, deviation: number) => number,
): Uint16Array {
  const { columns, rows } = film;
  const { random, variation, lungMask } = options;
  const coarse = boxBlur(exposure, columns, rows, 11 / film.spacingMm);
  let lung = 0;
  let rest = 0;
  let lungCount = 0;
  let restCount = 0;
  for (let i = 0; i < exposure.length; i += 7) {
    if (lungMask[i]) {
      lung += exposure[i]!;
      lungCount++;
    } else if (exposure[i]! > 1.2) {
      rest += exposure[i]!;
      restCount++;
    }
  }
  const dark = lung / max(1, lungCount);
  const middle = rest / max(1, restCount);
  let dense = 0;
  let denseCount = 0;
  for (let i = 0; i < exposure.length; i += 7) {
    if (lungMask[i] || exposure[i]! < middle) continue;
    dense += exposure[i]!;
    denseCount++;
  }
  const bright = max(dark + 0.5, dense / max(1, denseCount));
  const gain = max(0.2, spread(0.5, 0.2));
  const flatten = max(0.55, min(1, spread(0.8, 0.08)));
  const lungLevel = max(0.12, spread(0.3, 0.06));
  const softLevel = min(0.9, max(lungLevel + 0.18, spread(0.8, 0.05)));
  const logit = (p: number): number => log(p / (1 - p));
  const slope = (logit(softLevel) - logit(lungLevel)) / ((bright - dark) * flatten);
  const offset = logit(lungLevel) - slope * dark * flatten;
  const shutter = shutterOf(film, random, variation);
  const pixels = new Uint16Array(exposure.length);
  for (let row = 0, i = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++, i++) {
      const value = flatten * coarse[i]! + (flatten + gain * 0.6) * (exposure[i]! - coarse[i]!);
      const toned = 1 / (1 + exp(-(offset + slope * value)));
      const open = shutter(column, row);
      pixels[i] = max(0, min(4095, round(4095 * toned * open)));
    }
  }
  return pixels;
}

/** Collimation: black beyond the open field, with a soft edge of a millimetre. */
function shutterOf(film: FilmGeometry, random: Random, variation: number): (column: number, row: number) => number {
  const closed = random.chance(0.4 * min(1, variation));
  const margins = [0, 0, 0, 0].map(() => (random.chance(0.6) ? random.uniform(0.004, 0.035) : -0.1));
  const turn = random.gaussian() * 0.006;
  if (!closed) return () => 1;
  const edge = 1.2 / film.spacingMm;
  return (column, row) => {
    const c = column + (row - film.rows / 2) * turn;
    const r = row - (column - film.columns / 2) * turn;
    const inside = min(
      c - margins[0]! * film.columns,
      film.columns * (1 - margins[1]!) - c,
      r - margins[2]! * film.rows,
      film.rows * (1 - margins[3]!) - r,
    );
    return max(0, min(1, inside / edge + 0.5));
  };
}

const GLYPHS: Record<'L' | 'R', readonly string[]> = {
  L: ['1....', '1....', '1....', '1....', '1....', '1....', '11111'],
  R: ['1111.', '1...1', '1...1', '1111.', '1.1..', '1..1.', '1...1'],
};

/** A lead letter on the cassette beside the patient, on the side that it names. */
function stampMarker(exposure: Float32Array, film: FilmGeometry, options: ExposureOptions): void {
  const { random, view } = options;
  const letter = view === 'LL' || random.chance(0.6) ? 'L' : 'R';
  const side = view === 'LL' ? -1 : letter === 'L' ? 1 : -1;
  const cell = (random.uniform(1.5, 2.2) / film.spacingMm) | 0 || 1;
  const column0 = round((0.5 + side * random.uniform(0.36, 0.42)) * film.columns - 2.5 * cell);
  const row0 = round(random.uniform(0.04, 0.1) * film.rows);
  for (const [r, line] of GLYPHS[letter].entries()) {
    for (let c = 0; c < 5; c++) {
      if (line[c] !== '1') continue;
      for (let dr = 0; dr < cell; dr++) {
        for (let dc = 0; dc < cell; dc++) {
          const column = column0 + c * cell + dc;
          const row = row0 + r * cell + dr;
          if (column >= 0 && column < film.columns && row < film.rows) exposure[row * film.columns + column]! += 3.2;
        }
      }
    }
  }
}

