import type { Image } from '../../../src/image/image.ts';
import { countWatershed } from '../../../src/tasks/count-watershed/index.ts';
import { watershedParameters } from '../../../src/tasks/count-watershed/parameters.ts';
import { picture } from '../runtime/tiny.ts';

interface Disc {
  readonly x: number;
  readonly y: number;
  readonly radius: number;
}

const DISCS: readonly Disc[] = [{ x: 15, y: 15, radius: 6 }, { x: 40, y: 15, radius: 6 }, { x: 50.5, y: 15, radius: 6 }, { x: 30, y: 40, radius: 6 }, { x: 60, y: 45, radius: 2 }];
const inside = (x: number, y: number) => DISCS.some(disc => Math.hypot(x - disc.x, y - disc.y) <= disc.radius);
const fluorescence = (changes: Partial<Image> = {}) => picture(80, 60, (x, y) => (inside(x, y) ? 180 : 20), { spacingMm: [0.001, 0.001], ...changes });

/** Purple on white. */
function stained(): Image {
  const pixels = new Float32Array(80 * 60 * 3);
  for (let i = 0; i < 80 * 60; i++) pixels.set(inside(i % 80, Math.floor(i / 80)) ? [110, 70, 160] : [240, 235, 242], 3 * i);
  return { ...fluorescence(), channels: 3, pixels };
}

test('cells are parted where they touch, placed in their middles, and what is too small is none', async () => {
  const { total, coordinates, classes, remarks, density, model, device, confidences } = await countWatershed(fluorescence());
  expect(total).toEqual({ count: 4, markers: 4, cellsPerMm2: expect.closeTo(4 / (80 * 60 * 1e-6), 6) as number });
  expect(classes[0]!.target.label).toBe('Cell');
  const found = Array.from({ length: 4 }, (_, i) => [coordinates[2 * i]!, coordinates[2 * i + 1]!] as const);
  for (const { x, y } of DISCS.slice(0, 4)) expect(Math.min(...found.map(([fx, fy]) => Math.hypot(fx - x, fy - y)))).toBeLessThan(1);
  expect(density).toBeUndefined();
  expect([...confidences]).toEqual([1, 1, 1, 1]);
  expect(remarks).toEqual([expect.stringMatching(/^channel brightness, threshold 0\.\d+$/), '1 too small']);
  expect([model.id, device.backend]).toEqual(['count-watershed', 'cpu']);
});

test('dark cells and stained ones are found as bright ones are', async () => {
  const dark = fluorescence();
  expect((await countWatershed({ ...dark, pixels: dark.pixels.map(value => 255 - value) })).remarks![0]).toMatch(/^channel darkness/);
  const purple = await countWatershed(stained());
  expect(purple.total.count).toBe(4);
  expect(purple.remarks![0]).toMatch(/^channel hematoxylin-eosin/);
});

test('every knob does what it says, and makes another method', async () => {
  const image = fluorescence();
  const plain = await countWatershed(image);
  const count = async (parameters: Parameters<typeof countWatershed>[1]) => (await countWatershed(image, parameters)).total.count;
  expect(await count({ minimumArea: 1 })).toBe(5);
  expect(await count({ maximumArea: 100 })).toBe(0);
  expect(await count({ minimumDistance: 15 })).toBe(3);
  expect(await count({ threshold: 0.9 })).toBe(0);
  expect(await count({ threshold: 0.01 })).toBe(1);
  expect(await count({ channel: 'darkness' })).not.toBe(4);
  expect(await count({ smoothing: 12 })).toBeLessThan(4);
  const other = await countWatershed(image, { minimumDistance: 6 });
  expect(other.model.sha256).not.toBe(plain.model.sha256);
  expect((await countWatershed(image, { minimumDistance: 5 })).model.sha256).toBe(plain.model.sha256);
});

test('a blank picture has no cells, and a saturated one is told', async () => {
  const blank = await countWatershed(picture(20, 20, () => 255));
  expect(blank.total).toEqual({ count: 0, markers: 0 });
  expect(blank.remarks).toEqual([expect.stringMatching(/^blank picture: .* the highest that it can hold$/), 'channel darkness, no threshold: one value throughout', 'no PixelSpacing: no cells/mm²']);
  const burnt = fluorescence();
  expect((await countWatershed({ ...burnt, pixels: burnt.pixels.map(value => Math.min(255, value * 2)) })).remarks![0]).toMatch(/^saturated picture/);
});

test('what it cannot read is refused by name', async () => {
  await expect(countWatershed(fluorescence(), { channel: 'dab' })).rejects.toMatchObject({ code: 'input/refused', message: expect.stringContaining('Expected a picture in colour for the channel dab') as string });
  await expect(countWatershed({ ...fluorescence(), shape: [80, 30, 2] })).rejects.toMatchObject({ code: 'input/refused' });
  expect(() => watershedParameters({ treshold: 1 })).toThrow(/treshold/);
  expect(() => watershedParameters({ smoothing: -1, minimumArea: 9, maximumArea: 3 })).toThrow(/smoothing: .*/);
  expect(() => watershedParameters({ minimumArea: 9, maximumArea: 3 })).toThrow(/maximumArea: expected at least minimumArea/);
});
