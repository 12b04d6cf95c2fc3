/** Objects out of masks against scikit-image's watershed and the recipe's own post-processing (test/generators/instances.py). */
import golden from './instances.json';
import { splitInstances } from '../../src/results/instances.ts';
import { growMarkers } from '../../src/results/watershed.ts';

/** Value, count, value, count, … */
function expand(runs: readonly number[]): number[] {
  const values: number[] = [];
  for (let i = 0; i < runs.length; i += 2) for (let n = 0; n < runs[i + 1]!; n++) values.push(runs[i]!);
  return values;
}

/** In the order of their first pixels. */
function renumbered(objects: readonly number[]): number[] {
  const numbers = new Map([[0, 0]]);
  for (const object of objects) if (!numbers.has(object)) numbers.set(object, numbers.size);
  return objects.map(object => numbers.get(object)!);
}

describe.each(golden.samples.map((sample, i) => ({ i, ...sample })))('mask $i of $columns columns', ({ columns, ...sample }) => {
  const labels = expand(sample.labels);
  const tied = expand(sample.tied);

  test('markers grow as in scikit-image', () => {
    const markers = Int32Array.from(expand(sample.markers));
    growMarkers(markers, Uint8Array.from(labels, label => Number(label !== 0)), columns);
    const wanted = expand(sample.grown);
    expect(tied.filter(Boolean).length).toBeLessThan(0.1 * labels.length);
    expect(wanted.flatMap((value, i) => (tied[i] || value === markers[i] ? [] : [i]))).toEqual([]);
  });

  test.each(sample.rules)('objects of at least $minimumPixels pixels, markers of $minimumMarkerPixels', ({ objects, minimumPixels, minimumMarkerPixels }) => {
    const changed = Uint8Array.from(labels);
    const instances = splitInstances(changed, columns, { edge: 2, minimumPixels, minimumMarkerPixels });
    const wanted = expand(objects);
    expect(Array.from(instances.labels)).toEqual(renumbered(wanted));
    expect(instances.count).toBe(Math.max(...wanted));
    expect(instances.count).toBeGreaterThan(3);
    expect(changed.map(Number).every((label, i) => (label !== 0) === (instances.labels[i] !== 0))).toBe(true);
  });
});
