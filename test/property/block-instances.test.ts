import fc from 'fast-check';
import { countInstances, type LabelPlane, type ObjectCount, type PlaneObject } from '../../src/results/block-instances.ts';
import { splitInstances } from '../../src/results/instances.ts';
import { seededRandom } from '../../src/phantoms/random.ts';

const RULE = { edge: 2, minimumPixels: 6, minimumMarkerPixels: 3 };

/** Ellipses within rims, some of them touching, in clusters that are smaller than the halo. */
function plane(seed: number, columns: number, rows: number, cluster: number): Uint8Array {
  const random = seededRandom(seed);
  const labels = new Uint8Array(columns * rows);
  for (let top = 0; top < rows; top += cluster) {
    for (let left = 0; left < columns; left += cluster) {
      for (let n = 0; n < 5; n++) {
        const [x, y, a, b] = [left + 6 + random.next() * (cluster - 14), top + 6 + random.next() * (cluster - 14), 2 + 4 * random.next(), 2 + 4 * random.next()];
        for (let v = Math.ceil(y - 6); v <= y + 6; v++) {
          for (let u = Math.ceil(x - 6); u <= x + 6; u++) {
            const distance = Math.hypot((u - x) / a, (v - y) / b);
            const inside = u >= left && v >= top && u < Math.min(columns, left + cluster - 1) && v < Math.min(rows, top + cluster - 1);
            if (inside && distance <= 1) labels[v * columns + u] = distance > 0.7 ? 2 : 1;
          }
        }
      }
    }
  }
  return labels;
}

function counted(labels: Uint8Array, columns: number, options: { block: number; halo: number }): ObjectCount & { objects: PlaneObject[] } {
  const rows = labels.length / columns;
  const objects: PlaneObject[] = [];
  const source: LabelPlane = {
    columns, rows,
    read: region => {
      const out = new Uint8Array(region.columns * region.rows);
      for (let row = 0; row < region.rows; row++) out.set(labels.subarray((region.y + row) * columns + region.x, (region.y + row) * columns + region.x + region.columns), row * region.columns);
      return out.some(label => label > 0) ? out : undefined;
    },
  };
  const work = countInstances(source, { rule: RULE, onObject: object => objects.push(object), ...options });
  for (;;) {
    const step = work.next();
    if (step.done) return { ...step.value, objects };
  }
}

test('objects found block by block are those of the whole, at their places', () => {
  fc.assert(fc.property(fc.integer({ min: 1, max: 1e6 }), fc.integer({ min: 30, max: 200 }), fc.integer({ min: 30, max: 150 }), fc.integer({ min: 16, max: 90 }), (seed, columns, rows, block) => {
    const labels = plane(seed, columns, rows, 28);
    const whole = splitInstances(labels.slice(), columns, RULE);
    fc.pre(whole.count > 1);
    const got = counted(labels, columns, { block, halo: 30 });
    expect({ count: got.count, atBorder: got.atBorder, cut: got.cut, sizes: got.sizes }).toEqual({ count: whole.count, atBorder: whole.atBorder, cut: 0, sizes: whole.sizes });
    const sums = new Map<number, [x: number, y: number, pixels: number]>();
    whole.labels.forEach((number, i) => {
      if (number === 0) return;
      const sum = sums.get(number) ?? [0, 0, 0];
      sums.set(number, [sum[0] + (i % columns), sum[1] + Math.floor(i / columns), sum[2] + 1]);
    });
    const key = ({ x, y, pixels }: PlaneObject) => `${x.toFixed(6)} ${y.toFixed(6)} ${pixels}`;
    expect(got.objects.map(key).sort()).toEqual([...sums.values()].map(([x, y, pixels]) => key({ x: x / pixels, y: y / pixels, pixels })).sort());
  }), { numRuns: 25 });
});

test('what is larger than what is looked at is told', () => {
  const labels = new Uint8Array(200 * 40);
  for (let y = 15; y < 25; y++) labels.fill(1, y * 200 + 10, y * 200 + 190);
  const { count, cut, atBorder } = counted(labels, 200, { block: 50, halo: 20 });
  expect([count, cut, atBorder]).toEqual([1, 1, 0]);
});
