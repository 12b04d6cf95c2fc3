import { chosenPoints } from '../../../src/evaluation/recalibration.ts';
import { manifest } from '../extension/made.ts';

const lungs = manifest();
const classifier = { ...lungs, output: { ...lungs.output, targets: [{ ...lungs.output.targets[0]!, label: 'Edema' }] } };

test('what is said of a point is counted at the value that is written, not at a 0 that no manifest has', () => {
  const scores = [[0, true], [0, false], [0.2, false], [0.7, true]] as const;
  const items = scores.map(([score, truth], i) => ({ patientId: `${i}`, probabilities: { Edema: score }, truths: { Edema: truth } }));
  const [{ record }] = chosenPoints(items, classifier, { by: 'sensitivity', least: 1 }) as [ReturnType<typeof chosenPoints>[number]];
  expect(record.value).toBeGreaterThan(0);
  const called = scores.filter(([score]) => score >= record.value);
  expect(record.sensitivity.value).toBe(called.filter(([, truth]) => truth).length / 2);
  expect(record.specificity.value).toBe(1 - called.filter(([, truth]) => !truth).length / 2);
});
