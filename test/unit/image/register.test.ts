import { brainPhantom } from '../../../src/phantoms/brain.ts';
import { apply, invert, multiply, type Point } from '../../../src/image/affine.ts';
import type { Affine, Image } from '../../../src/image/image.ts';
import { mutualInformation } from '../../../src/image/mutual-information.ts';
import { registerRigid } from '../../../src/image/register.ts';
import { resample, type Placed } from '../../../src/image/resample.ts';

const head = brainPhantom({ seed: 4, columns: 72, slices: 36 });

function imageOf(sequence: 'T1' | 'FLAIR', indexToPatient = affineOf()): Image & Placed {
  return {
    sources: [], modality: 'MR', shape: head.shape, channels: 1, attributes: {}, representableRange: [0, 4095], indexToPatient,
    spacingMm: [head.spacingMm[0], head.spacingMm[1]], sliceSpacingMm: head.spacingMm[2], pixels: Float32Array.from(head.volumes[sequence]),
  };
}

function affineOf(): Affine {
  const [[x, y, z], [ox, oy, oz]] = [head.spacingMm, head.origin];
  return [x, 0, 0, ox, 0, y, 0, oy, 0, 0, z, oz, 0, 0, 0, 1];
}

/** A turn about two axes and a shift, in mm. */
function moved(degrees: number, shift: Point): Affine {
  const [c, s] = [Math.cos((degrees * Math.PI) / 180), Math.sin((degrees * Math.PI) / 180)];
  return multiply([c, -s, 0, shift[0], s, c, 0, shift[1], 0, 0, 1, shift[2], 0, 0, 0, 1], [1, 0, 0, 0, 0, c, -s, 0, 0, s, c, 0, 0, 0, 0, 1]);
}

/** The mean distance, mm, of where two transforms put the corners of a box about the brain. */
function farthest(a: Affine, b: Affine): number {
  const corners = [-60, 60].flatMap(x => [-75, 75].flatMap(y => [-30, 60].map(z => [x, y, z] as Point)));
  return Math.max(...corners.map(p => Math.hypot(...apply(a, p).map((v, i) => v - apply(b, p)[i]!))));
}

describe('registerRigid', () => {
  test.each([[4, [6, -5, 4]], [-9, [-14, 10, 9]]] as const)('finds a turn of %d° and a shift of %j mm of another sequence within 1 mm, and says how sure it is', async (degrees, shift) => {
    const truth = moved(degrees, shift);
    // The same head, as a scanner would have it whose origin and axes lie elsewhere.
    const moving = imageOf('FLAIR', multiply(truth, affineOf()));
    const found = await registerRigid(imageOf('T1'), moving);
    expect(farthest(found.toMoving, truth)).toBeLessThan(1);
    expect(found.repeatabilityMm).toBeLessThan(0.5);
    expect(found.mutualInformation.after).toBeGreaterThan(found.mutualInformation.before * 1.2);
    expect(found.turnedDegrees).toBeGreaterThan(Math.abs(degrees));
    // Laid on the reference, it is the head as it was.
    const laid = resample(moving, imageOf('T1'), 0, found.toMoving);
    expect(laid.covered).toBeGreaterThan(0.95);
  }, 60_000);

  test('leaves what lies right where it is', async () => {
    const found = await registerRigid(imageOf('T1'), imageOf('FLAIR'));
    expect(farthest(found.toMoving, moved(0, [0, 0, 0]))).toBeLessThan(0.7);
  }, 60_000);

  test('refuses what shows nothing in common, by name', async () => {
    const noise = imageOf('T1');
    let seed = 1;
    const pixels = noise.pixels.map(() => (seed = (seed * 48271) % 2147483647) / 2147483647);
    await expect(registerRigid(imageOf('T1'), { ...noise, pixels })).rejects.toMatchObject({ code: 'input/modalities', message: expect.stringMatching(/No rigid registration was found: two tries lie .* mm apart/) });
  }, 60_000);

  test('stops when it is cancelled', async () => {
    await expect(registerRigid(imageOf('T1'), imageOf('FLAIR'), AbortSignal.abort())).rejects.toMatchObject({ code: 'job/cancelled' });
  });
});

describe('mutualInformation', () => {
  const ranges = { fixed: [0, 31], moving: [0, 31] } as const;
  const fixed = Float32Array.from({ length: 32_000 }, (_, i) => i % 32);

  test('of an image with itself is its entropy, of unrelated ones zero', () => {
    expect(mutualInformation({ fixed, moving: fixed }, ranges)).toBeCloseTo(Math.log(32), 6);
    expect(mutualInformation({ fixed, moving: fixed.map((_, i) => Math.floor(i / 32) % 32) }, ranges)).toBeLessThan(0.01);
  });

  test('does not care which value stands for which', () => {
    expect(mutualInformation({ fixed, moving: fixed.map(v => 31 - v) }, ranges)).toBeCloseTo(Math.log(32), 6);
  });

  test('leaves out places where the moving image has no value', () => {
    expect(mutualInformation({ fixed, moving: fixed.map((v, i) => (i < 16_000 ? v : NaN)) }, ranges)).toBeCloseTo(Math.log(32), 6);
    expect(mutualInformation({ fixed, moving: fixed.map(() => NaN) }, ranges)).toBe(0);
  });
});

test('an inverse undoes its transform, and three axes in one plane have none', () => {
  const m = moved(30, [3, -4, 5]);
  const there = multiply(invert(m), m);
  expect(farthest(there, moved(0, [0, 0, 0]))).toBeLessThan(1e-9);
  expect(() => invert([1, 0, 2, 0, 0, 1, 3, 0, 0, 0, 0, 0, 0, 0, 0, 1])).toThrow(/one plane/);
});
