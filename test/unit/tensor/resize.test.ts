import golden from '../../golden/resize.json';
import { resize } from '../../../src/tensor/resize.ts';

describe('resize', () => {
  test.each(golden.cases.map(c => [`${c.rows} × ${c.columns} → ${c.to.rows} × ${c.to.columns}`, c] as const))('%s is what PyTorch gives with antialias', (_, c) => {
    const { values } = resize({ values: Float32Array.from(c.values), rows: c.rows, columns: c.columns, channels: 1 }, c.to);
    expect(values).toHaveLength(c.expected.length);
    values.forEach((v, i) => expect(Math.abs(v - c.expected[i]!)).toBeLessThan(2e-6));
  });

  test('keeps interleaved channels apart', () => {
    const { values, rows, columns, to } = golden.cases[0]!;
    const alone = resize({ values: Float32Array.from(values), rows, columns, channels: 1 }, to).values;
    const mixed = new Float32Array(values.length * 2);
    values.forEach((v, i) => {
      mixed[2 * i] = v;
      mixed[2 * i + 1] = -v;
    });
    const both = resize({ values: mixed, rows, columns, channels: 2 }, to).values;
    alone.forEach((v, i) => {
      expect(both[2 * i]).toBeCloseTo(v, 6);
      expect(both[2 * i + 1]).toBeCloseTo(-v, 6);
    });
  });

  test('leaves a plane of the right size as it is', () => {
    const values = Float32Array.of(1, 2, 3, 4, 5, 6);
    expect(resize({ values, rows: 2, columns: 3, channels: 1 }, { rows: 2, columns: 3 }).values).toEqual(values);
  });
});
