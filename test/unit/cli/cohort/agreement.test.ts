/** What counts when two models are compared over a cohort. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { cohortScores } from '../../../../src/cli/audit/cohort-scores.ts';
import { agreementOf, type Truths } from '../../../../src/cli/cohort/agreement.ts';
import { Journal } from '../../../../src/cli/cohort/journal.ts';
import type { InferEntry } from '../../../../src/cli/infer-json.ts';
import type { CohortRow } from '../../../../src/cli/cohort/rows.ts';

const row = (study: string, model: string, value: number, more: Partial<CohortRow> = {}): CohortRow => ({
  study, picture: `${study}.png`, model, version: '1', sha256: '', backend: 'cpu', kind: 'scores', label: 'A', measure: 'probability', value, positive: value >= 0.5, ...more,
});
const studies = ['s', 't', 'u', 'v'];
const rows = studies.flatMap((study, i) => [row(study, 'a', 0.2 * i), row(study, 'b', 0.1 + 0.2 * i)]);
const truths: Truths = new Map(studies.map((study, i) => [study, new Map([['A', i > 1]])]));
const failed = (error: string) => row('u', 'a', 0, { picture: 'second.png', value: undefined as never, positive: undefined as never, label: '', measure: '', error, reason: '' });

test('a study with a picture that failed has no highest number yet; one that is not for the model is none', () => {
  const valuesWith = (more: readonly CohortRow[]) => agreementOf([...rows, ...more], [], ['a', 'b']).labels[0]!.values.map(({ study }) => study);
  expect(valuesWith([])).toEqual(studies);
  expect(valuesWith([failed('device/lost')])).toEqual(['s', 't', 'v']);
  expect(valuesWith([failed('input/refused')])).toEqual(studies);
});

test('scores that are normalised by operating points have areas, and no calibration, by name', () => {
  const [plain] = agreementOf(rows, [], ['a', 'b'], truths).labels;
  expect(plain!.calibration!.a.brier).toBeCloseTo((0.04 * 0 + 0.04 + 0.36 + 0.16) / 4, 12);
  const [normalised] = agreementOf(rows, [], ['a', 'b'], truths, new Set(['b'])).labels;
  expect(normalised!.auc).toEqual(plain!.auc);
  expect(normalised!.calibration).toBeUndefined();
  expect(normalised!.remarks).toEqual(['no calibration: the scores of b are normalised by operating points, so they are no probabilities']);
});

test('nor does an audit take scores of such a study', () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'overread-agreement-'));
  try {
    const model = { id: 'a', version: '1.0.0', sha256: 'ab'.repeat(32) };
    const entry = (file: string, more: object) => ({ model, backend: 'cpu', sources: [{ file }], ...more }) as unknown as InferEntry;
    const scored = { result: { kind: 'scores', scores: [{ label: 'A', probability: 0.3, positive: false }] } };
    const journal = new Journal(folder, [model]);
    const write = (study: string, entries: InferEntry[], outcome: 'done' | 'failed') => journal.write({ study, outcome, entries, ms: 1, at: '2026-01-01T00:00:00.000Z' });
    write('whole', [entry('1.png', scored), entry('2.png', { error: { code: 'input/refused', message: '' } })], 'done');
    write('partly', [entry('3.png', scored), entry('4.png', { error: { code: 'device/lost', message: '' } })], 'failed');
    journal.close();
    expect([...cohortScores(folder, undefined).scores.keys()]).toEqual(['whole']);
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
});
