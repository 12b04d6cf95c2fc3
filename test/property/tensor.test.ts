import fc from 'fast-check';
import { percentiles } from '../../src/tensor/percentile.ts';
import { fitPlane } from '../../src/tensor/place.ts';
import { resize } from '../../src/tensor/resize.ts';

const floats = fc.float32Array({ minLength: 1, maxLength: 300, noNaN: true, noDefaultInfinity: true });
const side = fc.integer({ min: 1, max: 40 });

describe('percentiles', () => {
  test('are numpy\'s, for any values in any order', () => {
    fc.assert(
      fc.property(floats, fc.double({ min: 0, max: 100, noNaN: true }), (values, percent) => {
        const sorted = Array.from(values).sort((a, b) => a - b);
        const at = (percent / 100) * (sorted.length - 1);
        const low = sorted[Math.floor(at)]!;
        const high = sorted[Math.ceil(at)]!;
        const [got] = percentiles(values, [percent]);
        // Interpolated in a subtraction, so −0 and 0 are one.
        expect(got! - (low + (high - low) * (at - Math.floor(at)))).toBeCloseTo(0, 12);
      }),
    );
  });

  test('0 and 100 are the extremes, of a view too', () => {
    fc.assert(
      fc.property(floats, values => {
        const within = new Float32Array(values.length + 2).fill(1e38);
        within.set(values, 1);
        const [least, most] = percentiles(within.subarray(1, values.length + 1), [0, 100]);
        expect(least! + 0).toBe(Math.min(...values) + 0);
        expect(most! + 0).toBe(Math.max(...values) + 0);
      }),
    );
  });
});

describe('resize', () => {
  const plane = fc.tuple(side, side).chain(([columns, rows]) =>
    fc.record({
      columns: fc.constant(columns), rows: fc.constant(rows), channels: fc.constant(1),
      values: fc.array(fc.integer({ min: -1000, max: 1000 }), { minLength: columns * rows, maxLength: columns * rows }).map(v => Float32Array.from(v)),
    }),
  );

  test('never leaves the range of its values, and keeps a constant', () => {
    fc.assert(
      fc.property(plane, side, side, (from, columns, rows) => {
        const { values } = resize(from, { columns, rows });
        expect(values).toHaveLength(columns * rows);
        expect(Math.min(...values)).toBeGreaterThanOrEqual(Math.min(...from.values) - 1e-3);
        expect(Math.max(...values)).toBeLessThanOrEqual(Math.max(...from.values) + 1e-3);
      }),
    );
  });

  test('mirrors with its input', () => {
    const mirror = (values: Float32Array, columns: number) => Float32Array.from(values, (_, i) => values[i - (i % columns) + columns - 1 - (i % columns)]!);
    fc.assert(
      fc.property(plane, side, side, (from, columns, rows) => {
        const mirrored = resize({ ...from, values: mirror(from.values, from.columns) }, { columns, rows }).values;
        const straight = mirror(resize(from, { columns, rows }).values, columns);
        mirrored.forEach((v, i) => expect(Math.abs(v - straight[i]!)).toBeLessThan(1e-2));
      }),
    );
  });
});

test('every fit maps the part that is read onto whole pixels inside the input', () => {
  fc.assert(
    fc.property(fc.constantFrom('letterbox', 'stretch', 'crop'), side, side, side, side, (fit, columns, rows, inColumns, inRows) => {
      const { crop, size, at, placement } = fitPlane(fit, [columns, rows], [inColumns, inRows]);
      expect(at.x >= 0 && at.y >= 0 && at.x + size.columns <= inColumns && at.y + size.rows <= inRows).toBe(true);
      expect(crop.x >= 0 && crop.y >= 0 && crop.x + crop.columns <= columns && crop.y + crop.rows <= rows).toBe(true);
      expect(crop.x * placement.scale[0] + placement.offset[0]).toBeCloseTo(at.x, 6);
      expect((crop.y + crop.rows) * placement.scale[1] + placement.offset[1]).toBeCloseTo(at.y + size.rows, 6);
    }),
  );
});
