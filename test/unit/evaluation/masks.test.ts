import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { maskYardstick, scoreMask, truthOf } from '../../../src/evaluation/masks.ts';
import { datasetIn } from '../../../src/cli/dataset-folder.ts';
import { greyPng } from '../../../src/cli/io/png.ts';
import type { LabelmapResult } from '../../../src/results/result.ts';
import type { Dataset } from '../../../src/training/dataset.ts';
import { fakeRunner, picture, target } from '../cli/fake-runner.ts';

async function labelled(labels: number[], names: string[]): Promise<LabelmapResult> {
  const result = (await fakeRunner().run([picture(labels.length, 1, labels)])) as LabelmapResult;
  const segments = names.map((label, i) => ({ target: { ...target, label }, segmentNumber: i + 1, pixels: 0 }));
  return { ...result, labels: Uint8Array.from(labels), segments };
}

test('two classes: all segments together against any truth', async () => {
  const scores = scoreMask([1, 1, 1, 0], await labelled([1, 2, 0, 2], ['left lung', 'right lung']), ['background', 'lung']);
  expect(scores).toMatchObject({ dice: 4 / 6, iou: 2 / 4, precision: 2 / 3, recall: 2 / 3 });
});

test('more classes: matched by name, not by number, with the mean over them', async () => {
  const scores = scoreMask([1, 2, 2, 0], await labelled([2, 1, 0, 0], ['Lesion', 'Brain']), ['background', 'brain', 'lesion']);
  expect(scores['dice:brain']).toBe(1);
  expect(scores['dice:lesion']).toBeCloseTo(2 / 3, 12);
  expect(scores.dice).toBeCloseTo(5 / 6, 12);
});

test('a class that the model has not is refused by name', async () => {
  const result = await labelled([0], ['brain']);
  expect(() => scoreMask([0], result, ['background', 'brain', 'lesion'])).toThrow("'lesion'");
});

test('any non-zero pixel of a two-class mask is class 1', () => {
  expect([...truthOf(picture(3, 1, [0, 1, 255]), picture(3, 1, [0, 0, 0]), 'm.png', ['background', 'lung'])]).toEqual([0, 1, 1]);
});

test('a mask of another size is refused by name', () => {
  expect(() => truthOf(picture(2, 1, [0, 0]), picture(1, 2, [0, 0]), 'm.png of a', undefined)).toThrow(/1 × 2 × 1, got 2 × 1 × 1, in m\.png of a/);
});

test('an index without a class is refused', () => {
  expect(() => truthOf(picture(1, 1, [3]), picture(1, 1, [0]), 'm.png', ['a', 'b', 'c'])).toThrow('class indices 0 to 2, got 3');
});

test('grey stored as colour is a mask, colours are not', () => {
  const rgb = (values: number[]) => picture(1, 1, values, { channels: 3 });
  expect([...truthOf(rgb([2, 2, 2]), picture(1, 1, [0]), 'm.png', ['a', 'b', 'c'])]).toEqual([2]);
  expect(() => truthOf(rgb([2, 0, 2]), picture(1, 1, [0]), 'm.png', undefined)).toThrow('colours');
});

describe('surfaces', () => {
  const row = async (truth: number[], labels: number[], spacingMm?: [number, number]) => {
    const result = await labelled(labels, ['lung']);
    return scoreMask(truth, { ...result, source: { ...result.source, ...(spacingMm && { spacingMm }) } }, undefined);
  };

  test('are in millimetres where the picture states its spacing, else in pixels, and say which', async () => {
    expect(await row([1, 0, 0, 0], [0, 0, 1, 1], [0.5, 2])).toMatchObject({ hausdorffMm: 1.5, hausdorff95Mm: 1.475, areaDifferenceMm2: 1, relativeVolumeDifference: 1 });
    expect(await row([1, 0, 0, 0], [0, 0, 1, 1])).toMatchObject({ hausdorffPx: 3, surfaceDistancePx: 7 / 3, volumeDifferencePx: 1 });
  });
});

describe('the yardstick', () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'overread-objects-'));
  afterAll(() => fs.rmSync(folder, { recursive: true }));

  /** Judges rows of pixels, each with its numbered objects or its mask. */
  async function judged(items: { patient: string; found: number[]; instances?: number[]; mask?: number[] }[]) {
    const entries = items.map(({ patient, instances, mask }, i) => {
      const write = (kind: string, values: number[]) => {
        fs.writeFileSync(path.join(folder, `${kind}${i}.png`), greyPng(Uint8Array.from(values), values.length, 1));
        return `${kind}${i}.png`;
      };
      return { id: String(i), patientId: patient, images: [{ path: 'a.png' }], ...(instances && { instances: write('objects', instances) }), ...(mask && { mask: write('mask', mask) }) };
    });
    const dataset: Dataset = { schemaVersion: 1, name: 'objects', licence: 'none', items: entries };
    const yardstick = maskYardstick(datasetIn(folder, dataset), 0, []);
    const reports = [];
    for (const [i, item] of entries.entries()) {
      expect(yardstick.has(item)).toBe(true);
      const image = picture(items[i]!.found.length, 1, items[i]!.found.map(v => 200 * v));
      reports.push(await yardstick.judge(item, image, () => fakeRunner().run([image])));
    }
    return { reports, summary: yardstick.summary() };
  }

  test('sets numbered objects against the parts of the mask: AP and panoptic quality pooled, Jaccard as a mean', async () => {
    const { reports, summary } = await judged([
      { patient: 'p', instances: [1, 1, 0, 2, 2, 0], found: [1, 1, 0, 0, 0, 0] },
      { patient: 'q', instances: [0, 7, 7, 0, 0, 0], found: [0, 1, 1, 0, 1, 1] },
      { patient: 'r', instances: [5, 5, 6, 6, 0, 0], found: [1, 1, 1, 1, 0, 0] },
    ]);
    expect(reports.map(({ report }) => report['objects'])).toEqual([
      { truePositives: 1, falsePositives: 0, falseNegatives: 1 },
      { truePositives: 1, falsePositives: 1, falseNegatives: 0 },
      // One part over two objects: half of it is one of them, exactly.
      { truePositives: 1, falsePositives: 0, falseNegatives: 1 },
    ]);
    expect(summary.metrics['objectAp50']).toMatchObject({ value: 3 / 6, low: expect.any(Number), high: expect.any(Number) });
    // Panoptic quality wants more than 0.5: two matches with IoU 1 among 5 true and 4 found.
    expect(summary.metrics['panopticQuality']!.value).toBeCloseTo(2 / 4.5, 12);
    // 2/4, 2/4, and each object with the one part: (2 + 2) / (4 + 4).
    expect(summary.metrics['aggregatedJaccard']!.value).toBeCloseTo(0.5, 12);
    expect(summary.metrics['dice']!.value).toBeCloseTo((4 / 6 + 4 / 6 + 1) / 3, 12);
  });

  test('takes the model\'s own objects, where it gives them', async () => {
    fs.writeFileSync(path.join(folder, 'own.png'), greyPng(Uint8Array.of(1, 1, 2, 2), 4, 1));
    const item = { id: 'own', patientId: 'p', images: [{ path: 'a.png' }], instances: 'own.png' };
    const yardstick = maskYardstick(datasetIn(folder, { schemaVersion: 1, name: 'own', licence: 'none', items: [item] }), 0, []);
    const image = picture(4, 1, [200, 200, 200, 200]);
    const made = (await fakeRunner().run([image])) as LabelmapResult;
    const instances = { labels: Int32Array.of(1, 1, 2, 2), count: 2, atBorder: 2, rule: { minimumPixels: 1, minimumMarkerPixels: 1 } };
    const { report } = await yardstick.judge(item, image, async () => ({ ...made, instances }));
    expect(report['objects']).toEqual({ truePositives: 2, falsePositives: 0, falseNegatives: 0 });
    expect(report['objectAp50']).toBe(1);
  });

  test('leaves an item out of the distances where a mask is empty, and says in how many', async () => {
    const { reports, summary } = await judged([
      { patient: 'p', mask: [1, 1, 0], found: [0, 0, 0] },
      { patient: 'q', mask: [1, 1, 0], found: [0, 1, 0] },
      { patient: 'r', mask: [1, 0, 0], found: [0, 1, 0] },
    ]);
    expect(reports[0]!.report).toMatchObject({ dice: 0, relativeVolumeDifference: -1 });
    expect(reports[0]!.report).not.toHaveProperty('hausdorffPx');
    expect(summary.metrics['hausdorffPx']!.value).toBe(1);
    expect(summary.leftOut).toEqual({ hausdorffPx: 1, hausdorff95Px: 1, surfaceDistancePx: 1 });
    expect(summary.metrics['dice']!.value).toBeCloseTo(2 / 9, 12);
  });

  test('refuses objects of another size by name', async () => {
    await expect(judged([{ patient: 'p', instances: [1, 1], found: [1, 1, 0] }])).rejects.toMatchObject({ code: 'dataset/invalid', message: expect.stringContaining("objects0.png of item '0'") });
  });
});
