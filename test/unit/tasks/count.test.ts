import { greater, memory, mul, setBackend, type Tensor } from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { layers as tfl, sequential } from '@tensorflow/tfjs-layers';
import fc from 'fast-check';
import { OverreadError } from '../../../src/errors.ts';
import { tileSourceOf } from '../../../src/image/tiles.ts';
import { CountedTiles } from '../../../src/results/counted-tiles.ts';
import { countWhole } from '../../../src/tasks/count-whole.ts';
import { taskOf } from '../../../src/tasks/index.ts';
import { countTiles } from '../../../src/tasks/tiled-count.ts';
import type { FindingOf } from '../../../src/tasks/task.ts';
import type { Image } from '../../../src/image/image.ts';
import { cellsPicture, countingManifest, densityNetwork, FIELD, loaded, redundantNetwork, scatter, TILE, twoKinds, type Cell } from './counting-models.ts';

beforeAll(() => setBackend('cpu'));

type Points = FindingOf<'points'>;
const sum = (values: ArrayLike<number>) => Array.prototype.reduce.call(values, (a, b) => (a as number) + (b as number), 0) as number;

/** How far each cell is from its nearest marker, sorted. */
function distances(cells: readonly Cell[], { coordinates }: Pick<Points, 'coordinates'>): number[] {
  return cells.map(({ x, y }) => {
    let best = Infinity;
    for (let i = 0; i < coordinates.length; i += 2) best = Math.min(best, Math.hypot(coordinates[i]! - x, coordinates[i + 1]! - y));
    return best;
  }).sort((a, b) => a - b);
}

const median = (sorted: readonly number[]) => sorted[sorted.length >> 1]!;
const size = { columns: 90, rows: 70 };

test('the task count is in the registry, and gives points', () => {
  expect(taskOf(countingManifest())).toMatchObject({ id: 'count', kind: 'points' });
});

describe.each([
  ['density', () => loaded(densityNetwork(), countingManifest({ interval: { level: 0.9, constant: 1, proportional: 0.1 } }))],
  ['redundant', () => loaded(redundantNetwork(), countingManifest({ kind: 'redundant', interval: { level: 0.9, constant: 1, proportional: 0.1, spread: 2 } }))],
] as const)('a count of kind %s', (kind, make) => {
  const cells = scatter(1, size.columns, size.rows, 30);
  const image = cellsPicture(size.columns, size.rows, cells, { changes: { spacingMm: [0.001, 0.002] } });
  const { model, field, calls } = make();
  let whole: Points;
  beforeAll(async () => (whole = await countWhole(model, image, { field })));

  test('is the number of cells, with a marker on each, their places to a fraction of a pixel', async () => {
    const found = whole;
    expect(calls.length).toBeGreaterThan(3);
    expect(found.total.count).toBeCloseTo(30, 2);
    expect(found.total.markers).toBe(30);
    const off = distances(cells, found);
    expect(median(off)).toBeLessThan(0.35);
    expect(off.at(-1)).toBeLessThan(1);
    expect(Math.min(...found.confidences)).toBeGreaterThan(0.3);
    expect(Math.max(...found.confidences)).toBeLessThanOrEqual(1);
    expect(found.remarks).toBeUndefined();
    expect(found.total.cellsPerMm2).toBeCloseTo(30 / (90 * 0.001 * 70 * 0.002), 1);
    expect(found.source).not.toHaveProperty('pixels');
  });

  test('is the sum of the density that is handed out, over halves and whole', async () => {
    const { density, total, classes } = whole;
    expect(density).toHaveLength(size.columns * size.rows);
    expect(sum(density!)).toBe(classes[0]!.count);
    expect(total.count).toBe(classes[0]!.count);
    expect(Math.min(...density!)).toBeGreaterThanOrEqual(0);
    const left = density!.filter((_, i) => i % size.columns < 41);
    const right = density!.filter((_, i) => i % size.columns >= 41);
    expect(sum(left) + sum(right)).toBeCloseTo(total.count, 9);
    const there = cells.filter(({ x }) => x < 40.5 - 5).length;
    expect(sum(left)).toBeGreaterThan(there - 0.5);
  });

  test('in tiles has the same sum, and the same markers', async () => {
    const tiles = new CountedTiles(1);
    const before = memory().numTensors;
    for await (const tile of countTiles(model, tileSourceOf(image), { field, focus: { x: 60, y: 50, columns: 10, rows: 10 } })) {
      if ('error' in tile) throw tile.error;
      tiles.add(tile);
      tiles.add(tile);
    }
    expect(memory().numTensors).toBe(before);
    expect(tiles.regions.length).toBeGreaterThan(3);
    expect(tiles.sums[0]).toBeCloseTo(whole.total.count, 4);
    const { coordinates, classOf } = tiles.markers;
    expect(classOf).toHaveLength(30);
    // Tiles come in another order than the pixels of the whole.
    const near = distances(Array.from(whole.classOf, (_, i) => ({ x: whole.coordinates[2 * i]!, y: whole.coordinates[2 * i + 1]! })), { coordinates });
    expect(near.at(-1)).toBeLessThan(kind === 'density' ? 1e-4 : 0.25);
  });

  test('of a picture that is too large for a density is the same without it', async () => {
    const large = await countWhole(model, image, { field }, 1000);
    expect(large.density).toBeUndefined();
    expect(large.total.count).toBeCloseTo(whole.total.count, 4);
    expect(large.total.markers).toBe(30);
    expect(large.total.interval === undefined).toBe(kind === 'redundant');
    expect(large.remarks).toEqual(['no density: the picture is too large']);
  });

  test('holds of any cells in a picture of any size, over any two parts', async () => {
    await fc.assert(fc.asyncProperty(fc.integer({ min: 20, max: 70 }), fc.integer({ min: 20, max: 70 }), fc.integer({ min: 0, max: 12 }), fc.integer(), fc.double({ min: 0, max: 1, noNaN: true }), async (columns, rows, wanted, seed, cut) => {
      const some = scatter(seed, columns, rows, wanted);
      const found = await countWhole(model, cellsPicture(columns, rows, some), { field });
      expect(found.total.count).toBeCloseTo(some.length, 1);
      expect(found.total.markers).toBe(some.length);
      for (const away of distances(some, found)) expect(away).toBeLessThan(1);
      const border = Math.round(cut * columns * rows);
      expect(sum(found.density!.subarray(0, border)) + sum(found.density!.subarray(border))).toBeCloseTo(found.total.count, 6);
    }), { numRuns: kind === 'density' ? 15 : 8, seed: 4 });
  });

  test('of a blank picture is 0 with an interval, and the network is not asked', async () => {
    calls.length = 0;
    const found = await countWhole(model, cellsPicture(60, 50, []), { field });
    expect(found).toMatchObject({ total: { count: 0, markers: 0, interval: { low: 0, high: 1, level: 0.9 } }, remarks: [expect.stringContaining('blank picture'), 'no PixelSpacing: no cells/mm²'] });
    expect(found.coordinates).toHaveLength(0);
    expect(calls).toHaveLength(0);
  });

  test('stops between tiles when it is cancelled', async () => {
    await expect(countWhole(model, image, { field, signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'job/cancelled' });
  });
});

test('a redundant map says by its lattices how sure it is', async () => {
  const cells = scatter(1, 80, 60, 20);
  const exact = loaded(redundantNetwork(), countingManifest({ kind: 'redundant', interval: { level: 0.9, constant: 0, proportional: 0, spread: 1 } }));
  const half = ({ total: { interval } }: Points) => (interval!.high - interval!.low) / 2;
  const sure = half(await countWhole(exact.model, cellsPicture(80, 60, cells), { field: exact.field }));
  expect(sure).toBeLessThan(0.01);
  // A network that sees each cell in half of its outputs only: two columns in three lattices out of four.
  const noisy = { ...exact.model, predict: async (inputs: readonly Tensor[]) => { const [map] = await exact.model.predict(inputs); return [mul(map!, greater(map!, 0.5))]; } } as typeof exact.model;
  const unsure = half(await countWhole(noisy, cellsPicture(80, 60, cells, { sigma: 2.5 }), { field: exact.field }));
  expect(unsure).toBeGreaterThan(sure);
});

test('each class has its own sum and its own markers, by the largest channel', async () => {
  for (const { model, field } of [loaded(densityNetwork(3), twoKinds()), loaded(redundantNetwork(3), twoKinds({ kind: 'redundant' }))]) {
    const cells = scatter(5, 100, 80, 40, 8);
    expect(cells.length).toBeGreaterThan(30);
    const image = cellsPicture(100, 80, cells, { channels: 3, changes: { attributes: {} } });
    const { classes, total, classOf, coordinates, density } = await countWhole(model, image, { field });
    const reds = cells.filter(({ kind }) => kind === 0);
    expect(classes.map(({ count, markers }) => [Math.round(count * 100) / 100, markers])).toEqual([[reds.length, reds.length], [cells.length - reds.length, cells.length - reds.length]]);
    expect(total.count).toBeCloseTo(cells.length, 1);
    expect(sum(density!.subarray(0, 8000))).toBe(classes[0]!.count);
    const redPlaces = Float32Array.from([...classOf].flatMap((c, i) => (c === 0 ? [coordinates[2 * i]!, coordinates[2 * i + 1]!] : [])));
    expect(distances(reds, { coordinates: redPlaces }).at(-1)).toBeLessThan(1);
  }
});

describe('what a reader has to know', () => {
  const { model, field } = loaded(densityNetwork(), countingManifest());
  const remarksOf = async (image: Image, of = model) => (await countWhole(of, image, { field })).remarks ?? [];

  test('cells that run together have fewer markers than their sum, which is said', async () => {
    const found = await countWhole(model, cellsPicture(40, 40, [{ x: 20, y: 20 }, { x: 20.5, y: 20 }, { x: 10, y: 30 }]), { field });
    expect(found.total.count).toBeCloseTo(3, 3);
    expect(found.total.markers).toBe(2);
    expect(found.remarks).toContainEqual(expect.stringMatching(/^1 of 3 cells have no marker of their own/));
  });

  test('a picture without spacing, and one that is saturated', async () => {
    const cells = scatter(2, 60, 60, 10);
    expect(await remarksOf(cellsPicture(60, 60, cells))).toEqual(['no PixelSpacing: no cells/mm²']);
    const image = cellsPicture(60, 60, cells, { changes: { spacingMm: [1, 1] } });
    expect(await remarksOf({ ...image, pixels: image.pixels.map(value => Math.min(1, value * 20)) })).toContainEqual(expect.stringMatching(/^saturated picture: \d+(\.\d)? % of its pixels have the highest value/));
    const stained = { ...image, pixels: image.pixels.map(value => Math.max(0, 1 - value * 20)) };
    expect(await remarksOf(stained)).toContainEqual(expect.stringMatching(/^saturated picture: .* lowest value/));
  });

  test('outputs below 0 count as 0', async () => {
    const negative = loaded(densityNetwork(1, -100), countingManifest());
    const found = await countWhole(negative.model, cellsPicture(60, 60, scatter(3, 60, 60, 10), { changes: { spacingMm: [1, 1] } }), { field });
    expect(found).toMatchObject({ total: { count: 0, markers: 0 } });
    expect(Math.max(...found.density!)).toBe(0);
  });
});

describe('refused by name', () => {
  test('a grey picture where the manifest wants colour, as one channel and as three', async () => {
    const { model, field } = loaded(densityNetwork(3), { ...twoKinds(), input: { ...twoKinds().input, colour: 'required' } });
    const coloured = cellsPicture(60, 60, scatter(1, 60, 60, 10), { channels: 3 });
    const bright = { ...coloured, pixels: coloured.pixels.map(value => 255 * value), representableRange: [0, 255] as const };
    await expect(countWhole(model, bright, { field })).resolves.toMatchObject({ kind: 'points' });
    await expect(countWhole(model, { ...bright, pixels: bright.pixels.map((_, i) => bright.pixels[i - (i % 3)]!) }, { field })).rejects.toThrow(/in colour, such as a stained section, got one that is grey \(0\.0 %/);
    await expect(countWhole(model, cellsPicture(60, 60, []), { field })).rejects.toMatchObject({ code: 'input/refused', message: expect.stringContaining('a single grey channel') as string });
  });

  test('a network whose outputs are not what the manifest says', async () => {
    const image = cellsPicture(60, 60, []);
    const { model, field } = loaded(redundantNetwork(), countingManifest());
    const lively = { ...image, pixels: image.pixels.map((_, i) => i % 2) };
    await expect(countWhole(model, lively, { field })).rejects.toMatchObject({ code: 'model/graph', fields: { expected: TILE, got: [TILE + FIELD - 1, 1] } });
    const two = sequential({ layers: [tfl.conv2d({ kernelSize: 1, filters: 2, inputShape: [TILE, TILE, 1] })] });
    await expect(countWhole(loaded(two, countingManifest()).model, lively, { field: loaded(two, countingManifest()).field })).rejects.toMatchObject({ code: 'model/output' });
  });

  test('a tile that cannot be read, and the others go on', async () => {
    const { model, field } = loaded(densityNetwork(), countingManifest());
    const inner = tileSourceOf(cellsPicture(110, 90, scatter(1, 110, 90, 40)));
    const source = { ...inner, read: async (region: Parameters<typeof inner.read>[0]) => (region.x === 0 && region.y === 0 ? Promise.reject(new OverreadError('input/truncated', 'A torn tile.')) : inner.read(region)) };
    const tiles = [];
    for await (const tile of countTiles(model, source, { field })) tiles.push(tile);
    expect(tiles.filter(tile => 'error' in tile)).toHaveLength(1);
    expect(tiles.length).toBeGreaterThan(3);
  });
});
