import { renderToStaticMarkup } from 'react-dom/server';
import { counted, formatBytes, formatLeft } from '../../../../extension/panels/format.ts';
import { TrainingCurves } from '../../../../extension/panels/training-curves.tsx';
import { painted, TrainingPredictions } from '../../../../extension/panels/training-predictions.tsx';
import { TrainingReliability } from '../../../../extension/panels/training-reliability.tsx';
import { TrainingMetrics, verdictOf } from '../../../../extension/panels/training-report.tsx';
import { defaultChoice, lossesFor, recipeOf } from '../../../../extension/training/recipes.ts';
import type { TrainingRecord } from '../../../../src/manifest.ts';
import { parseManifest } from '../../../../src/manifest.ts';
import { manifest } from '../made.ts';

const metric = (low?: number, high?: number) => ({
  base: { value: 0.7, low: 0.6, high: 0.8 }, tuned: { value: 0.8, low: 0.7, high: 0.9 }, difference: { value: 0.1, ...(low !== undefined && { low, high: high! }) },
});
const dataset = (patients: number): TrainingRecord['dataset'] => ({ name: 'x', licence: 'y', train: { items: 9, patients: 9 }, validation: { items: patients, patients } });

describe('what a training gained', () => {
  test('has a paired interval where there are patients enough, and says what it shows', () => {
    const html = renderToStaticMarkup(<TrainingMetrics record={{ metrics: { iou: metric(0.01, 0.2), dice: metric(0.02, 0.18) }, dataset: dataset(6) }} />);
    // The metric that people know first.
    expect(html.indexOf('Dice')).toBeLessThan(html.indexOf('IoU'));
    expect(html).toContain('+0.02 to +0.18');
    expect(html).toMatch(/Dice is better on 6 pictures of 6 patients/);
    expect(verdictOf(['dice', metric(-0.05, 0.2)], 6, 6)).toMatch(/No difference is shown.*holds 0/);
    expect(verdictOf(['dice', metric(-0.2, -0.05)], 6, 6)).toMatch(/worse.*keep the base/);
  });

  test('has none with few patients, and says why', () => {
    const html = renderToStaticMarkup(<TrainingMetrics record={{ metrics: { dice: metric(0.02, 0.18) }, dataset: dataset(2) }} />);
    expect(html).not.toContain('0.18');
    expect(html).toMatch(/cannot be given with fewer than 5 held-back patients: the difference may be chance/);
    expect(verdictOf(undefined, 1, 1)).toMatch(/Nothing could be measured on 1 picture of 1 patient/);
  });
});

test('the curves have the loss, the held-back metric and the base', () => {
  const curve = [{ step: 0, validation: 0.5 }, ...Array.from({ length: 1000 }, (_, i) => ({ step: i + 1, loss: 1 / (i + 1), rate: 1 })), { step: 1000, validation: 0.75 }];
  const html = renderToStaticMarkup(<TrainingCurves curve={curve} steps={1000} metric="Dice, held back" />);
  expect(html).toContain('data-steps="1000"');
  expect(html).toContain('0.7500, base 0.5000');
  // A long one is thinned out, not cut off.
  const [line] = html.match(/points="[^"]*"/)!;
  expect(line!.split(' ').length).toBeLessThan(400);
  expect(html).toContain('Loss against steps: 0.0010');
  expect(renderToStaticMarkup(<TrainingCurves curve={[]} steps={10} metric="Dice" />)).toContain('nothing yet');
});

test('a mask that guided a model is measured last, never first, and with its warning', () => {
  const html = renderToStaticMarkup(<TrainingMetrics record={{ metrics: { saliencyIou: metric(0.3, 0.4), 'auc:Disc': metric(-0.1, 0.2) }, dataset: dataset(6) }} />);
  expect(html.indexOf('AUC Disc')).toBeLessThan(html.indexOf('Saliency in the mask'));
  expect(html).toMatch(/No difference is shown in AUC Disc/);
  expect(html).toMatch(/does not prove that the model is right/);
  expect(verdictOf(['saliencyIou', metric(0.3, 0.4)], 6, 6)).toMatch(/Nothing could be measured/);
  expect(renderToStaticMarkup(<TrainingMetrics record={{ metrics: { dice: metric() }, dataset: dataset(6) }} />)).not.toContain('does not prove');
});

test('held-back pictures show what is found in blue and the border of the truth', () => {
  const grey = Uint8Array.from({ length: 25 }, (_, i) => 10 * i);
  const inside = Uint8Array.from({ length: 25 }, (_, i) => Number([1, 2, 3].includes(i % 5) && [1, 2, 3].includes(Math.floor(i / 5))));
  const found = Uint8Array.from({ length: 25 }, (_, i) => Number(i === 12 || i === 4));
  const rgba = painted({ id: 'a', columns: 5, rows: 5, grey, truth: inside, found });
  const at = (i: number) => [...rgba.subarray(4 * i, 4 * i + 3)];
  expect(at(0)).toEqual([0, 0, 0]);
  expect(at(6)).toEqual([255, 190, 60]);
  // The middle of the truth is no border.
  for (const i of [12, 4]) expect(at(i)[2]).toBeGreaterThan(at(i)[0]!);
  const masks = { step: 20, of: { kind: 'masks' as const, pictures: [{ id: 'a', columns: 5, rows: 5, grey, truth: inside, found }] } };
  const html = renderToStaticMarkup(<TrainingPredictions first={{ ...masks, step: 0 }} now={masks} />);
  expect(html).toMatch(/Base.*Step 20/s);
  expect(html).toContain('8 % found, 36 % true');
  const scores = { step: 0, of: { kind: 'scores' as const, scores: [{ label: 'Disc', logit: 0, truth: true }, { label: 'Disc', logit: -20, truth: false }] } };
  expect(renderToStaticMarkup(<TrainingPredictions first={scores} now={scores} />)).toMatch(/cx="125".*cx="4\.0/s);
});

test('calibration is drawn for base and tuned', () => {
  const bins = [{ low: 0, high: 0.1, n: 4, meanProbability: 0, positives: 0 }, { low: 0.9, high: 1, n: 1, meanProbability: 1, positives: 1 }];
  const html = renderToStaticMarkup(<TrainingReliability reliability={{ Disc: { base: bins, tuned: bins.slice(0, 1) } }} />);
  expect(html).toContain('points="14.0,106.0 106.0,14.0"');
  expect(html).toContain('0 % of 4');
  expect(html.match(/<circle/g)).toHaveLength(3);
});

test('a choice becomes a recipe that fits the model: tissue is turned and restained, films are tilted', () => {
  const film = manifest();
  const tissue = parseManifest({ ...film, input: { ...film.input, shape: [4, 4, 3], channels: ['red', 'green', 'blue'] } }, 'tissue');
  expect(recipeOf(defaultChoice(film), film)).toMatchObject({ steps: 200, loss: { kind: 'dice-cross-entropy' }, augmentation: { flip: 'none', rotateDegrees: 8 }, validation: { every: 20 }, checkpointEvery: 10 });
  expect(recipeOf({ ...defaultChoice(tissue), steps: 3 }, tissue)).toMatchObject({ augmentation: { flip: 'both', stain: 0.1 }, validation: { every: 5 }, checkpointEvery: 5 });
  // A model that reads in tiles is shown patches.
  const tiled = parseManifest({ ...tissue, input: { ...tissue.input, tiling: { overlap: 'receptive-field', padding: 'edge' } } }, 'tiled');
  expect([recipeOf(defaultChoice(tiled), tiled).patch, recipeOf(defaultChoice(film), film).patch]).toEqual([[4, 4], undefined]);
  expect(() => recipeOf({ ...defaultChoice(tiled), patch: 100 }, tiled)).toThrow(/multiple of 32.*Choose 96/);
  expect(() => recipeOf({ ...defaultChoice(film), steps: NaN }, film)).toThrow(/steps/);
  expect(lossesFor(parseManifest({ ...film, task: 'classify', output: { ...film.output, keepLargestComponents: undefined } }, 'scores'))).toEqual(['cross-entropy', 'focal']);
});

test('words for sizes and times', () => {
  expect([formatBytes(1), formatBytes(159_744), formatBytes(12_345_678)]).toEqual(['1 kB', '160 kB', '12.3 MB']);
  expect([0.2, 40, 70, 3599, 7500].map(formatLeft)).toEqual(['1 s', '40 s', '1 min', '1 h 0 min', '2 h 5 min']);
  expect([counted(1, 'label'), counted(3, 'label')]).toEqual(['1 label', '3 labels']);
});
