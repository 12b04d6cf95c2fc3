import { boxBlur } from './blur.ts';
import type { Dot } from './histology.ts';
import { fractalNoise2 } from './noise.ts';
import { hashIntegers, seededRandom, type Random } from './random.ts';

/** Taken once: in the inner loops a global costs a look-up, and much in a test runner's sandbox. */
const { ceil, cos, exp, floor, hypot, max, min, round, sin, sqrt, PI } = Math;

/** The classes of a dot: 1 a nucleus with haematoxylin alone, 2 one with a brown marker (DAB) in it. */
export const CELL_CLASSES = ['negative', 'positive'] as const;

export interface CellFieldOptions {
  readonly seed: number;
  /** Pixels a side; default 256. */
  readonly size?: number;
  /** Nuclei that are asked for; fewer where there is no room. By default drawn from the seed, 4 to 150 in 256 × 256. */
  readonly cells?: number;
  /** Share of the nuclei that is positive, 0..1; by default drawn from the seed. */
  readonly positive?: number;
}

export interface CellField {
  readonly columns: number;
  readonly rows: number;
  /** RGB interleaved. */
  readonly rgb: Uint8Array;
  /** 0 background; one number a nucleus, from 1, as in `dots`. Where nuclei overlap the later one is on top. */
  readonly instances: Uint16Array;
  /** Centres of the nuclei, all of them inside the field. */
  readonly dots: readonly Dot[];
}

interface Cell extends Dot {
  readonly a: number;
  readonly b: number;
  readonly angle: number;
  readonly seed: number;
}

/** Optical densities of 1 unit of stain per colour (Ruifrok & Johnston 2001), of unit length. */
const HAEMATOXYLIN = [0.65, 0.704, 0.286] as const;
const DAB = [0.268, 0.57, 0.776] as const;

/**
 * A field of nuclei of two classes as immunohistochemistry shows them, with every centre known. Size, crowding, stain, share of
 * positive nuclei, haze, blur and noise differ from seed to seed; nuclei touch and overlap some.
 */
export function cellField(options: CellFieldOptions): CellField {
  const { seed, size = 256 } = options;
  const random = seededRandom(hashIntegers(seed, 51));
  const radius = random.uniform(3.5, 13);
  const room = (size * size) / (PI * radius * radius);
  const drawn = (4 + 146 * random.next() ** 1.5) * (size / 256) ** 2;
  const cells = sown(random, size, radius, options.cells ?? round(min(drawn, 0.55 * room)), options.positive ?? random.next());
  const instances = new Uint16Array(size * size);
  const stains = painted(random, seed, size, cells, instances);
  return { columns: size, rows: size, rgb: developed(random, stains), instances, dots: cells.map(({ x, y, class: kind }) => ({ x, y, class: kind })) };
}

/** Nuclei in and beside clusters, no two centres closer than 0.7 of their radii together. */
function sown(random: Random, size: number, radius: number, count: number, positive: number): Cell[] {
  const cells: Cell[] = [];
  const clustered = random.uniform(0, 0.6);
  for (let tries = 0; cells.length < count && tries < 60 * count; tries++) {
    const beside = cells.length > 0 && random.chance(clustered) ? cells[random.integer(cells.length)] : undefined;
    const mean = radius * exp(0.16 * random.gaussian());
    const slim = exp(random.uniform(0, 0.28));
    const angle = random.uniform(0, 2 * PI);
    const x = beside ? beside.x + random.gaussian() * 2.2 * radius : random.uniform(0, size - 1);
    const y = beside ? beside.y + random.gaussian() * 2.2 * radius : random.uniform(0, size - 1);
    if (x < 0 || y < 0 || x > size - 1 || y > size - 1) continue;
    if (cells.some((other) => hypot(other.x - x, other.y - y) < 0.7 * (sqrt(other.a * other.b) + mean))) continue;
    const kind = random.chance(positive) ? 2 : 1;
    cells.push({ x, y, class: kind, a: mean * slim, b: mean / slim, angle, seed: hashIntegers(tries, cells.length, floor(x * 97)) });
  }
  return cells;
}

interface Stains {
  readonly haematoxylin: Float32Array;
  readonly dab: Float32Array;
  readonly size: number;
}

/** Ground and nuclei as amounts of the two stains; fills `instances`. */
function painted(random: Random, seed: number, size: number, cells: readonly Cell[], instances: Uint16Array): Stains {
  const haematoxylin = new Float32Array(size * size);
  const dab = new Float32Array(size * size);
  const ground = random.uniform(0.01, 0.2);
  const haze = random.chance(0.5) ? random.uniform(0, 0.18) : 0;
  const grain = random.uniform(8, 40);
  for (let i = 0; i < haematoxylin.length; i++) {
    const x = (i % size) / grain;
    const y = floor(i / size) / grain;
    haematoxylin[i] = ground * max(0, 1 + fractalNoise2(hashIntegers(seed, 52), x, y, 3));
    if (haze > 0) dab[i] = haze * max(0, 1 + fractalNoise2(hashIntegers(seed, 53), x, y, 3));
  }
  const [blue, brown, counterstain] = [random.uniform(0.45, 1.1), random.uniform(0.5, 1.3), random.uniform(0, 0.5)];
  for (const [index, cell] of cells.entries()) {
    const h = (cell.class === 1 ? blue : blue * counterstain) * exp(0.2 * random.gaussian());
    const d = cell.class === 2 ? brown * exp(0.3 * random.gaussian()) : 0;
    paint(cell, size, (i, cover, texture) => {
      haematoxylin[i]! += (h * texture - haematoxylin[i]!) * cover;
      dab[i]! += (d * texture - dab[i]!) * cover * (cell.class === 2 ? 1 : 0.8);
      if (cover >= 0.5) instances[i] = index + 1;
    });
  }
  return { haematoxylin, dab, size };
}

/** Calls back for each pixel of a nucleus, with the share of it that is covered and how dense the chromatin is there, about 1. */
function paint(cell: Cell, size: number, visit: (index: number, cover: number, texture: number) => void): void {
  const [c, s] = [cos(cell.angle), sin(cell.angle)];
  const reach = ceil(cell.a * 1.2) + 1;
  const radius = sqrt(cell.a * cell.b);
  for (let row = max(0, floor(cell.y) - reach); row <= min(size - 1, ceil(cell.y) + reach); row++) {
    for (let column = max(0, floor(cell.x) - reach); column <= min(size - 1, ceil(cell.x) + reach); column++) {
      const [dx, dy] = [column - cell.x, row - cell.y];
      const [u, v] = [(dx * c + dy * s) / cell.a, (dy * c - dx * s) / cell.b];
      // The outline's waves are even, so that the centre is the centroid.
      const distance = hypot(u, v) * (1 + 0.06 * sin(2 * u * v + (cell.seed & 7)));
      const cover = min(1, max(0, (1 - distance) * radius + 0.5));
      if (cover === 0) continue;
      visit(row * size + column, cover, 1 + 0.3 * fractalNoise2(cell.seed, (column - cell.x) / 3, (row - cell.y) / 3, 2));
    }
  }
}

/** Light through the stains, a little out of focus, with the camera's noise. RGB interleaved. */
function developed(random: Random, { haematoxylin, dab, size }: Stains): Uint8Array {
  const [blur, noise, light] = [random.uniform(0.3, 1.4), random.uniform(0.5, 6), random.uniform(215, 250)];
  // Batches of stain differ in hue.
  const [h, d, tint] = [HAEMATOXYLIN, DAB, [1, 1, 1]].map((stain, i) => stain.map((value) => value * exp(random.gaussian() * [0.1, 0.07, 0.015][i]!)));
  const rgb = new Uint8Array(size * size * 3);
  for (let channel = 0; channel < 3; channel++) {
    const through = Float32Array.from(haematoxylin, (amount, i) => light * tint![channel]! * 10 ** -(h![channel]! * amount + d![channel]! * dab[i]!));
    const seen = boxBlur(through, size, size, blur);
    for (let i = 0; i < seen.length; i++) rgb[3 * i + channel] = max(0, min(255, round(seen[i]! + noise * random.gaussian())));
  }
  return rgb;
}
