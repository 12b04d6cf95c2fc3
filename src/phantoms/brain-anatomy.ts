import { fractalNoise3, valueNoise3 } from './noise.ts';
import { hashIntegers, type Random } from './random.ts';
import { smoothstep } from './shaping.ts';

/** Taken once: in the inner loops a global costs a look-up, and much in a test runner's sandbox. */
const { abs, exp, hypot, max, min, sin, sqrt } = Math;

/** Tissues whose signal the sequences tell apart. */
export const TISSUES = [
  'air', 'skin', 'fat', 'bone', 'marrow', 'csf', 'grey', 'white', 'deepGrey', 'blood', 'oedema', 'rim', 'core',
] as const;
export type Tissue = (typeof TISSUES)[number];
const T = Object.fromEntries(TISSUES.map((name, i) => [name, i])) as Record<Tissue, number>;

export interface Lesion {
  /** LPS mm from the centre of the head. */
  readonly x: number;
  readonly y: number;
  readonly z: number;
  readonly radiusMm: number;
  readonly oedemaMm: number;
  readonly seed: number;
}

/** A patch of demyelination, as in multiple sclerosis: an ellipsoid in the white matter. */
export interface Plaque {
  /** LPS mm from the centre of the head. */
  readonly x: number;
  readonly y: number;
  readonly z: number;
  readonly radiusMm: number;
  /** How much longer it is across the ventricles' wall than along it. */
  readonly stretch: number;
  readonly seed: number;
}

export interface BrainShape {
  readonly seed: number;
  readonly width: number;
  readonly length: number;
  readonly height: number;
  readonly ventricles: number;
  readonly lesion: Lesion;
  /** In place of the tumour, where there are any. */
  readonly plaques: readonly Plaque[];
}

export function brainShape(seed: number, random: Random, lesions: 'tumour' | 'plaques' | 'none' = 'tumour'): BrainShape {
  const side = random.chance(0.5) ? 1 : -1;
  const shape = {
    seed: hashIntegers(seed, 41),
    width: 66 + 2 * random.gaussian(),
    length: 84 + 2 * random.gaussian(),
    height: 72 + 2 * random.gaussian(),
    ventricles: max(0.75, 1 + 0.14 * random.gaussian()),
    lesion: {
      x: side * random.uniform(26, 36),
      y: random.uniform(-26, 26),
      z: random.uniform(18, 34),
      radiusMm: random.uniform(12, 17),
      oedemaMm: random.uniform(9, 14),
      seed: hashIntegers(seed, 42),
    },
    plaques: lesions === 'plaques' ? plaquesOf(seed, random) : [],
  };
  return lesions === 'none' ? { ...shape, lesion: { ...shape.lesion, radiusMm: 0, oedemaMm: 0 } } : shape;
}

/** Most lie along the ventricles, the others anywhere in the white matter; many small, few large. */
function plaquesOf(seed: number, random: Random): Plaque[] {
  return Array.from({ length: 8 + random.integer(28) }, (_, i) => {
    const side = random.chance(0.5) ? 1 : -1;
    const byVentricle = random.chance(0.65);
    return {
      x: side * (byVentricle ? random.uniform(13, 24) : random.uniform(18, 46)),
      y: byVentricle ? random.uniform(-42, 44) : random.uniform(-56, 58),
      z: byVentricle ? random.uniform(6, 30) : random.uniform(4, 50),
      radiusMm: 1.6 + 5.5 * random.next() ** 2.2,
      stretch: random.uniform(1, 1.9),
      seed: hashIntegers(seed, 43, i),
    };
  });
}

/** Signed distance in mm to an ellipsoid, about: negative inside. */
function ellipsoid(x: number, y: number, z: number, a: number, b: number, c: number): number {
  const r = sqrt((x / a) ** 2 + (y / b) ** 2 + (z / c) ** 2);
  return (r - 1) * min(a, b, c);
}

/** |t|^2.25 */
const power = (t: number): number => t * t * sqrt(sqrt(abs(t)));

/** Shares of all tissues at points of one head. */
export class BrainAnatomy {
  /** Shares at the point last asked for; they sum to 1. */
  readonly shares = new Float32Array(TISSUES.length);

  constructor(readonly shape: BrainShape) {}

  /**
   * Fills {@link shares} for a point.
   * @returns the lesion's part there: 0 none, 1 necrotic core, 2 oedema, 3 enhancing rim, 4 plaque
   */
  at(px: number, py: number, pz: number): 0 | 1 | 2 | 3 | 4 {
    const { shape, shares } = this;
    const { lesion } = shape;
    if (shape.plaques.length) return this.scarred(px, py, pz);
    shares.fill(0);
    shares[T.air] = 1;
    // The tumour pushes what surrounds it aside.
    const away = hypot(px - lesion.x, py - lesion.y, pz - lesion.z);
    let r = this.surface(px, py, pz);
    if (r > 1.4) return 0;
    let x = px;
    let y = py;
    let z = pz;
    if (r < 0.99 && away < lesion.radiusMm * 5) {
      const pull = 1 - 0.3 * exp(-((away / (lesion.radiusMm * 1.9)) ** 2)) * smoothstep(0.99, 0.9, r);
      x = lesion.x + (px - lesion.x) * pull;
      y = lesion.y + (py - lesion.y) * pull;
      z = lesion.z + (pz - lesion.z) * pull;
      r = this.surface(x, y, z);
    }
    this.healthy(x, y, z, r);
    return r > 1.06 ? 0 : this.tumour(px, py, pz, away, r);
  }

  /** Whether a point lies within the brain's envelope: what is left when skull and scalp are taken off. */
  inBrain(x: number, y: number, z: number): boolean {
    return this.surface(x, y, z) < 1.02;
  }

  private healthy(x: number, y: number, z: number, r: number): void {
    this.envelope(x, y, z, r);
    if (r > 1.06) return;
    this.cerebrum(x, y, z, r);
    this.hindbrain(x, y, z);
    this.deep(x, y, z);
    this.put(T.blood, smoothstep(3.4, 2.2, hypot(x * 0.8, (r - 1.035) * 68) + (y < -60 || z < -10 ? 6 : 0)));
  }

  private scarred(x: number, y: number, z: number): 0 | 4 {
    const { shape: { plaques }, shares } = this;
    shares.fill(0);
    shares[T.air] = 1;
    const r = this.surface(x, y, z);
    if (r > 1.4) return 0;
    this.healthy(x, y, z, r);
    const white = shares[T.white]! + 0.4 * shares[T.deepGrey]! + 0.3 * shares[T.grey]!;
    if (white < 0.2) return 0;
    let share = 0;
    for (const plaque of plaques) {
      const [dx, dy, dz] = [(x - plaque.x) / plaque.stretch, y - plaque.y, z - plaque.z];
      const reach = plaque.radiusMm * 1.7;
      if (abs(dx) > reach || abs(dy) > reach || abs(dz) > reach) continue;
      const bumps = valueNoise3(plaque.seed, x / 4, y / 4, z / 4);
      share = max(share, smoothstep(0.9, -0.9, hypot(dx, dy, dz) - plaque.radiusMm * (1 + 0.4 * bumps)));
    }
    share *= smoothstep(0.2, 0.5, white);
    this.put(T.oedema, share);
    return share > 0.5 ? 4 : 0;
  }

  private put(tissue: number, share: number): void {
    if (share <= 0) return;
    const { shares } = this;
    if (share >= 1) {
      shares.fill(0);
      shares[tissue] = 1;
      return;
    }
    for (let i = 0; i < shares.length; i++) shares[i]! *= 1 - share;
    shares[tissue]! += share;
  }

  /** 1 on the surface of the brain. */
  private surface(x: number, y: number, z: number): number {
    const { width, length, height } = this.shape;
    const a = width * (0.95 + (0.09 * y) / length);
    const below = z < 0 ? 62 : height;
    return (power(x / a) + power(y / length) + power(z / below)) ** (1 / 2.25);
  }

  /** Skin, fat, skull, and the fluid that the brain floats in. */
  private envelope(x: number, y: number, z: number, r: number): void {
    const mm = (r - 1) * 68;
    const thick = 1 + 0.12 * valueNoise3(this.shape.seed + 1, x / 40, y / 40, z / 40);
    const face = z < -18 && y < -40 ? smoothstep(-18, -40, z) * smoothstep(-40, -62, y) : 0;
    this.put(T.skin, smoothstep(16.5 * thick + 0.7, 16.5 * thick - 0.7, mm));
    this.put(T.fat, smoothstep(14.6 * thick + 0.6, 14.6 * thick - 0.6, mm));
    // Temporal muscle between fat and skull.
    this.put(T.skin, smoothstep(11.6, 10.4, mm) * smoothstep(40, 50, abs(x)) * smoothstep(12, -8, z) * smoothstep(35, 12, y));
    this.put(T.bone, smoothstep(10 * thick + 0.6, 10 * thick - 0.6, mm));
    this.put(T.marrow, smoothstep(2.6, 1.6, abs(mm - 6.6)) * (0.75 + 0.3 * valueNoise3(this.shape.seed + 2, x / 9, y / 9, z / 9)));
    this.put(T.csf, smoothstep(3.6, 2.6, mm));
    if (face > 0) {
      for (const side of [-1, 1]) {
        const globe = hypot(x - side * 31, y + 74, z + 36);
        this.put(T.fat, smoothstep(20, 17, globe) * face);
        this.put(T.csf, smoothstep(12.6, 11.6, globe));
        this.put(T.skin, smoothstep(2.4, 1.6, hypot(x - side * (31 - 0.25 * (y + 62)), z + 36)) * (y > -63 ? 1 : 0) * face);
      }
      this.put(T.air, smoothstep(9.5, 7.5, abs(x)) * smoothstep(-26, -30, z) * smoothstep(-58, -62, y));
    }
  }

  private cerebrum(x: number, y: number, z: number, r: number): void {
    const { seed } = this.shape;
    const depth = (1 - r) * 66;
    let present = smoothstep(-0.8, 0.8, depth);
    // The base: frontal lobes end above the orbits, temporal lobes leave the middle to the brainstem.
    if (z < 4) {
      const temporal = smoothstep(17, 23, abs(x)) * smoothstep(30, 22, y) * smoothstep(-48, -40, y);
      const frontal = smoothstep(-26, -18, z) * smoothstep(-30, -44, y);
      const floor = -17 - 0.1 * max(0, y - 34);
      present *= max(temporal, frontal, smoothstep(floor - 1.5, floor + 1.5, z));
    }
    if (present <= 0) return;
    // Sulci are the zero set of a field, deep near the surface and gone in the white matter.
    const fold = depth < 30 ? fractalNoise3(seed, x / 14 + 3, y / 14, z / 16, 2) * 1.25 : 1;
    const gap = abs(fold);
    const reach = smoothstep(29, 11, depth);
    const midline = abs(x) + 30 * smoothstep(24, 17, z + max(0, abs(y) - 34) * 0.9);
    const sylvian = hypot((z + 2 - 0.18 * (y + 20)) * 1.5, max(0, 46 - abs(x)) * 0.55) + (abs(y) > 36 ? 20 : 0);
    const fluid = max(
      smoothstep(0.085, 0.03, gap) * reach * smoothstep(22, 13, depth),
      smoothstep(1.7, 0.7, midline),
      smoothstep(4.2, 2.6, sylvian) * smoothstep(24, 16, depth),
    );
    const cortex = max(
      smoothstep(4.6, 3.2, depth),
      smoothstep(0.34, 0.24, gap) * reach,
      smoothstep(5.6, 4.4, midline),
      smoothstep(8, 6.4, sylvian) * smoothstep(30, 22, depth),
    );
    this.put(T.white, present);
    this.put(T.grey, cortex * present);
    this.put(T.csf, fluid * present);
  }

  private hindbrain(x: number, y: number, z: number): void {
    if (z > 0) return;
    const { seed } = this.shape;
    const cerebellum = ellipsoid(x, y - 46, z + 40, 50, 32, 23);
    if (cerebellum < 1) {
      // Folia are thin leaves about the white core.
      const leaf = sin((ellipsoid(x, y - 22, z + 34, 50, 50, 40) + 5 * valueNoise3(seed + 5, x / 11, y / 11, z / 11)) * 1.7);
      const shell = smoothstep(-14, -8, cerebellum);
      this.put(T.grey, smoothstep(0.8, -0.8, cerebellum));
      this.put(T.white, smoothstep(-7, -10, cerebellum) * 0.9);
      this.put(T.csf, shell * smoothstep(0.5, 0.98, leaf) * 0.4);
      this.put(T.white, shell * smoothstep(-0.6, -0.98, leaf) * 0.5);
    }
    const stem = hypot(x / 1.15, (y - 4 - 0.12 * (z + 30)) * (z < -24 && z > -46 ? 0.85 : 1)) - (z < -24 && z > -46 ? 14 : 11);
    if (z < -6) this.put(T.white, smoothstep(0.8, -0.8, stem) * smoothstep(-4, -9, z) * 0.85);
    const fourth = ellipsoid(x, y - 20, z + 36, 8, 5, 9);
    this.put(T.csf, smoothstep(0.8, -0.8, fourth));
  }

  /** Ventricles, basal ganglia, thalami, corpus callosum. */
  private deep(x: number, y: number, z: number): void {
    const absX = abs(x);
    const v = this.shape.ventricles;
    // Corpus callosum: an arch over the ventricles that joins the hemispheres.
    const arch = hypot((y + 4) / 1.55, z - 2) - 23;
    if (z > 2) this.put(T.white, smoothstep(4.6, 3.4, abs(arch)) * smoothstep(20, 12, absX));
    this.put(T.deepGrey, smoothstep(0.8, -0.8, ellipsoid(absX - 11, y - 11, z - 6, 9.5, 15, 9))); // thalamus
    this.put(T.deepGrey, smoothstep(0.8, -0.8, ellipsoid(absX - 25 - 0.12 * (y + 8), y + 6, z - 5, 6, 17, 10))); // lentiform
    const lateral = min(
      ellipsoid(absX - 8 - 0.16 * max(0, -y - 8), y + 22, z - 13 + 0.15 * (y + 20), 5 * v, 17 * v, 8 * v), // frontal horn
      ellipsoid(absX - 11 - 0.2 * max(0, y - 5), y - 6, z - 20, 5.5 * v, 26 * v, 6 * v), // body
      ellipsoid(absX - 23, y - 34, z - 9, 6 * v, 13 * v, 10 * v), // atrium
      ellipsoid(absX - 33, y - 5, z + 18, 3 * v, 14 * v, 3.5 * v), // temporal horn
    );
    const caudate = ellipsoid(absX - 15.5, y + 22, z - 12, 5, 12, 8);
    this.put(T.deepGrey, smoothstep(0.8, -0.8, caudate));
    this.put(T.csf, smoothstep(0.7, -0.7, lateral));
    this.put(T.blood, smoothstep(0.6, -0.6, ellipsoid(absX - 22, y - 34, z - 8, 3, 6, 4)) * 0.55); // choroid plexus
    this.put(T.white, smoothstep(1.2, 0.7, absX) * smoothstep(-30, -27, y) * smoothstep(-14, -17, y) * smoothstep(6, 9, z) * smoothstep(24, 20, z)); // septum
    const third = ellipsoid(x, y - 6, z - 2, 2.4 * v, 14, 10);
    this.put(T.csf, smoothstep(0.7, -0.7, third));
  }

  private tumour(x: number, y: number, z: number, away: number, r: number): 0 | 1 | 2 | 3 {
    const { lesion } = this.shape;
    if (away > lesion.radiusMm * 1.6 + lesion.oedemaMm * 2.2 || r > 0.995) return 0;
    const bumps = fractalNoise3(lesion.seed, x / 13, y / 13, z / 13, 2);
    const edge = away - lesion.radiusMm * (1 + 0.42 * bumps);
    const fingers = fractalNoise3(lesion.seed + 1, x / 11, y / 11, z / 11, 2);
    const white = this.shares[T.white]! + 0.5 * this.shares[T.deepGrey]!;
    const oedema = smoothstep(1.5, -1.5, edge - lesion.oedemaMm * (1 + 1.1 * fingers)) * smoothstep(0.3, 0.6, white);
    const wall = 3 + 1.6 * fingers;
    const solid = smoothstep(0.8, -0.8, edge);
    const core = smoothstep(0.8, -0.8, edge + wall);
    this.put(T.oedema, oedema);
    this.put(T.rim, solid);
    this.put(T.core, core);
    if (core > 0.5) return 1;
    if (solid > 0.5) return 3;
    return oedema > 0.5 ? 2 : 0;
  }
}
