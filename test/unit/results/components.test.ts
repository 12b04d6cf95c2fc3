import fc from 'fast-check';
import { keepLargestComponents, numberComponents } from '../../../src/results/components.ts';

/** '#' is label 1, '2' is label 2. */
const parse = (...rows: string[]) => ({ columns: rows[0]!.length, labels: Uint8Array.from(rows.join(''), c => (c === '#' ? 1 : c === '2' ? 2 : 0)) });
const kept = (count: number, ...rows: string[]) => {
  const { columns, labels } = parse(...rows);
  keepLargestComponents(labels, columns, 1, count);
  return [...labels].map(v => '.#2'[v]).join('').match(new RegExp(`.{${columns}}`, 'g'));
};

describe('keepLargestComponents', () => {
  test('keeps the largest; corners touch', () => {
    expect(kept(1, '##..#', '..#..', '....#', '.#..#')).toEqual(['##...', '..#..', '.....', '.....']);
  });
  test('rows do not touch around the edge', () => {
    expect(kept(1, '#..##', '#....', '#....')).toEqual(['#....', '#....', '#....']);
    expect(kept(1, '....#', '#....', '#....')).toEqual(['.....', '#....', '#....']);
  });
  test('joins what meets only further down', () => {
    expect(kept(1, '#.#.#.#', '#.#.#.#', '#######', '.......', '###.###')).toEqual(['#.#.#.#', '#.#.#.#', '#######', '.......', '.......']);
  });
  test('leaves other labels alone', () => {
    expect(kept(1, '##.#', '2..2')).toEqual(['##..', '2..2']);
  });
  test('of equals the upper ones stay; none is no fault', () => {
    expect(kept(2, '#.#', '...', '#.#')).toEqual(['#.#', '...', '...']);
    expect(kept(3, '...', '...')).toEqual(['...', '...']);
  });

  test('in a volume, goes from slice to slice', () => {
    const labels = Uint8Array.from([1, 0, 0, /**/ 0, 0, 1, /* next */ 0, 1, 0, /**/ 0, 0, 0, /* next */ 1, 0, 0, /**/ 0, 0, 1]);
    keepLargestComponents(labels, 3, 1, 1, 2);
    // All of these touch by a corner, from slice to slice.
    expect([...labels]).toEqual([1, 0, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1]);
    // The last row of a slice and the first of the next are no neighbours.
    const apart = Uint8Array.from([0, 0, /**/ 0, 0, /**/ 1, 1, /* next */ 1, 0, /**/ 0, 0, /**/ 0, 0]);
    keepLargestComponents(apart, 2, 1, 1, 3);
    expect([...apart]).toEqual([0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0]);
  });

  test('in a volume, agrees with a flood fill', () => {
    const volumes = fc.tuple(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 3 }))
      .chain(([columns, rows, slices, count]) => fc.tuple(fc.constant({ columns, rows, count }), fc.array(fc.constantFrom(0, 0, 1), { minLength: columns * rows * slices, maxLength: columns * rows * slices })));
    fc.assert(fc.property(volumes, ([{ columns, rows, count }, values]) => {
      const numbers = new Int32Array(values.length);
      const sizes: number[] = [];
      values.forEach((value, first) => {
        if (value === 0 || numbers[first] !== 0) return;
        const queue = [first];
        numbers[first] = sizes.length + 1;
        for (const i of queue) {
          const [x, y] = [i % columns, Math.floor(i / columns) % rows];
          for (let d = 0; d < 27; d++) {
            const [u, v, w] = [(d % 3) - 1, (Math.floor(d / 3) % 3) - 1, Math.floor(d / 9) - 1];
            const j = i + u + v * columns + w * columns * rows;
            if (x + u < 0 || x + u >= columns || y + v < 0 || y + v >= rows || j < 0 || j >= values.length || values[j] === 0 || numbers[j] !== 0) continue;
            numbers[j] = numbers[i]!;
            queue.push(j);
          }
        }
        sizes.push(queue.length);
      });
      const stay = new Set(sizes.map((size, i) => ({ size, number: i + 1 })).sort((a, b) => b.size - a.size || a.number - b.number).slice(0, count).map(({ number }) => number));
      const labels = Uint8Array.from(values);
      keepLargestComponents(labels, columns, 1, count, rows);
      expect([...labels]).toEqual([...numbers].map(number => Number(stay.has(number))));
    }), { numRuns: 300 });
  });

  test('agrees with a flood fill', () => {
    const planes = fc.integer({ min: 1, max: 12 }).chain(columns =>
      fc.tuple(fc.constant(columns), fc.array(fc.array(fc.constantFrom(0, 1), { minLength: columns, maxLength: columns }), { minLength: 1, maxLength: 12 })),
    );
    fc.assert(
      fc.property(planes, fc.integer({ min: 1, max: 4 }), ([columns, rows], count) => {
        const labels = Uint8Array.from(rows.flat());
        const sizes = floodSizes(labels, columns).sort((a, b) => b - a);
        const out = labels.slice();
        keepLargestComponents(out, columns, 1, count);
        expect(floodSizes(out, columns).sort((a, b) => b - a)).toEqual(sizes.slice(0, count));
        expect(out.every((v, i) => v === 0 || labels[i] === 1)).toBe(true);
      }),
    );
  });
});

describe('numberComponents', () => {
  const numbered = (corners: boolean, ...rows: string[]) => {
    const { columns, labels } = parse(...rows);
    return [...numberComponents(labels, columns, corners)].join('').match(new RegExp(`.{${columns}}`, 'g'));
  };
  test('over edges alone, or over corners too; in the order of their first pixels', () => {
    expect(numbered(false, '##..#', '..#.#', '2....')).toEqual(['11002', '00302', '40000']);
    expect(numbered(true, '##..#', '..#.#', '2....')).toEqual(['11002', '00102', '30000']);
  });
  test('joins what meets only further down, and nothing around the edge', () => {
    expect(numbered(false, '#.#.#', '###.#', '....#', '#....')).toEqual(['10102', '11102', '00002', '30000']);
  });

  test.each([true, false])('agrees with a flood fill, corners %s', corners => {
    const planes = fc.tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 })).chain(([columns, rows]) =>
      fc.tuple(fc.constant(columns), fc.array(fc.constantFrom(0, 1), { minLength: columns * rows, maxLength: columns * rows })),
    );
    fc.assert(
      fc.property(planes, ([columns, mask]) => {
        const expected = new Array<number>(mask.length).fill(0);
        let count = 0;
        const fill = (i: number): void => {
          expected[i] = count;
          const [x, y] = [i % columns, Math.floor(i / columns)];
          for (const [dx, dy] of [[-1, 0], [1, 0], [0, -1], [0, 1], ...(corners ? [[-1, -1], [1, -1], [-1, 1], [1, 1]] : [])] as [number, number][]) {
            const j = i + dx + columns * dy;
            if (x + dx >= 0 && x + dx < columns && y + dy >= 0 && j < mask.length && mask[j] && !expected[j]) fill(j);
          }
        };
        mask.forEach((value, i) => {
          if (!value || expected[i]) return;
          count++;
          fill(i);
        });
        expect([...numberComponents(Uint8Array.from(mask), columns, corners)]).toEqual(expected);
      }),
    );
  });
});

function floodSizes(labels: Uint8Array, columns: number): number[] {
  const seen = new Uint8Array(labels.length);
  const rows = labels.length / columns;
  const sizes: number[] = [];
  for (let start = 0; start < labels.length; start++) {
    if (!labels[start] || seen[start]) continue;
    const stack = [start];
    seen[start] = 1;
    let size = 0;
    while (stack.length) {
      const i = stack.pop()!;
      size++;
      for (let dy = -1; dy <= 1; dy++) {
        for (let dx = -1; dx <= 1; dx++) {
          const x = (i % columns) + dx;
          const y = Math.floor(i / columns) + dy;
          const n = y * columns + x;
          if (x < 0 || y < 0 || x >= columns || y >= rows || seen[n] || !labels[n]) continue;
          seen[n] = 1;
          stack.push(n);
        }
      }
    }
    sizes.push(size);
  }
  return sizes;
}
