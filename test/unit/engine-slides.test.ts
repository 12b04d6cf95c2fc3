import { expose } from 'comlink';
import { connectEngine, type EngineClient } from '../../src/engine-client.ts';
import { createEngineService } from '../../src/engine-service.ts';
import '@tensorflow/tfjs-backend-cpu';
import { Engine, type SlideInput } from '../../src/engine.ts';
import { OverreadError } from '../../src/errors.ts';
import type { FrameReader } from '../../src/image/slide/frames.ts';
import type { Region } from '../../src/image/tiles.ts';
import type { LabelmapResult } from '../../src/results/result.ts';
import type { LabelledTile, TiledRun, UnreadTile } from '../../src/results/tiled-result.ts';
import { memoryFrames, slideFile, slideFrames, slideJson, SLIDE_UID, type SlideSpec } from '../fixtures/build-slide.ts';
import { embedded, removeFolders, temporaryFolder, write } from './cli/serve/embedded.ts';
import { asBytes, picture, tinyFiles, tinyManifest } from './runtime/tiny.ts';

const bright = (x: number, y: number) => (Math.hypot(x - 60, y - 40) < 25 || (x > 90 && y < 20) ? 220 : 30 + ((x * 7 + y * 3) % 40));
const base: SlideSpec = { sop: '1.1', columns: 130, rows: 90, samples: 1, value: bright };
const half: SlideSpec = { sop: '1.2', columns: 65, rows: 45, samples: 1, spacing: '0.001\\0.001', value: (x, y) => bright(2 * x, 2 * y) };
const window = { kind: 'window', min: 40, max: 200 } as const;

const tiled = (more: object = {}, output: object = {}) => tinyFiles('tiny-bright', {
  'manifest.json': asBytes(tinyManifest('tiny-bright', m => ({
    ...m, input: { ...m.input, modality: ['SM', 'OT'], viewPosition: undefined, normalisation: window, tiling: { overlap: 'receptive-field', padding: 'edge' }, ...more }, output: { ...m.output, ...output },
  }))),
});
const MODELS: Record<string, () => ReturnType<typeof tinyFiles>> = {
  tiled: () => tiled(), spaced: () => tiled({ spacingMm: 0.0011 }), percentile: () => tiled({ normalisation: { kind: 'percentile', low: 0, high: 100 } }),
  largest: () => tiled({}, { keepLargestComponents: 1 }), whole: () => tinyFiles('tiny-bright'),
};

let engine: Engine;
beforeAll(() => (engine = new Engine({ backend: 'cpu', fetchModel: location => MODELS[location]!() })));
afterAll(async () => {
  await engine.dispose();
  removeFolders();
});

const slideOf = (frames: FrameReader = memoryFrames([base, half])): SlideInput => ({ instances: [base, half].map(slideJson), frames });

/** The mask as the tiles make it up: 255 where none came. */
class Mask {
  readonly labels: Uint8Array;
  readonly tiles: (LabelledTile | UnreadTile)[] = [];
  run: TiledRun | undefined;
  constructor(readonly columns: number, rows: number) {
    this.labels = new Uint8Array(columns * rows).fill(255);
  }
  readonly onRun = (run: TiledRun) => void (this.run = run);
  readonly onTile = (tile: LabelledTile | UnreadTile) => {
    this.tiles.push(tile);
    if ('error' in tile) return;
    const { x, y, columns, rows } = tile.region;
    for (let row = 0; row < rows; row++) this.labels.set(tile.labels.subarray(row * columns, (row + 1) * columns), (y + row) * this.columns + x);
  };
}

async function untiled(spec: SlideSpec): Promise<Uint8Array> {
  const image = picture(spec.columns, spec.rows, (x, y) => spec.value!(x, y, 0));
  return ((await engine.run({ jobId: 'whole', location: 'tiled', images: [image] })) as LabelmapResult).labels;
}

describe('a slide, tile by tile', () => {
  test('gives the mask of the picture, with its level, segments and areas', async () => {
    const mask = new Mask(130, 90);
    const result = await engine.runTiles({ jobId: 'a', location: 'tiled', source: slideOf() }, mask);
    expect(Buffer.compare(mask.labels, await untiled(base))).toBe(0);
    const pixels = mask.labels.reduce((sum, v) => sum + v, 0);
    expect(pixels).toBeGreaterThan(2000);
    expect(result).toMatchObject({
      kind: 'tiled labelmap', tiles: mask.tiles.length, labelled: mask.tiles.length, unread: [], source: { shape: [130, 90, 1], sources: [{ sopInstanceUID: '1.1' }] },
      level: { index: 0, of: 2, downsample: 1, opticalPath: '1', chosenBy: 'finest', reason: expect.stringContaining('does not say') },
      segments: [{ pixels, target: { label: 'Bright' } }], device: { backend: 'cpu' },
    });
    expect(result.segments[0]!.areaMm2).toBeCloseTo(pixels * 0.0005 ** 2, 12);
    expect(mask.run).toMatchObject({ fingerprint: result.fingerprint, tiles: result.tiles, source: { spacingMm: [0.0005, 0.0005] } });
  });

  test('reads the level whose spacing the manifest wants, and without spacing measures pixels only', async () => {
    const mask = new Mask(65, 45);
    const result = await engine.runTiles({ jobId: 'b', location: 'spaced', source: slideOf() }, mask);
    expect(result).toMatchObject({ source: { shape: [65, 45, 1], sources: [{ sopInstanceUID: '1.2' }] }, level: { index: 1, downsample: 2, chosenBy: 'spacing' } });
    expect(Buffer.compare(mask.labels, await untiled(half))).toBe(0);
    const plain = { ...half, spacing: undefined };
    const unspaced = await engine.runTiles({ jobId: 'c', location: 'tiled', source: { instances: [slideJson(plain)], frames: memoryFrames([plain]) } }, new Mask(65, 45));
    expect(unspaced.segments[0]!.pixels).toBeGreaterThan(0);
    expect(unspaced.segments[0]).not.toHaveProperty('areaMm2');
    expect(unspaced.source).not.toHaveProperty('spacingMm');
  });

  test('a 1 × 1 slide has one pixel of mask', async () => {
    const one: SlideSpec = { ...base, columns: 1, rows: 1, value: () => 250 };
    const mask = new Mask(1, 1);
    await engine.runTiles({ jobId: 'd', location: 'tiled', source: { instances: [slideJson(one)], frames: memoryFrames([one]) } }, mask);
    expect(mask.tiles).toMatchObject([{ index: 0, region: { x: 0, y: 0, columns: 1, rows: 1 } }]);
  });

  test('statistics are those of the sample, so that each tile is normalised alike', async () => {
    const mask = new Mask(130, 90);
    await engine.runTiles({ jobId: 'e', location: 'percentile', source: slideOf() }, mask);
    const image = picture(130, 90, bright);
    const wanted = (await engine.run({ jobId: 'f', location: 'percentile', images: [image] })) as LabelmapResult;
    expect(Buffer.compare(mask.labels, wanted.labels)).toBe(0);
  });

  test('a broken frame marks the tiles that see it, and the rest is done', async () => {
    const mask = new Mask(130, 90);
    // Frame 29, of 9 × 6: column 2 from 0, row 3.
    const result = await engine.runTiles({ jobId: 'g', location: 'tiled', source: slideOf(memoryFrames([base, half], (frame, n, sop) => (n === 30 && sop === '1.1' ? frame.subarray(1) : frame))) }, mask);
    expect(result.unread.length).toBeGreaterThan(0);
    expect(result.labelled).toBe(result.tiles - result.unread.length);
    expect(result.unread[0]!.error).toMatchObject({ code: 'input/truncated', message: expect.stringContaining('Frame 30 of 1.1') });
    const wanted = await untiled(base);
    const inUnread = (x: number, y: number) => result.unread.some(({ region: r }) => x >= r.x && x < r.x + r.columns && y >= r.y && y < r.y + r.rows);
    mask.labels.forEach((label, i) => {
      if (label !== (inUnread(i % 130, Math.floor(i / 130)) ? 255 : wanted[i])) throw new Error(`pixel ${i}`);
    });
    expect(inUnread(2 * 16 + 8, 3 * 16 + 8)).toBe(true);
  });

  test('goes on after Cancel where it was, what was made is not made again', async () => {
    const mask = new Mask(130, 90);
    const stopped = engine.runTiles({ jobId: 'h', location: 'tiled', source: slideOf() }, {
      ...mask,
      onTile: tile => {
        mask.onTile(tile);
        if (mask.tiles.length === 5) engine.cancel('h');
      },
    });
    await expect(stopped).rejects.toMatchObject({ code: 'job/cancelled' });
    const before = mask.tiles.map(({ index }) => index);
    expect(before.length).toBeGreaterThanOrEqual(5);
    const fractions: number[] = [];
    let first = '';
    const result = await engine.runTiles({ jobId: 'h', location: 'tiled', source: slideOf() }, {
      onRun: run => {
        first = run.fingerprint;
        return before;
      },
      onTile: mask.onTile,
      onProgress: ({ fraction }) => fraction !== undefined && fractions.push(fraction),
    });
    expect(first).toBe(mask.run!.fingerprint);
    expect(result.labelled).toBe(result.tiles - before.length);
    expect(new Set(mask.tiles.map(({ index }) => index)).size).toBe(mask.tiles.length);
    expect(fractions[0]).toBeCloseTo(before.length / result.tiles);
    expect(Buffer.compare(mask.labels, await untiled(base))).toBe(0);
    // Another level has another fingerprint.
    const other = await engine.runTiles({ jobId: 'h', location: 'tiled', source: { ...slideOf(), level: 1 } }, new Mask(65, 45));
    expect(other.fingerprint).not.toBe(first);
  });

  test('what is on screen comes first, and may move', async () => {
    const order: Region[] = [];
    await engine.runTiles({ jobId: 'i', location: 'tiled', source: slideOf(), focus: { x: 120, y: 80, columns: 5, rows: 5 } }, {
      onTile: ({ region }) => {
        order.push(region);
        if (order.length === 2) engine.focus('i', { x: 0, y: 80, columns: 5, rows: 5 });
      },
    });
    const shows = (region: Region, x: number, y: number) => x >= region.x && x < region.x + region.columns && y >= region.y && y < region.y + region.rows;
    expect(shows(order[0]!, 122, 82)).toBe(true);
    // Two tiles are read ahead when it moves.
    expect(order.slice(2, 7).some(region => shows(region, 2, 82))).toBe(true);
  });

  test('a network that is gone ends the run; the receiver\'s fault does too', async () => {
    let reads = 0;
    const gone: FrameReader = { frame: async () => { reads++; throw new OverreadError('network/unreachable', 'No answer.'); } };
    await expect(engine.runTiles({ jobId: 'j', location: 'tiled', source: slideOf(gone) }, new Mask(130, 90))).rejects.toMatchObject({ code: 'network/unreachable' });
    // The sample comes, and some of the tiles; then the server goes away.
    const large: SlideSpec = { ...base, columns: 320, rows: 320 };
    const frames = memoryFrames([large]);
    reads = 0;
    const later: FrameReader = { frame: (sop, n) => (reads++ < 80 ? frames.frame(sop, n) : gone.frame(sop, n)) };
    const mask = new Mask(320, 320);
    await expect(engine.runTiles({ jobId: 'j', location: 'tiled', source: { instances: [slideJson(large)], frames: later } }, mask)).rejects.toMatchObject({ code: 'network/unreachable' });
    expect(mask.tiles.some(tile => 'labels' in tile)).toBe(true);
    await expect(engine.runTiles({ jobId: 'j', location: 'tiled', source: slideOf() }, { onTile: () => { throw new Error('disk full'); } })).rejects.toMatchObject({ code: 'internal', message: expect.stringContaining('disk full') });
  });

  test.each([['whole', 'input.tiling'], ['largest', 'keepLargestComponents']])('a model that cannot read in tiles (%s) is refused', async (location, said) => {
    await expect(engine.runTiles({ jobId: 'k', location, source: slideOf() }, new Mask(1, 1))).rejects.toMatchObject({ code: 'model/manifest', message: expect.stringContaining(said) });
  });

  test('a slide that the model was not made for is refused', async () => {
    const colour: SlideSpec = { ...base, samples: 3 };
    await expect(engine.runTiles({ jobId: 'l', location: 'tiled', source: { instances: [slideJson(colour)], frames: memoryFrames([colour]) } }, new Mask(1, 1))).rejects.toMatchObject({ code: 'input/refused' });
    const other: SlideSpec = { ...base, more: [['00080060', 'CS', 'CT']] };
    await expect(engine.runTiles({ jobId: 'l', location: 'tiled', source: { instances: [slideJson(other)], frames: memoryFrames([other]) } }, new Mask(1, 1))).rejects.toMatchObject({ code: 'input/refused' });
  });

  test('no tensor stays', async () => {
    await engine.runTiles({ jobId: 'm', location: 'tiled', source: slideOf() }, new Mask(130, 90));
    const { tensors } = await engine.memory();
    await engine.runTiles({ jobId: 'm', location: 'tiled', source: slideOf() }, new Mask(130, 90));
    expect((await engine.memory()).tensors).toBe(tensors);
  });
});

describe('a slide through the worker', () => {
  let client: EngineClient;
  const realFetch = globalThis.fetch;
  beforeEach(() => {
    // Models by name, all else over the network.
    globalThis.fetch = (async (url: string, init?: RequestInit) => {
      const at = /^https:\/\/models\.invalid\/(\w+)\/(.*)$/.exec(String(url));
      return at ? new Response(new Uint8Array(await MODELS[at[1]!]!().read(at[2]!))) : realFetch(url, init);
    }) as typeof fetch;
    const { port1, port2 } = new MessageChannel();
    expose(createEngineService(), port1);
    client = connectEngine(Object.assign(port2, { terminate: () => port2.close(), start: port2.start.bind(port2) }) as unknown as Worker, { backend: 'cpu' });
    port2.start();
    closing = () => port1.close();
  });
  let closing = () => {};
  afterEach(() => {
    client.dispose();
    closing();
    globalThis.fetch = realFetch;
  });
  const location = 'https://models.invalid/tiled/';

  test('tiles arrive whole, through a reader on the page; unread ones with their errors', async () => {
    const mask = new Mask(130, 90);
    const { result } = client.runTiles({ location, slide: slideOf(memoryFrames([base, half], (frame, n, sop) => (n === 30 && sop === '1.1' ? frame.subarray(1) : frame))) }, mask);
    const { unread, tiles, labelled } = await result;
    expect(unread.length).toBeGreaterThan(0);
    expect(unread[0]!.error).toBeInstanceOf(OverreadError);
    expect(mask.tiles).toHaveLength(tiles);
    const arrived = mask.tiles.find(tile => 'error' in tile) as UnreadTile;
    expect(arrived.error).toBeInstanceOf(OverreadError);
    expect(arrived.error).toMatchObject({ code: 'input/truncated', fields: { frameNumber: 30 } });
    expect(labelled).toBe(tiles - unread.length);
  });

  test('the worker reads a series by itself, with the page\'s headers; onRun says what is there', async () => {
    const folder = temporaryFolder();
    write(folder, 'base.dcm', slideFile(base));
    const server = await embedded(folder);
    const mask = new Mask(130, 90);
    let asked = 0;
    const run = client.runTiles({
      location,
      slide: { instances: [slideJson(base)], frames: { url: `${server.dicomWeb}/studies/${SLIDE_UID.study}/series/${SLIDE_UID.series}`, headers: () => ({ 'X-Test': String(++asked) }) } },
    }, { ...mask, onRun: run => { mask.onRun(run); return [0, 3]; } });
    const result = await run.result;
    await server.close();
    expect(asked).toBeGreaterThanOrEqual(slideFrames(base).length);
    expect(result.labelled).toBe(result.tiles - 2);
    expect(mask.tiles.map(({ index }) => index)).not.toContain(3);
    const wanted = await untiled(base);
    mask.labels.forEach((label, i) => {
      if (label !== 255 && label !== wanted[i]) throw new Error(`pixel ${i}`);
    });
  });

  test('Cancel ends it at once; the focus moves', async () => {
    const stop = new AbortController();
    const mask = new Mask(130, 90);
    const run = client.runTiles({ location, slide: slideOf(), focus: { x: 0, y: 0, columns: 4, rows: 4 } }, {
      signal: stop.signal,
      onTile: tile => {
        mask.onTile(tile);
        if (mask.tiles.length === 1) run.focus({ x: 126, y: 86, columns: 4, rows: 4 });
        if (mask.tiles.length === 8) stop.abort();
      },
    });
    await expect(run.result).rejects.toMatchObject({ code: 'job/cancelled' });
    expect(mask.tiles[0]!.region).toMatchObject({ x: 0, y: 0 });
    expect(mask.tiles.slice(1).some(({ region }) => region.x + region.columns === 130 && region.y + region.rows === 90)).toBe(true);
    const length = mask.tiles.length;
    await client.memory();
    expect(mask.tiles).toHaveLength(length);
  });
});
