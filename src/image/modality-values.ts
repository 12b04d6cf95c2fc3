import type { ModalityTransform } from '../dicom/modality-transform.ts';
import type { StoredValues } from '../dicom/native.ts';
import type { PixelFormat } from '../dicom/pixel-format.ts';

export type Range = readonly [min: number, max: number];

/** What the stored bits can hold: [0, 4095] for 12 unsigned bits. */
export function storedRange({ bitsStored, signed }: Pick<PixelFormat, 'bitsStored' | 'signed'>): Range {
  return signed ? [-(2 ** (bitsStored - 1)), 2 ** (bitsStored - 1) - 1] : [0, 2 ** bitsStored - 1];
}

/** The stored range after the modality transform; a negative slope turns it round. A table's range is that of its bits. */
export function representableRange(format: Pick<PixelFormat, 'bitsStored' | 'signed'>, transform: ModalityTransform): Range {
  if (transform.kind === 'table') return [0, 2 ** transform.bits - 1];
  const [a, b] = storedRange(format).map((v) => v * transform.slope + transform.intercept);
  return [Math.min(a!, b!), Math.max(a!, b!)];
}

/** Stored → modality values (CT: HU), into `out`. A table's ends hold beyond it. */
export function modalityValues(stored: StoredValues, transform: ModalityTransform, out: Float32Array): void {
  if (transform.kind === 'linear') {
    const { slope, intercept } = transform;
    for (let i = 0; i < stored.length; i++) out[i] = stored[i]! * slope + intercept;
    return;
  }
  const { first, values } = transform;
  for (let i = 0; i < stored.length; i++) out[i] = values[Math.min(Math.max(stored[i]! - first, 0), values.length - 1)]!;
}

/**
 * Turns MONOCHROME1 (larger is darker) into larger is brighter, in place: v → max + min of the representable range, so
 * that values stay in that range and the same pixels give the same values in every bit of software that follows the rule.
 * `pixels` are modality values, from the file or rescaled by a viewer; `range` is their {@link representableRange}.
 */
export function invertMonochrome1(pixels: Float32Array, [min, max]: Range): void {
  for (let i = 0; i < pixels.length; i++) pixels[i] = max + min - pixels[i]!;
}

/**
 * Gives pixels that were not measured (Pixel Padding Value, PS3.3 C.7.5.1.1.2: outside the round field of a CT) the
 * darkest value that was measured, in place, so that no statistic and no network sees a value from nowhere (CT: −3024).
 * Values are final: after the modality transform, and after inversion for MONOCHROME1, as is `padding`.
 * @returns how many pixels were filled; a picture of padding only is left as it is
 */
export function fillPadding(pixels: Float32Array, [low, high]: Range): number {
  let darkest = Infinity;
  let count = 0;
  for (const v of pixels) {
    if (v >= low && v <= high) count++;
    else if (v < darkest) darkest = v;
  }
  if (count === 0 || darkest === Infinity) return 0;
  for (let i = 0; i < pixels.length; i++) {
    if (pixels[i]! >= low && pixels[i]! <= high) pixels[i] = darkest;
  }
  return count;
}
