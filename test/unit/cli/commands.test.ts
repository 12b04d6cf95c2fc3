/** infer, eval and models as they are called, with the tiny models of test/fixtures on wasm. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { PNG } from 'pngjs';
import { evaluate } from '../../../src/cli/eval.ts';
import type { EvalReport } from '../../../src/evaluation/report.ts';
import { infer } from '../../../src/cli/infer.ts';
import type { InferEntry } from '../../../src/cli/infer-json.ts';
import { greyPng } from '../../../src/cli/io/png.ts';
import { models, type ModelEntry } from '../../../src/cli/models.ts';

const MODELS = path.join(__dirname, '../../fixtures');
const engine = { model: 'tiny-bright', models: MODELS, backend: 'wasm' } as const;
let folder: string;
let printed: string[];
let notes: string[];
const terminal = { print: (line: string) => printed.push(line), note: (line: string) => notes.push(line) };

beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'overread-commands-'));
  [printed, notes] = [[], []];
});
afterEach(() => fs.rmSync(folder, { recursive: true }));

/** A picture of `columns` × 32 whose left part, up to `edge`, is bright. */
function leftBright(name: string, edge: number, columns = 32): string {
  const file = path.join(folder, name);
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, greyPng(Uint8Array.from({ length: columns * 32 }, (_, i) => (i % columns < edge ? 250 : 5)), columns, 32));
  return file;
}

describe('infer', () => {
  test('prints one array, writes the labelmap, says on stderr what it runs on', async () => {
    const picture = leftBright('a.png', 16);
    expect(await infer([picture], { ...engine, json: true, out: path.join(folder, 'out') }, terminal)).toBe(0);
    const [entry, ...more] = JSON.parse(printed.join('\n')) as InferEntry[];
    expect(more).toEqual([]);
    expect(Object.keys(entry!).sort()).toEqual(['backend', 'model', 'result', 'sources', 'timingMs']);
    expect(entry!.model.sha256).toMatch(/^[0-9a-f]{64}$/);
    expect(entry!.backend).toBe('wasm');
    expect(entry!.sources).toEqual([{ file: picture }]);
    expect(Object.keys(entry!.timingMs!).sort()).toEqual(['decode', 'encode', 'load', 'predict']);
    if (entry!.result?.kind !== 'labelmap') throw new Error('expected a labelmap');
    const [segment] = entry!.result.segments;
    // The tiny network loses the corners.
    const pixels = 16 * 32 - 4;
    expect(segment).toEqual({ label: 'Bright', segmentNumber: 1, pixels });
    const png = PNG.sync.read(fs.readFileSync(entry!.result.file!));
    expect(Array.from({ length: 32 }, (_, x) => png.data[4 * (16 * 32 + x)])).toEqual(Array.from({ length: 32 }, (_, x) => Number(x < 16)));
    expect(notes.join('\n')).toContain('tiny-bright 1.0.0 on wasm');
    expect(notes.join('\n')).toContain('Not for diagnosis');
  });

  test('walks a folder; what is broken is refused, what is no image is skipped', async () => {
    leftBright('in/a.png', 8);
    fs.writeFileSync(path.join(folder, 'in/b.dcm'), 'no DICOM');
    fs.writeFileSync(path.join(folder, 'in/notes.txt'), 'text');
    expect(await infer([path.join(folder, 'in')], { ...engine, json: true }, terminal)).toBe(2);
    const entries = JSON.parse(printed.join('\n')) as InferEntry[];
    expect(entries.map(e => e.error?.code)).toEqual([undefined, 'input/unreadable']);
    expect(entries[1]!.sources).toEqual([{ file: path.join(folder, 'in/b.dcm') }]);
    expect(notes[0]).toMatch(/^Skipped 1 file.*notes\.txt/);
  });

  test('without --json there is a table of what was found', async () => {
    const picture = leftBright('a.png', 16);
    await infer([picture, path.join(folder, 'none.png')], engine, terminal);
    expect(printed).toHaveLength(2);
    expect(printed[0]).toContain('508 px');
    expect(printed[1]).toContain('input/unreadable');
  });

  test('scores: one object with the documented keys, or a table', async () => {
    const picture = leftBright('a.png', 24); // mean (24 · 250 + 8 · 5) / 32 / 255 = 0.740
    const scores = { ...engine, model: 'tiny-scores' };
    expect(await infer([picture], { ...scores, json: true }, terminal)).toBe(0);
    const [entry] = JSON.parse(printed.join('\n')) as InferEntry[];
    const logit = 20 * ((24 * 250 + 8 * 5) / 32 / 255 - 0.5);
    const [bright, dark] = [1 / (1 + Math.exp(-logit)), 1 / (1 + Math.exp(logit))].map(p => expect.closeTo(p, 5) as number);
    expect(entry!.result).toEqual({
      kind: 'scores',
      scores: [
        { label: 'Bright', logit: expect.closeTo(logit, 4), probability: bright, operatingPoint: 0.6, positive: true, views: { PA: bright } },
        { label: 'Quite dark', logit: expect.closeTo(-logit, 4), probability: dark, positive: false, views: { PA: dark } },
      ],
      viewsUsed: ['PA'],
      viewsMissing: [],
      viewsFrom: { PA: 'assumed' },
    });
    printed = [];
    await infer([picture], scores, terminal);
    expect(printed[0]).toMatch(/Bright\s+0\.992\s+positive\s+at 0\.600\s+PA \(assumed\)\s+\d+ ms$/);
    expect(printed[1]).toMatch(/Quite dark\s+0\.008\s+PA \(assumed\)/);
  });

  test('--csv: a line a score, of scores only', async () => {
    const [a, b] = [leftBright('a.png', 24), leftBright('b.png', 4)];
    expect(await infer([a, b, path.join(folder, 'none.png')], { ...engine, model: 'tiny-scores', csv: true }, terminal)).toBe(2);
    const lines = printed.join('\n').split('\r\n');
    expect(lines).toHaveLength(5);
    expect(lines[1]).toMatch(/a\.png,,tiny-scores,1\.0\.0,Bright,4\.8\d*,0\.99\d*,0\.6,true,0\.99\d*,,,PA,,$/);
    await expect(infer([a], { ...engine, csv: true }, terminal)).rejects.toMatchObject({ code: 'cli/usage', message: expect.stringContaining('labelmap from tiny-bright') });
    await expect(infer([a], { ...engine, csv: true, json: true }, terminal)).rejects.toMatchObject({ code: 'cli/usage' });
  });

  test('an unknown model is refused before anything is read', async () => {
    await expect(infer(['x.png'], { ...engine, model: 'lungs' }, terminal)).rejects.toMatchObject({ code: 'model/not-found', message: expect.stringContaining('tiny-bright') });
  });

  test('--overlay without --out is a usage error', async () => {
    await expect(infer(['x.png'], { ...engine, overlay: true }, terminal)).rejects.toMatchObject({ code: 'cli/usage' });
  });
});

describe('eval', () => {
  function dataset(items: object[], more: object = {}): string {
    const where = path.join(folder, 'set');
    fs.mkdirSync(where, { recursive: true });
    fs.writeFileSync(path.join(where, 'dataset.json'), JSON.stringify({ schemaVersion: 1, name: 'halves', licence: 'CC0', maskClasses: ['background', 'bright'], items, ...more }));
    return where;
  }
  /** An item whose picture is bright up to `edge` and whose mask says up to `truth`. */
  function item(id: string, patientId: string, edge: number, truth: number) {
    leftBright(`set/${id}.png`, edge);
    leftBright(`set/${id}-mask.png`, truth);
    const black = path.join(folder, `set/${id}-mask.png`);
    const png = PNG.sync.read(fs.readFileSync(black));
    fs.writeFileSync(black, greyPng(Uint8Array.from({ length: 32 * 32 }, (_, i) => (png.data[4 * i]! > 100 ? 255 : 0)), 32, 32));
    return { id, patientId, images: [{ path: `${id}.png`, view: 'PA', modality: 'DX' }], mask: `${id}-mask.png` };
  }

  test('means over items with intervals over patients, and each item by itself', async () => {
    const items = [item('a', '1', 16, 16), item('b', '1', 16, 8), item('c', '2', 8, 16), { id: 'd', patientId: '3', images: [{ path: 'd.png' }] }];
    expect(await evaluate({ ...engine, dataset: dataset(items), json: true }, terminal)).toBe(0);
    const report = JSON.parse(printed.join('\n')) as EvalReport;
    expect(Object.keys(report)).toEqual(['model', 'dataset', 'n', 'metrics', 'perItem']);
    expect(report).toMatchObject({ model: { id: 'tiny-bright', version: '1.0.0' }, dataset: 'halves', n: 3 });
    expect(report.perItem.map(i => i.id)).toEqual(['a', 'b', 'c']);
    // 1, 2/3 and 2/3 but for the corners, which the tiny network loses.
    const [a, b, c] = report.perItem.map(i => i.dice as number) as [number, number, number];
    expect(a).toBeCloseTo(508 / 510, 12);
    expect(b).toBeCloseTo(2 * 254 / (508 + 256), 12);
    expect(c).toBeCloseTo(2 * 252 / (252 + 512), 12);
    expect(report.perItem[1]!.iou).toBeCloseTo(254 / 510, 12);
    const { dice } = report.metrics;
    expect(dice!.value).toBeCloseTo((a + b + c) / 3, 12);
    // Patient 2 has c alone, patient 1 the mean of a and b: those are the ends.
    expect(dice!.low).toBeCloseTo(c, 12);
    expect(dice!.high).toBeCloseTo((a + b) / 2, 12);
  });

  test('an item that the model refuses is reported and not counted', async () => {
    const lateral = { ...item('b', '2', 16, 16), images: [{ path: 'b.png', view: 'L', modality: 'DX' }] };
    expect(await evaluate({ ...engine, dataset: dataset([item('a', '1', 16, 16), lateral]), json: true }, terminal)).toBe(2);
    const report = JSON.parse(printed.join('\n')) as EvalReport;
    expect(report.n).toBe(1);
    expect(report.perItem[1]).toMatchObject({ id: 'b', error: { code: 'input/refused', message: expect.stringContaining('view position L') } });
  });

  test('labels: area and calibration of each, over the items that have it', async () => {
    const labelled = (id: string, patientId: string, edge: number, labels: object, views = ['PA']) => {
      leftBright(`set/${id}.png`, edge);
      return { id, patientId, images: views.map(view => ({ path: `${id}.png`, view, modality: 'DX' })), labels };
    };
    const items = [
      ...[4, 8, 12, 14, 18, 20, 24, 28].map((edge, i) => labelled(`i${i}`, `p${i}`, edge, { bright: Number(edge > 16), Quite_dark: 0, Other: 1 })),
      labelled('wrong', 'q', 2, { Bright: 1 }),
      labelled('both', 'r', 2, { Bright: 0 }, ['L', 'PA']), // the model reads the PA of the two
      labelled('lateral', 's', 2, { Bright: 0 }, ['L']),
      labelled('other', 't', 2, { Other: 1 }),
    ];
    const scores = { ...engine, model: 'tiny-scores', dataset: dataset(items) };
    expect(await evaluate({ ...scores, json: true }, terminal)).toBe(2);
    const report = JSON.parse(printed.join('\n')) as EvalReport;
    expect(Object.keys(report)).toEqual(['model', 'dataset', 'n', 'metrics', 'labels', 'perItem']);
    expect(report.n).toBe(10);
    // 5 positives and 5 negatives; the positive at 2 ties with one negative and is below the four others: 20.5 of 25.
    expect(report.metrics['auc:Bright']!.value).toBeCloseTo(20.5 / 25, 12);
    expect(report.metrics['auc:Bright']!.low).toBeLessThan(report.metrics['auc:Bright']!.value);
    expect(report.metrics.auc).toEqual(report.metrics['auc:Bright']);
    expect(report.labels).toEqual({
      Bright: { n: 10, positives: 5, patients: 10, positivePatients: 5 },
      'Quite dark': { n: 8, positives: 0, patients: 8, positivePatients: 0, notComputable: { auc: 'no item is positive' } },
    });
    expect(report.metrics['auc:Quite dark']).toBeUndefined();
    expect(report.metrics['brier:Bright']!.value).toBeGreaterThan(0.09);
    expect(report.metrics['calibrationError:Bright']!.value).toBeGreaterThan(0);
    expect(report.perItem[0]).toMatchObject({ id: 'i0', truths: { Bright: 0, 'Quite dark': 0 }, probabilities: { Bright: expect.any(Number) as number } });
    expect(report.perItem.find(i => i.id === 'lateral')!.error!.code).toBe('input/refused');
    expect(report.perItem.some(i => i.id === 'other')).toBe(false);
    printed = [];
    await evaluate(scores, terminal);
    expect(printed.find(line => line.startsWith('auc:Bright'))).toMatch(/0\.8200 +95 % 0\.\d{4} to [01]\.\d{4}$/);
    expect(printed).toContain('No auc, since no item is positive: Quite dark');
  });

  test('a data set without a label of the model, and pictures of the worst scores, are refused', async () => {
    const items = [{ id: 'a', patientId: '1', images: [{ path: 'a.png' }], labels: { Other: 1 } }];
    const scores = { ...engine, model: 'tiny-scores', dataset: dataset(items) };
    await expect(evaluate(scores, terminal)).rejects.toMatchObject({ code: 'dataset/invalid', message: expect.stringContaining('Bright, Quite dark') });
    await expect(evaluate({ ...scores, worst: 1, out: folder }, terminal)).rejects.toMatchObject({ code: 'cli/usage' });
  });

  test('--patients with --split takes the patients of a split, --worst draws', async () => {
    const split = path.join(folder, 'split.json');
    fs.writeFileSync(split, JSON.stringify({ train: ['1'], validation: ['2', '3'] }));
    const where = dataset([item('a', '1', 16, 16), item('b', '2', 16, 8), item('c', '3', 8, 4)]);
    const out = path.join(folder, 'worst');
    await evaluate({ ...engine, dataset: where, patients: split, split: 'validation', json: true, worst: 1, out }, terminal);
    expect((JSON.parse(printed.join('\n')) as EvalReport).perItem.map(i => i.id)).toEqual(['b', 'c']);
    const [drawn, ...others] = fs.readdirSync(out);
    expect(others).toEqual([]);
    const png = PNG.sync.read(fs.readFileSync(path.join(out, drawn!)));
    const colours = new Set(Array.from({ length: 32 * 32 }, (_, i) => [...png.data.subarray(4 * i, 4 * i + 3)].join()));
    expect(colours.has('255,60,60')).toBe(true);
    expect(colours.has('60,230,60')).toBe(true);
  });

  test.each([
    ['no item with a mask', () => [{ id: 'd', patientId: '3', images: [{ path: 'd.png' }] }], 'none of the 1 has a mask'],
    ['a mask of another size', () => {
      leftBright('set/wide.png', 4, 40);
      return [{ ...item('a', '1', 16, 16), mask: 'wide.png' }];
    }, '40 × 32'],
  ])('%s is a fault of the data set', async (_, items, message) => {
    await expect(evaluate({ ...engine, dataset: dataset(items()) }, terminal)).rejects.toMatchObject({ code: 'dataset/invalid', message: expect.stringContaining(message) });
  });
});

describe('models', () => {
  function copied(id: string): string {
    const to = path.join(folder, 'models', id);
    fs.cpSync(path.join(MODELS, id), to, { recursive: true });
    return to;
  }
  const listed = async () => {
    const status = await models({ models: path.join(folder, 'models'), json: true }, terminal);
    return { status, entries: JSON.parse(printed.join('\n')) as ModelEntry[] };
  };

  test('lists what is installed, with its licence and size', async () => {
    copied('tiny-bright');
    copied('tiny-unet');
    const { status, entries } = await listed();
    expect(status).toBe(0);
    expect(entries.map(e => [e.id, e.status, e.task, e.license])).toEqual([['tiny-bright', 'ok', 'segment', 'MIT'], ['tiny-unet', 'ok', 'segment', 'MIT']]);
    expect(entries[0]!.bytes).toBe(['model.json', 'weights.bin'].reduce((sum, f) => sum + fs.statSync(path.join(MODELS, 'tiny-bright', f)).size, 0));
  });

  test('a changed weight, a missing file and a broken manifest are named', async () => {
    const corrupt = path.join(copied('tiny-bright'), 'weights.bin');
    const bytes = fs.readFileSync(corrupt);
    bytes[0] = bytes[0]! ^ 1;
    fs.writeFileSync(corrupt, bytes);
    fs.rmSync(path.join(copied('tiny-graph'), 'weights.bin'));
    fs.writeFileSync(path.join(copied('tiny-unet'), 'manifest.json'), '{}');
    const { status, entries } = await listed();
    expect(status).toBe(1);
    expect(entries.map(e => [e.status, e.error?.code])).toEqual([['corrupt', 'model/corrupt'], ['invalid', 'model/not-found'], ['invalid', 'model/manifest']]);
    expect(notes).toHaveLength(3);
  });

  test('a folder that is not there holds none', async () => {
    expect(await models({ models: path.join(folder, 'nothing') }, terminal)).toBe(0);
    expect(notes[0]).toContain('No models');
  });
});
