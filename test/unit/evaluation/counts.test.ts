import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { readDatasetFolder } from '../../../src/cli/dataset-folder.ts';
import { evalItems } from '../../../src/evaluation/items.ts';
import { greyPng } from '../../../src/cli/io/png.ts';
import type { ModelRunner } from '../../../src/cli/model-runner.ts';
import { countedPoints } from '../../../src/results/counted.ts';
import type { PointsResult } from '../../../src/results/points.ts';
import { countingManifest, twoKinds } from '../tasks/counting-models.ts';

let folder: string;
beforeEach(() => (folder = fs.mkdtempSync(path.join(os.tmpdir(), 'overread-counts-'))));
afterEach(() => fs.rmSync(folder, { recursive: true, force: true }));

const SIDE = 40;

function dataset(items: readonly { readonly id: string; readonly patientId?: string; readonly dots?: string; readonly instances?: Uint8Array }[]) {
  fs.writeFileSync(path.join(folder, 'dataset.json'), JSON.stringify({
    schemaVersion: 1, name: 'dots', licence: 'none',
    items: items.map(({ id, patientId = id, dots, instances }) => {
      fs.writeFileSync(path.join(folder, `${id}.png`), greyPng(new Uint8Array(SIDE * SIDE).fill(7), SIDE, SIDE));
      if (dots !== undefined) fs.writeFileSync(path.join(folder, `${id}.csv`), dots);
      if (instances) fs.writeFileSync(path.join(folder, `${id}-cells.png`), greyPng(instances, SIDE, SIDE));
      return { id, patientId, images: [{ path: `${id}.png` }], ...(dots !== undefined && { dots: `${id}.csv` }), ...(instances && { instances: `${id}-cells.png` }) };
    }),
  }));
  return readDatasetFolder(folder);
}

/** A model that finds these, one list a picture. */
function finding(found: readonly { readonly points: readonly (readonly [x: number, y: number, kind?: number])[]; readonly count?: number }[], classes: 1 | 2 = 1): ModelRunner {
  const manifest = classes === 1 ? countingManifest({ interval: { level: 0.9, constant: 1, proportional: 0 } }) : twoKinds();
  const { targets, counting } = manifest.output;
  const identity: PointsResult['model'] = { id: manifest.id, version: '1.0.0', name: 'Count', sha256: '0'.repeat(64), notice: 'For a test.' };
  const device: PointsResult['device'] = { backend: 'cpu', adapter: '', software: true, reason: '' };
  let next = 0;
  return {
    manifest, identity, device, close: async () => {},
    run: async ([image]) => {
      const { points, count } = found[next++]!;
      const kinds = Uint8Array.from(points, ([, , kind = 0]) => kind);
      const sums = targets.map((_, c) => (classes === 1 && count !== undefined ? count : kinds.filter(kind => kind === c).length));
      const candidates = { coordinates: Float32Array.from(points.flatMap(([x, y]) => [x, y])), classOf: kinds, weights: new Float32Array(points.length).fill(1) };
      return { ...countedPoints(image!, { targets, sums, candidates, ...(counting!.interval && { interval: counting!.interval }) }), model: identity, device, timingMs: { load: 0, encode: 0, predict: 0, decode: 0 }, createdAt: '' };
    },
  };
}

test('counts and markers are measured against dots, over all items and by patient', async () => {
  const set = dataset([{ id: 'a', dots: 'x,y\n5,5\n20,20\n30,30\n10,30\n' }, { id: 'b', dots: 'x,y\n5,5\n12,5\n' }]);
  const runner = finding([{ points: [[5, 6], [20, 20], [31, 30]], count: 3.4 }, { points: [[5, 5], [12, 5], [35, 35]], count: 3.2 }]);
  const { report } = await evalItems({ runner, folder: set, keepWorst: 0 });
  expect(report.n).toBe(2);
  expect(report.metrics['meanAbsoluteError']!.value).toBeCloseTo(0.9, 6);
  expect(report.metrics['meanAbsoluteErrorShare']!.value).toBeCloseTo(0.3, 6);
  expect(report.metrics['rootMeanSquaredError']!.value).toBeCloseTo(Math.sqrt((0.36 + 1.44) / 2), 6);
  expect(report.metrics['meanRelativeError']!.value).toBeCloseTo((0.15 + 0.6) / 2, 6);
  expect(report.metrics['bias']!.value).toBeCloseTo(0.3, 6);
  expect(report.metrics['markerF1']!.value).toBeCloseTo(10 / 12, 6);
  expect(report.metrics['intervalCoverage']!.value).toBe(0.5);
  expect(report.metrics['meanAbsoluteError']).toMatchObject({ low: expect.closeTo(0.6, 6) as number, high: expect.closeTo(1.2, 6) as number });
  expect(report.counts).toEqual({ cells: 6, medianMatchRadiusPixels: 5, level: 0.9 });
  expect(report.perItem[0]).toMatchObject({ id: 'a', truth: 4, truePositives: 3, falseNegatives: 1, matchRadiusPixels: 5 });
});

test('the radius is half of the median diameter of objects, or the one that was asked for', async () => {
  const cells = new Uint8Array(SIDE * SIDE);
  for (let i = 0; i < cells.length; i++) for (const [n, x, y] of [[1, 10, 10], [2, 25, 25]] as const) if (Math.hypot((i % SIDE) - x, Math.floor(i / SIDE) - y) <= 4) cells[i] = n;
  const set = dataset([{ id: 'a', instances: cells }]);
  const measured = async (matchRadius?: number) => (await evalItems({ runner: finding([{ points: [[13.5, 10], [25, 25]] }]), folder: set, keepWorst: 0, ...(matchRadius !== undefined && { matchRadius }) })).report;
  const own = await measured();
  expect(own.counts!.medianMatchRadiusPixels).toBeCloseTo(4, 0);
  expect(own.metrics['markerF1']).toEqual({ value: 1 });
  expect((await measured(2)).metrics['markerF1']!.value).toBe(0.5);
});

test('classes are set against each other where the dots name them, by name or by number', async () => {
  const set = dataset([{ id: 'a', dots: 'x,y,class\n5,5,red\n20,20,Green\n30,30,2\n10,30,1\n' }]);
  const { report } = await evalItems({ runner: finding([{ points: [[5, 5, 0], [20, 20, 0], [30, 30, 1], [38, 2, 1]] }], 2), folder: set, keepWorst: 0 });
  expect(report.counts!.confusion).toEqual({ classes: ['Red', 'Green'], matched: [[1, 0], [1, 1]], missed: [1, 0], spurious: [0, 1] });
  expect(report.metrics['classAccuracy']!.value).toBeCloseTo(2 / 3, 9);
});

test.each<[string, string, RegExp]>([
  ['a class that the model does not have', 'x,y,class\n5,5,blue\n', /a class of the model \(Red, Green\) or its number from 1, got 'blue'/],
  ['dots beside the picture', 'x,y,class\n50,5,red\n', /1 of 1 in a\.csv of item 'a' lie outside/],
  ['other columns', 'column,row\n5,5\n', /Expected the columns x, y .* in a\.csv of item 'a'/],
])('refuses %s', async (_, dots, message) => {
  await expect(evalItems({ runner: finding([{ points: [] }], 2), folder: dataset([{ id: 'a', dots }]), keepWorst: 0 })).rejects.toThrow(expect.objectContaining({ code: 'dataset/invalid', message: expect.stringMatching(message) as string }));
});
