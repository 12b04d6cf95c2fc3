import { scoresCsv } from '../../../src/export/scores-csv.ts';
import type { ScoresResult } from '../../../src/results/result.ts';

const concept = { codeValue: '1', codingSchemeDesignator: '99TEST', codeMeaning: 'a test' };
const result = (more: Partial<ScoresResult> = {}): ScoresResult => ({
  kind: 'scores',
  model: { id: 'cxr', version: '1.2.3', name: 'CXR', sha256: 'ab'.repeat(32), notice: 'none' },
  device: { backend: 'wasm', adapter: 'none', software: false, reason: 'a test' },
  source: { sources: [{ studyInstanceUID: '1.2', seriesInstanceUID: '1.2.3', sopInstanceUID: '1.2.3.4', frame: 1 }], modality: 'DX', shape: [2, 2, 1], channels: 1, attributes: { patientID: 'SECRET' } },
  timingMs: { load: 0, encode: 1, predict: 1, decode: 1 },
  createdAt: '2026-01-01T00:00:00.000Z',
  scores: [
    { target: { label: 'Effusion', concept }, logit: -0.5, probability: 0.375, operatingPoint: 0.25, positive: true, views: { PA: 0.375 } },
    { target: { label: 'Mass, "large"', concept }, logit: 1.5, probability: 0.8125, positive: true, views: { PA: 0.5, L: 0.75, fused: 0.8125 } },
  ],
  viewsUsed: ['PA'],
  viewsMissing: ['L'],
  viewsFrom: { PA: 'ViewPosition' },
  ...more,
});

test('a header, and a line for each target', () => {
  expect(scoresCsv([result()]).split('\r\n')).toEqual([
    'source,frame,model,version,label,logit,probability,operating_point,positive,PA,L,fused,views_used,views_missing,refused',
    '1.2.3.4,1,cxr,1.2.3,Effusion,-0.5,0.375,0.25,true,0.375,,,PA,L,',
    '1.2.3.4,1,cxr,1.2.3,"Mass, ""large""",1.5,0.8125,,true,0.5,0.75,0.8125,PA,L,',
    '',
  ]);
});

test('files and several views by their names; why an image was refused', () => {
  const [, line] = scoresCsv([
    result({ source: { ...result().source, sources: [{ file: 'a b.png' }] }, outOfDistribution: { score: 0.91, threshold: 0.6, refused: true, reason: 'not a chest radiograph' } }),
  ]).split('\r\n');
  expect(line).toMatch(/^a b\.png,,cxr,.*,not a chest radiograph$/);
});

test('no results are a header; no patient is named', () => {
  expect(scoresCsv([])).toMatch(/^source,[^\r]*\r\n$/);
  expect(scoresCsv([result()])).not.toContain('SECRET');
});
