import { compareMasks } from '../../../../extension/comparing/masks.ts';
import { compareSets, mapAgreement } from '../../../../extension/comparing/pair.ts';
import type { ResultSet } from '../../../../extension/comparing/sets.ts';
import { referenceOf } from '../../../../src/image/image.ts';
import { dotsOn } from '../../../../src/results/dots.ts';
import type { HeatmapResult, LabelmapResult, Result } from '../../../../src/results/result.ts';
import { image, result, score, scoresResult, source } from '../made.ts';

const SPACED = { ...image(source('a')), spacingMm: [0.5, 2] as [number, number] };
const set = (name: string, of: Result, drawn = false): ResultSet => ({ id: name, name, kept: { key: name, studyInstanceUID: '1', seriesInstanceUID: '1.2', result: of, visible: true }, ...(drawn && { drawn }) });
const mask = (labels: number[], on = SPACED) => result(on, { labels: Uint8Array.from(labels) });
const of = <K extends Result['kind']>(kind: K, pair: ReturnType<typeof compareSets>) => {
  if (pair.kind !== kind) throw new Error(`got ${pair.kind}`);
  return pair as Extract<typeof pair, { kind: K }>;
};

describe('masks', () => {
  test('have numbers of all segments together, in millimetres where the spacing is known', () => {
    const { numbers, sizes, difference, common, placement } = of('labelmap', compareSets(set('A', mask([1, 1, 0, 0])), set('B', mask([1, 0, 0, 1])), 8));
    // Pixels are 0.5 mm wide and 2 mm high: B's lower right one lies straight under A's upper right one.
    expect(numbers).toMatchObject({ dice: 0.5, iou: 1 / 3, precision: 0.5, recall: 0.5, hausdorff: 2, unit: 'mm', classes: [], relativeDifference: 0 });
    expect([sizes.a.areaMm2, sizes.b.areaMm2]).toEqual([2, 2]);
    expect(difference.segments.map(({ target: { label }, areaMm2 }) => [label, areaMm2])).toEqual([['Both', 1], ['Only A', 1], ['Only B', 1]]);
    expect([common.by, placement.how]).toEqual(['concept', 'same']);
    expect(compareMasks(Uint8Array.of(1), Uint8Array.of(1), ['Lung'], { ...SPACED, shape: [1, 1, 1], spacingMm: undefined }).unit).toBe('px');
  });

  test('have no distance to an empty mask', () => {
    const { numbers } = of('labelmap', compareSets(set('A', mask([1, 1, 0, 0])), set('B', mask([0, 0, 0, 0])), 8));
    expect(numbers.dice).toBe(0);
    expect(numbers).not.toHaveProperty('hausdorff95');
    expect(numbers).not.toHaveProperty('relativeDifference');
  });

  const two = (labels: number[], ...codes: [label: string, code: string][]): LabelmapResult => {
    const made = mask(labels);
    return { ...made, segments: codes.map(([label, codeValue], i) => ({ segmentNumber: i + 1, pixels: labels.filter(v => v === i + 1).length, target: { label, concept: { codeValue, codingSchemeDesignator: 'SCT', codeMeaning: label } } })) };
  };

  test('of other labels are compared in what is common, whatever number it has, and the rest is listed', () => {
    const pair = of('labelmap', compareSets(set('A', two([1, 2, 2, 0], ['Lung', '1'], ['Heart', '2'])), set('B', two([2, 1, 3, 3], ['Cor', '2'], ['Pulmo', '1'], ['Liver', '3'])), 8));
    expect(pair.common).toMatchObject({ pairs: [{ a: 0, b: 1 }, { a: 1, b: 0 }], onlyA: [], onlyB: ['Liver'] });
    expect([...pair.a.labels]).toEqual([1, 2, 2, 0]);
    expect([...pair.b.labels]).toEqual([1, 2, 0, 0]);
    expect(pair.numbers.classes.map(({ label, dice }) => [label, dice])).toEqual([['Lung', 1], ['Heart', 2 / 3]]);
    // One structure has one colour on both sides.
    expect(pair.a.segments.map(({ target }) => target.color)).toEqual(pair.b.segments.map(({ target }) => target.color));
  });

  test('with nothing in common, or on other images, are refused by name', () => {
    expect(() => compareSets(set('Lungs', two([1, 0, 0, 0], ['Lung', '1'])), set('Hearts', two([1, 0, 0, 0], ['Heart', '2'])), 8)).toThrow(/Lung \(SCT 1\) of Lungs and Heart \(SCT 2\) of Hearts/);
    expect(() => compareSets(set('Lung U-Net', mask([1, 1, 0, 0])), set('Other', mask([1, 0, 0, 0], { ...image(source('b')), spacingMm: [1, 1] })), 8)).toThrow(
      expect.objectContaining({ code: 'input/inconsistent', message: expect.stringMatching(/Lung U-Net on CR PA, 2 × 2 and Other on CR PA, 2 × 2, which state no geometry\. Compare results of one image/) }),
    );
  });

  test('that were drawn without a name are set against all of the other', () => {
    const drawn = mask([0, 1, 1, 0]);
    const nameless = { ...drawn, segments: [{ ...drawn.segments[0]!, target: { label: 'Segment 1', concept: { codeValue: 's', codingSchemeDesignator: '99OVERREAD', codeMeaning: 's' } } }] };
    expect(of('labelmap', compareSets(set('A', mask([1, 1, 0, 0])), set('Mine', nameless, true), 8))).toMatchObject({ common: { by: 'whole' }, numbers: { dice: 0.5 } });
    expect(() => compareSets(set('A', mask([1, 1, 0, 0])), set('Other model', nameless), 8)).toThrow('no coded concept in common');
  });
});

describe('markers', () => {
  const picture = { ...image(source('a'), [100, 100]), spacingMm: [0.001, 0.001] as [number, number] };
  const dots = (points: [number, number, number?][], labels = ['Cell', 'Other'], on = picture) =>
    dotsOn(referenceOf(on), '2026-01-01T00:00:00Z', { coordinates: Float32Array.from(points.flatMap(([x, y]) => [x, y])), classOf: Uint8Array.from(points, ([, , c = 0]) => c), labels });

  test('are matched within the distance, once each; the rest is extra or missed', () => {
    const pair = of('points', compareSets(set('A', dots([[10, 10], [50, 50], [90, 90, 1]])), set('B', dots([[13, 14], [52, 50, 1], [20, 80]])), 5));
    expect(pair.numbers).toEqual({ matched: 2, onlyA: 1, onlyB: 1, f1: 4 / 6, sameClass: 1, within: { pixels: 5, mm: 0.005 } });
    expect([...pair.difference.classOf]).toEqual([0, 0, 1, 2]);
    expect([...pair.difference.coordinates]).toEqual([10, 10, 50, 50, 90, 90, 20, 80]);
    expect(of('points', compareSets(set('A', dots([[10, 10]])), set('B', dots([[13, 14]])), 4.9)).numbers).toMatchObject({ matched: 0, f1: 0 });
    expect(of('points', compareSets(set('A', dots([])), set('B', dots([])), 5)).numbers.f1).toBe(1);
  });

  test('of classes that only one has are left out, and listed', () => {
    const pair = of('points', compareSets(set('A', dots([[10, 10], [50, 50, 1]], ['Cell', 'Debris'])), set('B', dots([[10, 10]], ['Cell'])), 5));
    expect(pair.common).toMatchObject({ onlyA: ['Debris'], onlyB: [] });
    expect(pair.numbers).toMatchObject({ matched: 1, onlyA: 0, onlyB: 0 });
  });

  test('of another picture are refused by name', () => {
    expect(() => compareSets(set('A', dots([])), set('B', dots([], ['Cell'], { ...picture, sources: [source('b')] })), 5)).toThrow('markers lie on their own image alone');
  });
});

describe('heat maps', () => {
  test('have a correlation, and share their strongest tenth', () => {
    const a = Float32Array.from({ length: 20 }, (_, i) => i);
    // As numpy.corrcoef gives it.
    expect(mapAgreement(a, a.map((v, i) => (i % 2 ? v : -v))).correlation).toBeCloseTo(0.0742001, 6);
    expect(mapAgreement(a, a)).toEqual({ correlation: expect.closeTo(1, 6), strongest: 1 });
    expect(mapAgreement(a, a.map(v => 19 - v)).strongest).toBe(0);
    expect(mapAgreement(a, new Float32Array(20))).toEqual({ strongest: 0 });
  });

  test('differ as shares of their own largest magnitude', () => {
    const { labels: _, segments: __, ...base } = mask([0, 0, 0, 0]);
    const map = (values: number[]): HeatmapResult => ({ ...base, kind: 'heatmap', values: Float32Array.from(values), range: [0, 1], target: score('Effusion', 0.5).target });
    const { difference } = of('heatmap', compareSets(set('A', map([0, 1, 2, 4])), set('B', map([10, 0, 0, 5])), 5));
    expect([...difference.values]).toEqual([-1, 0.25, 0.5, 0.5]);
  });
});

test('scores have a row for each finding that both know', () => {
  const [a, b] = [scoresResult([score('Effusion', 0.7), score('Edema', 0.2)]), scoresResult([score('Edema', 0.6), score('Mass', 0.1)])];
  const pair = of('scores', compareSets(set('A', a), set('B', b), 5));
  expect(pair.rows).toEqual([{ label: 'Edema', a: 0.2, b: 0.6, positive: { a: false, b: true } }]);
  expect(pair.common).toMatchObject({ onlyA: ['Effusion'], onlyB: ['Mass'] });
});

test('two kinds are refused by name', () => {
  expect(() => compareSets(set('A', mask([1, 0, 0, 0])), set('B', scoresResult()), 5)).toThrow('A, which is labelmap, and B, which is scores');
});
