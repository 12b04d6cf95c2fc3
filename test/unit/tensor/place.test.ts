import { cropPlane, fitPlane, padPlane } from '../../../src/tensor/place.ts';

describe('fitPlane', () => {
  test('letterbox: the longer side fills, the smaller half of the rest is before', () => {
    const { size, at, placement } = fitPlane('letterbox', [200, 121], [32, 32]);
    expect(size).toEqual({ columns: 32, rows: 19 }); // 121 · 0.16 = 19.36
    expect(at).toEqual({ x: 0, y: 6 }); // floor(13 / 2)
    expect(placement).toEqual({ scale: [0.16, 19 / 121], offset: [0, 6], inputSize: [32, 32], sourceSize: [200, 121] });
  });

  test('letterbox: a half is rounded up, and no side vanishes', () => {
    expect(fitPlane('letterbox', [8, 5], [4, 4]).size).toEqual({ columns: 4, rows: 3 }); // 2.5
    expect(fitPlane('letterbox', [1000, 1], [10, 10]).size).toEqual({ columns: 10, rows: 1 });
    expect(fitPlane('letterbox', [1, 1], [512, 512]).size).toEqual({ columns: 512, rows: 512 });
  });

  test('stretch: each side by itself', () => {
    expect(fitPlane('stretch', [10, 40], [20, 20]).placement).toMatchObject({ scale: [2, 0.5], offset: [0, 0] });
  });

  test('crop: the centre, with the input\'s proportions', () => {
    const { crop, placement } = fitPlane('crop', [301, 200], [100, 100]);
    expect(crop).toEqual({ x: 50, y: 0, columns: 200, rows: 200 });
    expect(placement).toMatchObject({ scale: [0.5, 0.5], offset: [-25, 0] });
    expect(fitPlane('crop', [100, 400], [200, 100]).crop).toEqual({ x: 0, y: 175, columns: 100, rows: 50 });
  });
});

test('cropPlane and padPlane move pixels, channels together', () => {
  const values = Float32Array.from({ length: 3 * 2 * 2 }, (_, i) => i);
  const cropped = cropPlane({ values, columns: 3, rows: 2, channels: 2 }, { x: 1, y: 0, columns: 2, rows: 2 });
  expect([...cropped.values]).toEqual([2, 3, 4, 5, 8, 9, 10, 11]);
  const padded = padPlane({ values: Float32Array.of(1, 2), columns: 2, rows: 1, channels: 1 }, [3, 3], { x: 1, y: 1 }, -1);
  expect([...padded.values]).toEqual([-1, -1, -1, -1, 1, 2, -1, -1, -1]);
});
