import { MarkerIndex } from '../../../extension/overlays/marker-index.ts';

const random = (() => {
  let state = 7;
  return () => (state = (state * 16807) % 2147483647) / 2147483647;
})();
const n = 500;
const coordinates = Float32Array.from({ length: 2 * n }, () => random() * 100);
const classOf = Uint8Array.from({ length: n }, () => Math.floor(random() * 3));
const index = new MarkerIndex({ coordinates, classOf }, 3);

test('finds what lies in a window', () => {
  const expected = [...classOf.keys()].filter(i => coordinates[2 * i]! >= 20 && coordinates[2 * i]! <= 45 && coordinates[2 * i + 1]! >= 10 && coordinates[2 * i + 1]! <= 80);
  expect([...index.within(20, 10, 45, 80)].sort((a, b) => a - b)).toEqual(expected);
  expect(index.count).toBe(n);
});

test('finds the nearest marker within reach, and none farther', () => {
  for (let k = 0; k < 40; k++) {
    const [x, y] = [random() * 120 - 10, random() * 120 - 10];
    const away = (i: number) => Math.hypot(coordinates[2 * i]! - x, coordinates[2 * i + 1]! - y);
    const best = [...classOf.keys()].reduce((a, b) => (away(b) < away(a) ? b : a));
    expect(index.nearest(x, y, 4)).toBe(away(best) <= 4 ? best : undefined);
  }
  const twice = new MarkerIndex({ coordinates: Float32Array.of(5, 5, 5, 5), classOf: Uint8Array.of(0, 1) }, 2);
  expect(twice.nearest(5, 5, 0.5)).toBe(1);
  expect(new MarkerIndex({ coordinates: new Float32Array(), classOf: new Uint8Array() }, 1).nearest(0, 0, 9)).toBeUndefined();
});

test('clusters lose no marker, lie in their square, and are made once', () => {
  for (const step of [1, 8, 64, 512]) {
    const clusters = index.clusters(step);
    expect(clusters.reduce((sum, { count }) => sum + count, 0)).toBe(n);
    for (const { count, byClass } of clusters) expect(byClass.reduce((a, b) => a + b, 0)).toBe(count);
    expect(new Set(clusters.map(({ x, y }) => `${Math.floor(x / step)} ${Math.floor(y / step)}`)).size).toBe(clusters.length);
    expect(index.clusters(step)).toBe(clusters);
  }
  for (const c of [0, 1, 2]) expect(index.clusters(512)[0]!.byClass[c]).toBe(classOf.filter(v => v === c).length);
});
