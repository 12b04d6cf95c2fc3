import { chooseSpacing } from '../../../src/dicom/spacing.ts';
import { directions, stackGeometry, type Slice } from '../../../src/dicom/geometry.ts';

const AXIAL = [1, 0, 0, 0, 1, 0];
const at = (position: readonly number[], more: Partial<Slice> = {}): Slice =>
  ({ imageOrientationPatient: AXIAL, imagePositionPatient: position, spacingMm: [0.25, 0.5], name: `at ${position.join(' ')}`, ...more });
const geometry = (message: string) => expect.objectContaining({ code: 'input/geometry', message: expect.stringMatching(message) });

/** Row-major 4×4 times (column, row, slice, 1). */
const apply = (m: readonly number[], [x, y, z]: readonly number[]): number[] =>
  [0, 1, 2].map((r) => m[4 * r]! * x! + m[4 * r + 1]! * y! + m[4 * r + 2]! * z! + m[4 * r + 3]!);

describe('chooseSpacing', () => {
  test('DICOM writes the row spacing first; here the column spacing comes first', () => {
    expect(chooseSpacing({ pixelSpacing: [0.5, 0.25] })).toEqual({ mm: [0.25, 0.5], source: 'PixelSpacing' });
  });
  test('PixelSpacing before ImagerPixelSpacing before NominalScannedPixelSpacing', () => {
    expect(chooseSpacing({ imagerPixelSpacing: [0.1, 0.1], pixelSpacing: [0.2, 0.2] })?.source).toBe('PixelSpacing');
    expect(chooseSpacing({ imagerPixelSpacing: [0.1, 0.1], nominalScannedPixelSpacing: [0.2, 0.2] })?.source).toBe('ImagerPixelSpacing');
    expect(chooseSpacing({ nominalScannedPixelSpacing: [0.2, 0.2] })?.source).toBe('NominalScannedPixelSpacing');
  });
  test('what is absent, zero, negative or incomplete is undefined, and the next one is taken', () => {
    expect(chooseSpacing({})).toBeUndefined();
    for (const pixelSpacing of [[0, 0], [-1, 1], [1], [NaN, 1], [1, Infinity]]) {
      expect(chooseSpacing({ pixelSpacing })).toBeUndefined();
      expect(chooseSpacing({ pixelSpacing, imagerPixelSpacing: [1, 2] })?.mm).toEqual([2, 1]);
    }
  });
});

describe('stackGeometry', () => {
  test('sorts along the normal, whatever the order', () => {
    const { order, sliceSpacingMm, indexToPatient } = stackGeometry([at([0, 0, 5]), at([0, 0, -5]), at([0, 0, 0])]);
    expect(order).toEqual([1, 2, 0]);
    expect(sliceSpacingMm).toBe(5);
    expect(indexToPatient).toEqual([0.25, 0, 0, 0, 0, 0.5, 0, 0, 0, 0, 5, -5, 0, 0, 0, 1]);
  });

  test('a sagittal stack runs along its own normal', () => {
    const sagittal = [0, 1, 0, 0, 0, -1];
    const stack = [3, 1, 2].map((x) => at([x, -10, 20], { imageOrientationPatient: sagittal }));
    const { order, indexToPatient } = stackGeometry(stack);
    // row × column = (0,1,0) × (0,0,−1) = (−1,0,0): towards the right.
    expect(order).toEqual([0, 2, 1]);
    expect(apply(indexToPatient, [4, 2, 1])).toEqual([2, -10 + 4 * 0.25, 20 - 2 * 0.5]);
  });

  test('oblique: every slice maps to its own position', () => {
    const [s, c] = [Math.sin(0.4), Math.cos(0.4)];
    const orientation = [c, s, 0, 0, 0, -1];
    const normal = [-s, c, 0];
    const positions = [0, 1, 2, 3].map((k) => normal.map((v, i) => [10, 20, 30][i]! + 2.5 * k * v));
    const { order, indexToPatient, sliceSpacingMm } = stackGeometry(positions.map((p) => at(p, { imageOrientationPatient: orientation })));
    expect(sliceSpacingMm).toBeCloseTo(2.5, 10);
    order.forEach((i, k) => apply(indexToPatient, [0, 0, k]).forEach((v, a) => expect(v).toBeCloseTo(positions[i]![a]!, 10)));
  });

  test('gantry tilt: the affine leans, the slice spacing is along the normal', () => {
    const { indexToPatient, sliceSpacingMm } = stackGeometry([0, 1, 2].map((k) => at([0, 1.5 * k, 5 * k])));
    expect(sliceSpacingMm).toBe(5);
    expect(apply(indexToPatient, [0, 0, 2])).toEqual([0, 3, 10]);
  });

  test('one slice has a place but no slice spacing', () => {
    const { indexToPatient, sliceSpacingMm } = stackGeometry([at([1, 2, 3])]);
    expect(sliceSpacingMm).toBeUndefined();
    expect(apply(indexToPatient, [0, 0, 0])).toEqual([1, 2, 3]);
  });

  test('refuses with numbers', () => {
    expect(() => stackGeometry([])).toThrow(geometry('none'));
    expect(() => stackGeometry([at([0, 0, 0]), at([0, 0, 0]), at([0, 0, 5])])).toThrow(geometry('0 mm apart'));
    expect(() => stackGeometry([0, 5, 10, 20].map((z) => at([0, 0, z])))).toThrow(geometry('widest step is 10 mm, after at 0 0 10'));
    expect(() => stackGeometry([0, 5, 10, 15].map((z) => at([z === 5 ? 3 : 0, 0, z])))).toThrow(geometry('lies 3 mm from its place'));
    expect(() => stackGeometry([at([0, 0, 0]), at([0, 0, 5], { imageOrientationPatient: [0, 1, 0, 0, 0, -1] })])).toThrow(geometry('parallel'));
    expect(() => stackGeometry([at([0, 0, 0]), at([0, 0, 5], { spacingMm: [0.3, 0.5] })])).toThrow(geometry('one pixel spacing'));
  });

  test('forgives what rounding does', () => {
    expect(stackGeometry([0, 2.499, 5.001, 7.5].map((z) => at([0, 0, z]))).sliceSpacingMm).toBe(2.5);
    expect(() => stackGeometry([at([0, 0, 0]), at([0, 0, 5], { imageOrientationPatient: [0.99999, 0.0005, 0, 0, 1, 0] })])).not.toThrow();
  });

  test('one missing slice among many is found wherever it is', () => {
    for (let missing = 1; missing < 99; missing++) {
      const rest = Array.from({ length: 100 }, (_, k) => k).filter((k) => k !== missing);
      expect(() => stackGeometry(rest.map((k) => at([0, 0, k])))).toThrow(geometry('widest step is 2 mm'));
    }
  });
});

test('directions refuses what is no pair of unit vectors at a right angle', () => {
  expect(directions(AXIAL).normal).toEqual([0, 0, 1]);
  expect(() => directions([2, 0, 0, 0, 1, 0])).toThrow(geometry('length 1'));
  expect(() => directions([1, 0, 0, 1, 0, 0])).toThrow(geometry('right angle'));
});
