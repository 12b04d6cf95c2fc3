import type { ImageReference } from '../../../src/image/image.ts';
import { regridLabels, sameFrames } from '../../../src/results/regrid.ts';

/** A volume of cubes of `mm`, from (x, y, z) on. */
function volume(series: string, shape: [number, number, number], mm: number, [x, y, z]: [number, number, number], frameOfReferenceUID = '1.9'): ImageReference {
  return {
    sources: Array.from({ length: shape[2] }, (_, i) => ({ studyInstanceUID: '1', seriesInstanceUID: series, sopInstanceUID: `${series}.${i}`, frame: 1 })),
    modality: 'CT', shape, channels: 1, attributes: {}, frameOfReferenceUID, spacingMm: [mm, mm], sliceSpacingMm: mm,
    indexToPatient: [mm, 0, 0, x, 0, mm, 0, y, 0, 0, mm, z, 0, 0, 0, 1],
  };
}

test('labels on the same frames, or on the same voxels of another series, stay as they are', () => {
  const a = volume('s1', [2, 2, 2], 1, [0, 0, 0]);
  const labels = Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 2);
  expect(regridLabels({ labels, source: a, name: 'B' }, a, 'A')).toEqual({ labels, how: 'same', covered: 1 });
  expect(regridLabels({ labels, source: volume('s2', [2, 2, 2], 1, [0, 0, 0]), name: 'B' }, a, 'A').how).toBe('same');
});

test('another grid in the same frame of reference is resampled, each voxel from the nearest', () => {
  // Voxels of 2 mm whose centres lie half a millimetre off those of two of the finer grid.
  const coarse = volume('s2', [2, 1, 1], 2, [0.5, 0, 0]);
  const fine = volume('s1', [5, 1, 1], 1, [0, 0, 0]);
  const { labels, how, covered } = regridLabels({ labels: Uint8Array.of(1, 2), source: coarse, name: 'B' }, fine, 'A');
  expect([...labels]).toEqual([1, 1, 2, 2, 0]);
  expect([how, covered]).toEqual(['resampled', 0.8]);
});

test('an axis that runs the other way is followed', () => {
  const a = volume('s1', [3, 1, 1], 1, [0, 0, 0]);
  const turned = { ...volume('s2', [3, 1, 1], 1, [0, 0, 0]), indexToPatient: [-1, 0, 0, 2, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1] };
  expect([...regridLabels({ labels: Uint8Array.of(1, 2, 3), source: turned, name: 'B' }, a, 'A').labels]).toEqual([3, 2, 1]);
});

test.each([
  ['no geometry', (() => { const { indexToPatient: _, ...plain } = volume('s2', [2, 2, 1], 1, [0, 0, 0]); return plain; })(), /state no geometry/],
  ['another frame of reference', volume('s2', [2, 2, 1], 1, [0, 0, 0], '1.8'), /no common frame of reference/],
  ['no overlap', volume('s2', [2, 2, 1], 1, [50, 0, 0]), /do not overlap/],
])('%s is refused by name', (_, source, words) => {
  const a = volume('s1', [2, 2, 1], 1, [0, 0, 0]);
  const regrid = () => regridLabels({ labels: new Uint8Array(4), source, name: 'Other' }, a, 'Lung U-Net');
  expect(regrid).toThrow(words);
  expect(regrid).toThrow(expect.objectContaining({ code: 'input/inconsistent', message: expect.stringMatching(/Lung U-Net on CT, 2 × 2 and Other on CT/) }));
});

test('frames are the same only in the same order', () => {
  const a = volume('s1', [2, 2, 2], 1, [0, 0, 0]);
  expect(sameFrames(a, { ...a })).toBe(true);
  expect(sameFrames(a, { ...a, sources: [...a.sources].reverse() })).toBe(false);
});
