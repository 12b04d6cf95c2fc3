import { axisSamples, sampleRow } from '../../../src/results/source-samples.ts';

const positions = (s: ReturnType<typeof axisSamples>) => [...s.lower].map((l, i) => l + s.fraction[i]!);

describe('axisSamples', () => {
  test('same size: every pixel is its own sample', () => {
    const s = axisSamples({ scale: 1, offset: 0, sourceSize: 4, inputSize: 4 }, 4);
    expect(positions(s)).toEqual([0, 1, 2, 3]);
  });
  test('half-pixel centres, held at the ends: 2 → 4', () => {
    const s = axisSamples({ scale: 0.5, offset: 0, sourceSize: 4, inputSize: 2 }, 2);
    expect(positions(s)).toEqual([0, 0.25, 0.75, 1]);
  });
  test('a letterbox\'s padding is not mixed in', () => {
    // 2 source pixels at 2..4 of 6, each one input pixel twice as fine
    const s = axisSamples({ scale: 0.5, offset: 2, sourceSize: 4, inputSize: 6 }, 6);
    expect(positions(s)).toEqual([2, 2.25, 2.75, 3]);
    expect(Math.max(...s.upper)).toBe(3);
  });
  test('what a crop left out is not sampled', () => {
    const s = axisSamples({ scale: 1, offset: -3, sourceSize: 10, inputSize: 4 }, 4);
    expect([s.begin, s.end]).toEqual([3, 7]);
    expect(positions(s)).toEqual([0, 1, 2, 3]);
  });
  test('an output coarser than the input', () => {
    const s = axisSamples({ scale: 1, offset: 0, sourceSize: 4, inputSize: 4 }, 2);
    expect(positions(s)).toEqual([0, 0.25, 0.75, 1]);
  });
  test('one pixel', () => {
    const s = axisSamples({ scale: 8, offset: 0, sourceSize: 1, inputSize: 8 }, 8);
    expect(positions(s)).toEqual([3.5]);
  });
});

test('sampleRow interpolates both ways, channel by channel', () => {
  const across = axisSamples({ scale: 0.5, offset: 0, sourceSize: 4, inputSize: 2 }, 2);
  const plane = Float32Array.of(0, 100, 1, 101, 2, 102, 3, 103); // v = column + 2·row, and 100 more
  const row = new Float32Array(8);
  sampleRow(plane, 2, 2, across, across, 1, row);
  expect([...row]).toEqual([0.5, 100.5, 0.75, 100.75, 1.25, 101.25, 1.5, 101.5]);
});
