import type { Random } from './random.ts';

/**
 * A chest in millimetres. x grows to the patient's left, y to the back, v downwards from the lung apices; the
 * midline is x = 0. Everything is a closed shape whose chord along x or y has a formula, so that a projection is
 * a sum of path lengths, sharp at any resolution.
 */
export interface Point3 {
  readonly x: number;
  readonly y: number;
  readonly v: number;
}

export interface Ellipsoid {
  readonly centre: Point3;
  /** Semi-axes along x, y, v before `tilt`. */
  readonly axes: readonly [number, number, number];
  /** Rotation in the x–v plane, radians; positive tips the left end down. */
  readonly tilt: number;
}

export interface Tube {
  readonly points: readonly Point3[];
  /** One radius a point. */
  readonly radii: readonly number[];
  readonly tissue: 'bone' | 'vessel' | 'air' | 'soft' | 'metal';
  /** Multiplies the path length; flat bones are thinner than round ones. */
  readonly weight: number;
}

export interface ChestAnatomy {
  readonly cavity: Cavity;
  /** Soft tissue that displaces lung: heart, great vessels. */
  readonly organs: readonly Ellipsoid[];
  readonly tubes: readonly Tube[];
  /** Extra soft tissue in front: breasts. */
  readonly breasts: readonly Ellipsoid[];
  readonly opacities: readonly Ellipsoid[];
  readonly gastricBubble: Ellipsoid;
  readonly spine: { readonly halfWidthMm: number; readonly pitchMm: number };
  readonly wallMm: number;
  readonly arms: 'down' | 'raised';
}

/** The thoracic cavity as horizontal slices, and the two domes that close it below. */
export class Cavity {
  private readonly tables: Record<'halfWidth' | 'front' | 'back' | 'mediastinum', (v: number) => number>;

  constructor(
    readonly halfWidthMm: number,
    readonly heightMm: number,
    readonly depthScale: number,
    readonly domes: { readonly right: Dome; readonly left: Dome },
    readonly mediastinumMm: number,
  ) {
    const taper = halfWidthMm * 0.32 - mediastinumMm;
    this.tables = {
      halfWidth: tabulated((v) => {
        const t = v / heightMm;
        if (t <= 0) return halfWidthMm * 0.32;
        if (t >= 1) return halfWidthMm * (1 - 0.05 * Math.min(1, (t - 1) * 3) ** 1.5);
        return halfWidthMm * (0.32 + 0.68 * (1 - (1 - t) ** 2.6) ** 0.75);
      }),
      // The last term of both rounds the apex.
      front: tabulated((v) => (10 + 15 * Math.exp(-Math.max(0, v) / 7) - 105 * (1 - Math.exp(-Math.max(0, v / heightMm) * 3.2))) * depthScale),
      back: tabulated((v) => (42 - 13 * Math.exp(-Math.max(0, v) / 7) + 48 * Math.sin(Math.max(0, Math.min(1.25, (v / heightMm) * 1.25)) * 1.35)) * depthScale),
      mediastinum: tabulated((v) => mediastinumMm + taper * Math.exp(-Math.max(0, v) / 11)),
    };
  }

  /** Half the inner width at v. */
  halfWidth(v: number): number {
    return this.tables.halfWidth(v);
  }

  front(v: number): number {
    return this.tables.front(v);
  }

  back(v: number): number {
    return this.tables.back(v);
  }

  /** Half the width of the mediastinum between the lungs at v, great vessels and heart apart. */
  mediastinum(v: number): number {
    return this.tables.mediastinum(v);
  }
}

/** A function of v, looked up every half millimetre: the ray loop asks for these millions of times. */
function tabulated(f: (v: number) => number): (v: number) => number {
  const values = new Float64Array(1400);
  for (let i = 0; i < values.length; i++) values[i] = f(i / 2 - 200);
  return (v) => {
    const at = Math.max(0, Math.min(1398.999, (v + 200) * 2));
    const i = Math.floor(at);
    return values[i]! + (values[i + 1]! - values[i]!) * (at - i);
  };
}

export interface Dome {
  /** v of the highest point. */
  readonly top: number;
  /** |x| of the highest point. */
  readonly peak: number;
  readonly lateralDrop: number;
  readonly medialDrop: number;
}

/** v of the diaphragm's silhouette at |x|: the edge that a frontal film shows. */
export function domeHeight(dome: Dome, absX: number, halfWidthMm: number): number {
  if (absX > dome.peak) {
    return dome.top + dome.lateralDrop * ((absX - dome.peak) / (halfWidthMm - dome.peak)) ** 2.3;
  }
  return dome.top + dome.medialDrop * ((dome.peak - absX) / dome.peak) ** 2;
}

export interface ChestOptions {
  readonly supine: boolean;
  readonly raisedArms: boolean;
  /** 0: the average chest; 1: the usual spread; above: more. */
  readonly variation: number;
}

export function chestAnatomy(random: Random, options: ChestOptions): ChestAnatomy {
  const spread = (mean: number, deviation: number): number =>
    mean + options.variation * deviation * Math.max(-2.2, Math.min(2.2, random.gaussian()));
  const halfWidthMm = spread(138, 8);
  const inspiration = spread(options.supine ? 176 : 208, 13);
  const heightMm = inspiration * 1.02;
  const leftHigher = random.chance(0.08);
  const rightTop = inspiration + (leftHigher ? 6 : 0);
  const leftTop = inspiration + (leftHigher ? 0 : spread(12, 4));
  const lateralDrop = spread(options.supine ? 30 : 42, 7);
  const cavity = new Cavity(
    halfWidthMm,
    heightMm,
    spread(1, 0.06),
    {
      right: { top: rightTop, peak: spread(64, 5), lateralDrop, medialDrop: spread(12, 4) },
      left: { top: leftTop, peak: spread(68, 5), lateralDrop: lateralDrop * 0.95, medialDrop: spread(6, 3) },
    },
    spread(25, 2),
  );
  const h = heightMm / 212;
  const size = spread(options.supine ? 1.12 : 1, 0.07);
  const rotation = options.variation * random.gaussian() * 0.04;
  const organs = heartAndGreatVessels(h, leftTop, size, spread(0.55, 0.08)).map((organ) => turned(organ, rotation));
  const female = random.chance(0.45 * Math.min(1, options.variation));
  const breasts = female ? breastPair(cavity, spread(1, 0.15)) : [];
  const opacities: Ellipsoid[] = [];
  if (options.variation > 0 && random.chance(0.35)) {
    const count = 1 + random.integer(5);
    for (let i = 0; i < count; i++) {
      const side = random.chance(0.5) ? 1 : -1;
      const v = random.uniform(0.3, 0.95) * heightMm;
      const x = side * random.uniform(40, cavity.halfWidth(v) - 10);
      const r = random.uniform(10, 34);
      opacities.push({ centre: { x, y: random.uniform(-40, 50), v }, axes: [r * random.uniform(0.7, 1.3), r, r], tilt: random.uniform(-1, 1) });
    }
  }
  const { left } = cavity.domes;
  const gastricBubble: Ellipsoid = {
    centre: { x: spread(62, 8), y: -15, v: left.top + spread(24, 4) },
    axes: [spread(26, 5), 28, spread(15, 3)],
    tilt: -0.15,
  };
  return {
    cavity,
    organs,
    breasts,
    opacities,
    gastricBubble,
    tubes: [],
    spine: { halfWidthMm: spread(17.5, 1), pitchMm: 22.5 * h },
    wallMm: spread(27, 7),
    arms: options.raisedArms ? 'raised' : 'down',
  };
}

/** Obliquity of the patient, to first order: what lies in front moves sideways. */
function turned(organ: Ellipsoid, angle: number): Ellipsoid {
  const { x, y, v } = organ.centre;
  return { ...organ, centre: { x: x + y * Math.sin(angle), y, v } };
}

/** `h` scales heights with the chest; `floor` is where the heart rests, v of the left dome. */
function heartAndGreatVessels(h: number, floor: number, size: number, tilt: number): Ellipsoid[] {
  const organ = (x: number, y: number, v: number, a: number, b: number, c: number, angle = 0): Ellipsoid => ({
    centre: { x, y, v },
    axes: [a, b, c],
    tilt: angle,
  });
  const heart = size;
  return [
    organ(40 * heart, -32, floor - 24, 66 * heart, 56 * heart, 45 * heart, tilt), // left ventricle
    organ(4, -45, floor - 16, 52 * heart, 46 * heart, 38 * heart, 0.2), // right ventricle
    organ(-14, -22, floor - 34, 34 * heart, 48 * heart, 47 * heart, 0.1), // right atrium
    organ(12, 4, floor - 60, 42 * heart, 28 * heart, 34 * heart, 0.3), // left atrium and its appendage
    organ(22, -28, 128 * h, 27, 24, 40, 0.5), // pulmonary trunk
    organ(-11, -22, 112 * h, 24, 24, 52, 0.05), // ascending aorta
    organ(20, 4, 80 * h, 21, 26, 21), // aortic knob
    organ(14, -6, 106 * h, 23, 26, 40), // aortopulmonary window and its fat
    organ(-20, -8, 84 * h, 16, 15, 58), // superior vena cava
    organ(19, 46, 165 * h, 16, 15, 96, 0.03), // descending aorta
    organ(-14, 0, 26 * h, 24, 24, 44), // right brachiocephalic vessels
    organ(13, 0, 28 * h, 25, 24, 46), // left subclavian and carotid
  ];
}

function breastPair(cavity: Cavity, size: number): Ellipsoid[] {
  const v = cavity.heightMm * 0.86;
  return [-1, 1].map((side) => ({
    centre: { x: side * 82, y: cavity.front(v) - 26, v },
    axes: [66 * size, 34 * size, 62 * size] as const,
    tilt: side * 0.2,
  }));
}
