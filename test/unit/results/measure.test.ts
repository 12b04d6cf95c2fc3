import { measureSegments } from '../../../src/results/measure.ts';
import { picture, tinyManifest } from '../runtime/tiny.ts';

const { targets } = tinyManifest('tiny-softmax').output;
const labels = Uint8Array.of(0, 1, 1, 2, 1, 0);

describe('measureSegments', () => {
  test('area on a plane with spacing', () => {
    const segments = measureSegments(labels, targets, picture(3, 2, () => 0, { spacingMm: [0.5, 0.2] }));
    expect(segments.map(s => [s.segmentNumber, s.target.label, s.pixels])).toEqual([[1, 'Grey', 3], [2, 'Bright', 1]]);
    expect(segments[0]!.areaMm2).toBeCloseTo(0.3, 12);
  });
  test('no area where the spacing is unknown', () => {
    const [segment] = measureSegments(labels, targets, picture(3, 2, () => 0));
    expect(segment).not.toHaveProperty('areaMm2');
    expect(segment).not.toHaveProperty('volumeMm3');
  });
  test('volume on several slices, and none without the distance of the slices', () => {
    const volume = picture(3, 1, () => 0, { shape: [3, 1, 2], spacingMm: [2, 3] });
    expect(measureSegments(labels, targets, { ...volume, sliceSpacingMm: 5 })[0]).toMatchObject({ pixels: 3, volumeMm3: 90 });
    expect(measureSegments(labels, targets, volume)[0]).not.toHaveProperty('volumeMm3');
  });
});
