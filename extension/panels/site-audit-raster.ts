import { colourTable } from '../../src/results/heatmap-colours.ts';

export interface AuditRaster {
  /** side² of them, row by row */
  readonly values: readonly number[];
  readonly side: number;
  readonly range: readonly [number, number];
  /** Grey, or blue over grey to red. */
  readonly colours: 'grey' | 'signed';
  /** Cells of a grid half as fine that have an outline. */
  readonly marked?: readonly number[];
}

/** Colours of a picture, four bytes a value. Around marked cells that touch runs one black outline, a pixel wide, within them. */
export function auditRaster({ values, side, range: [low, high], colours, marked = [] }: AuditRaster): Uint8ClampedArray {
  const table = colours === 'signed' ? colourTable('coolwarm') : undefined;
  const rgba = new Uint8ClampedArray(4 * side * side);
  values.forEach((value, i) => {
    const step = Math.min(255, Math.max(0, Math.round((255 * (value - low)) / (high - low || 1))));
    for (let c = 0; c < 3; c++) rgba[4 * i + c] = table ? table[3 * step + c]! : step;
    rgba[4 * i + 3] = 255;
  });
  const outlined = new Set(marked);
  const half = side / 2;
  const isMarked = (x: number, y: number) => x >= 0 && y >= 0 && x < half && y < half && outlined.has(y * half + x);
  for (const cell of outlined) {
    const [x, y] = [cell % half, Math.floor(cell / half)];
    for (let k = 0; k < 4; k++) {
      const [dx, dy] = [k % 2, k >> 1];
      if (isMarked(x + 2 * dx - 1, y) && isMarked(x, y + 2 * dy - 1)) continue;
      rgba.set([0, 0, 0], 4 * ((2 * y + dy) * side + 2 * x + dx));
    }
  }
  return rgba;
}
