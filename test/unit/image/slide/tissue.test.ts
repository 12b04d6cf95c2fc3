import type { FrameReader } from '../../../../src/image/slide/frames.ts';
import { glassLimits } from '../../../../src/image/slide/glass.ts';
import { slidePyramid } from '../../../../src/image/slide/pyramid.ts';
import { slideSource } from '../../../../src/image/slide/slide-source.ts';
import { seededRandom } from '../../../../src/phantoms/random.ts';
import { memoryFrames, slideJson, type SlideSpec } from '../../../fixtures/build-slide.ts';

type Rgb = readonly [number, number, number];
const GLASS: Rgb = [240, 238, 241];
const STROMA: Rgb = [226, 190, 214];
const NUCLEUS: Rgb = [110, 80, 150];

/** Counts of noisy pixels in these shares. */
function counts(parts: readonly (readonly [share: number, colour: Rgb, noise?: number])[]): Float64Array {
  const random = seededRandom(5);
  const out = new Float64Array(256 * 768);
  for (const [share, colour, noise = 1.5] of parts) {
    for (let n = 0; n < share * 20_000; n++) {
      const pixel = colour.map(v => Math.max(0, Math.min(255, Math.round(v + noise * random.gaussian()))));
      const mean = Math.round((pixel[0]! + pixel[1]! + pixel[2]!) / 3);
      pixel.forEach((v, channel) => out[mean * 768 + channel * 256 + v]!++);
    }
  }
  return out;
}

describe('glass', () => {
  const isGlass = (limits: ReturnType<typeof glassLimits>, colour: Rgb) => 'least' in limits && colour.every((v, i) => v >= limits.least[i]!);

  test.each([
    ['little tissue', [[0.99, GLASS], [0.008, STROMA], [0.002, NUCLEUS]]],
    ['much tissue', [[0.1, GLASS], [0.6, STROMA, 6], [0.3, NUCLEUS, 12]]],
    ['nothing but glass', [[1, GLASS]]],
  ] as const)('is told from stroma and from a cell that is a third of a pixel, with %s', (_, parts) => {
    const limits = glassLimits(counts(parts));
    expect(isGlass(limits, GLASS)).toBe(true);
    expect(isGlass(limits, [236, 234, 237])).toBe(true);
    expect(isGlass(limits, [255, 255, 255])).toBe(true);
    expect(isGlass(limits, STROMA)).toBe(false);
    expect(isGlass(limits, GLASS.map((v, i) => v * 0.67 + NUCLEUS[i]! * 0.33) as unknown as Rgb)).toBe(false);
  });

  test.each([
    ['tissue all over', [[0.7, STROMA], [0.3, NUCLEUS]], 'coloured'],
    ['fluorescence, some of it overexposed', [[0.9, [8, 8, 8]], [0.095, [60, 60, 60], 20], [0.005, [255, 255, 255], 0]], 'hardly anything'],
    ['a dark slide', [[0.9, [8, 8, 8]], [0.1, [90, 90, 90], 10]], 'as bright'],
    ['an uneven picture', [[0.5, [205, 205, 205], 12], [0.5, [90, 90, 90], 20]], 'uneven'],
    ['nothing', [], 'could not be read'],
  ] as const)('is not found on %s', (_, parts, why) => {
    expect(glassLimits(counts(parts as never))).toEqual({ none: expect.stringContaining(why) });
  });
});

describe('the tissue of a slide', () => {
  // A piece of tissue and, elsewhere, one cell of 10 µm on the glass.
  const [COLUMNS, ROWS] = [960, 640];
  const near = (x: number, y: number, u: number, v: number, radius: number) => (x - u) ** 2 + (y - v) ** 2 < radius ** 2;
  const colour = (x: number, y: number): Rgb => (near(x, y, 300, 200, 120) ? STROMA : near(x, y, 777, 517, 10) ? NUCLEUS : GLASS);
  const value = (x: number, y: number, sample: number) => colour(x, y)[sample]!;
  /** Every fourth pixel stands for its neighbours. */
  const mean = (step: number) => (x: number, y: number, sample: number) => {
    let sum = 0;
    for (let v = 2; v < step; v += 4) for (let u = 2; u < step; u += 4) sum += value(step * x + u, step * y + v, sample);
    return Math.round(sum / (step / 4) ** 2);
  };
  const base: SlideSpec = { sop: '1.1', columns: COLUMNS, rows: ROWS, tile: 64, value };
  const low: SlideSpec = { sop: '1.2', columns: COLUMNS / 16, rows: ROWS / 16, spacing: '0.008\\0.008', value: mean(16) };
  const sourceOf = (specs: readonly SlideSpec[], reader: FrameReader = memoryFrames(specs)) => {
    const pyramid = slidePyramid(specs.map(slideJson));
    return slideSource(pyramid, pyramid.levels[0]!, reader);
  };
  const square = (x: number, y: number, side = 64) => ({ x, y, columns: side, rows: side });

  test('shows with a margin, a single cell too; the rest is glass', async () => {
    const map = await sourceOf([base, low]).tissue!(0.03);
    expect(map).toMatchObject({ glass: true, reason: expect.stringMatching(/level 1 of 2, 8 µm a pixel/) });
    expect(map.shows(square(256, 192))).toBe(true);
    expect(map.shows(square(768, 512))).toBe(true);
    // 30 µm about the cell, and no further than that and what the map's cells add.
    expect(map.shows(square(800, 512, 20))).toBe(true);
    expect(map.shows(square(930, 600, 20))).toBe(false);
    expect(map.shows(square(840, 512, 20), true)).toBe(false);
    for (let y = 0; y < ROWS; y += 4) {
      for (let x = 0; x < COLUMNS; x += 4) if (colour(x, y) !== GLASS && !map.shows(square(x, y, 1))) throw new Error(`tissue at ${x}, ${y} was lost`);
    }
  });

  test('statistics are those of its tissue', async () => {
    const reader = memoryFrames([base, low]);
    const source = sourceOf([base, low], reader);
    const map = await source.tissue!(0.03);
    const stroma = async (tissue?: typeof map) => {
      const { pixels } = await source.sample!(undefined, tissue);
      return Array.from(pixels).filter((v, i) => i % 3 === 1 && v === STROMA[1]).length / (pixels.length / 3);
    };
    expect(await stroma()).toBeLessThan(0.15);
    expect(await stroma(map)).toBeGreaterThan(0.3);
  });

  test('what could not be read counts as tissue, and the map is another', async () => {
    // The frame of the lower level at its upper right: glass.
    const spoiled = memoryFrames([base, low], (frame, n, sop) => (sop === '1.2' && n === 4 ? frame.subarray(1) : frame));
    const whole = await sourceOf([base, low]).tissue!(0.03);
    const map = await sourceOf([base, low], spoiled).tissue!(0.03);
    expect([whole.shows(square(880, 60)), map.shows(square(880, 60)), map.shows(square(560, 480))]).toEqual([false, true, false]);
    expect(map.digest).not.toBe(whole.digest);
    const none = await sourceOf([base, low], memoryFrames([base, low], (frame, _, sop) => (sop === '1.2' ? frame.subarray(1) : frame))).tissue!(0.03);
    expect(none).toMatchObject({ glass: false, reason: expect.stringContaining('could not be read') });
    expect(none.shows(square(880, 60))).toBe(true);
  });

  test.each([
    ['has no lower level', [base]],
    ['has but one that is too coarse', [base, { ...low, columns: COLUMNS / 64, rows: ROWS / 64, spacing: '0.032\\0.032', value: mean(64) }]],
    ['is grey', [{ ...base, samples: 1 }, { ...low, samples: 1 }]],
  ] as const)('is all of a slide that %s', async (_, specs) => {
    const map = await sourceOf(specs).tissue!(0.03);
    expect(map).toMatchObject({ glass: false, digest: 'all', reason: expect.stringContaining('all of the slide is read') });
    expect(map.shows(square(930, 600, 20))).toBe(true);
  });

  test('a slide without spacing goes by its downsampling', async () => {
    const map = await sourceOf([{ ...base, spacing: undefined }, { ...low, spacing: undefined }]).tissue!(0.03);
    expect(map).toMatchObject({ glass: true });
    expect([map.shows(square(256, 192)), map.shows(square(880, 60))]).toEqual([true, false]);
  });
});
