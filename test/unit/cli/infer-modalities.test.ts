/** `overread infer` with the model that reads several MR series, on a generated study as files. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { writeDemo } from '../../../src/cli/demo.ts';
import { infer } from '../../../src/cli/infer.ts';
import { openFile } from '../../../src/cli/image-inputs.ts';
import type { InferEntry, LabelmapJson } from '../../../src/cli/infer-json.ts';
import { dice } from '../../../src/metrics/dice.ts';
import { overlap } from '../../../src/metrics/overlap.ts';

/** Of a head that the model was not trained on. */
const SEED = 77;
const root = fs.mkdtempSync(path.join(os.tmpdir(), 'overread-mri-'));
const study = path.join(root, 'brain');
beforeAll(() => writeDemo({ out: root, seed: SEED, small: true, only: ['brain'] }), 60_000);
afterAll(() => fs.rmSync(root, { recursive: true }));

async function run(paths: readonly string[], options: { as?: readonly string[]; out?: string } = {}) {
  let printed = '';
  const status = await infer(paths, { model: 'mri-hemis', models: path.join(__dirname, '../../../models'), backend: 'wasm', json: true, ...options }, { print: line => (printed += line), note: () => undefined });
  return { status, entries: JSON.parse(printed) as InferEntry[] };
}

const labelmap = ([entry]: readonly InferEntry[]) => entry!.result as LabelmapJson;
const dicomIn = (name: string) => fs.readdirSync(path.join(study, name)).map(file => path.join(study, name, file));

test('a study folder: each series by its attributes, and a labels volume on the grid of FLAIR', async () => {
  const out = path.join(root, 'masks');
  const { status, entries } = await run([study], { out });
  expect(status).toBe(0);
  expect(entries).toHaveLength(1);
  const { modalities, segments, file } = labelmap(entries);
  expect(modalities!.missing).toEqual([]);
  expect(modalities!.used.map(({ modality, from, guessed, placement, series }) => [modality, from, guessed, placement.kind, series])).toEqual([
    ['T1', 'SeriesDescription', false, 'same grid', "'T1 axial'"],
    ['T1c', 'SeriesDescription', false, 'same grid', "'T1 axial + contrast'"],
    ['T2', 'SeriesDescription', false, 'same grid', "'T2 axial'"],
    ['FLAIR', 'SeriesDescription', false, 'reference', "'FLAIR axial'"],
  ]);
  expect(segments[0]!.volumeMm3).toBeGreaterThan(1000);
  const mask = await openFile(file!);
  const truth = await openFile(path.join(root, 'truth/brain-lesion.nii.gz'));
  expect(mask.shape).toEqual(truth.shape);
  expect(mask.indexToPatient!.map(v => Math.round(v * 100))).toEqual(truth.indexToPatient!.map(v => Math.round(v * 100)));
  expect(dice(overlap(mask.pixels.map(Number), truth.pixels.map(v => Number(v > 0)), 1))).toBeGreaterThan(0.6);
  // Every slice of every series, by its UID.
  expect(entries[0]!.sources).toHaveLength(4 * 24);
}, 120_000);

test('files in any order and no T1c: what is missing is said', async () => {
  const files = [...dicomIn('t2'), ...dicomIn('flair'), ...dicomIn('t1')].sort((a, b) => path.basename(b).localeCompare(path.basename(a)));
  const { status, entries } = await run(files);
  expect(status).toBe(0);
  expect(labelmap(entries).modalities).toMatchObject({ missing: ['T1c'], used: [{ modality: 'T1' }, { modality: 'T2' }, { modality: 'FLAIR' }] });
}, 120_000);

test('--as says it of a folder, against its attributes', async () => {
  const { status, entries } = await run([], { as: [`T2=${path.join(study, 'flair')}`] });
  expect(status).toBe(0);
  expect(labelmap(entries).modalities!.used).toMatchObject([{ modality: 'T2', from: 'given', guessed: false }]);
}, 120_000);

test('a slice that is missing or there twice is refused by name', async () => {
  const flair = dicomIn('flair').sort();
  const missing = await run(flair.filter((_, i) => i !== 11));
  expect(missing).toMatchObject({ status: 2, entries: [{ error: { code: 'input/geometry', message: expect.stringContaining('A slice is missing') } }] });
  const copy = path.join(root, 'copy.dcm');
  fs.copyFileSync(flair[3]!, copy);
  const twice = await run([...flair, copy]);
  expect(twice).toMatchObject({ status: 2, entries: [{ error: { code: 'input/geometry', message: expect.stringContaining('Expected each place once') } }] });
}, 120_000);

test('a single slice is refused, and so is the same modality twice', async () => {
  const single = await run([dicomIn('t1')[5]!]);
  expect(single).toMatchObject({ status: 2, entries: [{ error: { code: 'input/refused', message: expect.stringContaining('reads whole series, but this series is a single plane') } }] });
  const twice = await run([], { as: [`T1=${path.join(study, 't1')}`, `T1=${path.join(study, 't2')}`] });
  expect(twice).toMatchObject({ status: 2, entries: [{ error: { code: 'input/modalities', message: expect.stringContaining('got 2 series that are T1') } }] });
}, 120_000);

test.each([
  [['T9=a.nii'], /Expected --as MODALITY=FILE with one of T1, T1c, T2, FLAIR/],
  [['T1'], /got 'T1'/],
])('--as %j is refused', async (as, message) => {
  await expect(run([], { as })).rejects.toThrow(message);
});

test('--as with a model of single pictures, or beside files, is refused', async () => {
  await expect(infer([], { model: 'lung-unet', models: path.join(__dirname, '../../../models'), backend: 'wasm', as: ['T1=a'] }, { print: () => undefined, note: () => undefined })).rejects.toThrow(/Leave --as away/);
  await expect(run([study], { as: ['T1=a'] })).rejects.toThrow(/got neither or both/);
});
