import { scoreMask, truthOf } from '../../../src/cli/eval-masks.ts';
import type { LabelmapResult } from '../../../src/results/result.ts';
import { fakeRunner, picture, target } from './fake-runner.ts';

async function labelled(labels: number[], names: string[]): Promise<LabelmapResult> {
  const result = (await fakeRunner().run([picture(labels.length, 1, labels)])) as LabelmapResult;
  const segments = names.map((label, i) => ({ target: { ...target, label }, segmentNumber: i + 1, pixels: 0 }));
  return { ...result, labels: Uint8Array.from(labels), segments };
}

test('two classes: all segments together against any truth', async () => {
  const scores = scoreMask([1, 1, 1, 0], await labelled([1, 2, 0, 2], ['left lung', 'right lung']), ['background', 'lung']);
  expect(scores).toEqual({ dice: 4 / 6, iou: 2 / 4, precision: 2 / 3, recall: 2 / 3 });
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
