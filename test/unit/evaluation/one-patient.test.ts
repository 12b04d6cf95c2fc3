/** Over one patient there is no interval: draws of patients are all alike, and one of no width would claim certainty. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { maskYardstick } from '../../../src/evaluation/masks.ts';
import { measureScores, type ScoredItem } from '../../../src/evaluation/scores.ts';
import { datasetIn } from '../../../src/cli/dataset-folder.ts';
import { greyPng } from '../../../src/cli/io/png.ts';
import { fakeRunner, picture } from '../cli/fake-runner.ts';

const item = (patientId: string, probability: number, truths: Record<string, boolean>): ScoredItem =>
  ({ patientId, probabilities: { A: probability, B: probability }, truths });

test('scores of one patient have values without intervals, and say why', () => {
  const { metrics, labels } = measureScores([item('p', 0.2, { A: false }), item('p', 0.8, { A: true }), item('p', 0.4, { A: true })], ['A'], true);
  expect(metrics['auc:A']).toEqual({ value: 1 });
  for (const name of ['auc', 'brier', 'brier:A']) expect(Object.keys(metrics[name]!)).toEqual(['value']);
  expect(labels['A']!.notComputable).toEqual({ 'auc interval': 'there is one patient only' });
});

test('a label of one patient has none among labels of several', () => {
  const items = ['p', 'q', 'r', 's', 't', 'u'].flatMap((patient, i) => [item(patient, 0.3, { A: i > 2 }), item(patient, 0.6, { A: i < 4 })]);
  const { metrics } = measureScores([...items, item('p', 0.1, { B: false }), item('p', 0.9, { B: true })], ['A', 'B'], true);
  expect(Object.keys(metrics['brier:B']!)).toEqual(['value']);
  expect(metrics['auc:B']).toEqual({ value: 1 });
  expect(Object.keys(metrics['brier:A']!)).toEqual(['value', 'low', 'high']);
});

test('nor have masks of one patient', async () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'overread-one-'));
  fs.writeFileSync(path.join(folder, 'm.png'), greyPng(Uint8Array.of(0, 1), 2, 1));
  const keysOfDice = async (patients: string[]) => {
    const items = patients.map((patientId, i) => ({ id: String(i), patientId, images: [{ path: 'a.png' }], mask: 'm.png' }));
    const yardstick = maskYardstick(datasetIn(folder, { schemaVersion: 1, name: 'masks', licence: 'none', items }), 0, []);
    const image = picture(2, 1, [0, 200]);
    for (const each of items) await yardstick.judge(each, image, () => fakeRunner().run([image]));
    return Object.keys(yardstick.summary().metrics['dice']!);
  };
  expect(await keysOfDice(['p', 'p', 'p'])).toEqual(['value']);
  expect(await keysOfDice(['p', 'q', 'r'])).toEqual(['value', 'low', 'high']);
  fs.rmSync(folder, { recursive: true });
});
