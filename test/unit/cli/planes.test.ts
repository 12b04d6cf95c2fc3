import { planesOf } from '../../../src/cli/planes.ts';
import { picture } from './fake-runner.ts';

test('each plane keeps its pixels, its source and its place', () => {
  const affine = [2, 0, 0.5, 10, 0, 3, 0.25, 20, 0, 0, 4, 30, 0, 0, 0, 1];
  const source = (frame: number) => ({ studyInstanceUID: '1', seriesInstanceUID: '1.2', sopInstanceUID: '1.2.3', frame });
  const image = picture(2, 1, [1, 2, 3, 4], { shape: [2, 1, 2], sources: [source(1), source(2)], indexToPatient: affine, sliceSpacingMm: 4, spacingMm: [2, 3] });
  const [first, second] = planesOf(image);
  expect([...first!.pixels]).toEqual([1, 2]);
  expect([...second!.pixels]).toEqual([3, 4]);
  expect(first!.indexToPatient).toEqual(affine);
  expect(second!.indexToPatient).toEqual([2, 0, 0.5, 10.5, 0, 3, 0.25, 20.25, 0, 0, 4, 34, 0, 0, 0, 1]);
  expect(second!.sources).toEqual([source(2)]);
  expect(second!.shape).toEqual([2, 1, 1]);
  expect(second!.spacingMm).toEqual([2, 3]);
  expect(second!.sliceSpacingMm).toBeUndefined();
});

test('a single plane is itself', () => {
  const image = picture(1, 1, [5]);
  expect(planesOf(image)).toEqual([image]);
});
