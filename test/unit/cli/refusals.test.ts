/** Calls that cannot come to anything, refused before the work, with what to do; and results that say what they are. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { readDatasetFolder } from '../../../src/cli/dataset-folder.ts';
import { dicomize } from '../../../src/cli/dicomize.ts';
import { explain } from '../../../src/cli/explain.ts';
import { importModel } from '../../../src/cli/import.ts';
import { infer, mark } from '../../../src/cli/infer.ts';
import { inputFiles } from '../../../src/cli/input-files.ts';
import { greyPng } from '../../../src/cli/io/png.ts';
import { isOverreadError } from '../../../src/errors.ts';
import { scoresCsv } from '../../../src/export/scores-csv.ts';
import { imageFromPng } from '../../../src/image/png.ts';
import type { ScoresResult } from '../../../src/results/result.ts';
import { part10, picture as dicomPicture } from '../../fixtures/build-dicom.ts';

const models = path.join(__dirname, '../../fixtures');
let folder: string;
let picture: string;
let printed: string[];
const terminal = { print: (line: string) => printed.push(line), note: () => {} };
beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'overread-refusals-'));
  picture = path.join(folder, 'a.png');
  fs.writeFileSync(picture, greyPng(Uint8Array.from({ length: 32 * 32 }, (_, i) => i % 256), 32, 32));
  printed = [];
});
afterEach(() => fs.rmSync(folder, { recursive: true }));

async function errorOf(running: Promise<unknown>): Promise<string> {
  const error = await running.then(() => undefined, (e: unknown) => e);
  if (!isOverreadError(error)) throw new Error(`expected an OverreadError, got ${String(error)}`);
  return `${error.code}: ${error.message}`;
}
const explaining = (out: string, model = 'tiny-scores') => explain([picture], { model, models, backend: 'wasm', target: 'Bright', method: 'occlusion', out, opacity: 0.7 }, terminal);

test.each([
  ['is not there', undefined, /no\.json as JSON/], ['is no JSON', 'x', /as JSON/], ['would fit every image', '[{"synthesised":true}]', /at least one of imageTypes/], ['has a key that is not known', '{"description":["MRCAT"]}', /description/],
])('a file of rules on what was synthesised that %s is refused before a device is opened', async (_, text, why) => {
  const file = path.join(folder, 'no.json');
  if (text !== undefined) fs.writeFileSync(file, text);
  const said = await errorOf(infer([picture], { model: 'tiny-bright', models, backend: 'wasm', synthesised: file }, terminal));
  expect(said).toMatch(/^config\/invalid/);
  expect(said).toMatch(why);
});

test('a site\'s rule on what was synthesised is heeded on the command line', async () => {
  const film = path.join(folder, 'film.dcm');
  fs.writeFileSync(film, part10(dicomPicture({ '0008103E': 'MRCAT water' })));
  const rules = path.join(folder, 'rules.json');
  fs.writeFileSync(rules, '{ "descriptions": ["mrcat"] }');
  const run = async (synthesised?: string) => {
    printed = [];
    await infer([film], { model: 'tiny-bright', models, backend: 'wasm', json: true, ...(synthesised && { synthesised }) }, terminal);
    return printed.join();
  };
  expect(await run()).not.toContain('synthesised');
  expect(await run(rules)).toMatch(/out-of-distribution.*was synthesised.*rule of this site/s);
});

test('a folder without an image is no success', async () => {
  const empty = path.join(folder, 'empty');
  fs.mkdirSync(empty);
  const inferring = () => infer([empty], { model: 'tiny-bright', models, backend: 'wasm', json: true }, terminal);
  expect(await errorOf(inferring())).toMatch(/^input\/unreadable: .*got none: no files at all/);
  fs.writeFileSync(path.join(empty, 'notes.txt'), 'text');
  expect(await errorOf(inferring())).toMatch(/^input\/unreadable: .*got none among 1 files/);
  expect(printed).toEqual([]);
});

test('a path below a file is a file that is not there', async () => {
  const below = path.join(picture, 'below');
  expect(inputFiles([below])).toEqual({ files: [below], skipped: [] });
  expect(() => readDatasetFolder(below)).toThrow(/Cannot read .*below: ENOTDIR/);
});

const isRoot = process.getuid?.() === 0;
(isRoot ? test.skip : test)('a folder and a file without the right to read them are refused aloud', () => {
  const shut = path.join(folder, 'shut');
  fs.mkdirSync(shut);
  fs.chmodSync(picture, 0);
  expect(inputFiles([folder]).files).toEqual([picture]);
  fs.chmodSync(shut, 0);
  expect(() => inputFiles([folder])).toThrow(/Expected to read the folder .*shut, got EACCES/);
  fs.chmodSync(shut, 0o700);
});

test('--out that is a file, or below one, is refused before the work', async () => {
  for (const out of [picture, path.join(picture, 'below')]) {
    expect(await errorOf(infer([picture], { model: 'tiny-bright', models, backend: 'wasm', out }, terminal))).toMatch(/^config\/invalid: Expected a folder at .*a\.png, got a file/);
    expect(await errorOf(explaining(out))).toMatch(/^config\/invalid: Expected a folder/);
  }
});

test('--out with a model of scores, and explain with a model of masks, would give nothing', async () => {
  expect(await errorOf(infer([picture], { model: 'tiny-scores', models, backend: 'wasm', out: path.join(folder, 'out') }, terminal))).toMatch(/^cli\/usage: .*labelmaps or points with --out/);
  expect(await errorOf(explaining(path.join(folder, 'out'), 'tiny-bright'))).toMatch(/^cli\/usage: .*got labelmap from tiny-bright/);
});

test('a picture of no pixels is none', async () => {
  const none = Buffer.from('89504e470d0a1a0a0000000d49484452000000000000000008000000001ee023ce0000000849444154789c030000000001480689d20000000049454e44ae426082', 'hex');
  const file = path.join(folder, 'none.png');
  fs.writeFileSync(file, none);
  expect(await errorOf(imageFromPng(none, 'none.png'))).toMatch(/^input\/inconsistent: .*none\.png says that it is 0 × 0/);
  expect(await errorOf(dicomize([file], { out: path.join(folder, 'out') } as Parameters<typeof dicomize>[1]))).toMatch(/^input\//);
});

test('a result that was forced says so beside its numbers', () => {
  expect(mark({})).toBe('');
  expect(mark({ outOfDistribution: { score: 0.2, threshold: 0.5, refused: false } })).toBe('');
  expect(mark({ outOfDistribution: { score: 0.9, threshold: 0.5, refused: true, reason: 'a lateral' } })).toBe('NOT FOR THIS MODEL: a lateral');
});

test('no text of a CSV is a formula to a spreadsheet; numbers stay numbers', () => {
  const score = (label: string) => ({ target: { label }, logit: -1.5, probability: 0.18, positive: false, views: { PA: 0.18 } });
  const result = {
    kind: 'scores', model: { id: 'm', version: '1' }, source: { sources: [{ file: '-a.png' }] },
    scores: ['=HYPERLINK("x")', '+1', '@x', 'Mass, "large"', 'A=B'].map(score), viewsUsed: ['PA'], viewsMissing: [],
  } as unknown as ScoresResult;
  const lines = scoresCsv([result]).split('\r\n').slice(1, -1);
  expect(lines.map(line => line.slice(0, line.indexOf(',-1.5,0.18,')))).toEqual([
    '\'-a.png,,m,1,"\'=HYPERLINK(""x"")"', '\'-a.png,,m,1,\'+1', '\'-a.png,,m,1,\'@x', '\'-a.png,,m,1,"Mass, ""large"""', '\'-a.png,,m,1,A=B',
  ]);
});

test('import to a folder below a file, or from half an address, is refused by name', async () => {
  const importing = (file: string, out: string) => importModel(file, { as: 'densenet', labels: 'a,b,c', out }, terminal);
  expect(await errorOf(importing('net.pt', path.join(picture, 'net')))).toMatch(/^config\/invalid: Expected a folder at .*a\.png, got a file/);
  expect(await errorOf(importing('http://', path.join(folder, 'net')))).toMatch(/^cli\/usage: Expected an http\(s\) address, got http:\/\//);
});
