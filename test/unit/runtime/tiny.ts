import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { readFileSync } from 'node:fs';
import type { Image } from '../../../src/image/image.ts';
import { parseManifest, type ModelManifest } from '../../../src/manifest.ts';
import { diskFiles } from '../../../src/runtime/node-files.ts';
import type { ModelFiles } from '../../../src/runtime/types.ts';

export const FIXTURES = join(__dirname, '../../fixtures');
export const WASM = join(__dirname, '../../../node_modules/@tensorflow/tfjs-backend-wasm/dist/');

/** A tiny model of test/fixtures, some of its files replaced. */
export function tinyFiles(id: string, replaced: Readonly<Record<string, Uint8Array>> = {}): ModelFiles {
  const files = diskFiles(join(FIXTURES, id));
  return {
    location: files.location,
    read: async (path, options) => replaced[path] ?? files.read(path, options),
  };
}

export function tinyManifest(id: string, change: (manifest: ModelManifest) => object = m => m): ModelManifest {
  const manifest = parseManifest(JSON.parse(readFileSync(join(FIXTURES, id, 'manifest.json'), 'utf8')), id);
  return parseManifest(change(manifest), id);
}

/** A tiny model of one convolution, for pictures of another size. */
export function enlarged(id: string, side: number): ModelFiles {
  const model = JSON.parse(readFileSync(join(FIXTURES, id, 'model.json'), 'utf8')) as object;
  const graph = asBytes(JSON.parse(JSON.stringify(model).replaceAll('[null,32,32,1]', `[null,${side},${side},1]`)) as object);
  const manifest = tinyManifest(id, m => ({
    ...m,
    graph: { ...m.graph, sha256: { ...m.graph.sha256, 'model.json': createHash('sha256').update(graph).digest('hex') } },
    input: { ...m.input, shape: [side, side, 1] },
  }));
  return tinyFiles(id, { 'model.json': graph, 'manifest.json': asBytes(manifest) });
}

export function asBytes(json: object): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(json));
}

/** A grey picture by a function of column and row. */
export function picture(columns: number, rows: number, value: (x: number, y: number) => number, changes: Partial<Image> = {}): Image {
  const pixels = new Float32Array(columns * rows);
  for (let y = 0; y < rows; y++) for (let x = 0; x < columns; x++) pixels[y * columns + x] = value(x, y);
  return {
    pixels,
    sources: [{ file: 'picture.png' }],
    modality: 'OT',
    shape: [columns, rows, 1],
    channels: 1,
    representableRange: [0, 255],
    attributes: {},
    ...changes,
  };
}

/** A bright disc on a dark ground. */
export function disc(columns: number, rows: number, changes: Partial<Image> = {}): Image {
  const radius = Math.min(columns, rows) / 4;
  return picture(columns, rows, (x, y) => (Math.hypot(x + 0.5 - columns / 2, y + 0.5 - rows / 2) < radius ? 200 : 40), changes);
}
