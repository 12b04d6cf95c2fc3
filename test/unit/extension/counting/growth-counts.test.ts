import { acquiredAt, countsByPatient, factsOf, type ImageFacts } from '../../../../extension/counting/growth-counts.ts';
import type { KeptResult } from '../../../../extension/results-store.ts';
import type { PointsResult } from '../../../../src/results/points.ts';
import { points } from './made-points.ts';

test.each([
  [{ AcquisitionDateTime: '20260301083015.250000' }, Date.UTC(2026, 2, 1, 8, 30, 15, 250)],
  [{ AcquisitionDateTime: '20260301083015+0130' }, Date.UTC(2026, 2, 1, 7, 0, 15)],
  [{ AcquisitionDateTime: '20260301083015-0130' }, Date.UTC(2026, 2, 1, 10, 0, 15)],
  [{ AcquisitionDateTime: '2026030108' }, Date.UTC(2026, 2, 1, 8)],
  [{ AcquisitionDate: '20260301', AcquisitionTime: '0830' }, Date.UTC(2026, 2, 1, 8, 30)],
  [{ AcquisitionDate: '20260301' }, undefined],
  [{ AcquisitionDateTime: 'yesterday' }, undefined],
  [{ StudyDate: '20260301', StudyTime: '0830' }, undefined],
])('%p was acquired at %p', (instance, at) => expect(acquiredAt(instance)).toBe(at));

const kept = (sop: string) => ({ key: sop, studyInstanceUID: '1', seriesInstanceUID: '1.2', visible: true, result: points({}, sop) }) as KeptResult & { readonly result: PointsResult };

test('counts are of one patient each, wells by themselves, and what has no date is said', () => {
  const facts: Record<string, ImageFacts> = {
    a: { at: 1, patient: 'P', seriesInstanceUID: 's1', seriesDescription: 'Well B3 day 0' },
    b: { at: 2, patient: 'P', seriesInstanceUID: 's2', seriesDescription: 'no well' },
    c: { at: 3, patient: 'Q', seriesInstanceUID: 's3', seriesDescription: '' },
    d: { patient: 'Q', seriesInstanceUID: 's4', seriesDescription: '' },
  };
  const plate = { wellOfSeries: new Map([['s2', 'C04']]), conditionOf: new Map([['B03', 'control'], ['C04', 'drug']]) };
  expect(countsByPatient(['a', 'b', 'c', 'd', 'e'].map(kept), ({ key }) => facts[key], plate)).toEqual([
    { patient: 'P', undated: 0, counts: [{ at: 1, count: 3, subject: 'B03', condition: 'control' }, { at: 2, count: 3, subject: 'C04', condition: 'drug' }] },
    { patient: 'Q', undated: 1, counts: [{ at: 3, count: 3, subject: 'Q' }] },
  ]);
});

test('images without a PatientID are joined with no other study', () => {
  expect(factsOf({ StudyInstanceUID: '1.9', PatientID: ' ' }).patient).toBe('study 1.9');
  expect(factsOf({ StudyInstanceUID: '1.9', PatientID: 'P', SeriesDescription: ' A1 ' })).toMatchObject({ patient: 'P', seriesDescription: 'A1' });
});
