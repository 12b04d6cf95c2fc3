import type { Random } from '../../phantoms/random.ts';
import type { Augmentation } from '../recipe.ts';

/** Where each pixel of a patch comes from: x and y of the picture, a pixel's index being its centre. */
export interface SamplingMap {
  readonly columns: number;
  readonly rows: number;
  readonly x: Float32Array;
  readonly y: Float32Array;
}

export type Geometry = Pick<Augmentation, 'flip' | 'quarterTurns' | 'rotateDegrees' | 'scale' | 'shift' | 'elastic'>;

/** Draws how a patch around a point of a picture is turned, mirrored, scaled, shifted and bent. */
export function samplingMap(centre: readonly [x: number, y: number], [rows, columns]: readonly [number, number], geometry: Geometry, random: Random): SamplingMap {
  const { flip, quarterTurns, rotateDegrees, scale, shift, elastic } = geometry;
  const turned = (quarterTurns ? random.integer(4) * 90 : 0) + random.uniform(-rotateDegrees, rotateDegrees);
  const angle = (turned * Math.PI) / 180;
  const smaller = 1 / (1 + scale) ** random.uniform(-1, 1);
  const mirrored = [flip !== 'none' && random.chance(0.5) ? -1 : 1, flip === 'both' && random.chance(0.5) ? -1 : 1] as const;
  const [dx, dy] = [columns * random.uniform(-shift, shift), rows * random.uniform(-shift, shift)];
  const [cos, sin] = [Math.cos(angle) * smaller, Math.sin(angle) * smaller];
  const bent = elastic && elastic.pixels > 0 ? displacements(rows, columns, elastic.pixels, elastic.gridPixels, random) : undefined;
  const x = new Float32Array(rows * columns);
  const y = new Float32Array(rows * columns);
  for (let row = 0, i = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++, i++) {
      const u = mirrored[0] * (column - (columns - 1) / 2);
      const v = mirrored[1] * (row - (rows - 1) / 2);
      x[i] = centre[0] + dx + cos * u - sin * v + (bent?.x[i] ?? 0);
      y[i] = centre[1] + dy + sin * u + cos * v + (bent?.y[i] ?? 0);
    }
  }
  return { columns, rows, x, y };
}

/** Random displacements of a coarse grid, linear between its points. */
function displacements(rows: number, columns: number, pixels: number, grid: number, random: Random): { x: Float32Array; y: Float32Array } {
  const [down, across] = [Math.ceil(rows / grid) + 1, Math.ceil(columns / grid) + 1];
  const of = () => {
    const points = Float32Array.from({ length: down * across }, () => pixels * random.gaussian());
    const out = new Float32Array(rows * columns);
    for (let row = 0, i = 0; row < rows; row++) {
      const [r, fr] = [Math.floor(row / grid), (row / grid) % 1];
      for (let column = 0; column < columns; column++, i++) {
        const [c, fc] = [Math.floor(column / grid), (column / grid) % 1];
        const at = (a: number, b: number) => points[(r + a) * across + c + b]!;
        out[i] = (1 - fr) * ((1 - fc) * at(0, 0) + fc * at(0, 1)) + fr * ((1 - fc) * at(1, 0) + fc * at(1, 1));
      }
    }
    return out;
  };
  return { x: of(), y: of() };
}

interface Plane<T> {
  readonly values: T;
  readonly columns: number;
  readonly rows: number;
  readonly channels: number;
}

/** A picture by a map, bilinear; beyond its border its last pixels go on. */
export function sampled({ values, columns, rows, channels }: Plane<Float32Array>, map: SamplingMap, into: Float32Array): void {
  for (let i = 0; i < map.x.length; i++) {
    const x = Math.min(columns - 1, Math.max(0, map.x[i]!));
    const y = Math.min(rows - 1, Math.max(0, map.y[i]!));
    const [x0, y0] = [Math.floor(x), Math.floor(y)];
    const [x1, y1] = [Math.min(columns - 1, x0 + 1), Math.min(rows - 1, y0 + 1)];
    const [fx, fy] = [x - x0, y - y0];
    for (let c = 0; c < channels; c++) {
      const at = (row: number, column: number) => values[(row * columns + column) * channels + c]!;
      into[i * channels + c] = (1 - fy) * ((1 - fx) * at(y0, x0) + fx * at(y0, x1)) + fy * ((1 - fx) * at(y1, x0) + fx * at(y1, x1));
    }
  }
}

/** Labels or weights by a map, the nearest pixel's. */
export function sampledNearest({ values, columns, rows, channels }: Plane<ArrayLike<number>>, map: SamplingMap, into: Float32Array): void {
  for (let i = 0; i < map.x.length; i++) {
    const x = Math.min(columns - 1, Math.max(0, Math.round(map.x[i]!)));
    const y = Math.min(rows - 1, Math.max(0, Math.round(map.y[i]!)));
    for (let c = 0; c < channels; c++) into[i * channels + c] = values[(y * columns + x) * channels + c]!;
  }
}
