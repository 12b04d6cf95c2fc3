/** The shipped lung model on the validation patients of its recipe, where the data are (../shared/data). */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { evaluate } from '../../../src/cli/eval.ts';
import type { EvalReport } from '../../../src/evaluation/report.ts';
import { readDatasetFolder } from '../../../src/cli/dataset-folder.ts';

const ROOT = path.join(__dirname, '../../..');
const DATA = path.join(ROOT, '../shared/data/cxr/open/covid-chestxray/dev');
const MODEL = path.join(ROOT, 'models/lung-unet');
const there = fs.existsSync(DATA);
if (!there) console.warn(`Skipped: ${DATA} is not there.`);

/** As models/lung-unet/recipe/dataset.py splits: by the SHA-256 of the patient's id, the first of four equal runs. */
function validationPatients(): string[] {
  const items = readDatasetFolder(DATA).dataset.items.filter(item => item.mask !== undefined);
  const hash = (id: string) => createHash('sha256').update(id).digest('hex');
  const patients = [...new Set(items.map(item => item.patientId))].sort((a, b) => (hash(a) < hash(b) ? -1 : 1));
  return patients.filter((_, i) => Math.floor((i * 4) / patients.length) === 0);
}

(there ? test : test.skip)('mean Dice of at least 0.95 on patients that training never saw', async () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'overread-lungs-'));
  const patients = path.join(folder, 'validation.json');
  fs.writeFileSync(patients, JSON.stringify(validationPatients()));
  const printed: string[] = [];
  const status = await evaluate({ model: MODEL, dataset: DATA, patients, backend: 'wasm', json: true }, { print: line => printed.push(line), note: () => {} });
  fs.rmSync(folder, { recursive: true });
  const report = JSON.parse(printed.join('\n')) as EvalReport;
  expect(status).toBe(0);
  expect(report.n).toBeGreaterThanOrEqual(15);
  const { dice } = report.metrics;
  console.info(`lung-unet ${report.model.version}: n ${report.n}, Dice ${dice!.value.toFixed(4)} (${dice!.low!.toFixed(4)} to ${dice!.high!.toFixed(4)}), worst ${Math.min(...report.perItem.map(i => i.dice as number)).toFixed(4)}`);
  expect(dice!.value).toBeGreaterThanOrEqual(0.95);
  expect(Math.min(...report.perItem.map(i => i.dice as number))).toBeGreaterThan(0.85);
}, 300_000);
