import '@tensorflow/tfjs-backend-cpu';
import { Engine, type SlideInput, type TilesJob } from '../../src/engine.ts';
import type { LabelledTile, TiledResult, TiledRun, UnreadTile } from '../../src/results/tiled-result.ts';
import { joinedGlass } from '../../src/results/tiled-result.ts';
import { memoryFrames, slideJson, type SlideSpec } from '../fixtures/build-slide.ts';
import { asBytes, tinyFiles, tinyManifest } from './runtime/tiny.ts';

const tissue = { rule: 'optical-density', marginMm: 0.03 } as const;
const dark = (rule: object) => tinyFiles('tiny-dark', { 'manifest.json': asBytes(tinyManifest('tiny-dark', m => ({ ...m, input: { ...m.input, ...rule } }))) });
const engine = new Engine({ backend: 'cpu', fetchModel: location => dark(location === 'all' ? {} : { tissue }) });
afterAll(() => engine.dispose());

/** Glass, a piece of stroma on it, dark nuclei within. */
const value = (x: number, y: number, sample: number): number => {
  const inside = Math.hypot(x - 200, y - 180);
  if (inside > 110) return [240, 238, 241][sample]!;
  return Math.hypot((x % 40) - 20, (y % 40) - 20) < 8 ? [90, 70, 140][sample]! : [226, 190, 214][sample]!;
};
const SIZE = 768;
const base: SlideSpec = { sop: '1.1', columns: SIZE, rows: SIZE, tile: 64, value };
const low: SlideSpec = { sop: '1.2', columns: SIZE / 16, rows: SIZE / 16, spacing: '0.008\\0.008', value: (x, y, s) => Math.round([3, 8, 13].reduce((sum, u) => sum + value(16 * x + u, 16 * y + u, s), 0) / 3) };
const specs = [base, low];
const slideOf = (frames = memoryFrames(specs)): SlideInput => ({ instances: specs.map(slideJson), frames });

async function run(job: Partial<TilesJob>, stopAfter = Infinity): Promise<{ told: TiledRun; tiles: Map<number, LabelledTile | UnreadTile>; result?: TiledResult }> {
  const tiles = new Map<number, LabelledTile | UnreadTile>();
  let told: TiledRun | undefined;
  const jobId = `run ${Math.random()}`;
  const result = await engine.runTiles({ jobId, location: 'leaves glass out', source: slideOf(), ...job }, {
    onRun: run => void (told = run),
    onTile: tile => {
      tiles.set(tile.index, tile);
      if (tiles.size === stopAfter) engine.cancel(jobId);
    },
  }).catch((error: unknown) => {
    if (stopAfter === Infinity) throw error;
    return undefined;
  });
  return { told: told!, tiles, ...(result && { result }) };
}

const labelsOf = (tile: LabelledTile | UnreadTile | undefined) => (tile && 'labels' in tile ? tile.labels : undefined);

describe('a model that leaves glass out', () => {
  let whole: Awaited<ReturnType<typeof run>>;
  beforeAll(async () => (whole = await run({ location: 'all' })));

  test('reads the tissue as it would otherwise, and says what it did not read', async () => {
    const reader = memoryFrames(specs);
    const { told, tiles, result } = await run({ source: slideOf(reader) });
    expect(whole.told).not.toHaveProperty('glass');
    const glass = told.glass!;
    expect(glass.reason).toMatch(/level 1 of 2/);
    expect(glass.indices.length).toBeGreaterThan(told.tiles / 2);
    expect(glass.indices.length + tiles.size).toBe(told.tiles);
    expect(result).toMatchObject({ labelled: tiles.size, unread: [], glass: { indices: glass.indices } });
    expect(result!.segments[0]!.pixels).toBe(whole.result!.segments[0]!.pixels);
    expect(result!.segments[0]!.pixels).toBeGreaterThan(1000);
    for (const [index, tile] of tiles) expect(Buffer.compare(labelsOf(tile)!, labelsOf(whole.tiles.get(index))!)).toBe(0);
    for (const index of glass.indices) expect(labelsOf(whole.tiles.get(index))!.every(label => label === 0)).toBe(true);
    // Tiles and glass cover the slide, and frames of glass were not asked for.
    const area = (regions: Iterable<{ columns: number; rows: number }>) => [...regions].reduce((sum, r) => sum + r.columns * r.rows, 0);
    expect(area(joinedGlass(glass)) + area([...tiles.values()].map(t => t.region))).toBe(SIZE * SIZE);
    expect(new Set(reader.asked.filter(asked => asked.startsWith('1.1'))).size).toBeLessThan((SIZE / 64) ** 2 / 2);
  });

  test('goes on after Cancel; asked to, it reads the glass into the same mask', async () => {
    const stopped = await run({}, 2);
    expect(stopped.result).toBeUndefined();
    const rest = await run({ done: [...stopped.tiles.keys()] });
    expect(rest.told.fingerprint).toBe(stopped.told.fingerprint);
    expect(rest.told.glass).toEqual(stopped.told.glass);
    const tissueTiles = new Set([...stopped.tiles.keys(), ...rest.tiles.keys()]);
    const more = await run({ done: tissueTiles, readGlass: true });
    expect(more.told).toMatchObject({ fingerprint: stopped.told.fingerprint, glass: { indices: new Uint32Array(0), reason: expect.stringContaining('as asked') } });
    expect([...more.tiles.keys()].sort((a, b) => a - b)).toEqual([...stopped.told.glass!.indices]);
    // What of the glass is read is no longer left out.
    const [first, ...others] = stopped.told.glass!.indices;
    const again = await run({ done: [...tissueTiles, first!] });
    expect([...again.result!.glass!.indices]).toEqual(others);
    expect(again.result!.glass!.regions).toHaveLength(4 * others.length);
  });

  test('a slide of nothing but glass has no tile to read', async () => {
    const blank = specs.map(spec => ({ ...spec, value: (_x: number, _y: number, s: number) => [240, 238, 241][s]! }));
    const { told, tiles, result } = await run({ source: { instances: blank.map(slideJson), frames: memoryFrames(blank) } });
    expect(told.glass!.indices).toHaveLength(told.tiles);
    expect([tiles.size, result!.segments[0]!.pixels]).toEqual([0, 0]);
  });

  test('without a lower level reads everything and says why', async () => {
    const { told, tiles } = await run({ source: { instances: [slideJson(base)], frames: memoryFrames([base]) } });
    expect(told.glass).toMatchObject({ indices: new Uint32Array(0), reason: expect.stringContaining('no level of lower resolution') });
    expect(tiles.size).toBe(told.tiles);
  });
});
