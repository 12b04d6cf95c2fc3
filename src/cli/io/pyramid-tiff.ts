import fs from 'node:fs';
import { deflateSync, inflateSync } from 'node:zlib';

export interface PyramidTiff {
  readonly columns: number;
  readonly rows: number;
  /** sRGB 0..255 of each label; what is not named is black. */
  readonly colors: ReadonlyMap<number, readonly [number, number, number]>;
  /** Of the finest level. */
  readonly spacingMm?: readonly [column: number, row: number];
  readonly description: string;
  /** Labels of a tile of the finest level, {@link TIFF_TILE} on a side, row by row; past the image's end anything. */
  tile(column: number, row: number): Uint8Array;
}

export const TIFF_TILE = 512;

interface Level {
  readonly columns: number;
  readonly rows: number;
  readonly across: number;
  readonly down: number;
  readonly offsets: number[];
  readonly lengths: number[];
}

/**
 * A labelmap as a tiled, pyramidal BigTIFF: 8 bits a pixel with a colour table, tiles deflated, each level half as large as
 * the one before, as further images of the kind "reduced" (TIFF 6.0; BigTIFF as libtiff reads it). Memory does not grow with it.
 */
export function writePyramidTiff(file: string, tiff: PyramidTiff): void {
  const fd = fs.openSync(file, 'w+');
  try {
    let at = 16;
    const put = (bytes: Uint8Array): number => {
      const start = at + (at % 2);
      fs.writeSync(fd, bytes, 0, bytes.length, start);
      at = start + bytes.length;
      return start;
    };
    const levels: Level[] = [];
    for (let [columns, rows] = [tiff.columns, tiff.rows]; ; [columns, rows] = [Math.ceil(columns / 2), Math.ceil(rows / 2)]) {
      const level: Level = { columns, rows, across: Math.ceil(columns / TIFF_TILE), down: Math.ceil(rows / TIFF_TILE), offsets: [], lengths: [] };
      const finer = levels.at(-1);
      for (let row = 0; row < level.down; row++) {
        for (let column = 0; column < level.across; column++) {
          const packed = deflateSync(finer ? halved(fd, finer, column, row) : tiff.tile(column, row), { level: 6 });
          level.offsets.push(put(packed));
          level.lengths.push(packed.length);
        }
      }
      levels.push(level);
      if (columns <= TIFF_TILE && rows <= TIFF_TILE) break;
    }
    let link = 8;
    for (const [i, level] of levels.entries()) link = putDirectory(fd, put, level, i, tiff, link);
    fs.writeSync(fd, header(), 0, 8, 0);
  } finally {
    fs.closeSync(fd);
  }
}

function header(): Uint8Array {
  const view = new DataView(new ArrayBuffer(8));
  view.setUint16(0, 0x4949);
  view.setUint16(2, 43, true);
  view.setUint16(4, 8, true);
  return new Uint8Array(view.buffer);
}

/** A tile of the next level: of each four pixels the label that most of them have, of equals the larger. */
function halved(fd: number, finer: Level, column: number, row: number): Uint8Array {
  const out = new Uint8Array(TIFF_TILE * TIFF_TILE);
  const half = TIFF_TILE / 2;
  for (const [dx, dy] of [[0, 0], [1, 0], [0, 1], [1, 1]] as const) {
    const [c, r] = [2 * column + dx, 2 * row + dy];
    if (c >= finer.across || r >= finer.down) continue;
    const packed = Buffer.alloc(finer.lengths[r * finer.across + c]!);
    fs.readSync(fd, packed, 0, packed.length, finer.offsets[r * finer.across + c]!);
    // In one piece: pieces of the usual size would be joined, and each tile be twice in memory.
    const labels = inflateSync(packed, { chunkSize: TIFF_TILE * TIFF_TILE });
    for (let y = 0; y < half; y++) {
      for (let x = 0; x < half; x++) {
        const i = 2 * y * TIFF_TILE + 2 * x;
        out[(dy * half + y) * TIFF_TILE + dx * half + x] = commonest(labels[i]!, labels[i + 1]!, labels[i + TIFF_TILE]!, labels[i + TIFF_TILE + 1]!);
      }
    }
  }
  return out;
}

function commonest(a: number, b: number, c: number, d: number): number {
  if (a === b && a === c && a === d) return a;
  const four = [a, b, c, d];
  const count = (label: number) => four.filter(other => other === label).length;
  return four.reduce((best, label) => (count(label) - count(best) || label - best) > 0 ? label : best);
}

const [SHORT, LONG, RATIONAL, ASCII, LONG8] = [3, 4, 5, 2, 16];
type Entry = readonly [tag: number, type: number, count: number, value: Uint8Array];

/** Appends a directory and lets the one before point to it. @returns where its own pointer to the next lies */
function putDirectory(fd: number, put: (bytes: Uint8Array) => number, level: Level, index: number, { columns, spacingMm, colors, description }: PyramidTiff, link: number): number {
  const entries: Entry[] = [
    [254, LONG, 1, numbers(4, [index === 0 ? 0 : 1])],
    [256, LONG, 1, numbers(4, [level.columns])],
    [257, LONG, 1, numbers(4, [level.rows])],
    [258, SHORT, 1, numbers(2, [8])],
    [259, SHORT, 1, numbers(2, [8])],
    [262, SHORT, 1, numbers(2, [3])],
    ...(index === 0 ? [text(270, description)] : []),
    [277, SHORT, 1, numbers(2, [1])],
    ...(spacingMm ? resolution(spacingMm.map(mm => mm * (columns / level.columns)) as [number, number]) : []),
    [284, SHORT, 1, numbers(2, [1])],
    text(305, 'Overread'),
    [320, SHORT, 768, colorMap(colors)],
    [322, LONG, 1, numbers(4, [TIFF_TILE])],
    [323, LONG, 1, numbers(4, [TIFF_TILE])],
    [324, LONG8, level.offsets.length, numbers(8, level.offsets)],
    [325, LONG8, level.lengths.length, numbers(8, level.lengths)],
  ];
  entries.sort((a, b) => a[0] - b[0]);
  const directory = new DataView(new ArrayBuffer(8 + 20 * entries.length + 8));
  directory.setBigUint64(0, BigInt(entries.length), true);
  for (const [i, [tag, type, count, value]] of entries.entries()) {
    const entry = 8 + 20 * i;
    directory.setUint16(entry, tag, true);
    directory.setUint16(entry + 2, type, true);
    directory.setBigUint64(entry + 4, BigInt(count), true);
    if (value.length <= 8) new Uint8Array(directory.buffer).set(value, entry + 12);
    else directory.setBigUint64(entry + 12, BigInt(put(value)), true);
  }
  const start = put(new Uint8Array(directory.buffer));
  fs.writeSync(fd, numbers(8, [start]), 0, 8, link);
  return start + directory.byteLength - 8;
}

function resolution([column, row]: readonly [number, number]): Entry[] {
  // Pixels to a centimetre, in thousandths.
  const rational = (mm: number) => numbers(4, [Math.round((10 / mm) * 1000), 1000]);
  return [[282, RATIONAL, 1, rational(column)], [283, RATIONAL, 1, rational(row)], [296, SHORT, 1, numbers(2, [3])]];
}

function text(tag: number, value: string): Entry {
  const bytes = Buffer.from(`${value}\0`, 'utf8');
  return [tag, ASCII, bytes.length, bytes];
}

function colorMap(colors: PyramidTiff['colors']): Uint8Array {
  const map = new Array<number>(768).fill(0);
  for (const [label, color] of colors) color.forEach((value, channel) => (map[256 * channel + label] = value * 257));
  return numbers(2, map);
}

function numbers(width: 2 | 4 | 8, values: readonly number[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(width * values.length));
  values.forEach((value, i) => {
    if (width === 2) view.setUint16(2 * i, value, true);
    else if (width === 4) view.setUint32(4 * i, value, true);
    else view.setBigUint64(8 * i, BigInt(value), true);
  });
  return new Uint8Array(view.buffer);
}
