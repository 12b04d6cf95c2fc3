import type { Gate } from '../../../src/manifest.ts';
import { verdictOf, worstVerdict } from '../../../src/tasks/gate.ts';

const gate: Gate = {
  frontal: 'Frontal', lateral: 'Lateral', faults: { Inverted: 'inverted grey scale', Other: 'not a chest radiograph' },
  threshold: 0.5, distanceThreshold: 2,
};
const p = (Frontal: number, Lateral: number, Inverted: number, Other: number) => ({ Frontal, Lateral, Inverted, Other });

test('a sound frontal passes, with its distance', () => {
  expect(verdictOf(gate, p(0.9, 0.05, 0.03, 0.02), 1.2, ['PA'])).toEqual({ verdict: { score: 1.2, threshold: 2, refused: false }, view: 'PA' });
});

test.each([
  ['an inverted picture', p(0.05, 0.05, 0.85, 0.05), 'inverted grey scale: probability 0.85 over 0.50'],
  ['another picture', p(0, 0, 0.1, 0.9), 'not a chest radiograph: probability 0.90 over 0.50'],
  ['a lateral', p(0.1, 0.8, 0.1, 0), 'lateral view where a frontal one is read: probability 0.80 over 0.50'],
])('%s handed to a frontal model is refused by name', (_, probabilities, reason) => {
  expect(verdictOf(gate, probabilities, 0.5, ['PA']).verdict).toMatchObject({ refused: true, reason, threshold: 0.5 });
});

test('a lateral is no fault for a model of both views; one that is stated a frontal is', () => {
  const lateral = p(0.1, 0.8, 0.1, 0);
  expect(verdictOf(gate, lateral, 0.5, ['PA', 'L'])).toMatchObject({ verdict: { refused: false }, view: 'L' });
  expect(verdictOf(gate, lateral, 0.5, ['PA']).verdict.refused).toBe(true);
  expect(verdictOf(gate, p(0.8, 0.1, 0.1, 0), 0.5, ['L']).verdict.reason).toMatch(/^frontal view where a lateral one is read/);
});

test('features far from the training set are refused, whatever the classes say', () => {
  expect(verdictOf(gate, p(0.97, 0.01, 0.01, 0.01), 2.5, ['PA']).verdict).toEqual({
    score: 2.5, threshold: 2, refused: true, reason: 'not like the chest radiographs that the gate knows: distance 2.50 over 2.00',
  });
});

test('no view where it is sure of none', () => {
  expect(verdictOf(gate, p(0.4, 0.4, 0.1, 0.1), 1, ['PA', 'L']).view).toBeUndefined();
});

test('of several pictures the verdict of the worst, a refused one before all', () => {
  const [near, far, refused] = [{ score: 0.2, threshold: 2, refused: false }, { score: 1.9, threshold: 2, refused: false }, { score: 0.6, threshold: 0.5, refused: true }];
  expect(worstVerdict([near, far])).toBe(far);
  expect(worstVerdict([far, refused, near])).toBe(refused);
  expect(worstVerdict([])).toBeUndefined();
});
