import { chestProtocol, chestView, chestViews, roleOf } from '../../../extension/hanging-protocol.ts';
import type { DicomInstance, DisplaySet } from '../../../extension/types/ohif.ts';

function set(study: string, attributes: DicomInstance, Modality = 'DX'): DisplaySet {
  return {
    displaySetInstanceUID: `${study} ${attributes.ViewPosition ?? attributes.SeriesDescription}`, StudyInstanceUID: study, SeriesInstanceUID: 's', Modality,
    instances: [{ PatientID: 'P', StudyDate: '20250101', ...attributes }],
  };
}

describe('what hangs as a chest study', () => {
  it.each<[string, DisplaySet, string]>([
    ['a PA by ViewPosition', set('1', { ViewPosition: 'PA' }), 'PA'],
    ['a lateral by the series\' description', set('1', { SeriesDescription: 'Chest lateral' }, 'CR'), 'L'],
    ['a chest', set('1', { ViewPosition: 'AP', BodyPartExamined: 'CHEST' }), 'PA'],
    ['a hand', set('1', { ViewPosition: 'PA', BodyPartExamined: 'HAND' }), 'other'],
    ['a CT scout', set('1', { ViewPosition: 'PA' }, 'CT'), 'other'],
    ['an oblique', set('1', { ViewPosition: 'RAO', SeriesDescription: 'lateral' }), 'other'],
    ['a picture that says nothing', set('1', {}), 'not stated'],
  ])('reads the view of %s', (_, displaySet, view) => {
    expect(chestView(displaySet)).toBe(view);
  });

  it('needs both views, of the study itself', () => {
    const study = { StudyInstanceUID: '1' };
    const [pa, lateral, elsewhere] = [set('1', { ViewPosition: 'PA' }), set('1', { ViewPosition: 'LL' }), set('2', { ViewPosition: 'LL' })];
    const { constraint } = chestProtocol().protocolMatchingRules[0]!;
    expect(chestViews(study, [lateral, pa])).toBe(constraint.equals.value);
    for (const others of [[pa], [pa, elsewhere], [lateral], []]) expect(chestViews(study, others)).not.toBe(constraint.equals.value);
  });

  it('has one prior: the latest earlier study of the same patient with a frontal', () => {
    const dates: [string, DicomInstance][] = [
      ['now', { ViewPosition: 'PA' }], ['older', { ViewPosition: 'PA', StudyDate: '20230101' }], ['latest', { ViewPosition: 'PA', StudyDate: '20240101' }],
      ['later', { ViewPosition: 'PA', StudyDate: '20260101' }], ['stranger', { ViewPosition: 'PA', StudyDate: '20241231', PatientID: 'Q' }],
      ['lateral only', { ViewPosition: 'LL', StudyDate: '20241231' }], ['undated', { ViewPosition: 'PA', StudyDate: '' }],
    ];
    const studies = dates.map(([StudyInstanceUID]) => ({ StudyInstanceUID }));
    const options = { studies, allDisplaySets: dates.map(([study, attributes]) => set(study, attributes)) };
    expect(studies.map(study => roleOf(study, options))).toEqual(['current', 'other', 'prior', 'other', 'other', 'other', 'other']);
  });

  it('names display sets that its selectors know, on every stage', () => {
    const { stages, displaySetSelectors } = chestProtocol();
    for (const { viewports, viewportStructure: { properties } } of stages) {
      expect(viewports).toHaveLength(properties.rows * properties.columns);
      for (const { displaySets: [displaySet] } of viewports) expect(Object.keys(displaySetSelectors)).toContain(displaySet!.id);
    }
    expect(stages[0]!.viewports.map(({ displaySets }) => displaySets[0]!.id)).toEqual(['frontal', 'lateral']);
  });
});
