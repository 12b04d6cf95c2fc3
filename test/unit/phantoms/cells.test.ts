import { cellField } from '../../../src/phantoms/cells.ts';

const field = cellField({ seed: 4, size: 192, cells: 60, positive: 0.5 });

test('the same seed gives the same field', () => {
  const again = cellField({ seed: 4, size: 192, cells: 60, positive: 0.5 });
  expect(Buffer.from(again.rgb).equals(Buffer.from(field.rgb))).toBe(true);
  expect(again.dots).toEqual(field.dots);
  expect(cellField({ seed: 5, size: 192, cells: 60, positive: 0.5 }).dots).not.toEqual(field.dots);
});

test('a dot is the centroid of its nucleus, where no other lies over it', () => {
  const alone = cellField({ seed: 8, size: 192, cells: 12 });
  const sums = alone.dots.map(() => ({ n: 0, x: 0, y: 0 }));
  alone.instances.forEach((number, i) => {
    if (number === 0) return;
    const sum = sums[number - 1]!;
    sum.n++;
    sum.x += i % 192;
    sum.y += Math.floor(i / 192);
  });
  const apart = alone.dots.map((dot, i) => Math.hypot(dot.x - sums[i]!.x / sums[i]!.n, dot.y - sums[i]!.y / sums[i]!.n)).sort((a, b) => a - b);
  expect(apart[Math.floor(apart.length / 2)]).toBeLessThan(0.3);
});

test('positive nuclei are brown, negative ones are blue', () => {
  const blueness = { 1: { n: 0, sum: 0 }, 2: { n: 0, sum: 0 } };
  field.instances.forEach((number, i) => {
    if (number === 0) return;
    const tally = blueness[field.dots[number - 1]!.class];
    tally.n++;
    tally.sum += field.rgb[3 * i + 2]! - field.rgb[3 * i]!;
  });
  expect(blueness[1].sum / blueness[1].n).toBeGreaterThan(20);
  expect(blueness[2].sum / blueness[2].n).toBeLessThan(-20);
});

test('as many as asked for where there is room, none where none is asked for, and fewer than a field can hold', () => {
  expect(field.dots).toHaveLength(60);
  expect(cellField({ seed: 1, size: 64, cells: 0 }).dots).toEqual([]);
  expect(cellField({ seed: 1, size: 64, cells: 5000 }).dots.length).toBeLessThan(500);
});

test('the share of positive nuclei follows what is asked for', () => {
  const share = (positive: number) => cellField({ seed: 6, size: 192, cells: 80, positive }).dots.filter(dot => dot.class === 2).length / 80;
  expect([share(0), share(1)]).toEqual([0, 1]);
  expect(share(0.5)).toBeGreaterThan(0.3);
  expect(share(0.5)).toBeLessThan(0.7);
});
