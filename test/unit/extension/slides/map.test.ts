import fc from 'fast-check';
import { apply, compose, magnification, scaling } from '../../../../extension/overlays/affine.ts';
import { matrixToMap, visibleRegion } from '../../../../extension/slides/map.ts';
import { fakeMap } from './made-slide.ts';

const matrix = { columns: 4000, rows: 3000 };

describe('the way from a slide to the screen', () => {
  it('puts the first pixel\'s corner where the map begins, rows downwards', () => {
    // All of the matrix in a window of its own size: the map's extent is [0, −3001, 4000, −1].
    const toMap = matrixToMap(fakeMap({ center: [2000, -1501], resolution: 1, rotation: 0, size: [4000, 3000] }), matrix)!;
    expect(apply(toMap, 0, 0)).toEqual([0, 0]);
    expect(apply(toMap, 4000, 3000)).toEqual([4000, 3000]);
    expect(apply(toMap, 1.5, 7)).toEqual([1.5, 7]);
  });

  it('follows pan, zoom and rotation', () => {
    fc.assert(fc.property(
      fc.double({ min: -500, max: 4500, noNaN: true }), fc.double({ min: -3500, max: 500, noNaN: true }), fc.double({ min: 0.05, max: 60, noNaN: true }),
      fc.double({ min: -4, max: 4, noNaN: true }), fc.double({ min: 0, max: 4000, noNaN: true }), fc.double({ min: 0, max: 3000, noNaN: true }),
      (x, y, resolution, rotation, column, row) => {
        const map = fakeMap({ center: [x, y], resolution, rotation, size: [1200, 800] });
        const toMap = matrixToMap(map, matrix)!;
        const [left, top] = apply(toMap, column, row);
        const [wantedLeft, wantedTop] = map.getPixelFromCoordinate([column, -1 - row])!;
        expect(Math.hypot(left - wantedLeft!, top - wantedTop!)).toBeLessThan(1e-3);
        expect(magnification(toMap) * resolution).toBeCloseTo(1, 6);
      },
    ));
  });

  it('is not there before the map has drawn', () => {
    expect(matrixToMap({ ...fakeMap({ center: [0, 0], resolution: 1, rotation: 0, size: [10, 10] }), getPixelFromCoordinate: () => null }, matrix)).toBeUndefined();
  });

  it('goes through a coarser level\'s pixels', () => {
    const toMap = matrixToMap(fakeMap({ center: [2000, -1501], resolution: 2, rotation: 0, size: [2000, 1500] }), matrix)!;
    expect(apply(compose(toMap, scaling(4, 4)), 100, 50)).toEqual(apply(toMap, 400, 200));
  });
});

describe('what can be seen', () => {
  const region = (center: [number, number], resolution: number, rotation = 0) => visibleRegion(
    matrixToMap(fakeMap({ center, resolution, rotation, size: [1000, 500] }), matrix)!, [1000, 500], matrix);

  it('is the window\'s whole pixels, none outside of the plane', () => {
    expect(region([2000, -1501], 1)).toEqual({ x: 1500, y: 1250, columns: 1000, rows: 500 });
    expect(region([2000.25, -1501], 1)).toEqual({ x: 1500, y: 1250, columns: 1001, rows: 500 });
    expect(region([0, -1], 1)).toEqual({ x: 0, y: 0, columns: 500, rows: 250 });
    expect(region([2000, -1501], 100)).toEqual({ x: 0, y: 0, columns: 4000, rows: 3000 });
  });

  it('is nothing beside the slide', () => {
    expect(region([-5000, -1501], 1)).toBeUndefined();
  });

  it('holds what a turned window shows', () => {
    // A quarter turn: the window's width lies down the columns.
    expect(region([2000, -1501], 1, Math.PI / 2)).toEqual({ x: 1750, y: 1000, columns: 500, rows: 1000 });
    expect(region([2000, -1501], 1, Math.PI)).toEqual({ x: 1500, y: 1250, columns: 1000, rows: 500 });
  });
});
