import { pickTargets } from '../../../extension/sources/views.ts';
import { volumesOfFrames } from '../../../extension/sources/mr-series.ts';
import { badgesOf } from '../../../extension/panels/scores.ts';
import { isResultOf } from '../../../extension/identity.ts';
import type { DicomInstance } from '../../../extension/types/ohif.ts';
import { referenceOf, type Image } from '../../../src/image/image.ts';
import { FakeViewer } from './fake-viewer.ts';
import { image, manifest, result, source } from './made.ts';

const MRI = () => manifest({ input: { ...manifest().input, modality: ['MR'], modalities: ['T1', 'T1c', 'T2', 'FLAIR'] } });

/** A study of MR series of two slices each, by their names; the first is in the active viewport. */
function open(series: Record<string, DicomInstance & { study?: string }>, alsoShown: readonly string[] = []) {
  const viewer = new FakeViewer();
  const sets = Object.fromEntries(Object.entries(series).map(([name, { study = '1', ...attributes }]) => [name, viewer.addSeries(`set ${name}`, [`${name}1`, `${name}2`], { study, series: `series ${name}`, attributes: { Modality: 'MR', PatientID: 'P', ...attributes } })]));
  const [first] = Object.keys(series);
  for (const name of [first!, ...alsoShown]) viewer.show(`viewport ${name}`, sets[name]!);
  return () => pickTargets(viewer.services, viewer.cornerstone, MRI()).targets.map(({ source: { sopInstanceUID } }) => sopInstanceUID);
}

describe('a run of a model that reads several MR series', () => {
  const T1 = { SeriesDescription: 'T1 ax' };
  const FLAIR = { SeriesDescription: 'FLAIR ax' };

  it('reads all slices of each, those of the active viewport first', () => {
    expect(open({ f: FLAIR, a: T1 })()).toEqual(['f1', 'f2', 'a1', 'a2']);
    expect(open({ a: T1, f: FLAIR, c: { ...T1, ContrastBolusAgent: 'Gadobutrol' } })()).toEqual(['a1', 'a2', 'c1', 'c2', 'f1', 'f2']);
  });

  it.each<[string, DicomInstance & { study?: string }]>([
    ['of another study', { ...T1, study: '2' }], ['of another patient', { ...T1, PatientID: 'Q' }], ['of another modality', { ...T1, Modality: 'CT' }], ['that is none of the four', { SeriesDescription: 'ADC' }],
  ])('leaves out a series %s', (_, other) => expect(open({ f: FLAIR, a: other })()).toEqual(['f1', 'f2']));

  it('takes the one on screen of several of one modality, and asks when none is', () => {
    const study = { f: FLAIR, a: T1, b: { SeriesDescription: 'T1 repeated', SeriesNumber: 5 } };
    expect(open(study, ['b'])()).toEqual(['f1', 'f2', 'b1', 'b2']);
    expect(open(study)).toThrow(/reads one T1, and this study has 2: T1 ax; T1 repeated \(series 5\)\. Show the one that is meant/);
  });

  it('refuses to start from a series that it does not know, or of another modality', () => {
    expect(open({ x: { SeriesDescription: 'ADC' }, a: T1 })).toThrow(/not known to be one of these: its SeriesDescription 'ADC' names another kind/);
    expect(open({ x: { Modality: 'DX' } })).toThrow(/reads series of modality MR, but this one is DX/);
  });
});

describe('frames as volumes', () => {
  const frame = (sop: string, z: number, series = 's', change: Partial<Image> = {}): Image => ({
    ...image(source(sop, 1, '1', series)), modality: 'MR', spacingMm: [0.5, 2], indexToPatient: [0.5, 0, 0, -10, 0, 2, 0, -20, 0, 0, 1, z, 0, 0, 0, 1], frameOfReferenceUID: '9', pixels: new Float32Array(4).fill(z), ...change,
  });

  it('one a series, slices by where they lie', () => {
    const [first, second] = volumesOfFrames([frame('c', 8), frame('a', 2), frame('x', 0, 't'), frame('b', 5), frame('y', 3, 't')]);
    expect(first).toMatchObject({ shape: [2, 2, 3], sliceSpacingMm: 3, indexToPatient: [0.5, 0, 0, -10, 0, 2, 0, -20, 0, 0, 3, 2, 0, 0, 0, 1] });
    expect(first!.sources.map(s => 'sopInstanceUID' in s && s.sopInstanceUID)).toEqual(['a', 'b', 'c']);
    expect([...first!.pixels].filter((_, i) => i % 4 === 0)).toEqual([2, 5, 8]);
    expect(second!.shape).toEqual([2, 2, 2]);
  });

  it.each<[string, readonly Image[], RegExp]>([
    ['a gap', [frame('a', 0), frame('b', 3), frame('c', 9), frame('d', 12)], /A slice is missing/],
    ['a place twice', [frame('a', 0), frame('b', 3), frame('c', 3)], /Expected each place once/],
    ['another orientation', [frame('a', 0), frame('b', 3, 's', { indexToPatient: [0, 0, 1, 0, 0.5, 0, 0, 0, 0, -2, 0, 0, 0, 0, 0, 1] })], /lie parallel/],
    ['no spacing', [frame('a', 0), frame('b', 3, 's', { indexToPatient: undefined, spacingMm: undefined })], /no position, orientation or pixel spacing/],
    ['another frame of reference', [frame('a', 0), frame('b', 3, 's', { frameOfReferenceUID: '8' })], /one size and one frame of reference/],
  ])('refuses %s', (_, frames, message) => expect(() => volumesOfFrames(frames)).toThrow(message));
});

test('a result says which series were read, guessed, registered and missing, and answers for all their slices', () => {
  const [flair, t1] = [image(source('f', 1, '1', 'F')), image(source('a', 1, '1', 'A'))];
  const registration = { repeatabilityMm: 0.34, mutualInformation: { before: 0.4, after: 0.9 }, movedMm: 3, turnedDegrees: 1 };
  const made = {
    ...result(flair),
    modalities: {
      used: [
        { modality: 'T1', from: 'EchoTime, RepetitionTime, InversionTime', guessed: true, source: referenceOf(t1), placement: { kind: 'registered', covered: 0.9, registration } },
        { modality: 'FLAIR', from: 'SeriesDescription', guessed: false, source: referenceOf(flair), placement: { kind: 'reference' } },
      ],
      missing: ['T2'],
    },
  } as const;
  expect(badgesOf(made).map(({ kind, text }) => [kind, text])).toEqual([
    ['guessed-view', 'T1, guessed, registered, repeatable to 0.3 mm'], ['modality', 'FLAIR'], ['missing-view', 'no T2'],
  ]);
  expect(isResultOf(made, [...t1.sources, ...flair.sources])).toBe(true);
  expect(isResultOf(made, flair.sources)).toBe(false);
  expect(isResultOf(made, [...flair.sources, source('z', 1, '1', 'A')])).toBe(false);
});
