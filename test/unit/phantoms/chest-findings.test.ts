import { createHash } from 'node:crypto';
import { CHEST_FINDINGS, FINDING_LABELS, findingChord, type ChestFindingKind, type FindingShape } from '../../../src/phantoms/chest-findings.ts';
import { chestPhantom, type ChestPhantom, type ChestView } from '../../../src/phantoms/chest.ts';

const SIZE = 64;
const film = (view: ChestView, findings: ChestFindingKind[], seed = 11): ChestPhantom => chestPhantom({ seed, view, size: SIZE, findings });
const maskOf = (phantom: ChestPhantom): Uint8Array => phantom.findings[0]!.mask!;

/** How much brighter the mask is with the finding than without, in grey values. */
function contrast(kind: ChestFindingKind, view: ChestView, mask: Uint8Array, seed: number): number {
  const [with_, without] = [film(view, [kind], seed), film(view, [], seed)];
  // Normalised by what lies outside: the film's curve answers to the whole picture.
  let [inside, outside, count] = [0, 0, 0];
  mask.forEach((m, i) => {
    const d = with_.pixels[i]! - without.pixels[i]!;
    if (m) { inside += d; count++; } else outside += d;
  });
  return inside / count - outside / (mask.length - count);
}

describe('chestPhantom without findings', () => {
  // Made before findings were known to the generator.
  test.each([
    ['PA', 5, '0ea7d9002323cf242db2574c72f344001cfa65e7f78024292033b77f369c7872'], ['LL', 5, '9e8fea838ebeacdb621980dd0aa82c5311ad719035634649261cd19fc0ae9d88'], ['AP', 6, 'c63e97d790635f29030cdf1fda130e790e1af9905c46aa30b7f93152a9874ce3'],
  ] as const)('%s of seed %i is the film that it was', (view, seed, sha256) => {
    const { pixels, findings } = chestPhantom({ seed, view, size: 64 });
    expect(createHash('sha256').update(new Uint8Array(pixels.buffer)).digest('hex')).toBe(sha256);
    expect(findings).toEqual([]);
  });
});

describe('planted findings', () => {
  test.each([
    ['frontal', true, false], ['lateral', false, true], ['both', true, true],
  ] as const)('%s: seen on PA %s, on the lateral %s', (kind, onPA, onLateral) => {
    for (const [view, seen] of [['PA', onPA], ['LL', onLateral]] as const) {
      const [finding] = film(view, [kind]).findings;
      expect(finding).toMatchObject({ kind, label: FINDING_LABELS[kind], visible: seen });
      expect(finding!.mask !== undefined).toBe(seen);
    }
  });

  test.each([['frontal', 'PA', 'LL'], ['lateral', 'LL', 'PA']] as const)('%s stands out on %s far more than on %s', (kind, shown, hidden) => {
    for (const seed of [11, 12]) {
      const mask = maskOf(film(shown, [kind], seed));
      const clear = contrast(kind, shown, mask, seed);
      // No mask is given where it is hidden: the change of the whole film's most changed tenth stands for it.
      const [a, b] = [film(hidden, [kind], seed), film(hidden, [], seed)];
      const changes = Array.from(a.pixels, (v, i) => v - b.pixels[i]!).sort((x, y) => y - x);
      const area = mask.reduce((sum, m) => sum + m, 0);
      const hint = changes.slice(0, area).reduce((sum, d) => sum + d, 0) / area;
      expect(clear).toBeGreaterThan(100);
      expect(clear).toBeGreaterThan(2 * hint);
    }
  });

  test('a mask is where its finding brightens the film, inside of its box, within the lungs', () => {
    for (const [kind, view] of [['frontal', 'PA'], ['lateral', 'LL'], ['both', 'PA'], ['both', 'LL']] as const) {
      const phantom = film(view, [kind], 21);
      const { mask, box, centre } = phantom.findings[0]!;
      expect(contrast(kind, view, mask!, 21)).toBeGreaterThan(100);
      const [left, top, right, bottom] = box!;
      const inside = mask!.reduce((sum, m) => sum + m, 0);
      expect(inside).toBeGreaterThan(20);
      expect(mask!.every((m, i) => !m || (i % SIZE >= left && i % SIZE <= right && i >= top * SIZE && i < (bottom + 1) * SIZE))).toBe(true);
      expect(mask![Math.round(centre![1]) * SIZE + Math.round(centre![0])]).toBe(1);
      expect(mask!.reduce((sum, m, i) => sum + m * phantom.lungMask[i]!, 0) / inside).toBeGreaterThan(0.95);
    }
  });

  test('one finding lies at one height in both views', () => {
    for (const seed of [31, 32]) {
      // A film of the same chest shows the lungs' top and bottom; the finding's share of the way down is compared.
      const share = (view: ChestView): number => {
        const { lungMask, findings } = film(view, ['both'], seed);
        const top = Math.floor(lungMask.indexOf(1) / SIZE);
        return (findings[0]!.centre![1] - top) * film(view, [], seed).spacingMm;
      };
      expect(Math.abs(share('PA') - share('LL'))).toBeLessThan(15);
    }
  });

  test('several at once keep the places that each has alone, in any order', () => {
    const all = film('PA', ['both', 'lateral', 'frontal']);
    expect(all.findings.map(f => f.kind)).toEqual([...CHEST_FINDINGS]);
    expect(all.findings[0]!.mask).toEqual(maskOf(film('PA', ['frontal'])));
    expect(all.findings[2]!.mask).toEqual(maskOf(film('PA', ['both'])));
  });
});

describe('findingChord', () => {
  const shape: FindingShape = { kind: 'both', centre: { x: 3, y: -4, v: 50 }, axes: [10, 20, 30], tilt: 0.4, pitch: -0.3, filling: 1 };

  test('has the ends of a sphere\'s chord', () => {
    const out = { low: 0, high: 0 };
    const sphere = { ...shape, axes: [13, 13, 13] as const };
    expect(findingChord(sphere, 'frontal')(3 + 5, 50, out)).toBe(true);
    expect([out.low, out.high]).toEqual([expect.closeTo(-16, 6), expect.closeTo(8, 6)]);
    expect(findingChord(sphere, 'lateral')(-4, 50 + 13.1, out)).toBe(false);
  });

  test('adds up to the same volume along both axes', () => {
    const volume = (axis: 'frontal' | 'lateral'): number => {
      const chord = findingChord(shape, axis);
      const out = { low: 0, high: 0 };
      let sum = 0;
      for (let u = -60; u <= 60; u += 0.5) for (let v = 0; v <= 100; v += 0.5) if (chord(u, v, out)) sum += (out.high - out.low) / 4;
      return sum;
    };
    const exact = (4 / 3) * Math.PI * 10 * 20 * 30;
    expect(volume('frontal') / exact).toBeCloseTo(1, 2);
    expect(volume('lateral') / exact).toBeCloseTo(1, 2);
  });
});
