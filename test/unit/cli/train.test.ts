/** `overread train` and `overread recalibrate`: from a data set on disk to a model that the other commands read. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { greyPng } from '../../../src/cli/io/png.ts';
import { recalibrate } from '../../../src/cli/recalibrate.ts';
import { trainModel } from '../../../src/cli/train.ts';
import { seededRandom } from '../../../src/phantoms/random.ts';
import { diskFiles } from '../../../src/runtime/node-files.ts';
import { readVerified } from '../../../src/runtime/verified.ts';
import { FIXTURES } from '../runtime/tiny.ts';

// Seconds each on an idle machine; training shares the processor with every other test.
jest.setTimeout(240_000);

let folder: string;
const at = (...names: string[]) => path.join(folder, ...names);
const quiet = { print: () => {}, note: () => {} };

beforeAll(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'overread-train-'));
  const random = seededRandom(1);
  const items = Array.from({ length: 10 }, (_, i) => {
    const [cx, cy, radius] = [random.uniform(8, 24), random.uniform(8, 24), random.uniform(4, 8)];
    const inside = Uint8Array.from({ length: 1024 }, (_, p) => Number(Math.hypot((p % 32) - cx, (p >> 5) - cy) < radius));
    fs.writeFileSync(at(`${i}.png`), greyPng(inside.map(v => 40 + 120 * v + random.integer(40)), 32, 32));
    fs.writeFileSync(at(`${i}-mask.png`), greyPng(inside, 32, 32));
    return { id: `item ${i}`, patientId: `SECRET^CANARY ${i}`, images: [{ path: `${i}.png` }], mask: `${i}-mask.png`, labels: { Bright: i % 2 } };
  });
  fs.writeFileSync(at('dataset.json'), JSON.stringify({ schemaVersion: 1, name: 'discs', licence: 'CC0', items }));
  fs.writeFileSync(at('recipe.json'), JSON.stringify({ schemaVersion: 1, loss: { kind: 'dice-cross-entropy' }, optimiser: { kind: 'adam' }, rate: 0.02, steps: 60, batch: 2, validation: { every: 20 } }));
});
afterAll(() => fs.rmSync(folder, { recursive: true }));

const options = (out: string) => ({ model: 'tiny-unet', models: FIXTURES, recipe: at('recipe.json'), dataset: folder, out: at(out), backend: 'wasm' as const });

test('trains, measures both models on the patients that were held back, and writes a model that says what it is', async () => {
  const printed: string[] = [];
  expect(await trainModel({ ...options('tuned-discs'), json: true }, { ...quiet, print: line => printed.push(line) })).toBe(0);
  const { manifest, identity } = await readVerified(diskFiles(at('tuned-discs')));
  expect(manifest).toMatchObject({ id: 'tuned-discs', version: '1.1.0', training: { parent: { id: 'tiny-unet', version: '1.0.0' }, dataset: { name: 'discs', train: { patients: 7 }, validation: { patients: 3 } } } });
  const { metrics, curve } = JSON.parse(printed.join('')) as { metrics: Record<string, Record<'base' | 'tuned' | 'difference', { value: number; low: number; high: number }>>; curve: object[] };
  const { base, tuned, difference } = metrics['dice']!;
  expect(difference.value).toBeCloseTo(tuned.value - base.value, 9);
  expect(difference.low).toBeLessThanOrEqual(difference.value);
  expect(tuned.value).toBeGreaterThan(base.value);
  expect(curve.length).toBe(60 + 4);
  expect(identity.sha256).not.toBe(manifest.training!.parent.sha256);
  // Nothing of a patient is in what may be passed on.
  for (const file of fs.readdirSync(at('tuned-discs'))) expect(fs.readFileSync(at('tuned-discs', file), 'latin1')).not.toContain('CANARY');
  expect(fs.readdirSync(folder).filter(name => /checkpoint|measured|unfinished/.test(name))).toEqual([]);
});

test('a folder that is there, a checkpoint that is there and a recipe that is none are refused before anything is trained', async () => {
  fs.mkdirSync(at('taken'), { recursive: true });
  await expect(trainModel(options('taken'), quiet)).rejects.toMatchObject({ code: 'cli/usage' });
  fs.writeFileSync(at('left.checkpoint'), 'x');
  await expect(trainModel(options('left'), quiet)).rejects.toMatchObject({ code: 'cli/usage', message: expect.stringMatching(/--resume/) });
  await expect(trainModel({ ...options('left'), resume: true }, quiet)).rejects.toMatchObject({ code: 'store/invalid' });
  await expect(trainModel({ ...options('other'), recipe: at('dataset.json') }, quiet)).rejects.toMatchObject({ code: 'config/invalid' });
});

test('recalibrates without training: the same weights, a point that reaches its goal, and where it came from', async () => {
  const printed: string[] = [];
  const of = { model: 'tiny-scores', models: FIXTURES, dataset: folder, out: at('site-scores'), json: true };
  const parent = await readVerified(diskFiles(path.join(FIXTURES, 'tiny-scores')));
  const label = parent.manifest.output.targets[0]!.label;
  const dataset = JSON.parse(fs.readFileSync(at('dataset.json'), 'utf8')) as { items: { labels: object }[] };
  fs.writeFileSync(at('dataset.json'), JSON.stringify({ ...dataset, items: dataset.items.map((item, i) => ({ ...item, labels: { [label]: i % 2 } })) }));
  expect(await recalibrate({ ...of, goal: 'sensitivity=0.8' }, { ...quiet, print: line => printed.push(line) })).toBe(0);
  const { manifest } = await readVerified(diskFiles(at('site-scores')));
  expect(manifest.graph).toEqual(parent.manifest.graph);
  const point = manifest.recalibration!.points[label]!;
  expect(point).toMatchObject({ by: 'sensitivity', least: 0.8, positives: 5, negatives: 5 });
  expect(point.sensitivity.value).toBeGreaterThanOrEqual(0.8);
  expect(manifest.output.targets[0]!.operatingPoint).toBe(point.value);
  expect(manifest.notice).toMatch(/^Operating points chosen on 10 patients of 'discs'/);
  expect(JSON.parse(printed.join(''))).toMatchObject({ curves: { [label]: { roc: expect.any(Array), reliability: expect.any(Array) } } });
  await expect(recalibrate({ ...of, out: at('again'), goal: 'auc=0.8' }, quiet)).rejects.toMatchObject({ code: 'cli/usage' });
});
