import { setBackend } from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import type { Image } from '../../../src/image/image.ts';
import type { InputSpec } from '../../../src/manifest.ts';
import { encodePlane } from '../../../src/tensor/encode.ts';
import { picture, tinyManifest } from '../runtime/tiny.ts';

beforeAll(() => setBackend('cpu'));

const spec = (change: Partial<InputSpec>) => ({ ...tinyManifest('tiny-bright').input, shape: [4, 4, change.channels?.length ?? 1], ...change }) as InputSpec;

async function encoded(image: Image, input: InputSpec): Promise<{ shape: number[]; values: number[] }> {
  const { tensor } = encodePlane(image, input);
  const values = [...(await tensor.data())];
  tensor.dispose();
  return { shape: tensor.shape, values };
}

const rgb = (modality: string): Image => ({
  ...picture(2, 2, () => 0, { modality, channels: 3 }),
  pixels: Float32Array.of(255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255),
});
const RGB = ['red', 'green', 'blue'];
const WINDOW = { kind: 'window', min: 0, max: 255 } as const;

describe('encodePlane', () => {
  test('letterboxes with the lowest value', async () => {
    const { shape, values } = await encoded(picture(4, 2, x => x), spec({ valueRange: [-1, 1] }));
    expect(shape).toEqual([1, 4, 4, 1]);
    expect(values.map(v => Math.round(v * 1e6) / 1e6)).toEqual([-1, -1, -1, -1, -1, -0.333333, 0.333333, 1, -1, -0.333333, 0.333333, 1, -1, -1, -1, -1]);
  });

  test('normalises over all source pixels, then resizes', async () => {
    // One bright pixel of 64 is the maximum although it is averaged away in the small input.
    const { values } = await encoded(picture(8, 8, (x, y) => (x === 0 && y === 0 ? 10 : 1)), spec({}));
    expect(Math.max(...values)).toBeLessThan(0.5);
    expect(Math.min(...values)).toBe(0);
  });

  test('repeats grey for a red-green-blue model', async () => {
    const { shape, values } = await encoded(picture(4, 4, x => 85 * x), spec({ channels: RGB, normalisation: WINDOW }));
    expect(shape).toEqual([1, 4, 4, 3]);
    expect(values.slice(3, 6).map(v => Math.round(v * 3))).toEqual([1, 1, 1]);
  });

  test('takes colour as it is for a red-green-blue model', async () => {
    const { values } = await encoded(rgb('SM'), spec({ channels: RGB, shape: [2, 2, 3], normalisation: WINDOW }));
    expect(values).toEqual([1, 0, 0, 0, 1, 0, 0, 0, 1, 1, 1, 1]);
  });

  test('reads a colour picture by its luminance for a grey model', async () => {
    const { values } = await encoded(rgb('OT'), spec({ shape: [2, 2, 1], normalisation: WINDOW }));
    values.forEach((v, i) => expect(v).toBeCloseTo([0.299, 0.587, 0.114, 1][i]!, 5));
  });

  test.each<[string, Image, Partial<InputSpec>]>([
    ['a colour image that is no picture', rgb('US'), {}],
    ['a grey image for channels of other names', picture(2, 2, () => 0), { channels: ['T1', 'T2'] }],
  ])('refuses %s', (_, image, change) => {
    expect(() => encodePlane(image, spec(change))).toThrow(expect.objectContaining({ code: 'input/refused' }));
  });
});
