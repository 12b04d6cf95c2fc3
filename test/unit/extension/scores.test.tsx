import { renderToStaticMarkup } from 'react-dom/server';
import { ScoresBody } from '../../../extension/panels/scores-body.tsx';
import { badgesOf, csvName, describeScore, formatProbability, meaningOf, scoresText, sortedScores, viewValues } from '../../../extension/panels/scores.ts';
import { Explainer } from '../../../extension/saliency.ts';
import type { Session } from '../../../extension/session.ts';
import { image, manifest, score, scoresResult, source, state, twoViews } from './made.ts';

const refused = { score: 0.91, threshold: 0.6, refused: true, reason: 'distance 0.91 over 0.60' };

describe('scores in the panel', () => {
  it('come positive first, each group by probability, and keep the model\'s order in a tie', () => {
    const scores = [
      score('low', 0.1), score('high but under its point', 0.6, { operatingPoint: 0.8, positive: false }), score('positive at a low point', 0.3, { operatingPoint: 0.2, positive: true }),
      score('tie a', 0.05, { logit: 0 }), score('tie b', 0.05, { logit: 0 }), score('most', 0.9),
    ];
    expect(sortedScores(scores).map(({ target }) => target.label)).toEqual(['most', 'positive at a low point', 'high but under its point', 'low', 'tie a', 'tie b']);
    expect(scores[0]!.target.label).toBe('low');
  });

  it.each([
    [0.714, undefined, '0.71'], [0.496, 0.5, '0.496'], [0.5, 0.5, '0.50'], [0.001, undefined, '<0.01'], [0, undefined, '0.00'], [0.999, undefined, '>0.99'], [1, undefined, '1.00'],
  ])('write %d at the operating point %s as %s', (value, operatingPoint, text) => {
    expect(formatProbability(value, operatingPoint)).toBe(text);
  });

  it('show each view and both side by side, and a single view once', () => {
    const both = twoViews();
    expect(viewValues(both.scores[0]!, both)).toEqual([{ name: 'PA', value: 0.6 }, { name: 'L', value: 0.4 }, { name: 'both', value: 0.7 }]);
    expect(viewValues(score('a', 0.5), scoresResult())).toEqual([]);
    const bedside = twoViews({ ...image(source('pa', 1, '1', 's1')), attributes: { viewPosition: 'AP' } });
    expect(viewValues(bedside.scores[0]!, bedside)[0]).toEqual({ name: 'AP', value: 0.6 });
    expect(describeScore(both.scores[0]!, both)).toBe('Effusion: probability 0.70, positive, operating point 0.50, PA 0.60, L 0.40, both 0.70');
  });

  it('carry badges for a missing view, a guessed one and a refused picture, and none where all is plain', () => {
    expect(badgesOf(scoresResult())).toEqual([]);
    const odd = scoresResult(undefined, {
      viewsMissing: ['L'], substitute: 'A plane of zeros stood in.', viewsFrom: { PA: 'classifier' }, outOfDistribution: refused,
    });
    expect(badgesOf(odd)).toEqual([
      { kind: 'out-of-distribution', text: 'outside what the model was made for', detail: 'distance 0.91 over 0.60' },
      { kind: 'missing-view', text: 'no lateral', detail: 'A plane of zeros stood in.' },
      { kind: 'guessed-view', text: 'frontal, guessed by the view classifier', detail: 'The image states no ViewPosition.' },
    ]);
    expect(badgesOf(scoresResult(undefined, { viewsFrom: { L: 'SeriesDescription' } })).map(b => b.text)).toEqual(['lateral, from the series description']);
    expect(badgesOf(scoresResult(undefined, { outOfDistribution: { ...refused, refused: false } }))).toEqual([]);
  });

  it('say in one sentence what they mean, as the model is made', () => {
    const { output } = manifest();
    const plain = meaningOf(scoresResult(), manifest());
    expect(plain).toMatch(/\(not calibrated\); the tick is the operating point.*; it is no diagnosis\.$/);
    expect(plain.match(/\./g)).toHaveLength(1);
    expect(meaningOf(scoresResult(), manifest({ task: 'classify', output: { ...output, calibration: { kind: 'temperature', value: 2 } } }))).toContain('(calibrated by its authors)');
    expect(meaningOf(scoresResult(), undefined)).not.toContain('calibrated');
    expect(meaningOf(scoresResult([score('a', 0.2, { operatingPoint: undefined })]), undefined)).toContain('state no operating point');
  });

  it('are copied as a table with model, date and views, and without the patient', () => {
    const named = (sop: string, series: string) => ({ ...image(source(sop, 1, '1', series)), attributes: { patientID: 'SECRET', viewPosition: sop === 'pa' ? 'PA' : 'LL' } });
    expect(scoresText(twoViews(named('pa', 's1'), named('l', 's2')))).toBe([
      'Lung U-Net 1.0.0, 2026-01-02 03:04 UTC',
      'Views: PA, L',
      'Finding\tProbability\tOperating point\t\tPA\tL\tboth',
      'Effusion\t0.700\t0.500\tpositive\t0.600\t0.400\t0.700',
      'Research use only. Not for diagnosis.',
    ].join('\n'));
    const odd = scoresText(scoresResult([score('Effusion', 0.2)], { viewsMissing: ['L'], substitute: 'None.', viewsFrom: { PA: 'assumed' }, outOfDistribution: refused }));
    expect(odd.split('\n').slice(1, 5)).toEqual([
      'Views: PA (assumed, since the model reads no other)', 'outside what the model was made for: distance 0.91 over 0.60', 'no lateral: None.', 'Finding\tProbability\tOperating point\t',
    ]);
    expect(csvName(twoViews())).toBe('lung-unet-20260102-030405.csv');
  });

  it('are a button each, with a tick at the operating point and positive in words', () => {
    const result = scoresResult([score('Effusion', 0.7), score('Edema', 0.2, { operatingPoint: undefined })]);
    const observable = state({ explaining: { key: 'k', label: 'Edema' } });
    const explainer = new Explainer({ state: observable } as ConstructorParameters<typeof Explainer>[0]);
    const session = { state: observable, explainer } as unknown as Session;
    const kept = { key: 'k', studyInstanceUID: '1', seriesInstanceUID: '1.2', result, visible: true };
    const html = renderToStaticMarkup(<ScoresBody session={session} kept={kept} result={result} />);
    const [first, second] = html.match(/<button[^>]*data-overread="score".*?<\/button>/g)!;
    expect(first).toMatch(/data-label="Effusion" data-positive="true".*▲ positive.*width:70.0%.*left:50.0%/);
    expect(first).toContain('aria-pressed="false"');
    expect(second).toContain('aria-pressed="true"');
    expect(second).not.toMatch(/positive<|ovr-tick/);
    expect(html).toMatch(/data-overread="copy".*data-overread="csv"/);
    expect(html.match(/aria-label="Where the score of Edema comes from"/g)).toHaveLength(1);
  });
});
