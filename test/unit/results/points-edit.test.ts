import fc from 'fast-check';
import { dotsOn, dotTarget, isDots } from '../../../src/results/dots.ts';
import { editPoints, withTargets, type PointsEdit } from '../../../src/results/points-edit.ts';
import type { PointsResult } from '../../../src/results/points.ts';
import { referenceOf } from '../../../src/image/image.ts';
import { image, source } from '../extension/made.ts';

const AT = '2026-03-01T08:00:00.000Z';
const on = { ...referenceOf(image(source('a'), [10, 8])), spacingMm: [0.5, 0.25] as const };
const origin = { coordinates: Float32Array.of(1, 2, 8, 7, 3, 3), classOf: Uint8Array.of(0, 1, 0), labels: ['Live', 'Dead'] };

/** A model's count, with an interval and a density. */
function counted(): PointsResult {
  const { editedAt: _, ...dots } = dotsOn(on, AT, origin);
  const interval = { low: 2, high: 5, level: 0.9 };
  return { ...dots, model: { ...dots.model, id: 'cell-count' }, density: new Float32Array(160), total: { ...dots.total, count: 3.2, interval }, classes: dots.classes.map(c => ({ ...c, interval })) };
}

test('a marker that is set is counted, and the model\'s interval and density are gone', () => {
  const before = counted();
  const after = editPoints(before, { kind: 'add', x: 4.5, y: 6, classIndex: 1 }, AT);
  expect([...after.coordinates]).toEqual([1, 2, 8, 7, 3, 3, 4.5, 6]);
  expect([...after.confidences]).toEqual([1, 1, 1, 1]);
  expect(after.total).toEqual({ count: 4, markers: 4, cellsPerMm2: 4 / (80 * 0.125) });
  expect(after.classes.map(({ count, interval }) => [count, interval])).toEqual([[2, undefined], [2, undefined]]);
  expect(after.density).toBeUndefined();
  expect(after.editedAt).toBe(AT);
  expect(before.total.count).toBe(3.2);
});

test('one that is taken away or re-classed leaves the others where they are', () => {
  expect(editPoints(counted(), { kind: 'remove', marker: 1 }, AT)).toMatchObject({ coordinates: Float32Array.of(1, 2, 3, 3), classOf: Uint8Array.of(0, 0), total: { count: 2 } });
  expect(editPoints(counted(), { kind: 'class', marker: 2, classIndex: 1 }, AT)).toMatchObject({ coordinates: origin.coordinates, classOf: Uint8Array.of(0, 1, 1) });
});

test.each<[string, PointsEdit]>([
  ['a place outside of the picture', { kind: 'add', x: 9.6, y: 2, classIndex: 0 }],
  ['a place before it', { kind: 'add', x: 2, y: -0.6, classIndex: 0 }],
  ['no place', { kind: 'add', x: Number.NaN, y: 1, classIndex: 0 }],
  ['a class that is not there', { kind: 'add', x: 2, y: 2, classIndex: 2 }],
  ['a marker that is not there', { kind: 'remove', marker: 3 }],
  ['the class that it has', { kind: 'class', marker: 1, classIndex: 1 }],
])('%s changes nothing', (_, edit) => {
  const before = counted();
  expect(editPoints(before, edit, AT)).toBe(before);
});

test('whatever is done, counts are of the markers that are there, and a marker taken away again leaves what was', () => {
  const edit = fc.oneof(
    fc.record({ kind: fc.constant('add' as const), x: fc.integer({ min: -2, max: 11 }), y: fc.integer({ min: -2, max: 9 }), classIndex: fc.integer({ min: 0, max: 2 }) }),
    fc.record({ kind: fc.constant('remove' as const), marker: fc.integer({ min: 0, max: 6 }) }),
    fc.record({ kind: fc.constant('class' as const), marker: fc.integer({ min: 0, max: 6 }), classIndex: fc.integer({ min: 0, max: 2 }) }),
  );
  fc.assert(fc.property(fc.array(edit, { maxLength: 12 }), edits => {
    const after = edits.reduce((result, change) => editPoints(result, change, AT), dotsOn(on, AT, origin));
    expect(after.coordinates).toHaveLength(2 * after.classOf.length);
    expect(after.confidences).toHaveLength(after.classOf.length);
    expect(after.total.count).toBe(after.classOf.length);
    expect(after.classes.map(({ count }) => count)).toEqual([0, 1].map(c => after.classOf.filter(v => v === c).length));
    const more = editPoints(after, { kind: 'add', x: 1, y: 1, classIndex: 0 }, AT);
    expect(editPoints(more, { kind: 'remove', marker: after.classOf.length }, AT).coordinates).toEqual(after.coordinates);
  }));
});

test('dots by hand say that no model made them, begin empty, and take more classes', () => {
  const dots = dotsOn(referenceOf(image(source('a'))), AT);
  expect(isDots(dots)).toBe(true);
  expect(isDots(counted())).toBe(false);
  expect(dots.classes).toMatchObject([{ target: { label: 'Cell', concept: { codingSchemeDesignator: 'SCT' } }, count: 0 }]);
  // Without spacing there are no cells/mm².
  expect(dots.total).toEqual({ count: 0, markers: 0 });
  const more = withTargets(dotsOn(on, AT, origin), ['Live', 'Dead', 'Mitosis'].map(dotTarget), AT);
  expect(more.classes.map(({ target, count }) => [target.label, count])).toEqual([['Live', 2], ['Dead', 1], ['Mitosis', 0]]);
});
