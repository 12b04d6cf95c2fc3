/** explain as it is called, with tiny models on plain JavaScript and wasm. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setBackend } from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { PNG } from 'pngjs';
import { explain } from '../../../src/cli/explain.ts';
import type { ExplainEntry } from '../../../src/cli/explain-files.ts';
import { burnIn } from '../../../src/image/burnt-in.ts';
import { greyPng } from '../../../src/cli/io/png.ts';
import { SALIENCY_METHODS } from '../../../src/tasks/saliency/index.ts';
import { classifierFiles, spotDetector } from '../tasks/saliency/networks.ts';
import { FIXTURES } from '../runtime/tiny.ts';

const [COLUMNS, ROWS] = [120, 120];
let folder: string;
let model: string;
let printed: string[];
let notes: string[];
const terminal = { print: (line: string) => printed.push(line), note: (line: string) => notes.push(line) };

beforeAll(async () => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'overread-explain-'));
  model = path.join(folder, 'tiny-classifier');
  await setBackend('cpu');
  const { read } = await classifierFiles(spotDetector(), ['Bright spot', 'Dark spot'], { input: { normalisation: { kind: 'representable' } } });
  fs.mkdirSync(model);
  for (const file of ['manifest.json', 'model.json', 'weights.bin']) fs.writeFileSync(path.join(model, file), await read(file));
});
afterAll(() => fs.rmSync(folder, { recursive: true }));
beforeEach(() => ([printed, notes] = [[], []]));

/** Grey, with a bright spot around (40, 30) and a dark one around (90, 80). */
function film(name: string): string {
  const file = path.join(folder, name);
  const near = (i: number, x: number, y: number) => Math.hypot((i % COLUMNS) - x, Math.floor(i / COLUMNS) - y) < 13;
  fs.writeFileSync(file, greyPng(Uint8Array.from({ length: COLUMNS * ROWS }, (_, i) => (near(i, 40, 30) ? 240 : near(i, 90, 80) ? 12 : 100)), COLUMNS, ROWS));
  return file;
}
const options = (more: object = {}) => ({ model, backend: 'cpu' as const, target: 'Bright spot', method: 'grad-cam' as const, out: path.join(folder, 'out'), opacity: 0.7, json: true, ...more });
const pixel = ({ data }: PNG, x: number, y: number) => [...data.subarray(4 * (y * COLUMNS + x), 4 * (y * COLUMNS + x) + 3)];

test('writes the picture with the map over it, and prints where its peak is', async () => {
  const file = film('a.png');
  expect(await explain([file], options(), terminal)).toBe(0);
  const [entry, ...others] = JSON.parse(printed.join('\n')) as ExplainEntry[];
  expect(others).toEqual([]);
  expect(entry).toMatchObject({ model: { id: 'tiny-classifier' }, backend: 'cpu', sources: [{ file }] });
  const { result } = entry!;
  expect(result).toMatchObject({
    kind: 'heatmap', target: 'Bright spot', method: 'grad-cam', parameters: { layer: 'positive' }, scoreIs: 'logit', signed: false, mapSize: [24, 24],
    score: expect.any(Number) as number, range: [0, expect.any(Number)], randomisation: { layer: 'scores', similarity: expect.any(Number) as number },
  });
  expect(Math.hypot(result!.peak![0] - 40, result!.peak![1] - 30)).toBeLessThan(13);
  const png = PNG.sync.read(fs.readFileSync(result!.file));
  expect([png.width, png.height]).toEqual([COLUMNS, ROWS]);
  // The map's colours over the bright spot, the picture as it was elsewhere.
  const [red, green, blue] = pixel(png, 40, 30) as [number, number, number];
  expect(Math.max(red, green, blue) - Math.min(red, green, blue)).toBeGreaterThan(40);
  const [grey, ...same] = pixel(png, 90, 60);
  expect(same).toEqual([grey, grey]);
  // The line in the lower left corner: black, and white within.
  const corner = Array.from({ length: 9 * 103 }, (_, i) => pixel(png, i % 103, ROWS - 9 + Math.floor(i / 103)).join());
  expect(new Set(corner)).toEqual(new Set(['0,0,0', '255,255,255']));
  expect(notes.join('\n')).toContain('Not for diagnosis');
});

test('without --json a line a map; integrated gradients have their completeness', async () => {
  await explain([film('a.png'), path.join(folder, 'none.png')], options({ json: false }), terminal);
  expect(printed[0]).toMatch(/a\.png +Bright spot +-?\d+\.\d{3} +peak at \d+, \d+ .*like a random top layer's .*\.png$/);
  expect(printed[1]).toContain('input/unreadable');
  printed = [];
  expect(await explain([film('a.png'), path.join(folder, 'none.png')], options({ method: 'integrated-gradients' }), terminal)).toBe(2);
  const [entry] = JSON.parse(printed.join('\n')) as ExplainEntry[];
  expect(entry!.result!.completeness!.error).toBeLessThanOrEqual(0.01);
  expect(entry!.result!.signed).toBe(true);
});

test.each(SALIENCY_METHODS.filter(method => method !== 'occlusion'))('%s on wasm says what works there, before anything is read', async method => {
  await expect(explain(['none.png'], options({ method, backend: 'wasm' }), terminal)).rejects.toMatchObject({
    code: 'device/unavailable', message: expect.stringMatching(/--method occlusion.*--backend cpu/),
  });
});

test('occlusion works on wasm', async () => {
  const small = { ...options({ method: 'occlusion', backend: 'wasm', model: 'tiny-scores', target: 'Bright' }), models: FIXTURES };
  expect(await explain([film('b.png')], small, terminal)).toBe(0);
  const [entry] = JSON.parse(printed.join('\n')) as ExplainEntry[];
  expect(entry).toMatchObject({ backend: 'wasm', result: { method: 'occlusion', signed: true, target: 'Bright' } });
});

test('a target that there is not is a fault, with those that there are', async () => {
  await expect(explain(['none.png'], options({ target: 'Nodule' }), terminal)).rejects.toMatchObject({ code: 'config/invalid', message: expect.stringContaining('Bright spot, Dark spot') });
});

test('the burnt-in line leaves a picture alone that has no room for it', () => {
  const small = new Uint8Array(3 * 102 * 20).fill(7);
  burnIn(small, 102, 20);
  expect(small.every(v => v === 7)).toBe(true);
  const large = new Uint8Array(3 * 1000 * 500).fill(7);
  burnIn(large, 1000, 500);
  const ink = large.reduce((count, v) => count + Number(v === 255), 0) / 3;
  // 17 letters, three times as large.
  expect(ink % 9).toBe(0);
  expect(large.reduce((count, v) => count + Number(v !== 7), 0) / 3).toBe(9 * 9 * 103);
});
