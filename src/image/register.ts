import { OverreadError, throwIfAborted } from '../errors.ts';
import { apply, invert, multiply, type Point } from './affine.ts';
import type { Affine, Image } from './image.ts';
import { mutualInformation, type JointSamples } from './mutual-information.ts';
import { Trilinear, type Placed } from './resample.ts';

/** Taken once: in the inner loops a global costs a look-up, and much in a test runner's sandbox. */
const { PI, acos, cos, floor, hypot, max, min, round, sin } = Math;

export interface Registration {
  /** Rigid: the reference's patient coordinates → the moving image's, in mm. */
  readonly toMoving: Affine;
  /** How far apart two registrations from different samples and starts lay the reference's voxels: mean, mm. */
  readonly repeatabilityMm: number;
  /** In nats, over the finest samples, as the two lay and as they were laid. */
  readonly mutualInformation: { readonly before: number; readonly after: number };
  /** Of the centre of the reference. */
  readonly movedMm: number;
  readonly turnedDegrees: number;
}

/** Beyond this the outcome depends on where the search began: there is none to be trusted. */
export const MAX_REPEATABILITY_MM = 2;
/** Between voxel centres of the images that are compared, mm, and with how many samples. */
const LEVELS = [{ mm: 8, samples: 6_000 }, { mm: 4, samples: 12_000 }, { mm: 2, samples: 24_000 }] as const;
/** First and last step of the search at each level: mm, and what turns a head's surface by about as much. */
const STEPS = [[12, 1], [3, 0.3], [1, 0.05]] as const;
/** Where the moving image has no value. */
const NONE = Number.NaN;
const RADIANS_PER_MM = 0.012;
/** Below this share of samples within the moving image, their information says nothing. */
const MIN_OVERLAP = 0.3;

/** Turns about x, y, z in steps of {@link RADIANS_PER_MM}, then shifts in mm: all of about one size. */
type Parameters = readonly [number, number, number, number, number, number];

/**
 * Lays one image of a head on another of it, taken otherwise, by turning and shifting it: the mutual information of
 * their values (Mattes et al. 2003, "PET-CT image registration in the chest using free-form deformations", IEEE TMI 22;
 * Parzen windows of first order) is raised by a pattern search (Hooke and Jeeves 1961) from coarse to fine. It begins
 * as the two lie by their geometry and with their centres of brightness on each other. Deterministic.
 * @throws OverreadError `input/modalities` when two runs do not agree within {@link MAX_REPEATABILITY_MM}; `job/cancelled`
 */
export async function registerRigid(reference: Image & Placed, moving: Image & Placed, signal?: AbortSignal): Promise<Registration> {
  const centre = centroid(reference);
  const other = centroid(moving);
  const starts: Parameters[] = [[0, 0, 0, 0, 0, 0], [0, 0, 0, other[0] - centre[0], other[1] - centre[1], other[2] - centre[2]]];
  let runs: Parameters[] = [];
  let finest: { readonly score: (p: Parameters) => number; readonly points: readonly Point[] } | undefined;
  for (const [level, { mm, samples }] of LEVELS.entries()) {
    const [fixed, floating] = [shrunk(reference, mm), shrunk(moving, mm)];
    const [first, last] = STEPS[level]!;
    // Two runs, each with samples of its own; from the second level on each goes its own way.
    const next: Parameters[] = [];
    for (const run of [0, 1]) {
      await breathe();
      throwIfAborted(signal);
      const compared = comparison(fixed, floating, centre, samples, run * samples);
      const from = level === 0 ? starts : [nudged(runs[run]!, run === 0 ? first : -first)];
      const found = from.map(start => search(compared.score, start, first, last));
      next.push(best(found, compared.score));
      if (level === LEVELS.length - 1 && run === 0) finest = compared;
    }
    // A run that went astray on the coarsest images is drawn to the better one; finer runs are on their own.
    runs = level === 0 ? [best(next, comparison(fixed, floating, centre, samples, 0).score), best(next, comparison(fixed, floating, centre, samples, samples).score)] : next;
  }
  const { score, points } = finest!;
  const [one, two] = runs.map(run => rigid(run, centre)) as [Affine, Affine];
  const repeatabilityMm = points.reduce((sum, p) => sum + distance(apply(one, p), apply(two, p)), 0) / points.length;
  const after = score(runs[0]!);
  if (!(repeatabilityMm <= MAX_REPEATABILITY_MM) || !(after > 0)) {
    throw new OverreadError(
      'input/modalities',
      `No rigid registration was found: two tries lie ${repeatabilityMm.toFixed(1)} mm apart (at most ${MAX_REPEATABILITY_MM} mm is taken). The series may show different parts, or be distorted. Leave one of them out.`,
      { expected: MAX_REPEATABILITY_MM, got: repeatabilityMm },
    );
  }
  const moved = apply(one, centre);
  return {
    toMoving: one,
    repeatabilityMm,
    mutualInformation: { before: max(0, score(starts[0]!)), after },
    movedMm: distance(moved, centre),
    turnedDegrees: (acos(min(1, (one[0]! + one[5]! + one[10]! - 1) / 2)) * 180) / PI,
  };
}

/** Compares the two at the same points of the reference, as a move lays them: larger is better. */
function comparison(fixed: Image & Placed, floating: Image & Placed, centre: Point, count: number, offset: number) {
  const values = new Float32Array(count);
  const points: Point[] = [];
  const sampler = new Trilinear(fixed);
  for (let i = 0; i < count; i++) {
    const index = quasiRandom(i + offset).map((share, axis) => share * (fixed.shape[axis]! - 1)) as unknown as Point;
    values[i] = sampler.at(...index)!;
    points.push(apply(fixed.indexToPatient, index));
  }
  const toIndex = invert(floating.indexToPatient);
  const mover = new Trilinear(floating);
  const samples: JointSamples = { fixed: values, moving: new Float32Array(count) };
  const ranges = { fixed: rangeOf(fixed.pixels), moving: rangeOf(floating.pixels) };
  const score = (p: Parameters): number => {
    const m = multiply(toIndex, rigid(p, centre));
    let inside = 0;
    for (let i = 0; i < count; i++) {
      const [x, y, z] = points[i]!;
      const value = mover.at(m[0]! * x + m[1]! * y + m[2]! * z + m[3]!, m[4]! * x + m[5]! * y + m[6]! * z + m[7]!, m[8]! * x + m[9]! * y + m[10]! * z + m[11]!);
      samples.moving[i] = value ?? NONE;
      if (value !== undefined) inside++;
    }
    return inside < MIN_OVERLAP * count ? inside / count - 1 : mutualInformation(samples, ranges);
  };
  return { score, points };
}

/** Hooke and Jeeves: a step along each axis that helps is taken, and once more all together; then steps are halved. */
function search(score: (p: Parameters) => number, start: Parameters, first: number, last: number): Parameters {
  let base = start;
  let height = score(base);
  for (let step = first; step >= last; ) {
    let [at, up] = [base, height];
    for (let axis = 0; axis < 6; axis++) {
      for (const way of [step, -step]) {
        const tried = at.map((v, i) => (i === axis ? v + way : v)) as unknown as Parameters;
        const reached = score(tried);
        if (reached <= up) continue;
        [at, up] = [tried, reached];
        break;
      }
    }
    if (up <= height) {
      step /= 2;
      continue;
    }
    const further = at.map((v, i) => 2 * v - base[i]!) as unknown as Parameters;
    const reached = score(further);
    [base, height] = reached > up ? [further, reached] : [at, up];
  }
  return base;
}

function best(candidates: readonly Parameters[], score: (p: Parameters) => number): Parameters {
  return candidates.map(p => ({ p, height: score(p) })).reduce((a, b) => (b.height > a.height ? b : a)).p;
}

const nudged = (p: Parameters, by: number): Parameters => p.map((v, i) => v + (i % 2 ? -by : by) * 0.37) as unknown as Parameters;

/** Turns about the centre (x, then y, then z), then shifts. */
function rigid([a, b, c, x, y, z]: Parameters, centre: Point): Affine {
  const [ca, sa, cb, sb, cc, sc] = [a, b, c].flatMap(v => [cos(v * RADIANS_PER_MM), sin(v * RADIANS_PER_MM)]) as [number, number, number, number, number, number];
  const r = [cc * cb, cc * sb * sa - sc * ca, cc * sb * ca + sc * sa, sc * cb, sc * sb * sa + cc * ca, sc * sb * ca - cc * sa, -sb, cb * sa, cb * ca];
  const shift = [x, y, z].map((t, i) => t + centre[i]! - (r[3 * i]! * centre[0] + r[3 * i + 1]! * centre[1] + r[3 * i + 2]! * centre[2]));
  return [0, 1, 2].flatMap(i => [...r.slice(3 * i, 3 * i + 3), shift[i]!]).concat(0, 0, 0, 1);
}

/** Block means, so that voxels come to lie about `mm` apart; the image itself where they do already. */
function shrunk(image: Image & Placed, mm: number): Image & Placed {
  const { shape, indexToPatient: m, pixels } = image;
  const factors = shape.map((size, axis) => max(1, min(size, round(mm / hypot(m[axis]!, m[4 + axis]!, m[8 + axis]!)))));
  if (factors.every(f => f === 1)) return image;
  const size = shape.map((n, i) => max(1, floor(n / factors[i]!))) as unknown as Image['shape'];
  const [fx, fy, fz] = factors as [number, number, number];
  const out = new Float32Array(size[0] * size[1] * size[2]);
  for (let z = 0; z < size[2] * fz; z++) {
    for (let y = 0; y < size[1] * fy; y++) {
      const line = (z * shape[1] + y) * shape[0];
      const to = (floor(z / fz) * size[1] + floor(y / fy)) * size[0];
      for (let x = 0; x < size[0] * fx; x++) out[to + floor(x / fx)]! += pixels[line + x]!;
    }
  }
  for (let i = 0; i < out.length; i++) out[i]! /= fx * fy * fz;
  const half = factors.map(f => (f - 1) / 2) as unknown as Point;
  const origin = apply(m, half);
  const indexToPatient = [0, 1, 2].flatMap(row => [...factors.map((f, axis) => m[4 * row + axis]! * f), origin[row]!]).concat(0, 0, 0, 1);
  return { ...image, shape: size, pixels: out, indexToPatient };
}

/** Mean place of the voxels brighter than the mean, in the patient. */
function centroid(image: Image & Placed): Point {
  const small = shrunk(image, 8);
  const [columns, rows] = small.shape;
  const mean = small.pixels.reduce((sum, v) => sum + v, 0) / small.pixels.length;
  const sum = [0, 0, 0];
  let count = 0;
  small.pixels.forEach((v, i) => {
    if (v <= mean) return;
    sum[0]! += i % columns;
    sum[1]! += floor(i / columns) % rows;
    sum[2]! += floor(i / (columns * rows));
    count++;
  });
  const index = count ? sum.map(v => v / count) : small.shape.map(n => (n - 1) / 2);
  return apply(small.indexToPatient, index as unknown as Point);
}

function rangeOf(values: Float32Array): readonly [number, number] {
  const sorted = Float32Array.from({ length: min(values.length, 20_000) }, (_, i) => values[floor((i * values.length) / min(values.length, 20_000))]!).sort();
  // A few bright vessels or spikes must not press the tissues into one bin.
  return [sorted[0]!, sorted[floor(0.995 * (sorted.length - 1))]!];
}

/** Roberts' R3 sequence: evenly spread points of the unit cube, any stretch of it. */
function quasiRandom(i: number): Point {
  const g = 1.2207440846057596;
  return [(0.5 + i / g) % 1, (0.5 + i / g ** 2) % 1, (0.5 + i / g ** 3) % 1];
}

const distance = (a: Point, b: Point): number => hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]);
/** Lets a cancellation be heard. */
const breathe = (): Promise<void> => new Promise(resolve => setTimeout(resolve, 0));
