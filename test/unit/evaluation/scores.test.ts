import { measureScores, truthsOf, type ScoredItem } from '../../../src/evaluation/scores.ts';
import type { DatasetItem } from '../../../src/training/dataset.ts';

const item = (patientId: string, p: number, truth?: boolean, label = 'A'): ScoredItem => ({ patientId, probabilities: { [label]: p }, truths: truth === undefined ? {} : { [label]: truth } });
/** 12 patients of two items each; the scores part them but for one pair. */
const many = Array.from({ length: 24 }, (_, i) => item(`p${i >> 1}`, i === 3 ? 0.9 : i / 24, i >= 12));

test('area, Brier score and calibration error of a label, with intervals over patients', () => {
  const { metrics, labels } = measureScores(many, ['A'], true);
  // The one wrong negative, at 0.9, is above the positives at 12/24 to 21/24: 10 of 12 · 12 pairs are lost.
  expect(metrics['auc:A']!.value).toBeCloseTo(1 - 10 / 144, 12);
  expect(metrics.auc).toEqual(metrics['auc:A']);
  expect(metrics['auc:A']!.low).toBeLessThan(metrics['auc:A']!.value);
  expect(metrics['auc:A']!.high).toBeLessThanOrEqual(1);
  expect(metrics['brier:A']!.low).toBeLessThan(metrics['brier:A']!.value);
  expect(metrics['calibrationError:A']!.value).toBeGreaterThan(0);
  expect(labels).toEqual({ A: { n: 24, positives: 12, patients: 12, positivePatients: 6 } });
});

test('an item that lacks a label is left out of that label only', () => {
  const items: ScoredItem[] = [
    ...many.map(({ patientId, probabilities, truths }) => ({ patientId, probabilities: { ...probabilities, B: 1 - probabilities.A! }, truths: { ...truths, B: truths.A! } })),
    { patientId: 'x', probabilities: { A: 0, B: 0.5 }, truths: { B: true } },
  ];
  const { metrics, labels } = measureScores(items, ['A', 'B'], true);
  expect([labels.A!.n, labels.B!.n]).toEqual([24, 25]);
  expect(metrics['auc:A']!.value).toBeCloseTo(1 - 10 / 144, 12);
  expect(metrics['auc:B']!.value).toBeLessThan(0.5);
  expect(metrics.auc!.value).toBeCloseTo((metrics['auc:A']!.value + metrics['auc:B']!.value) / 2, 12);
});

test('a label without both classes has no area, and says why; it is no part of the mean', () => {
  const items = many.map(({ patientId, probabilities, truths }, i) => ({
    patientId, probabilities: { A: probabilities.A!, none: 0.1, all: 0.9, missing: 0.5, rare: i / 24 }, truths: { ...truths, none: false, all: true, rare: i === 20 } }));
  const { metrics, labels } = measureScores(items, ['A', 'none', 'all', 'missing', 'rare'], true);
  for (const label of ['none', 'all', 'missing']) expect(metrics[`auc:${label}`]).toBeUndefined();
  expect(labels.none!.notComputable).toEqual({ auc: 'no item is positive' });
  expect(labels.all!.notComputable).toEqual({ auc: 'no item is negative' });
  expect(labels.missing).toEqual({ n: 0, positives: 0, patients: 0, positivePatients: 0, notComputable: { auc: 'no item has this label' } });
  // What is said of them still has a Brier score.
  expect(metrics['brier:none']!.value).toBeCloseTo(0.01, 12);
  expect(metrics['brier:missing']).toBeUndefined();
  // One positive patient: an area, but no interval; so the mean with it has none either.
  expect(metrics['auc:rare']).toEqual({ value: 20 / 23 });
  expect(labels.rare!.notComputable).toEqual({ 'auc interval': 'too few patients of one class' });
  expect(metrics.auc).toEqual({ value: (metrics['auc:A']!.value + 20 / 23) / 2 });
});

test('probabilities that round to 1 still have an order, by their ranks', () => {
  const items = many.map((scored, i) => ({ ...scored, probabilities: { A: 1 }, ranks: { A: 40 + i } }));
  expect(measureScores(items, ['A'], true).metrics['auc:A']!.value).toBe(1);
  expect(measureScores(items.map(({ ranks: _, ...scored }) => scored), ['A'], true).metrics['auc:A']!.value).toBe(0.5);
});

test('nothing scored, nothing measured', () => {
  expect(measureScores([], ['A'], true)).toEqual({ metrics: {}, labels: { A: expect.objectContaining({ n: 0 }) } });
});

test('scores that are no probabilities are not measured as such', () => {
  const { metrics, labels } = measureScores(many, ['A'], false);
  expect(Object.keys(metrics)).toEqual(['auc', 'auc:A']);
  expect(labels.A!.notComputable).toEqual({ brier: expect.stringContaining('no probabilities'), calibrationError: expect.stringContaining('no probabilities') });
});

describe('the truths of an item', () => {
  const labelled = (labels: Record<string, number>): DatasetItem => ({ id: 'i', patientId: 'p', images: [{ path: 'a.png' }], labels });

  test('are matched by name, without case, a space as an underscore', () => {
    expect(truthsOf(labelled({ pleural_thickening: 1, Edema: 0, Hernia: 1 }), ['Pleural Thickening', 'Edema', 'Mass'])).toEqual({ 'Pleural Thickening': true, Edema: false });
  });

  test('are 0 or 1: an uncertain one has to be left out', () => {
    expect(() => truthsOf(labelled({ Edema: -1 }), ['Edema'])).toThrow(expect.objectContaining({ code: 'dataset/invalid', message: expect.stringContaining("Edema of item 'i', got -1") }));
  });
});
