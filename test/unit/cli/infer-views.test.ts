import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { evaluate } from '../../../src/cli/eval.ts';
import { infer } from '../../../src/cli/infer.ts';
import { writeDemo } from '../../../src/cli/demo.ts';
import type { EvalReport } from '../../../src/evaluation/report.ts';
import type { InferEntry, ScoresJson } from '../../../src/cli/infer-json.ts';
import { greyPng } from '../../../src/cli/io/png.ts';
import { folderFiles, fused, fusionNetwork, gateChanges, gateNetwork } from '../runtime/view-models.ts';

let home: string;
let printed: string[];
const at = (...names: string[]) => path.join(home, ...names);
const terminal = { print: (line: string) => void printed.push(line), note: () => {} };
const options = () => ({ model: 'two-views', models: at('models'), backend: 'wasm' as const, json: true });

async function run(files: string[], more: object = {}): Promise<{ status: number; entries: InferEntry[] }> {
  printed = [];
  const status = await infer(files, { ...options(), ...more }, terminal);
  return { status, entries: JSON.parse(printed.join('\n')) as InferEntry[] };
}

beforeAll(async () => {
  home = fs.mkdtempSync(path.join(os.tmpdir(), 'overread-views-'));
  await writeDemo({ out: at('demo'), seed: 3, small: true, only: ['chest'] });
  const models = { 'two-views': [fusionNetwork('stacked'), fused('stacked')], gated: [fusionNetwork('stacked'), fused('stacked', { gate: 'gate' })], gate: [gateNetwork(), gateChanges] } as const;
  for (const [id, [network, changes]] of Object.entries(models)) {
    for (const [name, bytes] of await folderFiles(id, network, { ...changes, input: { normalisation: { kind: 'representable' }, ...changes.input } })) {
      fs.mkdirSync(at('models', id), { recursive: true });
      fs.writeFileSync(at('models', id, name), bytes);
    }
  }
}, 60_000);
afterAll(() => fs.rmSync(home, { recursive: true }));

test('the pictures of a study are read together, one result a study', async () => {
  const { status, entries } = await run([at('demo', 'chest'), at('demo', 'chest-bedside')]);
  expect(status).toBe(0);
  const [both, bedside] = entries.map(entry => entry.result as ScoresJson);
  expect(entries).toHaveLength(2);
  expect(entries[0]!.sources).toHaveLength(2);
  expect(both).toMatchObject({ kind: 'scores', viewsUsed: ['PA', 'L'], viewsMissing: [], viewsFrom: { PA: 'ViewPosition', L: 'ViewPosition' } });
  expect(Object.keys(both!.scores[0]!.views)).toEqual(['PA', 'L', 'fused']);
  expect(bedside).toMatchObject({ viewsUsed: ['PA'], viewsMissing: ['L'], substitute: expect.stringContaining('missing L') });
  expect(Object.keys(bedside!.scores[0]!.views)).toEqual(['PA']);
});

test('two frontals of one study are refused with the count, and the exit status says so', async () => {
  const copy = at('two-frontals');
  fs.mkdirSync(copy);
  for (const name of ['a.dcm', 'b.dcm']) fs.copyFileSync(at('demo', 'chest', 'pa.dcm'), path.join(copy, name));
  const { status, entries } = await run([copy]);
  expect(status).toBe(2);
  expect(entries).toEqual([expect.objectContaining({ error: { code: 'input/views', message: expect.stringContaining('got 2 frontal views and no lateral') } })]);
});

test('what the gate refuses has its verdict; --force reads it, marked', async () => {
  // The tiny gate takes a bright picture for an inverted one.
  const bright = at('bright.png');
  fs.writeFileSync(bright, greyPng(new Uint8Array(64).fill(250), 8, 8));
  const { status, entries } = await run([bright], { model: 'gated' });
  expect(status).toBe(2);
  expect(entries[0]!.error).toMatchObject({ code: 'input/out-of-distribution', outOfDistribution: { refused: true, threshold: 0.5, reason: expect.stringContaining('inverted') } });
  printed = [];
  expect(await infer([bright], { ...options(), model: 'gated', force: true }, terminal)).toBe(2);
  // Forced, the gate no longer stands in the way: what remains is that this picture states no view.
  expect(JSON.parse(printed.join('\n'))).toMatchObject([{ error: { code: 'input/views' } }]);
  const dcm = await run([at('demo', 'chest', 'pa.dcm')], { model: 'gated', force: true });
  expect(dcm.entries[0]!.result).toMatchObject({ kind: 'scores', outOfDistribution: { score: expect.any(Number), threshold: expect.any(Number), refused: expect.any(Boolean) } });
});

test('eval reads the views of an item together', async () => {
  const set = at('set');
  fs.mkdirSync(set);
  const items = Array.from({ length: 6 }, (_, i) => {
    for (const view of ['pa', 'l']) fs.writeFileSync(path.join(set, `${i}-${view}.png`), greyPng(new Uint8Array(64).fill(view === 'pa' ? 20 : 30 * i), 8, 8));
    return { id: `s${i}`, patientId: `p${i}`, images: [{ path: `${i}-pa.png`, view: 'PA', modality: 'DX' }, { path: `${i}-l.png`, view: 'L', modality: 'DX' }], labels: { Bright: Number(i >= 3) } };
  });
  fs.writeFileSync(path.join(set, 'dataset.json'), JSON.stringify({ schemaVersion: 1, name: 'views', licence: 'CC0-1.0', items }));
  printed = [];
  expect(await evaluate({ ...options(), dataset: set }, terminal)).toBe(0);
  const report = JSON.parse(printed.join('\n')) as EvalReport;
  // All frontals are alike: only the lateral tells.
  expect(report.metrics['auc:Bright']!.value).toBe(1);
});
