import type { Region } from '../../src/image/tiles.ts';

/**
 * Labels of a region, row by row, as runs: a byte with the label, then the run's length, seven bits a byte, the lowest
 * first, the eighth set where more follow. A mask of a whole slide has to be kept for as long as it is looked at, and
 * most of it is background.
 */
export type Runs = Uint8Array;

export function encodeRuns(labels: Uint8Array): Runs {
  let out = new Uint8Array(1024);
  let size = 0;
  for (let i = 0; i < labels.length; ) {
    const label = labels[i]!;
    let end = i + 1;
    while (end < labels.length && labels[end] === label) end++;
    if (size + 6 > out.length) {
      const larger = new Uint8Array(out.length * 2);
      larger.set(out);
      out = larger;
    }
    out[size++] = label;
    let length = end - i;
    for (; length > 127; length >>>= 7) out[size++] = (length & 127) | 128;
    out[size++] = length;
    i = end;
  }
  return out.slice(0, size);
}

/** Of so many pixels, all 0. */
export function emptyRuns(pixels: number): Runs {
  const out = [0];
  let length = pixels;
  for (; length > 127; length = Math.floor(length / 128)) out.push((length & 127) | 128);
  return Uint8Array.of(...out, length);
}

/**
 * Calls back for every stretch of one label other than 0, row by row; none goes over a row's end.
 * @param visit with the stretch's row and its columns [from, to), counted within the region
 */
export function forEachStretch(runs: Runs, { columns }: Pick<Region, 'columns'>, visit: (label: number, row: number, from: number, to: number) => void): void {
  let at = 0;
  for (let i = 0; i < runs.length; ) {
    const label = runs[i++]!;
    let length = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = runs[i++]!;
      length |= (byte & 127) << shift;
      if (byte < 128) break;
    }
    const end = at + length;
    if (label !== 0) {
      while (at < end) {
        const row = Math.floor(at / columns);
        const rowEnd = Math.min(end, (row + 1) * columns);
        visit(label, row, at - row * columns, rowEnd - row * columns);
        at = rowEnd;
      }
    }
    at = end;
  }
}
