import { COLOUR_TABLES, colourTable, heatmapRgba } from '../../../src/results/heatmap-colours.ts';

const rgba = (colours: Uint8ClampedArray, i: number) => [...colours.subarray(4 * i, 4 * i + 4)];

describe('colourTable', () => {
  // matplotlib 3.6, at steps 0, 40, 100, 200 and 255 of 256.
  const MATPLOTLIB = {
    inferno: [[0, 0, 4], [47, 10, 91], [144, 37, 104], [251, 157, 7], [252, 255, 164]],
    viridis: [[68, 1, 84], [69, 55, 129], [42, 118, 142], [112, 207, 87], [253, 231, 37]],
    coolwarm: [[59, 76, 192], [108, 143, 241], [190, 210, 246], [240, 139, 110], [180, 4, 38]],
  };
  test.each(Object.entries(MATPLOTLIB))('%s is matplotlib\'s within 2 of 255', (name, expected) => {
    const table = colourTable(name as keyof typeof MATPLOTLIB);
    expect(table).toHaveLength(3 * 256);
    [0, 40, 100, 200, 255].forEach((step, i) => expected[i]!.forEach((v, c) => expect(Math.abs(table[3 * step + c]! - v)).toBeLessThanOrEqual(2)));
  });

  test.each(COLOUR_TABLES.unsigned)('%s gets lighter all the way', name => {
    const table = colourTable(name);
    const lightness = Array.from({ length: 16 }, (_, i) => 0.2126 * table[51 * i]! + 0.7152 * table[51 * i + 1]! + 0.0722 * table[51 * i + 2]!);
    expect([...lightness].sort((a, b) => a - b)).toEqual(lightness);
  });
});

describe('heatmapRgba', () => {
  test('spans the range, and holds its ends beyond it', () => {
    const table = colourTable('viridis');
    const colours = heatmapRgba([0, 4, -1, 9, 2], { table: 'viridis', range: [0, 4] });
    expect(rgba(colours, 0)).toEqual([...table.subarray(0, 3), 255]);
    expect(rgba(colours, 1)).toEqual([...table.subarray(765), 255]);
    expect(rgba(colours, 2)).toEqual(rgba(colours, 0));
    expect(rgba(colours, 3)).toEqual(rgba(colours, 1));
    expect(rgba(colours, 4)).toEqual([...table.subarray(384, 387), 255]);
  });

  test('a signed map has its 0 in the middle of the table, though the range is not even', () => {
    const [negative, zero, positive] = [0, 1, 2].map(i => rgba(heatmapRgba([-2, 0, 2], { table: 'coolwarm', range: [-1, 4] }), i));
    expect(Math.abs(zero![0]! - zero![2]!)).toBeLessThan(3);
    expect(negative![2]).toBeGreaterThan(negative![0]!);
    expect(positive![0]).toBeGreaterThan(positive![2]!);
  });

  test('below the threshold nothing is drawn, of either sign; opacity and fading', () => {
    const values = [-4, -1, 0, 1, 2, 4];
    const alpha = (more: object) => values.map((_, i) => rgba(heatmapRgba(values, { table: 'coolwarm', range: [-4, 4], ...more }), i)[3]);
    expect(alpha({ threshold: 0.5, opacity: 0.6 })).toEqual([153, 0, 0, 0, 153, 153]);
    expect(alpha({ fade: true, opacity: 1 })).toEqual([255, 64, 0, 64, 128, 255]);
    expect(alpha({ threshold: 0 })).toEqual(values.map(() => 255));
  });

  test('what is no number is not drawn; an array that is given is written', () => {
    const into = new Uint8ClampedArray(8).fill(9);
    expect(heatmapRgba([NaN, 1], { table: 'inferno', range: [0, 1] }, into)).toBe(into);
    expect([...into]).toEqual([0, 0, 0, 0, 252, 255, 164, 255]);
    expect(rgba(heatmapRgba([0], { table: 'inferno', range: [0, 0] }), 0)).toEqual([0, 0, 4, 255]);
  });
});
