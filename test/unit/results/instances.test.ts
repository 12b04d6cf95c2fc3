import { numberComponents } from '../../../src/results/components.ts';
import { splitInstances } from '../../../src/results/instances.ts';

/** A picture in letters: '.' background, '#' an object's inside, '+' its edge. */
function drawn(...lines: string[]): { labels: Uint8Array; columns: number } {
  return { labels: Uint8Array.from(lines.join(''), c => '.#+'.indexOf(c)), columns: lines[0]!.length };
}

const lines = (values: ArrayLike<number>, columns: number) =>
  Array.from({ length: values.length / columns }, (_, row) => Array.from(values).slice(row * columns, (row + 1) * columns).map(v => '.123456789'[v]).join(''));

const RULE = { edge: 2, minimumPixels: 1, minimumMarkerPixels: 1 };

test('an edge splits what touches, and goes to the nearer side', () => {
  const { labels, columns } = drawn('.......', '.##+##.', '.##+##.', '.++++#.', '.......');
  const { labels: objects, count } = splitInstances(labels, columns, RULE);
  expect(count).toBe(2);
  expect(lines(objects, columns)).toEqual(['.......', '.11122.', '.11122.', '.11122.', '.......']);
});

test('without an edge, what touches is one', () => {
  const { labels, columns } = drawn('##+##', '##+##');
  expect(splitInstances(labels, columns, { minimumPixels: 1, minimumMarkerPixels: 1 }).count).toBe(1);
});

test('pixels that meet at a corner only do not touch', () => {
  const { labels, columns } = drawn('##..', '##..', '..##', '..##');
  expect(splitInstances(labels, columns, RULE).count).toBe(2);
});

test('a part that is all edge is an object; a marker too small to count is grown over', () => {
  const { labels, columns } = drawn('+++....', '+++....', '......#', '####+.+', '####+#+');
  const { labels: objects } = splitInstances(labels, columns, { ...RULE, minimumMarkerPixels: 2 });
  expect(lines(objects, columns)).toEqual(['111....', '111....', '......2', '22222.2', '2222222']);
});

test('a hole within one object is filled, in the mask too; one between two, or at the border, is not', () => {
  const { labels, columns } = drawn('###..', '#.###', '###+#', '#.#+#', '###..');
  const { labels: objects } = splitInstances(labels, columns, RULE);
  expect(lines(objects, columns)).toEqual(['111..', '11111', '11111', '11111', '111..']);
  expect([labels[6], labels[16]]).toEqual([1, 1]);

  const between = drawn('##+##', '#.+.#', '#...#', '##+##', '##+##');
  splitInstances(between.labels, between.columns, RULE);
  expect(between.labels[12]).toBe(0);

  const open = drawn('###', '#..', '###');
  splitInstances(open.labels, open.columns, RULE);
  expect(open.labels[4]).toBe(0);
});

test('small objects are dropped from the mask, the others numbered on, counted and measured', () => {
  const { labels, columns } = drawn('#.####', '..####', '......', '###...', '......');
  const { labels: objects, count, atBorder, sizes } = splitInstances(labels, columns, { ...RULE, minimumPixels: 2 });
  expect(lines(objects, columns)).toEqual(['..1111', '..1111', '......', '222...', '......']);
  expect(labels[0]).toBe(0);
  expect([count, atBorder]).toEqual([2, 2]);
  expect(sizes).toEqual({ minimum: 3, lowerQuartile: 4.25, median: 5.5, upperQuartile: 6.75, maximum: 8, mean: 5.5 });
});

test('nothing in the mask: no objects, no sizes', () => {
  const { count, sizes, atBorder } = splitInstances(new Uint8Array(12), 4, RULE);
  expect([count, sizes, atBorder]).toEqual([0, undefined, 0]);
});

test('every object is in one piece, at least the smallest size, and all are counted', () => {
  let state = 9;
  const random = () => (state = (state * 1103515245 + 12345) % 2 ** 31) / 2 ** 31;
  const labels = Uint8Array.from({ length: 60 * 40 }, () => (random() < 0.55 ? 1 : random() < 0.3 ? 2 : 0));
  const { labels: objects, count } = splitInstances(labels, 60, { edge: 2, minimumPixels: 6, minimumMarkerPixels: 1 });
  expect(new Set(objects)).toEqual(new Set(Array.from({ length: count + 1 }, (_, i) => i)));
  for (let object = 1; object <= count; object++) {
    const mask = Uint8Array.from(objects, value => Number(value === object));
    expect(Math.max(...numberComponents(mask, 60, false))).toBe(1);
    expect(mask.reduce((sum, value) => sum + value, 0)).toBeGreaterThanOrEqual(6);
  }
});

test('a speck in a hole does not keep the hole from being filled', () => {
  const { labels, columns } = drawn('#####', '#...#', '#.#.#', '#...#', '#####');
  expect(splitInstances(labels, columns, { ...RULE, minimumPixels: 2 }).sizes!.minimum).toBe(25);
});
