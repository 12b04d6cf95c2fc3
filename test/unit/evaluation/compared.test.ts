/** Two models on the same items: by what these are put in order, and over how many patients. */
import { compared } from '../../../src/evaluation/compared.ts';
import type { EvalReport } from '../../../src/evaluation/report.ts';

/** A softmax of two: the label's logit says nothing without the other's. */
const items = [[3, 4, 0], [1, 0, 1], [2, 4, 0], [0, -2, 1]] as const;
const report = (patients: readonly string[]) => ({
  labels: { A: {} },
  perItem: items.map(([own, other, truth], i) => ({ id: `${i}`, patientId: patients[i]!, logits: { A: own }, probabilities: { A: 1 / (1 + Math.exp(other - own)) }, truths: { A: truth } })),
}) as unknown as EvalReport;

test('a softmax orders items by its probabilities, not by a logit alone', () => {
  const patients = ['p', 'q', 'r', 's'];
  const auc = (by: 'logits' | 'probabilities') => compared(report(patients), report(patients), by)['auc:A']!;
  expect(auc('probabilities').base.value).toBe(1);
  expect(auc('logits').base.value).toBe(0);
});

test('areas over one patient have no interval', () => {
  const auc = compared(report(['p', 'p', 'p', 'p']), report(['p', 'p', 'p', 'p']), 'probabilities')['auc:A']!;
  for (const measured of [auc.base, auc.tuned, auc.difference]) expect(Object.keys(measured)).toEqual(['value']);
});
