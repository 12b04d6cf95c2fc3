import type { EngineSlideJob, SlideCallOptions } from '../../../../src/engine-slides.ts';
import { OverreadError } from '../../../../src/errors.ts';
import type { PointsResult } from '../../../../src/results/points.ts';
import type { CountedTile, TiledRun } from '../../../../src/results/tiled-result.ts';
import type { CatalogueEntry } from '../../../../extension/catalogue.ts';
import { ResultsStore } from '../../../../extension/results-store.ts';
import { SlideCounts } from '../../../../extension/slides/count.ts';
import type { Cornerstone, Services } from '../../../../extension/types/ohif.ts';
import { slideDisplaySet } from './made-slide.ts';

const displaySet = slideDisplaySet();
const device = { backend: 'wasm', adapter: 'test', software: false, reason: 'a test' } as const;
const target = { label: 'Nucleus', concept: { codeValue: '84640000', codingSchemeDesignator: 'SCT', codeMeaning: 'Nucleus' } };
const entry = { location: '/models/count', manifest: { id: 'count', version: '1.0.0', name: 'Count', task: 'count', output: { targets: [target] } } } as unknown as CatalogueEntry;
const told: TiledRun = {
  fingerprint: 'f', tiles: 3,
  model: { id: 'count', version: '1.0.0', name: 'Count', sha256: 'ab'.repeat(32), notice: 'A test.' },
  source: { sources: [{ studyInstanceUID: '1', seriesInstanceUID: '1.2', sopInstanceUID: '1.2.1', frame: 1 }], modality: 'SM', shape: [4097, 3001, 1], spacingMm: [0.0005, 0.0005] } as unknown as TiledRun['source'],
};
/** Two cells in a column of 100 pixels each. */
const tile = (index: number): CountedTile => ({
  index, region: { x: 100 * index, y: 0, columns: 100, rows: 100 }, sums: Float64Array.of(2), negative: 0,
  candidates: { coordinates: Float32Array.of(100 * index + 10, 20, 100 * index + 60, 70), classOf: Uint8Array.of(0, 0), weights: Float32Array.of(0.9, 0.8) },
});

const RULES = [{ descriptions: ['virtual'] }];

/** An engine that hands out these tiles, and then ends as told. */
function counts(tiles: readonly number[], end: () => void = () => {}, run: TiledRun = told) {
  const results = new ResultsStore();
  const jobs: EngineSlideJob[] = [];
  const engine = {
    start: async () => device,
    runTiles: (job: EngineSlideJob, { onRun, onCounted }: SlideCallOptions) => (jobs.push(job), {
      focus: () => {},
      result: (async () => {
        await onRun?.(run);
        for (const index of tiles) await onCounted?.(tile(index));
        end();
        return { device };
      })(),
    }),
  };
  const services = { viewportGridService: { getState: () => ({ viewports: new Map(), activeViewportId: '' }), getActiveViewportId: () => '' } } as unknown as Services;
  const cornerstone = { metaData: { get: () => ({ retrieveSeriesMetadata: async () => [] }) } } as unknown as Cornerstone;
  const parts = { services, cornerstone, engine: engine as never, kept: results, rules: RULES };
  const options = { force: false, signal: new AbortController().signal, onProgress: () => {} };
  return { results, jobs, run: () => new SlideCounts(parts).run(entry, { viewportId: 'v', displaySet }, options) };
}

const pointsOf = (results: ResultsStore): PointsResult => results.all()[0]!.result as PointsResult;

test('a slide is counted: a marker a cell, of the level that was read, with cells/mm² of what was read', async () => {
  const { results, jobs, run } = counts([2, 0, 1]);
  const kept = await run();
  // What the site counts as synthesised is for the engine to refuse.
  expect(jobs).toMatchObject([{ slide: { synthesisRules: RULES } }]);
  expect(results.all()).toEqual([kept]);
  const { total, coordinates, source, device: made, remarks } = pointsOf(results);
  expect(total).toMatchObject({ count: 6, markers: 6 });
  expect(total.cellsPerMm2).toBeCloseTo(6 / (3 * 100 * 100 * 0.0005 ** 2), 6);
  expect([...coordinates.filter((_, i) => i % 2 === 0)].sort((a, b) => a - b)).toEqual([10, 60, 110, 160, 210, 260]);
  expect(source.sources).toBe(told.source.sources);
  expect(made).toBe(device);
  expect(remarks).toBeUndefined();
});

test('what was counted when it was stopped stays, and says that it is not all', async () => {
  const { results, run } = counts([1], () => { throw new OverreadError('job/cancelled', 'stopped'); });
  await expect(run()).rejects.toMatchObject({ code: 'job/cancelled' });
  expect(pointsOf(results).total.count).toBe(2);
  expect(pointsOf(results).remarks).toEqual([expect.stringContaining('1 of 3 tiles are read')]);
});

test('glass is not waited for', async () => {
  const glass = { reason: 'by its brightness', indices: Uint32Array.of(2), regions: Uint32Array.of(200, 0, 100, 100) };
  const { results, run } = counts([0, 1], () => {}, { ...told, glass });
  await run();
  expect(pointsOf(results).remarks).toBeUndefined();
});

test('a count of another slide is thrown away', async () => {
  const { results, run } = counts([0], () => {}, { ...told, source: { ...told.source, sources: [{ studyInstanceUID: '1', seriesInstanceUID: '9.9', sopInstanceUID: '9.9.1', frame: 1 }] } });
  await expect(run()).rejects.toMatchObject({ code: 'internal' });
  expect(results.all()).toEqual([]);
});

test('a correction by hand is not run over', async () => {
  const { results, run } = counts([0, 1, 2]);
  const { key } = await run();
  results.replacePoints(key, { ...pointsOf(results), editedAt: '2026-01-01T00:00:00.000Z' });
  await expect(run()).rejects.toMatchObject({ code: 'input/refused', message: expect.stringContaining('Discard') });
});
