import { setBackend } from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { tileSourceOf } from '../../src/image/tiles.ts';
import { CountedTiles, pointsOfTiles } from '../../src/results/counted-tiles.ts';
import type { CountedTile } from '../../src/results/tiled-result.ts';
import { runTiles } from '../../src/run-tiles.ts';
import type { Runtime } from '../../src/runtime/types.ts';
import { cellsPicture, countingManifest, densityNetwork, loaded, scatter } from './tasks/counting-models.ts';

beforeAll(() => setBackend('cpu'));

const runtime = { ready: async () => {}, device: { backend: 'cpu', adapter: '', software: true, reason: '' } } as unknown as Runtime;
const { model } = loaded(densityNetwork(), countingManifest());
const cells = scatter(1, 110, 90, 35);
const source = tileSourceOf(cellsPicture(110, 90, cells, { changes: { spacingMm: [0.001, 0.001] } }));
const { targets } = model.manifest.output;

test('a model that counts hands out tiles of cells, which add up to the count, and to a result at any time', async () => {
  const tiles: CountedTile[] = [];
  let wanted = 0;
  const result = await runTiles(runtime, model, source, { onTile: () => { throw new Error('no mask'); }, onCounted: tile => void tiles.push(tile), onRun: run => void (wanted = run.tiles) });
  expect(result).toMatchObject({ kind: 'tiled points', segments: [], unread: [], tiles: wanted, labelled: wanted });
  expect(result.sums![0]).toBeCloseTo(35, 2);

  const counted = new CountedTiles(1);
  counted.add(tiles[0]!);
  const early = pointsOfTiles(result, targets, counted, wanted);
  expect(early.remarks![0]).toBe(`1 of ${wanted} tiles are read: no cell of the others is counted`);
  const { columns, rows } = tiles[0]!.region;
  expect(early.total.cellsPerMm2).toBeCloseTo(early.total.count / (columns * rows * 1e-6), 6);
  // In any order, and what comes twice once.
  for (const tile of [...tiles].reverse()) counted.add(tile);
  const whole = pointsOfTiles(result, targets, counted, wanted);
  expect(whole).toMatchObject({ kind: 'points', total: { markers: 35, cellsPerMm2: expect.closeTo(35 / (110 * 90 * 1e-6), -1) as number } });
  expect(whole.remarks).toBeUndefined();
  expect(whole.density).toBeUndefined();
  expect(whole).not.toHaveProperty('tiles');
});

test('a run goes on after the tiles that are there', async () => {
  const first: CountedTile[] = [];
  await runTiles(runtime, model, source, { onTile: () => {}, onCounted: tile => void first.push(tile) });
  const rest: CountedTile[] = [];
  const result = await runTiles(runtime, model, source, { onTile: () => {}, onCounted: tile => void rest.push(tile), done: first.slice(0, 2).map(({ index }) => index) });
  expect(rest.map(({ index }) => index)).toEqual(first.slice(2).map(({ index }) => index));
  expect(result.sums![0]! + first[0]!.sums[0]! + first[1]!.sums[0]!).toBeCloseTo(35, 2);
});

test('whoever hears of masks only gets none of a model that counts', async () => {
  await expect(runTiles(runtime, model, source, { onTile: () => {} })).rejects.toMatchObject({ code: 'model/manifest', message: expect.stringContaining('counts cells') as string });
});
