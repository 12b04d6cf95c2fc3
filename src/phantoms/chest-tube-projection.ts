import type { Tube } from './chest-anatomy.ts';
import { patientToFilm, type FilmGeometry } from './film-geometry.ts';
import { softMax } from './shaping.ts';

/** Taken once: in the inner loops a global costs a look-up, and much in a test runner's sandbox. */
const { abs, ceil, floor, hypot, max, min, sqrt } = Math;

export type ChestAxis = 'frontal' | 'lateral';

export const LUNG_DENSITY = 0.27;
/** Extra water-equivalent millimetres for each millimetre of cortical and of spongy bone. */
const CORTEX = 2.1;
const SPONGIOSA = 0.42;

/**
 * Path through the tubes added to `path`. Where pieces of one group overlap (joints of a tube, branches of a tree)
 * the longest chord counts once.
 */
export function addTubes(tubes: readonly Tube[], film: FilmGeometry, axis: ChestAxis, path: Float32Array, lungMm: Float32Array): void {
  const buffer = new TubeBuffer(path.length);
  const grouped = new Map<string | number, Tube[]>();
  for (const [i, item] of tubes.entries()) {
    const key = item.tissue === 'vessel' || item.tissue === 'air' ? item.tissue : i;
    const group = grouped.get(key);
    if (group) group.push(item);
    else grouped.set(key, [item]);
  }
  for (const group of grouped.values()) {
    for (const item of group) buffer.draw(item, film, axis);
    buffer.flush(group[0]!.tissue, path, lungMm);
  }
}

class TubeBuffer {
  private readonly chord: Float32Array;
  private readonly radius: Float32Array;
  private readonly weight: Float32Array;
  private touched: number[] = [];

  constructor(count: number) {
    this.chord = new Float32Array(count);
    this.radius = new Float32Array(count);
    this.weight = new Float32Array(count);
  }

  draw(item: Tube, film: FilmGeometry, axis: ChestAxis): void {
    const flat = axis === 'frontal';
    for (let k = 0; k + 1 < item.points.length; k++) {
      const p = item.points[k]!;
      const q = item.points[k + 1]!;
      const [c0, r0] = patientToFilm(film, flat ? p.x : p.y, p.v);
      const [c1, r1] = patientToFilm(film, flat ? q.x : q.y, q.v);
      const length = hypot(q.x - p.x, q.y - p.y, q.v - p.v) || 1;
      const endOn = (flat ? abs(q.y - p.y) : abs(q.x - p.x)) / length;
      // A flat bone seen edge-on is thin and its path long.
      const slim = item.tissue === 'bone' ? 1 - 0.42 * endOn : 1;
      const stretch = min(2.4, 1 / sqrt(max(0.02, 1 - endOn * endOn))) * item.weight;
      const ra = (item.radii[k]! * slim) / film.spacingMm;
      const rb = (item.radii[k + 1]! * slim) / film.spacingMm;
      const reach = max(ra, rb) + 1;
      const left = max(0, floor(min(c0, c1) - reach));
      const right = min(film.columns - 1, ceil(max(c0, c1) + reach));
      const top = max(0, floor(min(r0, r1) - reach));
      const bottom = min(film.rows - 1, ceil(max(r0, r1) + reach));
      const dc = c1 - c0;
      const dr = r1 - r0;
      const lengthSquared = dc * dc + dr * dr || 1e-9;
      for (let row = top; row <= bottom; row++) {
        for (let column = left; column <= right; column++) {
          const t = max(0, min(1, ((column - c0) * dc + (row - r0) * dr) / lengthSquared));
          const ex = column - c0 - t * dc;
          const ey = row - r0 - t * dr;
          const d2 = ex * ex + ey * ey;
          const radius = ra + (rb - ra) * t;
          // A tube thinner than a pixel keeps its area: widened to a pixel, and fainter for it.
          const wide = max(radius, 0.6);
          if (d2 >= wide * wide) continue;
          const mm = 2 * sqrt(wide * wide - d2) * film.spacingMm * (radius / wide) ** 2;
          const i = row * film.columns + column;
          if (this.chord[i] === 0) this.touched.push(i);
          if (mm <= this.chord[i]!) continue;
          this.chord[i] = mm;
          this.radius[i] = radius * film.spacingMm;
          this.weight[i] = stretch;
        }
      }
    }
  }

  flush(tissue: Tube['tissue'], path: Float32Array, lungMm: Float32Array): void {
    for (const i of this.touched) {
      const mm = this.chord[i]!;
      const weight = this.weight[i]!;
      if (tissue === 'vessel') path[i]! += 2.1 * mm * (1 - LUNG_DENSITY) * min(1, lungMm[i]! / 110);
      else if (tissue === 'air') path[i] = max(0, path[i]! - mm * weight);
      else if (tissue === 'soft') path[i] = softMax(path[i]!, mm * weight);
      else if (tissue === 'metal') path[i]! += mm * weight * 20;
      else {
        const radius = this.radius[i]!;
        const shell = max(0.9, 0.16 * radius);
        const d2 = max(0, radius * radius - (mm * mm) / 4);
        const marrow = 2 * sqrt(max(0, (radius - shell) ** 2 - d2));
        path[i]! += ((mm - marrow) * CORTEX + marrow * SPONGIOSA) * weight;
      }
      this.chord[i] = 0;
    }
    this.touched = [];
  }
}
