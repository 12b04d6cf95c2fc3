import { rangeNormalised } from '../../../src/image/range-normalisation.ts';
import { enlarged, thumbnail } from '../../../src/image/thumbnail.ts';
import { subspaceRepair } from '../../../src/evaluation/site-audit/repair.ts';
import type { AuditedPicture } from '../../../src/evaluation/site-audit/audited.ts';
import { seededRandom } from '../../../src/phantoms/random.ts';
import { picture } from '../runtime/tiny.ts';

test('range normalisation takes exposure and offset away, and leaves a picture of one value', () => {
  const value = (x: number, y: number) => 40 + ((x * 13 + y * 7) % 60);
  const [plain, dim] = [picture(20, 20, value), picture(20, 20, (x, y) => 30 + 0.4 * value(x, y))].map(rangeNormalised);
  dim!.pixels.forEach((v, i) => expect(v).toBeCloseTo(plain!.pixels[i]!, 3));
  expect([Math.min(...plain!.pixels), Math.max(...plain!.pixels)]).toEqual([0, 255]);
  const flat = picture(4, 4, () => 7);
  expect(rangeNormalised(flat)).toBe(flat);
});

test('a thumbnail has the means of its cells in shares of the range, also of fewer pixels than cells; a volume is refused', () => {
  const small = thumbnail(picture(6, 4, (x, y) => 10 * x + 100 * Number(y >= 2)), 2);
  [10, 40, 110, 140].forEach((mean, i) => expect(small[i]).toBeCloseTo(mean / 255, 6));
  expect([...thumbnail(picture(2, 1, x => 255 * x), 4)].slice(0, 4)).toEqual([0, 0, 1, 1]);
  expect(thumbnail({ ...picture(1, 1, () => 0), channels: 3, pixels: Float32Array.of(255, 0, 0) }, 1)[0]).toBeCloseTo(0.299, 6);
  expect(() => thumbnail({ ...picture(1, 1, () => 0), shape: [1, 1, 3] }, 1)).toThrow(/one plane/);
  expect([...enlarged(Float32Array.of(0, 1, 2, 3), 2, 2, 2)]).toEqual([0, 1, 2, 3]);
  expect([...enlarged(Float32Array.of(0, 1, 0, 1), 2, 4, 1)]).toEqual([0, 0.25, 0.75, 1]);
});

test('subspace alignment takes a mark of one site away and leaves the detail of the picture', () => {
  const random = seededRandom(3);
  const side = 64;
  const draw = (marked: boolean) => {
    const shade = random.gaussian();
    return picture(side, side, (x, y) => 120 + 10 * shade * (x / side) + 4 * random.gaussian() + (marked && x < 8 && y < 8 ? 60 : 0) + (x % 2 ? 3 : -3));
  };
  const known = Array.from({ length: 40 }, (_, n): AuditedPicture => ({ id: `${n}`, patient: `${n}`, groups: { site: n % 2 ? 'B' : 'A' }, truths: {}, thumbnail: thumbnail(draw(n % 2 === 1), side) }));
  const { repair, reference } = subspaceRepair(known, 'A', 5);
  expect(reference).toBe('A');
  const before = draw(true);
  const after = repair(before, 'B');
  const mean = (of: typeof before, far: boolean) => {
    const values = [...of.pixels].filter((_, i) => (i % side < 6 && Math.floor(i / side) < 6) !== far);
    return values.reduce((a, b) => a + b, 0) / values.length;
  };
  expect(mean(before, false) - mean(before, true)).toBeGreaterThan(50);
  expect(Math.abs(mean(after, false) - mean(after, true))).toBeLessThan(12);
  // Stripes a pixel wide are finer than what is aligned.
  const stripes = (of: typeof before) => of.pixels.reduce((sum, v, i) => sum + (i % 2 ? v : -v), 0) / (side * side / 2);
  expect(stripes(after)).toBeCloseTo(stripes(before), 0);
  expect(repair(draw(false), 'A').pixels).not.toEqual(before.pixels);
  expect(repair(before, undefined)).toBe(before);
});
