/** Operating points chosen in the viewer on the labels that were collected. */
import { renderToStaticMarkup } from 'react-dom/server';
import { RecalibrationSection } from '../../../../extension/panels/recalibration-section.tsx';
import type { Session } from '../../../../extension/session.ts';
import { labelItem, type LabelItem } from '../../../../extension/training/label-item.ts';
import { Recalibration } from '../../../../extension/training/recalibration.ts';
import { parentOf } from '../../../../extension/training/versions.ts';
import type { EngineJob } from '../../../../src/engine-client.ts';
import { parseManifest } from '../../../../src/manifest.ts';
import type { Result } from '../../../../src/results/result.ts';
import { image, manifest, source } from '../made.ts';

const lungs = manifest();
const classifier = parseManifest({ ...lungs, id: 'films', name: 'Films', task: 'classify', output: { ...lungs.output, keepLargestComponents: undefined, targets: [{ ...lungs.output.targets[0]!, label: 'Edema', operatingPoint: 0.5 }] } }, 'films');
const entry = { location: 'https://x.invalid/models/films/', manifest: classifier };
const [target] = classifier.output.targets;

/** Scores by the first pixel; positives lie higher, with one on the wrong side of each other. */
const PICTURES = [[0.1, 0], [0.2, 0], [0.35, 1], [0.4, 0], [0.6, 1], [0.8, 1]] as const;
async function* pictures(): AsyncGenerator<LabelItem> {
  for (const [i, [score, truth]] of PICTURES.entries()) {
    const picture = image(source(`${i}`));
    picture.pixels[0] = score;
    yield labelItem({ id: `${i}`, patient: `p${i}`, collectedAt: `${i}` }, picture, { findings: { Edema: truth } });
  }
}

function recalibration(answer: (job: EngineJob) => Partial<Result> = ({ images: [picture] }) => ({ kind: 'scores', scores: [{ target: target!, probability: picture!.pixels[0]!, logit: 0, positive: false }] as never })) {
  const asked: EngineJob[] = [];
  const engine = { run: async (job: EngineJob) => (asked.push(job), { model: { id: 'films', version: '1.0.0', name: 'Films', notice: '', sha256: 'a'.repeat(64) }, ...answer(job) } as Result) };
  return { asked, of: new Recalibration({ engine, files: location => ({ location, read: async file => new TextEncoder().encode(file) }) }) };
}

test('a point that reaches its goal, on the pictures that are labelled, as a version with the same files', async () => {
  const { asked, of } = recalibration();
  await of.read(entry, PICTURES.length, pictures());
  expect(of.state.get().error).toBeUndefined();
  // What is labelled is read, whatever the gate says.
  expect(asked).toHaveLength(6);
  expect(asked.every(({ force, location }) => force && location === entry.location)).toBe(true);
  const [first] = of.state.get().chosen!;
  expect(first!.record).toMatchObject({ by: 'sensitivity', least: 0.9, before: 0.5, positives: 3, negatives: 3, sensitivity: { value: 1 } });
  expect(first!.record.value).toBeCloseTo((0.35 + 0.2) / 2, 6);
  expect(first!.record.specificity.value).toBeCloseTo(2 / 3, 9);
  of.aim({ by: 'specificity', least: 1 });
  expect(of.state.get().chosen![0]!.record).toMatchObject({ specificity: { value: 1 }, sensitivity: { value: expect.closeTo(2 / 3, 9) } });
  const { model, beside } = await of.made({ id: 'films-recalibrated-1', name: 'Films, recalibrated 1' });
  expect(beside).toBe(entry.location);
  expect(model.manifest).toMatchObject({ id: 'films-recalibrated-1', name: 'Films, recalibrated 1', version: expect.stringMatching(/\.1$/), graph: classifier.graph, recalibration: { parent: { id: 'films', sha256: 'a'.repeat(64) }, dataset: { items: 6, patients: 6 } } });
  expect(model.manifest.output.targets[0]!.operatingPoint).toBeCloseTo(0.5, 6);
  expect([...model.files.keys()].sort()).toEqual(Object.keys(classifier.graph.sha256).sort());
  expect(model.card).toMatch(/they are too good/);
  expect(parentOf(model.manifest)).toBe('films');
});

test('no point, no findings, no classifier: said by name, and nothing is chosen', async () => {
  const { of } = recalibration();
  await of.read(entry, PICTURES.length, pictures());
  of.aim({ by: 'ppv', least: 1 });
  expect(of.state.get().chosen).toBeDefined();
  const all = recalibration(({ images: [picture] }) => ({ kind: 'scores', scores: [{ target: target!, probability: 1 - picture!.pixels[0]!, logit: 0, positive: false }] as never })).of;
  all.aim({ by: 'ppv', least: 0.9 });
  await all.read(entry, PICTURES.length, pictures());
  expect(all.state.get()).toMatchObject({ chosen: undefined, error: { code: 'dataset/invalid', message: expect.stringMatching(/Expected a point of Edema with a ppv of at least 0\.9/) } });
  const masks = recalibration(() => ({ kind: 'labelmap' })).of;
  await masks.read(entry, PICTURES.length, pictures());
  expect(masks.state.get().error).toMatchObject({ code: 'config/invalid' });
  const none = recalibration().of;
  await none.read(entry, 0, (async function* () {})());
  expect(none.state.get().error).toMatchObject({ code: 'dataset/invalid', message: expect.stringMatching(/Add findings first/) });
});

test('the panel shows the curve, the point before and after, and on whom it was measured', async () => {
  const { of } = recalibration();
  const labels: LabelItem['summary'][] = [];
  for await (const { summary } of pictures()) labels.push(summary);
  const training = { recalibration: of, labelsFor: () => labels } as unknown as Session['training'];
  const html = () => renderToStaticMarkup(<RecalibrationSection session={{ training } as Session} parent={entry} />);
  expect(html()).toContain('Read 6 labels of 6 patients');
  expect(html()).not.toContain('keep-points');
  await of.read(entry, PICTURES.length, pictures());
  expect(html()).toMatch(/0\.275.*was 0\.500/s);
  expect(html()).toContain('the point has a sensitivity of 1.00 and a specificity of 0.67');
  expect(html()).toMatch(/fewer than 20 of a kind say little/);
  expect(html()).toMatch(/Measured on the very patients/);
  of.close();
  expect(html()).not.toContain('keep-points');
});
