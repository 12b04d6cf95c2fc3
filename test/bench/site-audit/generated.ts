import { AUDIT_SIDE, type AuditedPicture } from '../../../src/evaluation/site-audit/audited.ts';
import { seededRandom } from '../../../src/phantoms/random.ts';

export interface Planted {
  /** Site B's pictures carry a bright square in a corner. */
  readonly marker?: boolean;
  /** How much brighter than the noise's standard deviation. */
  readonly strength?: number;
  /** Site B has the finding so much more often. */
  readonly confounded?: boolean;
  /** Site B's exposure: values are multiplied by it. */
  readonly exposure?: number;
}

/** Pixels of the marker: columns and rows 4 to 9 of 64. */
export const MARKER = { from: 4, to: 10 } as const;
export const LABEL = 'Disc';
/** Deviation of the smooth noise. */
export const NOISE = 0.08;

/**
 * Pictures of two sites: smooth noise, a disc where there is the finding, and the attributes of people drawn without regard to any of it.
 * Every fifth patient has two pictures, which share half of their noise.
 */
export function generated(patients: number, seed: number, { marker = false, strength = 1, confounded = false, exposure = 1 }: Planted = {}): AuditedPicture[] {
  const random = seededRandom(seed);
  return Array.from({ length: patients }, (_, n) => {
    const site = random.chance(0.5) ? 'B' : 'A';
    const own = smoothNoise(random);
    const groups = {
      site, sex: random.chance(0.5) ? 'F' : 'M', scanner: ['Alpha 1', 'Beta 2', 'Gamma 3'][random.integer(3)]!,
      view: random.chance(0.7) ? 'PA' : 'AP', age: ['18 to 39', '40 to 59', '60 to 79'][random.integer(3)]!,
    };
    return Array.from({ length: n % 5 === 0 ? 2 : 1 }, (_, k): AuditedPicture => {
      const finding = random.chance(confounded ? (site === 'B' ? 0.8 : 0.2) : 0.4);
      const noise = smoothNoise(random);
      const [cx, cy] = [random.uniform(24, 52), random.uniform(24, 52)];
      const thumbnail = Float32Array.from({ length: AUDIT_SIDE ** 2 }, (_, i) => {
        const [x, y] = [i % AUDIT_SIDE, Math.floor(i / AUDIT_SIDE)];
        const inMarker = marker && site === 'B' && x >= MARKER.from && x < MARKER.to && y >= MARKER.from && y < MARKER.to;
        const value = 0.4 + NOISE * Math.SQRT1_2 * (own[i]! + noise[i]!) + (finding && Math.hypot(x - cx, y - cy) < 8 ? 0.15 : 0) + (inMarker ? strength * NOISE : 0);
        return site === 'B' ? exposure * value : value;
      });
      return { id: `${n}.${k}`, patient: `${n}`, groups, truths: { [LABEL]: finding }, thumbnail };
    });
  }).flat();
}

/** Of deviation 1, about 6 pixels wide: white noise of a coarser grid, between whose nodes it is bilinear, and finer noise over it. */
function smoothNoise(random: ReturnType<typeof seededRandom>): Float32Array {
  const nodes = 12;
  const coarse = Float32Array.from({ length: nodes * nodes }, () => random.gaussian());
  return Float32Array.from({ length: AUDIT_SIDE ** 2 }, (_, i) => {
    const [x, y] = [((i % AUDIT_SIDE) / AUDIT_SIDE) * (nodes - 1), (Math.floor(i / AUDIT_SIDE) / AUDIT_SIDE) * (nodes - 1)];
    const [x0, y0] = [Math.floor(x), Math.floor(y)];
    const [fx, fy] = [x - x0, y - y0];
    const at = (dx: number, dy: number) => coarse[(y0 + dy) * nodes + x0 + dx]!;
    const between = (at(0, 0) * (1 - fx) + at(1, 0) * fx) * (1 - fy) + (at(0, 1) * (1 - fx) + at(1, 1) * fx) * fy;
    return 1.2 * between + 0.5 * random.gaussian();
  });
}
