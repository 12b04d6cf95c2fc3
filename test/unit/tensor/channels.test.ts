import { acceptPlane } from '../../../src/tasks/accept.ts';
import { picture, tinyManifest } from '../runtime/tiny.ts';

const manifest = tinyManifest('tiny-bright');

/** 20 × 20 in RGB, of which the first `coloured` pixels are of the given colour, the others grey. */
function rgb(coloured: number, colour: readonly [number, number, number]) {
  const pixels = Float32Array.from({ length: 1200 }, (_, i) => (i < 3 * coloured ? colour[i % 3]! : 90));
  return { ...picture(20, 20, () => 0), channels: 3 as const, pixels };
}

describe('a colour picture for a grey model', () => {
  test('is refused, with the share of what is in colour', () => {
    expect(() => acceptPlane(rgb(300, [180, 80, 160]), manifest)).toThrow(expect.objectContaining({ code: 'input/refused', message: expect.stringContaining('75 % of its pixels'), fields: { expected: 0.1, got: 0.75 } }));
  });

  test.each([
    ['a grey film saved in RGB', rgb(0, [0, 0, 0])],
    ['a film with a coloured mark', rgb(40, [255, 0, 0])],
    ['a tinted film', rgb(400, [120, 110, 100])],
  ])('%s is read', (_, image) => expect(() => acceptPlane(image, manifest)).not.toThrow());
});
