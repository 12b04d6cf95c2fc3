import { encodeRuns } from '../../../../extension/slides/runs.ts';
import { APRON, Sheet, SHEET_CELLS, SHEET_SIDE, sheetsOver, stepFor } from '../../../../extension/slides/sheet.ts';
import type { Rgba } from '../../../../extension/types/segmentation.ts';

const RED: Rgba = [255, 0, 0, 255];
const colors = new Map([[1, RED]]);

function part(x: number, y: number, columns: number, rows: number, label: (x: number, y: number) => number) {
  const labels = Uint8Array.from({ length: columns * rows }, (_, i) => label(x + (i % columns), y + Math.floor(i / columns)));
  return { region: { x, y, columns, rows }, runs: encodeRuns(labels) };
}

/** Alpha of a cell by the plane's pixel that begins it. */
function painted(sheet: Sheet, line: number, fill: number) {
  const picture = new Uint8ClampedArray(SHEET_SIDE ** 2 * 4);
  sheet.paint({ colors, line, fill }, picture);
  return (x: number, y: number) => picture[(((y - sheet.knows.y) / sheet.step) * SHEET_SIDE + (x - sheet.knows.x) / sheet.step) * 4 + 3]!;
}

const disc = (cx: number, cy: number, radius: number) => (x: number, y: number) => Number((x - cx) ** 2 + (y - cy) ** 2 < radius ** 2);

describe('a sheet', () => {
  it('at full resolution shows each pixel of the mask at its own place, over the parts\' seams', () => {
    const inside = disc(600, 520, 60);
    const sheet = new Sheet(1, 1, 1); // pixels 512 to 1023, with the apron
    for (const [x, y] of [[500, 400], [600, 400], [500, 520], [600, 520]] as const) sheet.add(part(x, y, 100, 120, inside));
    const alpha = painted(sheet, 1, 1);
    let wrong = 0;
    for (let y = 512; y < 640; y++) for (let x = 512; x < 700; x++) if (alpha(x, y) !== inside(x, y) * 255) wrong++;
    expect(wrong).toBe(0);
  });

  it('at a lower one is as opaque as a cell is covered, in whatever parts it came', () => {
    const sheet = new Sheet(4, 0, 0);
    // 3 of the 4 columns of each cell, cut in the middle of a cell.
    sheet.add(part(0, 0, 6, 8, x => Number(x % 4 !== 3)));
    sheet.add(part(6, 0, 10, 8, x => Number(x % 4 !== 3)));
    const alpha = painted(sheet, 1, 1);
    for (const x of [0, 4, 8, 12]) expect(alpha(x, 0)).toBeCloseTo(0.75 * 255, -0.5);
    expect(alpha(16, 0)).toBe(0);
  });

  it('draws the outline apart from the inside, also where it lies at the sheet\'s end', () => {
    const sheet = new Sheet(1, 0, 0);
    sheet.add(part(400, 0, 200, 100, () => 1));
    const alpha = painted(sheet, 1, 0.5);
    expect([alpha(399, 50), alpha(400, 50), alpha(401, 50), alpha(402, 50)]).toEqual([0, 255, 255, 128]);
    // The mask goes on beyond the sheet: no outline there.
    expect(alpha(511, 50)).toBe(128);
    expect(alpha(511, 0)).toBe(255);
  });

  it('leaves small things to be seen where only outlines are drawn', () => {
    const sheet = new Sheet(8, 0, 0);
    sheet.add(part(96, 96, 64, 64, disc(128, 128, 6)));
    const alpha = painted(sheet, 1, 0);
    expect(Math.max(...[120, 128].flatMap(x => [120, 128].map(y => alpha(x, y))))).toBeGreaterThan(60);
  });

  it('gives two labels of a cell their shares of colour', () => {
    const sheet = new Sheet(2, 0, 0);
    sheet.add(part(0, 0, 2, 2, x => 1 + x));
    const picture = new Uint8ClampedArray(SHEET_SIDE ** 2 * 4);
    sheet.paint({ colors: new Map([[1, RED], [2, [0, 0, 200, 255]]]), line: 1, fill: 1 }, picture);
    expect([...picture.subarray((APRON * SHEET_SIDE + APRON) * 4, (APRON * SHEET_SIDE + APRON) * 4 + 4)]).toEqual([128, 0, 100, 255].map(v => expect.closeTo(v, -0.5)));
  });

  it('knows the borders between pixels, each once, from corner to corner', () => {
    const sheet = new Sheet(1, 0, 0);
    sheet.add(part(10, 20, 5, 5, (x, y) => Number((x === 11 || x === 12) && y === 22)));
    expect(sheet.borders().get(1)).toEqual([11, 22, 13, 22, 11, 23, 13, 23, 11, 22, 11, 23, 13, 22, 13, 23]);
  });

  it('leaves a border on the seam between sheets to the second of them', () => {
    const block = part(SHEET_CELLS - 4, 8, 4, 4, () => 1);
    const [first, second] = [new Sheet(1, 0, 0), new Sheet(1, 1, 0)];
    first.add(block);
    second.add(block);
    const right = [SHEET_CELLS, 8, SHEET_CELLS, 12];
    const lines = (sheet: Sheet) => { const all = sheet.borders().get(1) ?? []; return Array.from({ length: all.length / 4 }, (_, i) => all.slice(4 * i, 4 * i + 4)); };
    expect(lines(first)).not.toContainEqual(right);
    expect(lines(second)).toEqual([right]);
  });
});

describe('the choice of sheets', () => {
  it('gives each cell at least half a pixel of the screen', () => {
    expect([0.1, 1, 1.9, 2, 3.9, 50, 1000].map(stepFor)).toEqual([1, 1, 1, 2, 2, 32, 128]);
  });

  it('takes those that have pixels of the region', () => {
    expect(sheetsOver({ x: 511, y: 512, columns: 2, rows: 512 }, 1)).toEqual({ columns: [0, 2], rows: [1, 2] });
    expect(sheetsOver({ x: 0, y: 0, columns: 4096, rows: 100 }, 8)).toEqual({ columns: [0, 1], rows: [0, 1] });
  });
});
