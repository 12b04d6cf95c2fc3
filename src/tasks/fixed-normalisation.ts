import { OverreadError } from '../errors.ts';
import type { Image } from '../image/image.ts';
import type { InputSpec } from '../manifest.ts';
import { applyChannels, planChannels } from '../tensor/channels.ts';
import { percentiles } from '../tensor/percentile.ts';

/** A manifest's input with its statistics made numbers, so that a part is normalised as the whole is. */
export interface FixedInput {
  readonly spec: InputSpec;
  /** To be put in place of the part's own. */
  readonly representableRange: readonly [min: number, max: number];
}

/**
 * The input of a manifest with the statistics of one image: percentiles become a window of their values, mean and
 * standard deviation the range [mean, mean + deviation] that is mapped to [0, 1]. What has no statistics stays.
 * @param whole all of the picture, or all of it at a lower resolution; its statistics are those of its pixels
 * @throws OverreadError `input/refused` for channels that the model does not read; `input/unsupported-pixels` where
 *   statistics are wanted of values that are not all finite
 */
export function fixedNormalisation(whole: Image, spec: InputSpec): FixedInput {
  const { pixels, representableRange } = applyChannels(whole, planChannels(whole, spec));
  const { normalisation } = spec;
  switch (normalisation.kind) {
    case 'percentile': {
      checkFinite(pixels);
      const [min, max] = percentiles(pixels, [normalisation.low, normalisation.high]) as [number, number];
      return { spec: { ...spec, normalisation: { kind: 'window', min, max } }, representableRange };
    }
    case 'zscore': {
      if (normalisation.over) throw new OverreadError('model/manifest', 'Expected normalisation zscore over all pixels with input.tiling, got over above-mean. Mend input.normalisation.', { got: normalisation.over });
      checkFinite(pixels);
      const [mean, deviation] = moments(pixels);
      return { spec: { ...spec, normalisation: { kind: 'representable' }, valueRange: [0, 1] }, representableRange: [mean, mean + deviation] };
    }
    case 'window':
    case 'representable':
      return { spec, representableRange };
  }
}

function checkFinite(values: Float32Array): void {
  const at = values.findIndex(value => !Number.isFinite(value));
  if (at < 0) return;
  throw new OverreadError('input/unsupported-pixels', `Expected finite pixel values, got ${values[at]} at pixel ${at}. Check the image's rescale attributes.`, { expected: 'finite numbers', got: String(values[at]) });
}

function moments(values: Float32Array): [mean: number, deviation: number] {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]!;
  const mean = sum / values.length;
  let squares = 0;
  for (let i = 0; i < values.length; i++) squares += (values[i]! - mean) ** 2;
  return [mean, Math.sqrt(squares / values.length)];
}
