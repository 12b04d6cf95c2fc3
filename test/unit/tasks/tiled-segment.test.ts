import { memory, tensor4d, tidy, type Tensor } from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { setBackend } from '@tensorflow/tfjs-core';
import { input, layers as tfl, model, type LayersModel, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { buildUNet } from '../../../src/architectures/unet.ts';
import { OverreadError } from '../../../src/errors.ts';
import type { Image } from '../../../src/image/image.ts';
import { tileSourceOf, type Region, type TileSource } from '../../../src/image/tiles.ts';
import type { ModelManifest } from '../../../src/manifest.ts';
import { receptiveField } from '../../../src/runtime/receptive-field.ts';
import type { LoadedModel, Progress } from '../../../src/runtime/types.ts';
import { segment } from '../../../src/tasks/segment.ts';
import type { LabelledTile, UnreadTile } from '../../../src/results/tiled-result.ts';
import { segmentPlan, segmentTiles, segmentWhole } from '../../../src/tasks/tiled-segment.ts';
import { picture, tinyManifest } from '../runtime/tiny.ts';

beforeAll(() => setBackend('cpu'));

const TILE = 24;
const tiling = { overlap: 'receptive-field', padding: 'edge' } as const;
const unet = (side: number) => buildUNet({ inputShape: [side, side], depth: 1, width: 2, weights: { seed: 3 } });

function manifestFor(side: number, change: Partial<ModelManifest['input']> = {}, output: Partial<ModelManifest['output']> = {}): ModelManifest {
  return tinyManifest('tiny-bright', m => ({
    ...m,
    input: { ...m.input, shape: [side, side, 1], normalisation: { kind: 'zscore' }, tiling, ...change },
    output: { ...m.output, ...output },
  }));
}

/** A network in place of a loaded one, with what it was asked. */
function loaded(network: LayersModel, manifest = manifestFor(TILE)) {
  const calls: number[] = [];
  const predict = async (inputs: readonly Tensor[]) => {
    calls.push(memory().numTensors);
    return [network.predict(inputs[0]!) as Tensor];
  };
  return { model: { manifest, predict } as unknown as LoadedModel, field: receptiveField(network), calls };
}

const noise = (columns: number, rows: number, changes: Partial<Image> = {}) => picture(columns, rows, (x, y) => 120 + 80 * Math.sin(x * 0.7 + Math.cos(y * 1.3) * 3) + x / 2, changes);

async function all(parts: AsyncIterable<LabelledTile | UnreadTile>): Promise<(LabelledTile | UnreadTile)[]> {
  const list = [];
  for await (const part of parts) list.push(part);
  return list;
}

describe('a mask in tiles', () => {
  const network = unet(TILE);
  const { model: net, field, calls } = loaded(network);
  afterAll(() => network.dispose());
  beforeEach(() => (calls.length = 0));

  test('is that of the network run on the whole plane, by its statistics', async () => {
    const image = noise(64, 64);
    const large = unet(64);
    // As large as the network's input: fitting leaves it as it is.
    const encoded = segment.encode([{ image }], manifestFor(64));
    const output = tidy(() => large.predict(encoded.inputs[0]!) as Tensor);
    const whole = await segment.decode([output], encoded, [{ image }], manifestFor(64));
    const tiled = await segmentWhole(net, image, { field });
    expect(calls.length).toBeGreaterThan(8);
    expect(whole.segments[0]!.pixels).toBeGreaterThan(200);
    expect(whole.segments[0]!.pixels).toBeLessThan(64 * 64 - 200);
    expect(tiled).toEqual(whole);
    [output, ...encoded.inputs].forEach(t => t.dispose());
    large.dispose();
  });

  test('a picture smaller than a tile is one tile, at full resolution', async () => {
    const parts = await all(segmentTiles(net, tileSourceOf(noise(7, 5)), { field }));
    expect(parts).toEqual([{ index: 0, region: { x: 0, y: 0, columns: 7, rows: 5 }, labels: expect.any(Uint8Array) }]);
    expect((parts[0] as LabelledTile).labels).toHaveLength(35);
    expect((await segmentWhole(net, noise(1, 1), { field })).labels).toHaveLength(1);
  });

  test('what is on screen comes first, and what comes on screen next', async () => {
    const source = tileSourceOf(noise(120, 100));
    let focus: Region = { x: 85, y: 75, columns: 20, rows: 20 };
    const regions: Region[] = [];
    for await (const { region } of segmentTiles(net, source, { field, focus: () => focus, ahead: 1 })) {
      regions.push(region);
      if (regions.length === 4) focus = { x: 0, y: 0, columns: 4, rows: 4 };
    }
    const touches = (a: Region, b: Region) => a.x < b.x + b.columns && b.x < a.x + a.columns && a.y < b.y + b.rows && b.y < a.y + a.rows;
    expect(touches(regions[0]!, { x: 85, y: 75, columns: 20, rows: 20 })).toBe(true);
    expect(touches(regions[4]!, focus)).toBe(true);
    expect(regions).toHaveLength(segmentPlan(source, field).tiles.length);
  });

  test('progress counts tiles, tensors stay as many, and no more tiles are read ahead than asked for', async () => {
    const inner = tileSourceOf(noise(150, 90));
    let waiting = 0;
    let most = 0;
    const source: TileSource = { ...inner, read: async region => { most = Math.max(most, ++waiting); return inner.read(region); } };
    const progress: Progress[] = [];
    const before = memory();
    const parts = segmentTiles(net, source, { field, ahead: 3, onProgress: p => progress.push(p) });
    while (!(await parts.next()).done) waiting--;
    expect(memory()).toEqual(before);
    expect(new Set(calls).size).toBe(1);
    expect(most).toBe(3);
    const fractions = progress.flatMap(({ stage, fraction }) => (stage === 'infer' ? [fraction!] : []));
    expect(fractions).toEqual(calls.map((_, i) => i / calls.length));
  });

  test('a cancelled run ends between tiles, leaves no tensor, and goes on with the tiles that are not done', async () => {
    const image = noise(100, 80);
    const source = tileSourceOf(image);
    const controller = new AbortController();
    const before = memory();
    const done = new Map<number, LabelledTile | UnreadTile>();
    const run = async () => {
      for await (const part of segmentTiles(net, source, { field, signal: controller.signal })) {
        done.set(part.index, part);
        if (done.size === 3) controller.abort();
      }
    };
    await expect(run()).rejects.toMatchObject({ code: 'job/cancelled' });
    expect([done.size, calls.length]).toEqual([3, 3]);
    expect(memory()).toEqual(before);
    const rest = await all(segmentTiles(net, source, { field, done: new Set(done.keys()) }));
    expect(rest.map(({ index }) => index).filter(index => done.has(index))).toEqual([]);
    const whole = await all(segmentTiles(net, source, { field }));
    expect([...done.values(), ...rest].sort((a, b) => a.index - b.index)).toEqual(whole);
  });

  test('leaving the loop stops the reading', async () => {
    const inner = tileSourceOf(noise(100, 80));
    let last: AbortSignal | undefined;
    const source: TileSource = { ...inner, read: (region, signal) => { last = signal; return inner.read(region); } };
    const parts = segmentTiles(net, source, { field });
    await parts.next();
    expect(last!.aborted).toBe(false);
    await parts.return();
    expect(last!.aborted).toBe(true);
  });

  test('a tile that cannot be read is marked and the rest done; a whole mask is refused', async () => {
    const inner = tileSourceOf(noise(80, 60));
    const { tiles } = segmentPlan(inner, field);
    const hits = ({ x, y, columns, rows }: Region) => x <= 40 && x + columns > 40 && y <= 30 && y + rows > 30;
    const broken: TileSource = { ...inner, read: async region => {
      if (hits(region)) throw new OverreadError('input/unreadable', 'broken');
      return inner.read(region);
    } };
    const parts = await all(segmentTiles(net, broken, { field }));
    expect(parts).toHaveLength(tiles.length);
    const failed = parts.filter(part => 'error' in part);
    expect(failed.map(({ index }) => index)).toEqual(tiles.filter(tile => hits(tile.input)).map(({ index }) => index));
    expect(failed.length).toBeGreaterThan(0);
    await expect(segmentWhole(net, broken, { field })).rejects.toMatchObject({ code: 'input/unreadable' });
    const holes: TileSource = { ...inner, read: async region => (await inner.read(region)).map(value => (hits(region) ? NaN : value)) };
    expect((await all(segmentTiles(net, holes, { field }))).filter(part => 'error' in part && part.error.code === 'input/unsupported-pixels')).toHaveLength(failed.length);
    const short: TileSource = { ...inner, read: async region => (await inner.read(region)).subarray(1) };
    await expect(segmentWhole(net, short, { field })).rejects.toMatchObject({ code: 'input/inconsistent' });
  });

  test('an error that is not one tile\'s ends the run', async () => {
    const lost = { ...net, predict: async () => { throw new OverreadError('device/lost', 'gone'); } } as unknown as LoadedModel;
    const before = memory();
    await expect(all(segmentTiles(lost, tileSourceOf(noise(80, 60)), { field }))).rejects.toMatchObject({ code: 'device/lost' });
    expect(memory()).toEqual(before);
  });

  test('pictures that the model does not read are refused before any tile', async () => {
    await expect(segmentWhole(net, noise(40, 40, { modality: 'CT' }), { field })).rejects.toMatchObject({ code: 'input/refused' });
    expect(calls).toEqual([]);
  });

  test('a manifest without tiling, and a field of another size, are refused', async () => {
    const plain = { ...net, manifest: manifestFor(TILE, { tiling: undefined }) } as LoadedModel;
    await expect(segmentWhole(plain, noise(40, 40), { field })).rejects.toMatchObject({ code: 'model/manifest' });
    const other = { ...net, manifest: manifestFor(TILE + 2) } as LoadedModel;
    await expect(segmentWhole(other, noise(40, 40), { field })).rejects.toMatchObject({ code: 'internal' });
  });
});

test('the manifest\'s rules for whole masks hold over all tiles', async () => {
  const x = input({ shape: [TILE, TILE, 1] });
  const network = model({ inputs: x, outputs: tfl.conv2d({ filters: 1, kernelSize: 3, padding: 'same', kernelInitializer: 'ones' }).apply(x) as SymbolicTensor });
  const { model: net, field } = loaded(network);
  // Two bright bars across tiles; the mask is a pixel wider on each side, but not at the corners.
  const image = picture(60, 40, (column, row) => ((row >= 5 && row < 9 && column >= 3 && column < 57) || (row >= 20 && row < 24 && column >= 10 && column < 50) ? 200 : 0));
  const [long, short] = [56 * 6 - 4, 42 * 6 - 4];
  const pixels = async (output: Partial<ModelManifest['output']>) => (await segmentWhole({ ...net, manifest: manifestFor(TILE, {}, output) }, image, { field })).segments[0]!.pixels;
  expect(await pixels({ minimumFraction: 0.2 })).toBe(long + short);
  expect(await pixels({ keepLargestComponents: 1 })).toBe(long);
  await expect(pixels({ minimumFraction: 0.3 })).rejects.toMatchObject({ code: 'input/refused', fields: { got: (long + short) / 2400 } });
  network.dispose();
});

test('outputs coarser than pixels are interpolated across tiles as in the whole', async () => {
  const coarse = (side: number) => {
    const x = input({ shape: [side, side, 1] });
    const pooled = tfl.averagePooling2d({ poolSize: 4 }).apply(x) as SymbolicTensor;
    return model({ inputs: x, outputs: tfl.conv2d({ filters: 1, kernelSize: 3, padding: 'same', kernelInitializer: 'ones' }).apply(pooled) as SymbolicTensor });
  };
  const [network, large] = [coarse(TILE), coarse(72)];
  const { model: net, field } = loaded(network);
  const image = noise(72, 72);
  const encoded = segment.encode([{ image }], manifestFor(72));
  const output = large.predict(encoded.inputs[0]!) as Tensor;
  const whole = await segment.decode([output], encoded, [{ image }], manifestFor(72));
  expect(segmentPlan(tileSourceOf(image), field).tiles.length).toBeGreaterThan(9);
  expect(await segmentWhole(net, image, { field })).toEqual(whole);
  [output, ...encoded.inputs].forEach(t => t.dispose());
  [network, large].forEach(m => m.dispose());
});

test('a network whose output is smaller than its input, or whose input is too small for tiles, is refused', () => {
  const of = (padding: 'same' | 'valid', kernelSize: number) => {
    const x = input({ shape: [TILE, TILE, 1] });
    const network = model({ inputs: x, outputs: tfl.conv2d({ filters: 1, kernelSize, padding }).apply(x) as SymbolicTensor });
    const field = receptiveField(network);
    network.dispose();
    return field;
  };
  const plan = (side: number, ...args: Parameters<typeof of>) => () => segmentPlan(tileSourceOf(noise(side, side)), of(...args));
  expect(plan(40, 'valid', 3)).toThrow(expect.objectContaining({ code: 'model/graph', message: expect.stringMatching(/'same' padding/) }));
  expect(plan(40, 'same', 25)).toThrow(expect.objectContaining({ code: 'model/graph', fields: { expected: 25, got: 24 } }));
  expect(plan(40, 'same', 23)).not.toThrow();
  expect(plan(TILE, 'same', 25)).not.toThrow();
});

test.each<[string, (m: ModelManifest) => object, RegExp]>([
  ['of scores', m => ({ ...m, task: 'classify' }), /input\.tiling: expected none for the task classify/],
  ['of a graph', m => ({ ...m, graph: { ...m.graph, format: 'graph' } }), /input\.tiling: expected graph\.format layers/],
  ['with a rule that is not known', m => ({ ...m, input: { ...m.input, tiling: { overlap: 32, padding: 'edge' } } }), /input\.tiling\.overlap/],
])('a manifest %s with tiling is refused', (_, change, message) => {
  expect(() => tinyManifest('tiny-bright', m => change({ ...m, input: { ...m.input, tiling } }))).toThrow(message);
});

test('the input of a tile has its channels', async () => {
  const x = input({ shape: [TILE, TILE, 3] });
  const network = model({ inputs: x, outputs: tfl.conv2d({ filters: 1, kernelSize: 3, padding: 'same', kernelInitializer: 'ones', biasInitializer: 'zeros' }).apply(x) as SymbolicTensor });
  const manifest = manifestFor(TILE, { shape: [TILE, TILE, 3], channels: ['red', 'green', 'blue'], normalisation: { kind: 'window', min: 0, max: 255 }, modality: ['SM'] });
  const given: number[] = [];
  const { field } = loaded(network);
  const net = { manifest, predict: async ([t]: readonly Tensor[]) => { given.push(...(await t!.data()).subarray(0, 6)); return [tensor4d(new Float32Array(TILE * TILE), [1, TILE, TILE, 1])]; } } as unknown as LoadedModel;
  const colour: Image = { ...picture(2, 1, () => 0), modality: 'SM', channels: 3, pixels: Float32Array.of(255, 0, 51, 0, 255, 102) };
  await segmentWhole(net, colour, { field });
  expect(given.map(v => Math.round(v * 100))).toEqual([100, 0, 20, 0, 100, 40]);
  network.dispose();
});
