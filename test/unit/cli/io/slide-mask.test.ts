import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { inflateSync } from 'node:zlib';
import { writeSlideMask } from '../../../../src/cli/io/slide-mask.ts';
import { TileLog } from '../../../../src/cli/io/tile-log.ts';
import type { ModelManifest } from '../../../../src/manifest.ts';
import type { TiledResult } from '../../../../src/results/tiled-result.ts';

let folder: string;
beforeAll(() => (folder = fs.mkdtempSync(path.join(os.tmpdir(), 'overread-mask-'))));
afterAll(() => fs.rmSync(folder, { recursive: true }));

const manifest = { output: { targets: [{ label: 'a', color: [64, 196, 255] }, { label: 'b' }] } } as unknown as ModelManifest;
const COLUMNS = 1100;
const ROWS = 700;
const TILE = 300;
const label = (x: number, y: number) => (((x >> 4) + (y >> 5)) % 3);

interface TiffImage {
  readonly tags: ReadonlyMap<number, readonly number[]>;
  readonly texts: ReadonlyMap<number, string>;
  at(x: number, y: number): number;
}

/** As the BigTIFF description and TIFF 6.0 have it, independent of what writes. */
function readBigTiff(bytes: Buffer): TiffImage[] {
  expect([bytes.toString('latin1', 0, 2), bytes.readUInt16LE(2), bytes.readUInt16LE(4), bytes.readUInt16LE(6)]).toEqual(['II', 43, 8, 0]);
  const u64 = (at: number) => Number(bytes.readBigUInt64LE(at));
  const images: TiffImage[] = [];
  for (let directory = u64(8); directory !== 0;) {
    const count = u64(directory);
    const tags = new Map<number, number[]>();
    const texts = new Map<number, string>();
    for (let i = 0; i < count; i++) {
      const entry = directory + 8 + 20 * i;
      const [tag, type, n] = [bytes.readUInt16LE(entry), bytes.readUInt16LE(entry + 2), u64(entry + 4)];
      const width = { 2: 1, 3: 2, 4: 4, 5: 8, 16: 8 }[type]!;
      const start = n * width <= 8 ? entry + 12 : u64(entry + 12);
      if (type === 2) texts.set(tag, bytes.toString('utf8', start, start + n - 1));
      else tags.set(tag, Array.from({ length: n }, (_, k) => (type === 3 ? bytes.readUInt16LE(start + 2 * k) : type === 4 ? bytes.readUInt32LE(start + 4 * k) : type === 5 ? bytes.readUInt32LE(start + 8 * k) / bytes.readUInt32LE(start + 8 * k + 4) : u64(start + 8 * k))));
    }
    const tile = tags.get(322)![0]!;
    const across = Math.ceil(tags.get(256)![0]! / tile);
    const open = new Map<number, Buffer>();
    images.push({
      tags, texts,
      at(x, y) {
        const n = Math.floor(y / tile) * across + Math.floor(x / tile);
        if (!open.has(n)) open.set(n, inflateSync(bytes.subarray(tags.get(324)![n]!, tags.get(324)![n]! + tags.get(325)![n]!)));
        return open.get(n)![(y % tile) * tile + (x % tile)]!;
      },
    });
    directory = u64(directory + 8 + 20 * count);
  }
  return images;
}

test('the mask of a large slide is a pyramid of deflated tiles, by a reader of its own; an unread tile is 255, glass is 254', () => {
  const log = TileLog.create(path.join(folder, 'large.tiles'), 'one');
  let index = 0;
  for (let y = 0; y < ROWS; y += TILE) {
    for (let x = 0; x < COLUMNS; x += TILE) {
      const region = { x, y, columns: Math.min(TILE, COLUMNS - x), rows: Math.min(TILE, ROWS - y) };
      if (index !== 6 && index !== 10 && index !== 11) log.append({ index, region, labels: Uint8Array.from({ length: region.columns * region.rows }, (_, i) => label(x + (i % region.columns), y + Math.floor(i / region.columns))) });
      index++;
    }
  }
  log.close();
  // What was written is found again.
  const again = TileLog.resume(log.file, 'one');
  expect([...again.indices()]).toHaveLength(index - 3);
  const unread = { index: 6, region: { x: 600, y: 300, columns: 300, rows: 300 } };
  const glass = { reason: '', indices: Uint32Array.of(10, 11), regions: Uint32Array.of(600, 600, 300, 100, 900, 600, 200, 100) };
  const result = { source: { shape: [COLUMNS, ROWS, 1], spacingMm: [0.0005, 0.0005] }, unread: [unread], glass, model: { id: 'm', version: '1.0.0' }, level: { reason: 'the finest' } } as unknown as TiledResult;
  const { file, counts } = writeSlideMask(path.join(folder, 'large'), again, result, manifest, 0);
  again.remove();
  expect(fs.readdirSync(folder)).toEqual(['large.tif']);

  const images = readBigTiff(fs.readFileSync(file));
  expect(images.map(({ tags }) => [tags.get(256)![0], tags.get(257)![0], tags.get(254)![0]])).toEqual([[1100, 700, 0], [550, 350, 1], [275, 175, 1]]);
  const [finest, next] = images as [TiffImage, TiffImage];
  expect([258, 259, 262, 277, 284, 322, 323].map(tag => finest.tags.get(tag)![0])).toEqual([8, 8, 3, 1, 1, 512, 512]);
  // 0.5 µm are 20,000 pixels a centimetre.
  expect([282, 283, 296].map(tag => finest.tags.get(tag)![0])).toEqual([20000, 20000, 3]);
  expect(next.tags.get(282)![0]).toBe(10000);
  expect(finest.texts.get(270)).toContain('1 a, 2 b, 254 glass, not read, 255 could not be read');
  const colors = finest.tags.get(320)!;
  expect([1, 2, 254, 255].map(i => [colors[i]!, colors[256 + i]!, colors[512 + i]!].map(v => v / 257))).toEqual([[64, 196, 255], [255, 220, 0], [215, 215, 215], [255, 0, 255]]);
  const inUnread = (x: number, y: number) => x >= 600 && x < 900 && y >= 300 && y < 600;
  const inGlass = (x: number, y: number) => x >= 600 && y >= 600;
  const wanted = (x: number, y: number) => (inUnread(x, y) ? 255 : inGlass(x, y) ? 254 : label(x, y));
  const wrong: string[] = [];
  for (let y = 0; y < ROWS; y += 7) for (let x = 0; x < COLUMNS; x += 3) if (finest.at(x, y) !== wanted(x, y)) wrong.push(`${x} ${y}`);
  // Blocks are 16 wide: each four pixels of a level are alike.
  for (let y = 0; y < 350; y += 5) for (let x = 0; x < 550; x += 3) if (next.at(x, y) !== wanted(2 * x, 2 * y)) wrong.push(`half ${x} ${y}`);
  expect(wrong).toEqual([]);
  expect([counts[255], counts[254]]).toEqual([90_000, 50_000]);
  expect(counts.reduce((a, b) => a + b)).toBe(COLUMNS * ROWS);
});
