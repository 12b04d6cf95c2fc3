import { auditAttribution, type AttributedPicture } from '../../../src/evaluation/attribution/audit.ts';
import { curveArea, perturbationCurves, STEPS } from '../../../src/evaluation/attribution/curves.ts';
import { cornersOf, outsideOf } from '../../../src/evaluation/attribution/regions.ts';
import { regionShare } from '../../../src/evaluation/attribution/shares.ts';
import type { Image } from '../../../src/image/image.ts';
import { picture } from '../runtime/tiny.ts';

const SIDE = 40;
const sum = (of: ArrayLike<number>) => Array.from(of).reduce((a, b) => a + b, 0);

test('corners are four squares of the shorter side', () => {
  const corners = cornersOf({ shape: [60, 40, 1] });
  expect(sum(corners)).toBe(4 * 6 * 6);
  expect([corners[0], corners[5], corners[6], corners[59], corners[60 * 39], corners[60 * 20]]).toEqual([1, 1, 0, 1, 1, 0]);
});

describe('a body with a dark hole and a letter beside it', () => {
  const inside = (x: number, y: number) => Math.hypot(x - 20, y - 22) < 14;
  const hole = (x: number, y: number) => Math.hypot(x - 20, y - 22) < 5;
  const letter = (x: number, y: number) => x >= 2 && x < 5 && y >= 2 && y < 6;
  const { outside, marks } = outsideOf(picture(SIDE, SIDE, (x, y) => (letter(x, y) ? 250 : hole(x, y) ? 2 : inside(x, y) ? 120 + (x % 3) : 3)))!;

  test('the hole is of the body, the letter is a mark outside', () => {
    for (let y = 0; y < SIDE; y++) {
      for (let x = 0; x < SIDE; x++) expect([outside[y * SIDE + x], marks[y * SIDE + x]]).toEqual([Number(!inside(x, y)), Number(letter(x, y))]);
    }
  });

  test('a body that fills the picture has no outside', () => {
    expect(outsideOf(picture(SIDE, SIDE, (x, y) => 100 + ((x * 7 + y) % 50)))).toBeUndefined();
  });
});

test('the share of a map counts what speaks for the target, and refuses another size', () => {
  expect(regionShare(Float32Array.of(3, -5, 1, 0), Uint8Array.of(1, 1, 0, 0))).toEqual({ share: 0.75, area: 0.5 });
  expect(regionShare(Float32Array.of(0, -1), Uint8Array.of(1, 0))).toBeUndefined();
  expect(() => regionShare(Float32Array.of(1), Uint8Array.of(1, 0))).toThrow(/1 pixels/);
});

describe('insertion and deletion of a score that hangs on one spot', () => {
  const spot = (i: number) => i % SIDE >= 24 && i % SIDE < 30 && Math.floor(i / SIDE) >= 24 && Math.floor(i / SIDE) < 30;
  const image = picture(SIDE, SIDE, (x, y) => (spot(y * SIDE + x) ? 200 : 20));
  const score = async ({ pixels }: Image) => pixels.reduce((total, value, i) => total + (spot(i) ? value / 200 / 36 : 0), 0);
  const map = Float32Array.from(image.pixels, (_, i) => Number(spot(i)) + (i % 7) / 1000);

  test('a map that shows the spot beats chance, one that shows the rest does not', async () => {
    const right = await perturbationCurves(image, map, score);
    expect(right.deletion).toHaveLength(STEPS + 1);
    expect(right.deletion[0]).toBeCloseTo(1, 5);
    expect(right.insertion.at(-1)).toBeCloseTo(1, 5);
    expect(right.deletion.at(-1)).toBeCloseTo(right.randomDeletion.at(-1)!, 6);
    expect(curveArea(right.deletion)).toBeLessThan(curveArea(right.randomDeletion) - 0.2);
    expect(curveArea(right.insertion)).toBeGreaterThan(curveArea(right.randomInsertion) + 0.1);
    const wrong = await perturbationCurves(image, map.map(value => -value), score);
    expect(curveArea(wrong.deletion)).toBeGreaterThan(curveArea(wrong.randomDeletion) + 0.2);
  });

  test('the area of a straight line is a half', () => expect(curveArea([1, 0.75, 0.5, 0.25, 0])).toBeCloseTo(0.5, 12));
});

test('shares by label and site with intervals; the worst first, and not what is where one wants it', () => {
  const of = (n: number, site: string, corner: number, lungs: number): AttributedPicture => ({
    id: `${n}`, patient: `p${n}`, groups: { site }, probability: 0.5, truth: n % 2 === 0, shares: { corners: { share: corner, area: 0.1 }, mask: { share: lungs, area: 0.4 } },
    randomisation: { similarity: 0.9, suspicious: n === 0 },
  });
  const { shares, worst, randomisation, regions } = auditAttribution([of(0, 'A', 0.05, 0.9), of(1, 'A', 0.04, 0.8), of(2, 'B', 0.7, 0.3), of(3, 'B', 0.6, 0.1)], 'Mass', 'occlusion', 0);
  expect(regions).toEqual(['corners', 'mask']);
  expect(shares.find(share => share.region === 'corners' && share.group === 'B')).toMatchObject({ pictures: 2, share: { value: expect.closeTo(0.65, 9), low: 0.6, high: 0.7 }, area: 0.1 });
  expect(shares.filter(({ factor }) => factor === 'label').map(({ group }) => group)).toEqual(['with Mass', 'without Mass', 'with Mass', 'without Mass']);
  expect(worst.map(({ id, region }) => `${id} ${region}`)).toEqual(['2 corners', '3 corners', '3 mask', '2 mask']);
  expect(randomisation).toEqual({ checked: 4, suspicious: 1 });
});
