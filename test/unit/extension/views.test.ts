import { attributesOf } from '../../../extension/sources/attributes.ts';
import { pickTargets, readsView } from '../../../extension/sources/views.ts';
import type { DicomInstance } from '../../../extension/types/ohif.ts';
import { FakeViewer } from './fake-viewer.ts';
import { fusionManifest, manifest } from './made.ts';

const PA: DicomInstance = { Modality: 'DX', PatientID: 'P', ViewPosition: 'PA', SeriesDescription: 'Chest PA' };
const LATERAL: DicomInstance = { Modality: 'DX', PatientID: 'P', ViewPosition: 'LL', SeriesDescription: 'Chest lateral', SeriesNumber: 2 };

/** A study of one series a picture, named by their SOP Instance UIDs; the first is in the active viewport. */
function open(pictures: Record<string, DicomInstance & { study?: string }>, alsoShown: readonly string[] = []) {
  const viewer = new FakeViewer();
  const sets = Object.fromEntries(Object.entries(pictures).map(([sop, { study = '1', ...attributes }]) => [sop, viewer.addSeries(`set ${sop}`, [sop], { study, series: `series ${sop}`, attributes })]));
  const [first] = Object.keys(pictures);
  for (const sop of [first!, ...alsoShown]) viewer.show(`viewport ${sop}`, sets[sop]!);
  const pick = (model = fusionManifest()) => pickTargets(viewer.services, viewer.cornerstone, model);
  return { pick, sops: (model = fusionManifest()) => pick(model).targets.map(({ source }) => source.sopInstanceUID) };
}

describe('a run of a model that reads two views', () => {
  it('reads the image of the active viewport and the other view of its study, whichever comes first', () => {
    expect(open({ a: PA, b: LATERAL }).sops()).toEqual(['a', 'b']);
    expect(open({ b: LATERAL, a: PA }).sops()).toEqual(['b', 'a']);
  });

  it('reads one image for a model that reads one', () => {
    expect(open({ a: PA, b: LATERAL }).sops(manifest())).toEqual(['a']);
  });

  it.each<[string, DicomInstance]>([
    ['ViewCodeSequence', { ...LATERAL, ViewPosition: '', ViewCodeSequence: [{ CodeValue: 'R-10236' }] }],
    ['the series\' description', { ...LATERAL, ViewPosition: undefined }],
  ])('knows the other view by %s', (_, lateral) => {
    expect(open({ a: PA, b: lateral }).sops()).toEqual(['a', 'b']);
  });

  it.each<[string, DicomInstance & { study?: string }]>([
    ['another study of the patient', { ...LATERAL, study: '2' }],
    ['another patient', { ...LATERAL, PatientID: 'Q' }],
    ['nobody who is named', { ...LATERAL, PatientID: undefined }],
    ['another modality', { ...LATERAL, Modality: 'SC' }],
    ['another frontal', { ...PA, ViewPosition: 'AP' }],
    ['an oblique that is described as lateral', { ...LATERAL, ViewPosition: 'LLO' }],
    ['no known view', { ...LATERAL, ViewPosition: undefined, SeriesDescription: 'Chest' }],
  ])('never takes a picture of %s, even one on screen', (_, other) => {
    expect(open({ a: PA, b: other }, ['b']).sops()).toEqual(['a']);
  });

  it('says that a view of another patient lies in the study', () => {
    expect(open({ a: PA, b: { ...LATERAL, PatientID: 'Q' } }).pick().note).toMatch(/lateral view of this study states another PatientID/);
    expect(open({ a: PA, b: LATERAL, c: { ...LATERAL, PatientID: 'Q' } }).pick().note).toBeUndefined();
  });

  it('takes the one on screen of several, and asks when none or two are', () => {
    const study = { a: PA, b: LATERAL, c: { ...LATERAL, SeriesNumber: 3, SeriesDescription: 'Lateral, repeated' } };
    expect(open(study, ['c']).sops()).toEqual(['a', 'c']);
    const asks = expect.objectContaining({ code: 'input/views', message: expect.stringMatching(/2 lateral views: Chest lateral \(LL, series 2\); Lateral, repeated \(LL, series 3\)\. Show the one/) });
    expect(() => open(study).pick()).toThrow(asks);
    expect(() => open(study, ['b', 'c']).pick()).toThrow(asks);
  });

  it('leaves other body parts out where the model names its own', () => {
    const study = { a: PA, b: LATERAL, c: { ...LATERAL, BodyPartExamined: 'CSPINE' } };
    expect(open(study).sops(fusionManifest({ bodyPart: ['CHEST'] }))).toEqual(['a', 'b']);
  });

  it('takes a picture that states no view only when it is on screen and the model has a gate to tell', () => {
    const study = { a: PA, b: { ...LATERAL, ViewPosition: undefined, SeriesDescription: 'Chest' } };
    const gated = fusionManifest({ gate: 'cxr-view' });
    expect(open(study, ['b']).sops(gated)).toEqual(['a', 'b']);
    expect(open(study).sops(gated)).toEqual(['a']);
  });

  it('gives an image that states no view the one view that lies beside it, and none when both do', () => {
    const unnamed = { ...PA, ViewPosition: undefined, SeriesDescription: 'Chest' };
    expect(open({ a: unnamed, b: LATERAL }).sops()).toEqual(['a', 'b']);
    expect(open({ a: unnamed, b: LATERAL, c: PA }).sops()).toEqual(['a']);
    expect(open({ a: { ...PA, ViewPosition: 'RAO' }, b: LATERAL }).sops()).toEqual(['a']);
  });
});

describe('a view', () => {
  it('is read from its code only where ViewPosition is absent', () => {
    const ViewCodeSequence = [{ CodeValue: '272479007' }];
    expect(attributesOf({ ViewCodeSequence }).viewPosition).toBe('PA');
    expect(attributesOf({ ViewPosition: 'LL', ViewCodeSequence }).viewPosition).toBe('LL');
    expect(attributesOf({ ViewCodeSequence: [{ CodeValue: 'unknown' }] })).toEqual({});
  });

  it('fits a model by what the model names', () => {
    const { input } = manifest();
    const frontal = manifest({ input: { ...input, viewPosition: ['PA', 'AP'] } });
    expect((['PA', 'L', 'other', 'not stated'] as const).map(view => readsView(frontal, view))).toEqual([true, false, false, true]);
    expect((['PA', 'L', 'other', 'not stated'] as const).map(view => readsView(fusionManifest(), view))).toEqual([true, true, false, true]);
    expect(readsView(manifest(), 'other')).toBe(true);
  });
});
