import fc from 'fast-check';
import { SlideMask, type MaskChange } from '../../../../extension/slides/mask.ts';
import { countObjects } from '../../../../extension/slides/objects.ts';
import { encodeRuns, forEachStretch } from '../../../../extension/slides/runs.ts';
import { OverreadError } from '../../../../src/errors.ts';

const labelled = fc.tuple(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 40 })).chain(([columns, rows]) =>
  fc.array(fc.integer({ min: 0, max: 3 }), { minLength: columns * rows, maxLength: columns * rows }).map(labels => ({ columns, rows, labels: Uint8Array.from(labels) })));

describe('runs', () => {
  it('give every label back, row by row', () => {
    fc.assert(fc.property(labelled, ({ columns, labels }) => {
      const back = new Uint8Array(labels.length);
      let outside = 0;
      forEachStretch(encodeRuns(labels), { columns }, (label, row, from, to) => {
        if (to > columns || to <= from) outside++;
        back.fill(label, row * columns + from, row * columns + to);
      });
      expect(Buffer.compare(back, labels)).toBe(0);
      expect(outside).toBe(0);
    }));
  });

  it('are few bytes for what is alike, and hold long runs', () => {
    const labels = new Uint8Array(300_000).fill(1);
    const runs = encodeRuns(labels);
    expect(runs.length).toBe(4);
    let pixels = 0;
    forEachStretch(runs, { columns: 3000 }, (_label, _row, from, to) => (pixels += to - from));
    expect(pixels).toBe(labels.length);
  });
});

describe('a mask that grows', () => {
  const region = (x: number, y: number) => ({ x, y, columns: 2, rows: 2 });
  const made = () => new SlideMask({ columns: 4, rows: 4, tiles: 4 });

  it('counts what is there, what could not be read, and what is still missing', () => {
    const mask = made();
    const heard: MaskChange[] = [];
    mask.subscribe(change => heard.push(change));
    mask.put(0, region(0, 0), Uint8Array.of(1, 1, 0, 2));
    mask.fail(1, region(2, 0), new OverreadError('input/truncated', 'broken'));
    expect([mask.pixelsOf(1), mask.pixelsOf(2), mask.pixelsOf(3), mask.missing]).toEqual([2, 1, 0, 2]);
    expect(mask.labelAt(1, 1)).toBe(2);
    expect(mask.labelAt(0, 1)).toBe(0);
    expect(mask.labelAt(2, 0)).toBeUndefined();
    expect(heard.map(({ part }) => part?.region)).toEqual([region(0, 0), undefined]);
  });

  it('tries again what could not be read, and counts no pixel twice', () => {
    const mask = made();
    mask.fail(1, region(2, 0), new OverreadError('network/status', 'gone'));
    mask.retry();
    expect(mask.missing).toBe(4);
    mask.put(1, region(2, 0), Uint8Array.of(1, 1, 1, 1));
    mask.put(1, region(2, 0), Uint8Array.of(0, 0, 0, 1));
    expect([mask.pixelsOf(1), mask.missing, mask.unread.size]).toEqual([1, 3, 0]);
  });

  it('leaves glass out until it is read', () => {
    const mask = made();
    const glass = { reason: 'by density', indices: Uint32Array.of(0, 1, 3), regions: Uint32Array.of(0, 0, 2, 2, 2, 0, 2, 2, 2, 2, 2, 2) };
    mask.put(3, region(2, 2), new Uint8Array(4));
    mask.leaveOut(glass);
    expect([mask.wanted, mask.missing, mask.labelAt(0, 0)]).toEqual([2, 1, undefined]);
    expect(mask.glassRegions()).toEqual([{ x: 0, y: 0, columns: 4, rows: 2 }]);
    mask.leaveOut({ ...glass, indices: new Uint32Array(0), regions: new Uint32Array(0) });
    expect([mask.wanted, mask.missing, mask.glassRegions().length]).toEqual([4, 3, 0]);
  });

  it('gives the labels of any region, and counts its objects across the seams of its parts', async () => {
    const mask = new SlideMask({ columns: 1000, rows: 800, tiles: 16 });
    // Discs of radius 10, one in four on a seam of two or four parts.
    const label = (x: number, y: number) => Number((x % 100 - 50) ** 2 + (y % 100 - 50) ** 2 <= 100);
    for (let y = 0, index = 0; y < 800; y += 200) {
      for (let x = 0; x < 1000; x += 250) {
        if (index !== 15) mask.put(index, { x, y, columns: 250, rows: 200 }, Uint8Array.from({ length: 50_000 }, (_, i) => label(x + (i % 250), y + Math.floor(i / 250))));
        index++;
      }
    }
    expect(mask.labelsIn({ x: 765, y: 610, columns: 200, rows: 150 })).toBeUndefined();
    const labels = mask.labelsIn({ x: 235, y: 140, columns: 30, rows: 20 })!;
    expect(labels.findIndex((v, i) => v !== label(235 + (i % 30), 140 + Math.floor(i / 30)))).toBe(-1);
    const rule = { minimumPixels: 5, minimumMarkerPixels: 5 };
    const objects = await countObjects(mask, rule, new AbortController().signal);
    // All ten by eight, without those that lie in the part that is not there; half of two is.
    expect(objects).toMatchObject({ count: 80 - 4, atBorder: 0, cut: 0 });
    const counting = countObjects(mask, rule, new AbortController().signal);
    mask.put(15, { x: 750, y: 600, columns: 250, rows: 200 }, new Uint8Array(50_000));
    expect(await counting).toBeUndefined();
  });

  it('joins neighbours of a row into one region, whatever the order in which they came', () => {
    const mask = made();
    mask.put(3, region(2, 2), new Uint8Array(4));
    mask.put(1, region(2, 0), new Uint8Array(4));
    mask.put(0, region(0, 0), new Uint8Array(4));
    expect(mask.triedRegions()).toEqual([{ x: 0, y: 0, columns: 4, rows: 2 }, region(2, 2)]);
  });
});
