import { domeHeight, type ChestAnatomy, type Ellipsoid } from './chest-anatomy.ts';
import { findingChord, type FindingShape } from './chest-findings.ts';
import { addTubes, LUNG_DENSITY, type ChestAxis } from './chest-tube-projection.ts';
import { filmToPatient, type FilmGeometry } from './film-geometry.ts';
import { smoothstep, softMax, superellipse } from './shaping.ts';

/** Taken once: in the inner loops a global costs a look-up, and much in a test runner's sandbox. */
const { abs, exp, floor, max, min, sqrt, PI } = Math;

export interface ChestProjection {
  /** Path length in mm water equivalent at a soft beam of 0.0185 per mm, bone weighted, one a pixel. */
  readonly path: Float32Array;
  readonly lungMm: Float32Array;
  readonly lungMask: Uint8Array;
  /** For each finding, mm of lung in it times its filling, one a pixel. */
  readonly filledMm: readonly Float32Array[];
}

const CAVITY_POWER = 2.4;
export function projectChest(anatomy: ChestAnatomy, film: FilmGeometry, axis: ChestAxis, findings: readonly FindingShape[] = []): ChestProjection {
  const count = film.columns * film.rows;
  const path = new Float32Array(count);
  const lungMm = new Float32Array(count);
  const lungMask = new Uint8Array(count);
  const intervals = new Intervals();
  const shapes = axis === 'frontal' ? frontalShapes(anatomy) : lateralShapes(anatomy);
  const organs = anatomy.organs.map((shape) => ellipsoidChord(shape, axis));
  const opacities = anatomy.opacities.map((shape) => ellipsoidChord(shape, axis));
  const filled = findings.map((shape) => ({ chordOf: findingChord(shape, axis), filling: shape.filling, mm: new Float32Array(count) }));
  const breasts = anatomy.breasts.map((shape) => ellipsoidChord(shape, axis));
  const bubble = ellipsoidChord(anatomy.gastricBubble, axis);
  const fluidLevel = anatomy.gastricBubble.centre.v + anatomy.gastricBubble.axes[2] * 0.45;
  const du = film.spacingMm * Math.cos(film.rotation);
  const dv = -film.spacingMm * Math.sin(film.rotation);
  for (let row = 0, i = 0; row < film.rows; row++) {
    const [u0, v0] = filmToPatient(film, 0, row);
    for (let column = 0; column < film.columns; column++, i++) {
      const u = u0 + column * du;
      const v = v0 + column * dv;
      let soft = shapes.body(u, v);
      intervals.clear();
      if (v > 0) shapes.lung(u, v, intervals);
      if (intervals.count > 0) {
        lungMask[i] = shapes.inMask(u, v) ? 1 : 0;
        for (const organ of organs) if (organ(u, v)) intervals.subtract(chord.low, chord.high);
        const lung = intervals.total();
        let opaque = 0;
        for (const opacity of opacities) if (opacity(u, v)) opaque += intervals.overlap(chord.low, chord.high);
        let solid = opaque * 0.35;
        for (const { chordOf, filling, mm } of filled) {
          if (chordOf(u, v, chord)) solid += mm[i] = intervals.overlap(chord.low, chord.high) * filling;
        }
        lungMm[i] = lung;
        soft -= (lung - min(lung, solid)) * (1 - LUNG_DENSITY);
      } else if (shapes.inMask(u, v)) {
        lungMask[i] = 1;
      }
      for (const [side, breast] of breasts.entries()) {
        if (!breast(u, v)) continue;
        // Thin above, full below, as a breast hangs: only its lower edge shows.
        const { centre, axes } = anatomy.breasts[side]!;
        soft += (chord.high - chord.low) * 0.55 * smoothstep(-1, 0.75, (v - centre.v) / axes[2]);
      }
      if (v < fluidLevel && bubble(u, v)) soft -= (chord.high - chord.low) * 0.85;
      path[i] = max(0, soft) + shapes.spine(u, v);
    }
  }
  addTubes(anatomy.tubes, film, axis, path, lungMm);
  return { path, lungMm, lungMask, filledMm: filled.map(({ mm }) => mm) };
}

/** Result of the last chord function that returned true: no allocation in the inner loop. */
const chord = { low: 0, high: 0 };

type Chord = (u: number, v: number) => boolean;

function ellipsoidChord({ centre, axes: [a, b, c], tilt }: Ellipsoid, axis: ChestAxis): Chord {
  const cos = Math.cos(tilt);
  const sin = Math.sin(tilt);
  if (axis === 'frontal') {
    return (x, v) => {
      const dx = x - centre.x;
      const dv = v - centre.v;
      const p = (dx * cos + dv * sin) / a;
      const q = (-dx * sin + dv * cos) / c;
      const rest = 1 - p * p - q * q;
      if (rest <= 0) return false;
      const half = b * sqrt(rest);
      chord.low = centre.y - half;
      chord.high = centre.y + half;
      return true;
    };
  }
  const A = (cos / a) ** 2 + (sin / c) ** 2;
  return (y, v) => {
    const dv = v - centre.v;
    const B = 2 * dv * sin * cos * (1 / (a * a) - 1 / (c * c));
    const C = dv * dv * ((sin / a) ** 2 + (cos / c) ** 2) + ((y - centre.y) / b) ** 2 - 1;
    const discriminant = B * B - 4 * A * C;
    if (discriminant <= 0) return false;
    const root = sqrt(discriminant);
    chord.low = centre.x + (-B - root) / (2 * A);
    chord.high = centre.x + (-B + root) / (2 * A);
    return true;
  };
}

/** Disjoint intervals along one ray. */
class Intervals {
  count = 0;
  private readonly lows = new Float64Array(48);
  private readonly highs = new Float64Array(48);

  clear(): void {
    this.count = 0;
  }

  add(low: number, high: number): void {
    if (high <= low) return;
    this.lows[this.count] = low;
    this.highs[this.count++] = high;
  }

  subtract(low: number, high: number): void {
    for (let i = this.count - 1; i >= 0; i--) {
      const a = this.lows[i]!;
      const b = this.highs[i]!;
      if (high <= a || low >= b) continue;
      if (low > a && high < b) {
        this.highs[i] = low;
        this.add(high, b);
      } else if (low > a) this.highs[i] = low;
      else if (high < b) this.lows[i] = high;
      else {
        this.count--;
        this.lows[i] = this.lows[this.count]!;
        this.highs[i] = this.highs[this.count]!;
      }
    }
  }

  total(): number {
    let sum = 0;
    for (let i = 0; i < this.count; i++) sum += this.highs[i]! - this.lows[i]!;
    return sum;
  }

  overlap(low: number, high: number): number {
    let sum = 0;
    for (let i = 0; i < this.count; i++) sum += max(0, min(high, this.highs[i]!) - max(low, this.lows[i]!));
    return sum;
  }
}

interface Shapes {
  /** Millimetres of soft tissue, as if there were no lung. */
  body(u: number, v: number): number;
  lung(u: number, v: number, out: Intervals): void;
  inMask(u: number, v: number): boolean;
  spine(u: number, v: number): number;
}

function frontalShapes({ cavity, wallMm, spine }: ChestAnatomy): Shapes {
  const depthOf = (v: number): number => (cavity.back(v) - cavity.front(v)) / 2;
  /** v of the skin above the shoulder: up the neck, along trapezius, over deltoid. */
  const shoulderLine = (absX: number): number => {
    const outward = smoothstep(60, cavity.halfWidthMm + 70, absX);
    return -170 + 74 * smoothstep(44, 74, absX) + 64 * smoothstep(52, 125, absX) + 42 * outward + 40 * outward ** 6;
  };
  return {
    body(x, v) {
      const absX = abs(x);
      const neckHalf = 58 + 75 * smoothstep(-75, 15, v);
      const neck = 118 * superellipse(absX / neckHalf, 1.7) * smoothstep(110, 20, v);
      const axilla = 48 * smoothstep(150, 40, v);
      const half = cavity.halfWidth(max(30, v)) + wallMm + 8 + axilla;
      const torso = 2 * (depthOf(max(25, v)) + 20) * superellipse(absX / half, 2.1) * smoothstep(-35, 55, v);
      const above = v - shoulderLine(absX);
      const edge = smoothstep(cavity.halfWidthMm + 92, cavity.halfWidthMm + 72, absX);
      const girdle = above > 0 ? 124 * min(1, above / 62) ** 0.6 * smoothstep(170, 40, v) * edge : 0;
      return softMax(softMax(neck, torso), girdle);
    },
    lung(x, v, out) {
      const absX = abs(x);
      const a = cavity.halfWidth(v);
      if (absX >= a) return;
      const front = cavity.front(v);
      const back = cavity.back(v);
      const centre = (front + back) / 2;
      const half = ((back - front) / 2) * superellipse(absX / a, CAVITY_POWER);
      out.add(centre - half, centre + half);
      const m = cavity.mediastinum(v) + 7;
      if (absX < m) {
        const t = absX / m;
        const reach = (back - front) * 0.64 * (1 - t * t * t);
        out.subtract(centre - reach, centre + reach);
      }
      const dome = domeHeight(x < 0 ? cavity.domes.right : cavity.domes.left, absX, cavity.halfWidthMm);
      if (v > dome) {
        const reach = sqrt((v - dome) / 0.0068);
        out.subtract(centre - 12 - reach, centre - 12 + reach);
      }
    },
    inMask(x, v) {
      const absX = abs(x);
      return (
        v > 0 && absX > cavity.mediastinum(v) * 0.96 && absX < cavity.halfWidth(v) &&
        v < domeHeight(x < 0 ? cavity.domes.right : cavity.domes.left, absX, cavity.halfWidthMm)
      );
    },
    spine(x, v) {
      const level = v / spine.pitchMm;
      const phase = level - floor(level);
      const width = spine.halfWidthMm * (1 + 0.018 * level) * (1 + 0.07 * Math.cos(2 * PI * phase));
      const absX = abs(x);
      let bone = 0;
      if (absX < width) {
        const body = smoothstep(0.02, 0.09, phase) * smoothstep(0.98, 0.91, phase);
        const plate = exp(-(((phase - 0.09) / 0.035) ** 2)) + exp(-(((phase - 0.91) / 0.035) ** 2));
        const round = superellipse(absX / width, 2.6);
        bone += round * (5.5 * body + 3.5 * plate) + 2.5 * exp(-(((absX - width + 1.2) / 1.1) ** 2)) * body;
      }
      const pedicle = ((absX - width * 0.64) / 3.4) ** 2 + (((phase - 0.36) * spine.pitchMm) / 4.6) ** 2;
      bone += 6 * exp(-((pedicle - 0.8) ** 2) * 2.4);
      const process = (x / 2.6) ** 2 + (((phase - 0.62) * spine.pitchMm) / 7.5) ** 2;
      if (process < 1) bone += 6 * sqrt(1 - process);
      const transverse = ((phase - 0.4) * spine.pitchMm - 0.1 * (absX - width)) / 4;
      if (absX > width * 0.8 && absX < width + 15) bone += 5 * exp(-(transverse ** 4));
      return bone * smoothstep(-160, -150, v);
    },
  };
}

function lateralShapes({ cavity, wallMm, spine }: ChestAnatomy): Shapes {
  const right = cavity.domes.right;
  const left = cavity.domes.left;
  /** Depth of the diaphragm at y below its top; the back recess is deep, the front one shallow. */
  const sag = (y: number, v: number): number => {
    const d = y - ((cavity.front(v) + cavity.back(v)) / 2 - 12);
    return 0.0068 * d * d * (d < 0 ? 0.42 : 1);
  };
  const bodyFront = (v: number): number => -58 + (cavity.front(v) + 28 - 3 * smoothstep(100, 180, v)) * smoothstep(-30, 60, v);
  const bodyBack = (v: number): number => cavity.back(v) + 24 + 12 * smoothstep(-60, 60, v);
  const vertebraBack = (v: number): number => cavity.back(v) - 14;
  return {
    body(y, v) {
      const front = bodyFront(v);
      const back = bodyBack(v);
      const centre = (front + back) / 2;
      const half = (back - front) / 2;
      const wide = cavity.halfWidth(max(30, v)) + wallMm;
      const width = 62 + (wide - 62) * smoothstep(-80, 20, v);
      return 2 * width * superellipse(abs(y - centre) / half, 2.3);
    },
    lung(y, v, out) {
      const front = cavity.front(v);
      const back = cavity.back(v);
      const centre = (front + back) / 2;
      const t = abs(y - centre) / ((back - front) / 2);
      if (t >= 1) return;
      const half = cavity.halfWidth(v) * superellipse(t, CAVITY_POWER);
      const m = cavity.mediastinum(v) * sqrt(max(0, 1 - ((y - centre) / ((back - front) * 0.56)) ** 2));
      const drop = sag(y, v);
      for (const side of [-1, 1] as const) {
        const dome = side < 0 ? right : left;
        // Below the dome's silhouette, lung is left on both sides of the part of the dome that reaches this high.
        const high = v - drop;
        let from = m;
        if (high > dome.top) {
          const lateral = dome.peak + (cavity.halfWidthMm - dome.peak) * ((high - dome.top) / dome.lateralDrop) ** (1 / 2.3);
          from = max(m, lateral);
        }
        if (side < 0) out.add(-half, -from);
        else out.add(from, half);
      }
    },
    inMask(y, v) {
      const front = cavity.front(v);
      const back = cavity.back(v);
      const t = abs(y - (front + back) / 2) / ((back - front) / 2);
      return v > 0 && t < 1 && v < max(right.top, left.top) + sag(y, v);
    },
    spine(y, v) {
      const level = v / spine.pitchMm;
      const phase = level - floor(level);
      const back = vertebraBack(v);
      const depth = (26 + 0.7 * level) * (1 + 0.06 * Math.cos(2 * PI * phase));
      const t = abs(y - (back - depth / 2)) / (depth / 2);
      let bone = 0;
      if (t < 1) {
        const body = smoothstep(0.03, 0.09, phase) * smoothstep(0.97, 0.91, phase);
        const plate = exp(-(((phase - 0.1) / 0.04) ** 2)) + exp(-(((phase - 0.9) / 0.04) ** 2));
        bone += (15 * body + 5 * plate) * smoothstep(1, 0.93, t) + 4 * body * exp(-(((t - 0.93) / 0.06) ** 2));
      }
      const d = y - back;
      if (d > 0 && d < 18) bone += 5 * exp(-((((phase - 0.35) * spine.pitchMm - d * 0.3) / 5) ** 4));
      if (d > 14 && d < 46) {
        const slope = (phase - 0.2) * spine.pitchMm - (d - 14) * 0.75 + (phase < 0.2 ? 0 : 0);
        const wrapped = slope - spine.pitchMm * Math.round(slope / spine.pitchMm);
        bone += 7 * exp(-((wrapped / 4.4) ** 4)) * smoothstep(46, 40, d);
      }
      return bone;
    },
  };
}
