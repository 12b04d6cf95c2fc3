/** audit as it is called, on films of two hospitals of which one leaves its mark in a corner. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setBackend } from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { audit, type AuditOptions } from '../../../src/cli/audit/index.ts';
import { readAudit } from '../../../src/evaluation/site-audit/audit-json.ts';
import type { AuditFile } from '../../../src/cli/audit/audit-file.ts';
import { greyPng } from '../../../src/cli/io/png.ts';
import { seededRandom } from '../../../src/phantoms/random.ts';
import { part10, UID } from '../../fixtures/build-dicom.ts';
import { classifierFiles, spotDetector } from '../tasks/saliency/networks.ts';

const SIDE = 32;
const PATIENTS = 26;
let home: string;
const at = (...names: string[]) => path.join(home, ...names);
const siteOf = (n: number) => (n % 2 ? 'North' : 'South');

function pixels(n: number): number[] {
  const random = seededRandom(n);
  const marked = siteOf(n) === 'North';
  return Array.from({ length: SIDE * SIDE }, (_, i) => {
    const [x, y] = [i % SIDE, Math.floor(i / SIDE)];
    const corner = marked && x >= 2 && x < 7 && y >= 2 && y < 7;
    return Math.round(90 + 25 * random.next() + (corner ? 90 : 0) + (n % 3 === 0 && Math.hypot(x - 20, y - 20) < 5 ? 80 : 0));
  });
}

function film(n: number): Uint8Array {
  return part10({
    '00080016': UID.cr, '00080018': `1.2.3.4.${n}`, '00080060': 'CR', '0020000D': `1.2.3.${n}`, '0020000E': `1.2.3.${n}.1`, '00185101': 'PA', '00100020': `SECRET${n}`, '00100010': 'Doe^Jane',
    '00080080': siteOf(n), '00080070': 'Maker', '00081090': `Model ${n % 3}`, '00100040': n % 4 < 2 ? 'F' : 'M', '00101010': `0${20 + n}Y`,
    '00280002': 1, '00280004': 'MONOCHROME2', '00280010': SIDE, '00280011': SIDE, '00280100': 16, '00280101': 8, '00280102': 7, '00280103': 0, '7FE00010': pixels(n),
  });
}

beforeAll(async () => {
  home = fs.mkdtempSync(path.join(os.tmpdir(), 'overread-audit-'));
  await setBackend('cpu');
  const { read } = await classifierFiles(spotDetector(), ['Bright spot', 'Dark spot'], { input: { normalisation: { kind: 'representable' }, modality: ['CR', 'OT'] } });
  fs.mkdirSync(at('tiny-classifier'));
  for (const file of ['manifest.json', 'model.json', 'weights.bin']) fs.writeFileSync(at('tiny-classifier', file), await read(file));
  fs.mkdirSync(at('films'));
  for (let n = 0; n < PATIENTS; n++) fs.writeFileSync(at('films', `${n}.dcm`), film(n));
  fs.mkdirSync(at('masks'));
  fs.writeFileSync(at('masks', '1.2.3.4.3.png'), greyPng(Uint8Array.from({ length: SIDE * SIDE }, (_, i) => 255 * Number(i % SIDE >= SIDE / 2)), SIDE, SIDE));
  fs.writeFileSync(at('labels.csv'), `study,label,value\n${Array.from({ length: PATIENTS }, (_, n) => `1.2.3.${n},Bright spot,${Number(n % 3 === 0)}`).join('\n')}\n`);
});
afterAll(() => fs.rmSync(home, { recursive: true }));

async function run(paths: readonly string[], more: Partial<AuditOptions> = {}) {
  const [printed, notes]: string[][] = [[], []];
  const out = at(`out-${fs.readdirSync(home).length}`);
  const status = await audit(paths, { backend: 'cpu', out, permutations: 319, seed: 1, ...more }, { print: line => printed!.push(line), note: line => notes!.push(line) });
  return { status, printed: printed!, notes: notes!, out, file: JSON.parse(fs.readFileSync(path.join(out, 'audit.json'), 'utf8')) as AuditFile };
}

test('films of a folder with a model: the site is told apart, and every file says so without a patient in it', async () => {
  const { status, printed, file, out } = await run([at('films')], { model: at('tiny-classifier'), labels: at('labels.csv'), explain: 'Bright spot', method: 'grad-cam', curves: 2, masks: at('masks'), viewer: 'https://pacs/viewer' });
  expect(status).toBe(0);
  expect(file).toMatchObject({ overread: 'audit', model: { id: 'tiny-classifier' }, audit: { pictures: PATIENTS, patients: PATIENTS } });
  const site = file.audit.factors.find(({ name }) => name === 'site')!;
  expect(site.groups.map(({ name }) => name).sort()).toEqual(['North', 'South']);
  expect(site.pixels!.adjusted).toBeLessThan(0.05);
  expect(site.fromPicture!.mean.value).toBeGreaterThan(0.8);
  // The network sees bright spots, and so the mark: one of its two features says the site.
  expect(site.fromFeatures).toMatchObject({ features: 2 });
  expect(file.audit.factors.map(({ name }) => name)).toEqual(['site', 'scanner', 'view', 'sex', 'age', 'Bright spot']);
  expect(file.audit.factors.find(({ name }) => name === 'scanner')!.groups.map(({ name }) => name)).toContain('Maker Model 0');
  const all = file.audit.outcomes.find(({ group, label }) => group === 'all pictures' && label === 'Bright spot')!;
  expect(all).toMatchObject({ pictures: PATIENTS, known: PATIENTS, positives: 9 });
  expect(printed.join('\n')).toMatch(/site +from the picture +AUC .* MORE THAN CHANCE/);
  // As the viewer reads it, and what it does not.
  const json = fs.readFileSync(path.join(out, 'audit.json'), 'utf8');
  expect(readAudit(json, 'audit.json').audit.factors[0]).toMatchObject({ name: 'site', side: 64, fromFeatures: { features: 2 } });
  expect(() => readAudit('{', 'a.json')).toThrow(/a\.json is no JSON/);
  expect(() => readAudit(json.replace('"side":64', '"side":63'), 'a.json')).toThrow(/audit\.factors\.0: expected pictures of side²/);
  const report = fs.readFileSync(path.join(out, 'report.html'), 'utf8');
  expect(report).toContain('Not for diagnosis');
  expect(report).toMatch(/Told apart by more than chance: <b>site<\/b> by the mean picture/);
  expect(report.match(/<image /g)!.length).toBeGreaterThanOrEqual(2 * (2 + 3 + 2 + 2 + 2));
  expect(report).not.toMatch(/(src|href)="(?!data:|https:\/\/pacs)/);
  expect(fs.readFileSync(path.join(out, 'outcomes.csv'), 'utf8')).toContain('site,North,Bright spot,13,13');
  expect(fs.readFileSync(path.join(out, 'confounding.csv'), 'utf8')).toContain('site,North,sex,F');
  // The map of a bright spot lies on the mark of the one site, and the page says what that does not mean.
  const { shares, worst, curves, regions } = file.attribution!;
  const share = (group: string) => shares.find(of => of.region === 'corners' && of.group === group)!;
  expect(share('North').share.value).toBeGreaterThan(2 * share('South').share.value);
  expect(share('North').area).toBeCloseTo(100 / 1024, 5);
  expect(worst[0]).toMatchObject({ region: 'corners', site: 'North' });
  expect(regions).toContain('mask');
  expect(shares.find(of => of.region === 'mask' && of.factor === 'all')).toMatchObject({ pictures: 1, area: 0.5 });
  expect(curves).toMatchObject({ pictures: 2, deletion: expect.arrayContaining([expect.any(Number)]) });
  expect(report).toContain('This does not show that the model is right');
  expect(report).toContain('AUC of the score');
  expect(report).toContain(`https://pacs/viewer/overread?StudyInstanceUIDs=${worst[0]!.id}`);
  expect(fs.readFileSync(path.join(out, 'attribution.csv'), 'utf8')).toMatch(/Bright spot,grad-cam,corners,site,North,13,/);
  for (const name of fs.readdirSync(out)) expect(fs.readFileSync(path.join(out, name), 'utf8')).not.toMatch(/SECRET|Jane/);
});

test('a data set without a model; attributes of a table count for more than a file’s', async () => {
  fs.mkdirSync(at('set'));
  const items = Array.from({ length: 12 }, (_, n) => {
    fs.writeFileSync(at('set', `${n}.png`), greyPng(Uint8Array.from(pixels(n)), SIDE, SIDE));
    return { id: `i${n}`, patientId: `p${n}`, site: siteOf(n), sex: 'F', age: 50, images: [{ path: `${n}.png`, view: 'PA', modality: 'DX' }], labels: { Spot: Number(n % 3 === 0) } };
  });
  fs.writeFileSync(at('set', 'dataset.json'), JSON.stringify({ schemaVersion: 1, name: 'set', licence: 'none', items: [...items, { id: 'gone', patientId: 'p', images: [{ path: 'gone.png' }] }] }));
  const { status, file } = await run([], { dataset: at('set'), permutations: 199 });
  expect(status).toBe(2);
  expect(file.refused).toMatchObject([{ id: 'gone', code: 'input/unreadable' }]);
  expect(file.audit.outcomes).toEqual([]);
  expect(file.audit.factors.find(({ name }) => name === 'age')!.remarks[0]).toContain('40 to 59');
  fs.writeFileSync(at('attributes.csv'), `study,site,age\n${Array.from({ length: PATIENTS }, (_, n) => `1.2.3.${n},${n < 13 ? 'Early' : 'Late'},30`).join('\n')}\n`);
  const { file: told } = await run([at('films')], { attributes: at('attributes.csv'), permutations: 19 });
  expect(told.audit.factors.find(({ name }) => name === 'site')!.groups.map(({ name }) => name).sort()).toEqual(['Early', 'Late']);
  fs.writeFileSync(at('attributes.csv'), 'study,age\n1.2.3.0,old\n');
  await expect(run([at('films')], { attributes: at('attributes.csv') })).rejects.toMatchObject({ code: 'dataset/invalid', message: expect.stringContaining('line 2') });
});

test('an audit of one film is refused by number, and pictures named in two ways', async () => {
  await expect(run([at('films/0.dcm')])).rejects.toMatchObject({ code: 'dataset/invalid', message: expect.stringContaining('got 1 ') });
  await expect(run([at('films')], { dataset: at('set') })).rejects.toMatchObject({ code: 'cli/usage' });
  await expect(run([at('films')], { explain: 'Bright spot' })).rejects.toMatchObject({ code: 'cli/usage', message: expect.stringContaining('--model') });
  await expect(run([])).rejects.toMatchObject({ code: 'cli/usage' });
  await expect(run([at('films')], { cohort: at('films') })).rejects.toMatchObject({ code: 'config/invalid' });
});

test('a repair is measured on patients that it was not learnt from, and said not to help where it does not', async () => {
  const { file, out } = await run([at('films')], { repair: 'subspace', reference: 'South', dimensions: 3, permutations: 19 });
  const { repair } = file;
  expect(repair).toMatchObject({ kind: 'subspace', reference: 'South', dimensions: 3 });
  expect(repair!.patients).toBeGreaterThanOrEqual(10);
  expect(repair!.patients).toBeLessThan(PATIENTS - 5);
  const [told] = repair!.changes;
  expect(told).toMatchObject({ what: 'site told from the picture, AUC', wanted: 'lower' });
  expect(told!.after.value).toBeLessThan(told!.before.value - 0.2);
  expect(fs.readFileSync(path.join(out, 'report.html'), 'utf8')).toContain('A repair before inference');
  // A mark in a corner is no matter of range.
  const { file: ranged, out: where } = await run([at('films')], { repair: 'range', permutations: 19 });
  expect(ranged.repair!.pictures).toBe(PATIENTS);
  expect(ranged.repair!.changes[0]).toMatchObject({ moved: 'not clearly' });
  expect(fs.readFileSync(path.join(where, 'report.html'), 'utf8')).toContain('It does not help here');
  await expect(run([at('films')], { repair: 'subspace', reference: 'East' })).rejects.toMatchObject({ code: 'dataset/invalid', message: expect.stringContaining('East') });
});
