/** Rows of five pixels, from above; a bit is a pixel, the leftmost the highest. */
const GLYPHS: Readonly<Record<string, readonly number[]>> = {
  A: [14, 17, 17, 31, 17, 17, 17],
  D: [30, 17, 17, 17, 17, 17, 30],
  F: [31, 16, 16, 30, 16, 16, 16],
  G: [14, 17, 16, 23, 17, 17, 14],
  I: [14, 4, 4, 4, 4, 4, 14],
  N: [17, 25, 21, 19, 17, 17, 17],
  O: [14, 17, 17, 17, 17, 17, 14],
  R: [30, 17, 17, 30, 20, 18, 17],
  S: [15, 16, 16, 14, 1, 1, 30],
  T: [31, 4, 4, 4, 4, 4, 4],
  ' ': [0, 0, 0, 0, 0, 0, 0],
};
const TEXT = 'NOT FOR DIAGNOSIS';
const [WIDTH, HEIGHT] = [6 * TEXT.length + 1, 9];

/**
 * Writes "NOT FOR DIAGNOSIS" into a picture, white on black in its lower left corner, about a third as wide as the
 * picture is. A picture of less than 103 columns has no room and stays as it is.
 * @param rgb interleaved, row by row; changed in place
 */
export function burnIn(rgb: Uint8Array, columns: number, rows: number): void {
  if (!hasRoomForBurntIn(columns, rows)) return;
  const scale = Math.max(1, Math.round(columns / 3 / WIDTH));
  for (let y = 0; y < HEIGHT * scale; y++) {
    for (let x = 0; x < WIDTH * scale; x++) {
      const value = isInk(Math.floor(x / scale), Math.floor(y / scale)) ? 255 : 0;
      const at = 3 * ((rows - HEIGHT * scale + y) * columns + x);
      rgb.fill(value, at, at + 3);
    }
  }
}

/** Whether {@link burnIn} leaves anything in a picture of this size. */
export function hasRoomForBurntIn(columns: number, rows: number): boolean {
  return columns >= WIDTH && rows >= HEIGHT * Math.max(1, Math.round(columns / 3 / WIDTH));
}

function isInk(x: number, y: number): boolean {
  if (x < 1 || y < 1 || y > 7) return false;
  const column = (x - 1) % 6;
  const row = GLYPHS[TEXT[Math.floor((x - 1) / 6)]!]![y - 1]!;
  return column < 5 && ((row >> (4 - column)) & 1) === 1;
}
