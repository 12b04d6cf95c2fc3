import { chosenPoints } from '../../../src/evaluation/recalibration.ts';
import { manifest } from '../extension/made.ts';

const lungs = manifest();
const classifier = { ...lungs, output: { ...lungs.output, targets: [{ ...lungs.output.targets[0]!, label: 'Edema' }] } };

const pictures = (scores: readonly (readonly [score: number, truth: boolean])[]) =>
  scores.map(([score, truth], i) => ({ patientId: `${i}`, probabilities: { Edema: score }, truths: { Edema: truth } }));

test.each([
  ['a positive at 0', [[0, true], [0, false], [0.2, false], [0.7, true]], { by: 'sensitivity', least: 1 }],
  ['a negative at 1', [[0.1, false], [0.7, true], [1, false], [1, true]], { by: 'specificity', least: 1 }],
] as const)('a goal that only a point at 0 or beyond 1 reaches, which no manifest has, is refused with what is reached: %s', (_, scores, goal) => {
  expect(() => chosenPoints(pictures(scores), classifier, goal)).toThrow(expect.objectContaining({ code: 'dataset/invalid', message: expect.stringContaining('the best is 0.500') }));
});

test('what is said of a point is counted at the value that is written', () => {
  const scores = [[0.1, true], [0.05, false], [0.2, false], [0.7, true]] as const;
  const [{ record }] = chosenPoints(pictures(scores), classifier, { by: 'sensitivity', least: 1 }) as [ReturnType<typeof chosenPoints>[number]];
  const called = scores.filter(([score]) => score >= record.value);
  expect(record.sensitivity.value).toBe(called.filter(([, truth]) => truth).length / 2);
  expect(record.specificity.value).toBe(1 - called.filter(([, truth]) => !truth).length / 2);
});
