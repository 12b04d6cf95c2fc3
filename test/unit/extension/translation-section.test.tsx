import { renderToStaticMarkup } from 'react-dom/server';
import { RunSection } from '../../../extension/panels/run-section.tsx';
import { TranslationAuditSection } from '../../../extension/panels/translation-audit.tsx';
import type { Session } from '../../../extension/session.ts';
import { Observable, type State } from '../../../extension/state.ts';
import type { SeriesChoice, TranslationState } from '../../../extension/translation/auditor.ts';
import { CHANGE_RULE } from '../../../src/evaluation/translation-changes.ts';
import type { PlacedChange } from '../../../src/evaluation/translation.ts';
import type { ModelManifest } from '../../../src/manifest.ts';

const series = (name: string, synthesised?: string, modality = 'MR'): SeriesChoice => ({ displaySetInstanceUID: name, studyInstanceUID: '1', label: name, modality, imageIds: ['1'], ...(synthesised && { synthesised }) });
const manifest = { id: 'm', version: '1.0.0', name: 'Lesions', task: 'segment', input: { modality: ['MR'], modalities: ['T1', 'FLAIR'] } } as unknown as ModelManifest;
const change = (kind: PlacedChange['kind']) => ({ kind, voxels: 30, volumeMm3: 2310, index: [3, 4, 11], patientMm: [-25, 14, 28] }) as unknown as PlacedChange;

function shown(state: Partial<TranslationState>, task = 'segment'): string {
  const entries = [{ location: '/m/', manifest: { ...manifest, task } as ModelManifest }];
  const session = { translation: { state: new Observable<TranslationState>({ series: [], ...state }) }, state: new Observable({ catalogue: { entries, problems: [] } } as unknown as State) };
  return renderToStaticMarkup(<TranslationAuditSection session={session as unknown as Session} />);
}
const done = (changes: readonly PlacedChange[], unconfirmed: readonly PlacedChange[] = []) => ({
  studyInstanceUID: '1', real: 'FLAIR', translated: 'sFLAIR', modelName: 'Lesions',
  audit: { changes, unconfirmed, rule: CHANGE_RULE, lesions: { real: 3, translated: 2, kept: 1 }, placement: { kind: 'registered', registration: { repeatabilityMm: 0.43 } }, results: { real: {}, translated: { outOfDistribution: { refused: true, reason: "'sFLAIR' was synthesised" } } } },
}) as unknown as NonNullable<TranslationState['done']>;

describe('the section that audits a translated series', () => {
  it('is there only where there are two series that a model of lesions reads', () => {
    expect(shown({ series: [series('FLAIR')] })).toBe('');
    expect(shown({ series: [series('FLAIR'), series('CT', undefined, 'CT')] })).toBe('');
    expect(shown({ series: [series('FLAIR'), series('T1')] }, 'classify')).toBe('');
    expect(shown({ series: [series('FLAIR'), series('T1')] })).toContain('data-overread="translation-run"');
  });

  it('proposes what says that it was synthesised as the translated series, and another as the real one', () => {
    const html = shown({ series: [series('sFLAIR', 'Image Type has SYNTHETIC'), series('FLAIR'), series('T1')] });
    const chosen = (name: string) => new RegExp(`data-overread="${name}".*?<option value="([^"]*)" selected=""`).exec(html)![1];
    expect(chosen('translation-translated')).toBe('sFLAIR');
    expect(chosen('translation-real')).toBe('FLAIR');
    expect(html).toContain('sFLAIR, synthesised');
  });

  it('lists each change with size and place, what only the model sees apart, and that the refusal was set aside', () => {
    const html = shown({ series: [series('FLAIR'), series('sFLAIR', 'x')], done: done([change('erased'), change('invented')], [change('grown')]), selected: 1 });
    expect(html).toContain('Of 3 lesions that Lesions finds in the real series, 1 are in the translated one, which has 2.');
    expect([...html.matchAll(/data-kind="(\w+)"/g)].map(([, kind]) => kind)).toEqual(['erased', 'invented']);
    expect(html).toContain('2.3 mL');
    expect(html).toContain('25 mm right, 14 mm back, 28 mm up');
    expect(html).toContain('slice 12');
    expect(html).toContain('1 more by the model only');
    expect(html).toContain('Read for this audit only: &#x27;sFLAIR&#x27; was synthesised');
    expect(html).toContain('two tries lie 0.4 mm apart');
    expect(html).toMatch(/aria-pressed="true"[^>]*data-kind="invented"/);
    expect(shown({ series: [series('FLAIR'), series('sFLAIR', 'x')], done: done([]) })).toContain('data-overread="translation-none"');
  });
});

test('the panel marks an image that was synthesised, with the reason', () => {
  const html = (synthesised?: string) => renderToStaticMarkup(<RunSection session={{} as Session} state={{ ...(synthesised && { synthesised }) } as State} />);
  expect(html('Image Type has SYNTHETIC')).toMatch(/data-overread="synthesised".*This image was synthesised.*Image Type has SYNTHETIC/);
  expect(html()).not.toContain('data-overread="synthesised"');
});
