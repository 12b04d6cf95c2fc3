import type { Random } from '../../phantoms/random.ts';
import type { Augmentation } from '../recipe.ts';

/** Contrast, brightness and noise, in parts of the value range; changed in place. */
export function changeIntensity(picture: Float32Array, { gain, offset, noise }: NonNullable<Augmentation['intensity']>, [min, max]: readonly [number, number], random: Random): void {
  const width = max - min;
  const middle = (min + max) / 2;
  const factor = 1 + random.uniform(-gain, gain);
  const added = width * random.uniform(-offset, offset);
  for (let i = 0; i < picture.length; i++) picture[i] = middle + (picture[i]! - middle) * factor + added + (noise > 0 ? width * noise * random.gaussian() : 0);
}
