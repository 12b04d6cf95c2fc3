import type { Image } from '../image/image.ts';

/** So many pixels at an end of the range are more than a few bright spots. */
const SATURATED_FRACTION = 0.01;
/** The most pixels that are looked at. */
const SAMPLE = 2 ** 20;

/**
 * What a reader has to know of a picture whose cells are counted. Cells that are brighter than the ground (fluorescence) run together
 * at the range's upper end, darker ones (a stained section) at its lower; the ground is the median.
 */
export function pictureRemarks({ pixels, channels, representableRange: [low, high] }: Pick<Image, 'pixels' | 'channels' | 'representableRange'>): string[] {
  const step = Math.max(1, Math.ceil(pixels.length / channels / SAMPLE));
  const values: number[] = [];
  let [atLow, atHigh] = [0, 0];
  for (let p = 0; p + channels <= pixels.length; p += step * channels) {
    let [darkest, brightest] = [Infinity, -Infinity];
    for (let c = 0; c < channels; c++) {
      darkest = Math.min(darkest, pixels[p + c]!);
      brightest = Math.max(brightest, pixels[p + c]!);
    }
    values.push((darkest + brightest) / 2);
    // A stain darkens every channel; light that saturates one has lost that channel.
    if (brightest <= low) atLow++;
    if (brightest >= high) atHigh++;
  }
  if (values.length === 0) return [];
  const ground = values.sort((a, b) => a - b)[Math.floor(values.length / 2)]!;
  const blank = values[0] === values.at(-1);
  const bright = ground < (low + high) / 2;
  const share = (bright ? atHigh : atLow) / values.length;
  const percent = (fraction: number) => `${(100 * fraction).toFixed(fraction < 0.1 ? 1 : 0)} %`;
  if (blank) return [`blank picture: one value throughout${ground >= high ? ', the highest that it can hold' : ''}`];
  return share > SATURATED_FRACTION ? [`saturated picture: ${percent(share)} of its pixels have the ${bright ? 'highest' : 'lowest'} value, where cells run together`] : [];
}
