import { renderToStaticMarkup } from 'react-dom/server';
import { colourGradient, completenessText, rangeEnds } from '../../../extension/panels/saliency.ts';
import { SaliencySection } from '../../../extension/panels/saliency-section.tsx';
import { Explainer } from '../../../extension/saliency.ts';
import { OverreadError } from '../../../src/errors.ts';
import type { SaliencyResult } from '../../../src/tasks/saliency/index.ts';
import { image, source, state, target } from './made.ts';
import { kept, saliencyMap, scores, scoresOfTwo } from './made-saliency.ts';

/** What the section says after the engine's answer, under the score of the lung. */
async function shown(answer: () => Promise<readonly SaliencyResult[]>, of = scores(), method?: 'grad-cam' | 'occlusion', { label = 'Lung', allHidden = false } = {}) {
  const explainer = new Explainer({
    engine: { explain: answer }, state: state(),
    viewer: { findTarget: source => target(source), isStillOpen: () => true, readFrame: async ({ source: from }) => image(from) },
  });
  await explainer.explain(kept(of), 'Lung', method);
  return renderToStaticMarkup(<SaliencySection explainer={explainer} kept={kept(of)} result={of} label={label} onTarget={() => undefined} allHidden={allHidden} />);
}
const marks = (html: string) => [...html.matchAll(/data-overread="([^"]+)"/g)].map(([, mark]) => mark);

describe('the section on where a score comes from', () => {
  it('has its controls, the range in numbers, and always says that a map is no proof', async () => {
    const html = await shown(async () => [saliencyMap(image(), { range: [0, 2.3456] })]);
    expect(marks(html)).toEqual(['saliency', 'saliency-target', 'saliency-method', 'saliency-colours', 'saliency-eye', 'saliency-bar', 'saliency-opacity', 'saliency-threshold']);
    expect(html).toContain('data-phase="shown"');
    expect(html).toContain('>2.35<');
    expect(html).toContain('It is no proof of a finding.');
    expect(html).toMatch(/<option value="grad-cam" selected="">Grad-CAM/);
    expect(html).not.toContain('Each view');
  });

  it('has an eye that is shut while every overlay is hidden', async () => {
    const eye = async (allHidden: boolean) => /<button[^>]*data-overread="saliency-eye"/.exec(await shown(async () => [saliencyMap()], scores(), undefined, { allHidden }))![0];
    expect(await eye(false)).toContain('aria-pressed="true"');
    expect(await eye(true)).toContain('aria-label="Show the map on the image"');
  });

  it('warns of a map that a random layer hardly changes, of each view by its name', async () => {
    const suspicious = { randomisation: { similarity: 0.834, threshold: 0.5, suspicious: true, layer: 'top', seed: 0, ms: 1 } };
    const [pa, l] = [image(source('pa', 1, '1', '1.2')), image(source('l', 1, '1', '1.3'))];
    const html = await shown(async () => [saliencyMap(pa, { view: 'PA' }), saliencyMap(l, { view: 'L', details: suspicious })], scoresOfTwo());
    expect(marks(html).filter(mark => mark === 'saliency-warning')).toHaveLength(1);
    expect(html).toContain('Doubtful map of L');
    expect(html).toContain('(similarity 0.83): it may show the picture&#x27;s edges rather than what the model learnt.');
    expect(html).toContain('Each view has its own map');
  });

  it('says when there was no check, and when a map is empty', async () => {
    const html = await shown(async () => [saliencyMap(image(), { values: new Float32Array(4), details: { randomisation: { unavailable: 'The model is a graph.' } } })]);
    expect(marks(html)).toEqual(expect.arrayContaining(['saliency-unchecked', 'saliency-empty']));
    expect(html).toContain('The model is a graph.');
    expect(marks(html)).not.toContain('saliency-warning');
  });

  it('offers occlusion where derivatives cannot be had, and only there', async () => {
    const refused = (code: 'device/unavailable' | 'device/lost') => async () => { throw new OverreadError(code, 'No derivatives here.'); };
    expect(marks(await shown(refused('device/unavailable'), scores(), 'grad-cam'))).toContain('saliency-occlusion');
    expect(marks(await shown(refused('device/unavailable'), scores(), 'occlusion'))).not.toContain('saliency-occlusion');
    const lost = await shown(refused('device/lost'), scores(), 'grad-cam');
    expect(marks(lost)).not.toContain('saliency-occlusion');
    expect(lost).toContain('No derivatives here.');
    expect(lost).toContain('It is no proof of a finding.');
  });

  it('shows nothing of another score', async () => {
    const html = await shown(async () => [saliencyMap()], scores(), undefined, { label: 'Effusion' });
    expect(marks(html)).toEqual(['saliency', 'saliency-target', 'saliency-method', 'saliency-ask']);
    expect(html).toContain('data-phase="idle"');
  });
});

describe('numbers of a map', () => {
  it('have three digits that count', () => {
    expect(rangeEnds({ range: [0, 123.456] })).toEqual(['0', '123']);
    expect(rangeEnds({ range: [-0.0000123, 0.0000123] })).toEqual(['−1.23e−5', '1.23e−5']);
    expect(completenessText({ sum: 1.24, difference: 1.25, error: 0.008 }, 'logit')).toBe("The map adds up to 1.24; the logit differs from an empty picture's by 1.25 (0.8 % off).");
  });

  it('have the colours that they have on the image: clear below the threshold, and at most as dense as asked', () => {
    const stops = [...colourGradient({ range: [-2, 2] }, 'coolwarm', { threshold: 0.5, opacity: 0.6 }).matchAll(/rgb\((\d+) (\d+) (\d+) \/ ([\d.]+)\)/g)].map(([, ...of]) => of.map(Number));
    expect(stops).toHaveLength(65);
    expect(stops[0]).toEqual([59, 76, 192, 0.6]);
    expect(stops[64]).toEqual([180, 4, 38, 0.6]);
    expect(stops[32]![3]).toBe(0);
    expect(stops[15]![3]).toBeGreaterThan(0.3);
    expect(stops[17]![3]).toBe(0);
  });
});
