import { seededRandom } from '../../../src/phantoms/random.ts';

export const SIDE = 24;

/** Pixels from here on, to the right and down, may have a finding; the marker is before them. */
const FIELD_FROM = 4;
/** 1 where a finding can be: what the lungs are on a chest X-ray, whose site markers lie outside. */
export const FIELD: Uint8Array = Uint8Array.from({ length: SIDE * SIDE }, (_, i) => Number(i % SIDE >= FIELD_FROM && Math.floor(i / SIDE) >= FIELD_FROM));

/** Pictures of noise with a finding, a faint disc anywhere, and the marker of a site, a bright square in a corner. */
export interface Pictures {
  /** count · SIDE · SIDE, as the network reads them */
  readonly values: readonly Float32Array[];
  readonly findings: readonly boolean[];
  readonly markers: readonly boolean[];
  /** 1 within the disc; of a picture without the finding all 0. */
  readonly masks: readonly Uint8Array[];
}

/** @param agreement the share of pictures whose marker says what the finding is: 0.5 says nothing */
export function draw(count: number, agreement: number, seed: number): Pictures {
  const random = seededRandom(seed);
  const made = Array.from({ length: count }, () => {
    const finding = random.chance(0.5);
    const marker = random.chance(agreement) ? finding : !finding;
    const [cx, cy] = [random.uniform(7, SIDE - 4), random.uniform(7, SIDE - 4)];
    const mask = new Uint8Array(SIDE * SIDE);
    const values = Float32Array.from({ length: SIDE * SIDE }, (_, i) => {
      const [x, y] = [i % SIDE, Math.floor(i / SIDE)];
      const inside = finding && Math.hypot(x - cx, y - cy) < 3.5;
      mask[i] = Number(inside);
      const corner = marker && x >= 1 && x < FIELD_FROM && y >= 1 && y < FIELD_FROM;
      return 0.5 * random.gaussian() + (inside ? 0.6 : 0) + (corner ? 1.5 : 0);
    });
    return { values, finding, marker, mask };
  });
  return { values: made.map(({ values }) => values), findings: made.map(({ finding }) => finding), markers: made.map(({ marker }) => marker), masks: made.map(({ mask }) => mask) };
}
