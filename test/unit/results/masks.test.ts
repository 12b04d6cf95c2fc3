import { differenceOf } from '../../../src/results/difference.ts';
import { editedLabelmap } from '../../../src/results/edit.ts';
import { intensitiesOf } from '../../../src/results/intensity.ts';
import type { LabelmapResult } from '../../../src/results/result.ts';

const target = (label: string) => ({ label, concept: { codeValue: '1', codingSchemeDesignator: '99TEST', codeMeaning: label } });
const result = {
  kind: 'labelmap', labels: Uint8Array.of(1, 1, 0, 0),
  segments: [{ target: target('Lung'), segmentNumber: 1, pixels: 2, areaMm2: 1, threshold: 0.4 }],
  source: { shape: [4, 1, 1], spacingMm: [0.5, 1] },
} as unknown as LabelmapResult;

describe('intensities', () => {
  test('are means and sample standard deviations by label', () => {
    const found = intensitiesOf(Uint8Array.of(1, 1, 1, 2, 0, 3), [1, 2, 6, -1000, 50, NaN]);
    expect([...found.keys()]).toEqual([1, 2]);
    expect(found.get(1)!.mean).toBe(3);
    expect(found.get(1)!.standardDeviation).toBeCloseTo(Math.sqrt(7), 12);
    expect(found.get(2)).toEqual({ mean: -1000 });
  });

  test('lose nothing where the mean is far larger than the spread', () => {
    const values = Array.from({ length: 1000 }, (_, i) => 1e9 + (i % 2));
    expect(intensitiesOf(new Uint8Array(1000).fill(1), values).get(1)!.standardDeviation).toBeCloseTo(Math.sqrt(1000 / 999) / 2, 9);
  });

  test('refuse another size', () => {
    expect(() => intensitiesOf(new Uint8Array(2), [1])).toThrow('got 1 values for 2 pixels');
  });
});

describe('an edited mask', () => {
  test('is measured again, says when, and what it came from', () => {
    const edited = editedLabelmap(result, Uint8Array.of(1, 1, 1, 0), () => undefined, '2026-01-02T03:04:05.000Z');
    expect(edited.segments).toEqual([{ target: target('Lung'), segmentNumber: 1, pixels: 3, areaMm2: 1.5, threshold: 0.4 }]);
    expect(edited.editedAt).toBe('2026-01-02T03:04:05.000Z');
    expect(result.segments[0]!.pixels).toBe(2);
  });

  test('may hold segments that the model does not know, under the reader\'s names', () => {
    const edited = editedLabelmap(result, Uint8Array.of(0, 3, 3, 4), n => (n === 3 ? 'Scar' : undefined), 'now');
    expect(edited.segments.map(s => [s.segmentNumber, s.target.label, s.pixels])).toEqual([[1, 'Lung', 0], [3, 'Scar', 2], [4, 'Segment 4', 1]]);
    expect(edited.segments[1]!.target.concept.codeMeaning).toBe('Tissue');
  });

  test('of another size is refused', () => {
    expect(() => editedLabelmap(result, new Uint8Array(3), () => undefined, 'now')).toThrow('4 pixels, got 3');
  });
});

test('a difference tells agreement from either alone', () => {
  expect([...differenceOf([1, 2, 0, 0], [5, 0, 1, 0])]).toEqual([1, 2, 3, 0]);
  expect(() => differenceOf([1], [1, 0])).toThrow('1 and 2 pixels');
});
