import { chestPhantom, type ChestPhantom } from '../../../src/phantoms/chest.ts';

const area = ({ lungMask, spacingMm }: ChestPhantom): number => lungMask.reduce((sum, value) => sum + value, 0) * spacingMm ** 2;

function meanWhere({ pixels }: ChestPhantom, keep: (i: number) => boolean): number {
  let sum = 0;
  let count = 0;
  for (let i = 0; i < pixels.length; i++) {
    if (!keep(i)) continue;
    sum += pixels[i]!;
    count++;
  }
  return sum / count;
}

/** Connected parts of the mask, largest first. */
function parts(phantom: ChestPhantom): number[] {
  const { lungMask, columns } = phantom;
  const seen = new Uint8Array(lungMask.length);
  const sizes: number[] = [];
  for (let start = 0; start < lungMask.length; start++) {
    if (!lungMask[start] || seen[start]) continue;
    const queue = [start];
    seen[start] = 1;
    let size = 0;
    for (let at = queue.pop(); at !== undefined; at = queue.pop()) {
      size++;
      for (const next of [at - 1, at + 1, at - columns, at + columns]) {
        if (next < 0 || next >= lungMask.length || !lungMask[next] || seen[next]) continue;
        seen[next] = 1;
        queue.push(next);
      }
    }
    sizes.push(size);
  }
  return sizes.sort((a, b) => b - a);
}

describe('chestPhantom', () => {
  test('the same seed gives the same film, another seed another', () => {
    const first = chestPhantom({ seed: 5, view: 'PA', size: 64 });
    const again = chestPhantom({ seed: 5, view: 'PA', size: 64 });
    const other = chestPhantom({ seed: 6, view: 'PA', size: 64 });
    expect(Buffer.from(again.pixels.buffer).equals(Buffer.from(first.pixels.buffer))).toBe(true);
    expect(Buffer.from(again.lungMask).equals(Buffer.from(first.lungMask))).toBe(true);
    expect(again.spacingMm).toBe(first.spacingMm);
    expect(Buffer.from(other.lungMask).equals(Buffer.from(first.lungMask))).toBe(false);
  });

  test.each([['PA', 1], ['PA', 2], ['AP', 3], ['AP', 4]] as const)('%s of seed %i: two lungs of human size, darker than what is between them', (view, seed) => {
    const film = chestPhantom({ seed, view, size: 112 });
    expect(film.pixels.every((value) => value <= 4095)).toBe(true);
    const [large = 0, small = 0, ...rest] = parts(film);
    expect(small / large).toBeGreaterThan(0.6);
    expect(rest.every((size) => size < 20)).toBe(true);
    expect(area(film)).toBeGreaterThan(25_000);
    expect(area(film)).toBeLessThan(75_000);
    // Between the lungs of a row: the mediastinum.
    const between = (i: number): boolean => {
      const row = Math.floor(i / film.columns);
      const line = film.lungMask.subarray(row * film.columns, (row + 1) * film.columns);
      const column = i % film.columns;
      return !film.lungMask[i] && line.indexOf(1) >= 0 && line.indexOf(1) < column && line.lastIndexOf(1) > column;
    };
    expect(meanWhere(film, between)).toBeGreaterThan(meanWhere(film, (i) => film.lungMask[i] === 1) * 1.3);
  });

  test('the heart lies more on the right of the image, the patient\'s left', () => {
    const film = chestPhantom({ seed: 1, view: 'PA', size: 112, variation: 0 });
    const { columns, lungMask } = film;
    const bright = [0, 0];
    for (let i = 0; i < lungMask.length; i++) {
      if (lungMask[i] && film.pixels[i]! > 2400) bright[i % columns < columns / 2 ? 0 : 1]!++;
    }
    expect(bright[1]!).toBeGreaterThan(bright[0]! * 1.5);
  });

  test('the lateral view has one lung shadow, and is of the same chest', () => {
    const lateral = chestPhantom({ seed: 2, view: 'LL', size: 112 });
    const frontal = chestPhantom({ seed: 2, view: 'PA', size: 112 });
    expect(parts(lateral)).toHaveLength(1);
    const height = ({ lungMask, columns, spacingMm }: ChestPhantom): number =>
      ((lungMask.lastIndexOf(1) - lungMask.indexOf(1)) / columns) * spacingMm;
    expect(height(lateral) / height(frontal)).toBeGreaterThan(0.75);
    expect(height(lateral) / height(frontal)).toBeLessThan(1.35);
  });

  test('a larger film shows the same at a finer spacing', () => {
    const coarse = chestPhantom({ seed: 9, view: 'PA', size: 56 });
    const fine = chestPhantom({ seed: 9, view: 'PA', size: 112 });
    expect(fine.spacingMm / coarse.spacingMm).toBeCloseTo(0.5, 5);
    expect(area(fine) / area(coarse)).toBeCloseTo(1, 1);
  });
});
