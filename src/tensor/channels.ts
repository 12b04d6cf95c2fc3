import { OverreadError } from '../errors.ts';
import type { Image } from '../image/image.ts';
import type { InputSpec } from '../manifest.ts';

const RGB = 'red,green,blue';

/** How an image's channels become the model's. */
export type ChannelPlan = 'as they are' | 'replicate grey' | 'luminance';

/**
 * Decides how the image's channels become the model's. A grey image goes to a red-green-blue model by repeating it; a
 * colour picture (modality OT: a photograph or screenshot of a grey film) to a one-channel model by its luminance.
 * A colour image of any other modality is no grey image, so it is refused.
 * @throws OverreadError `input/refused`
 */
export function planChannels(image: Pick<Image, 'channels' | 'modality'>, spec: InputSpec): ChannelPlan {
  const wanted = spec.channels;
  const isRgb = wanted.join() === RGB;
  if (image.channels === 3 && isRgb) return 'as they are';
  if (image.channels === 1 && wanted.length === 1) return 'as they are';
  if (image.channels === 1 && isRgb) return 'replicate grey';
  if (image.channels === 3 && wanted.length === 1 && image.modality === 'OT') return 'luminance';
  throw new OverreadError(
    'input/refused',
    `Expected an image with the channel${wanted.length > 1 ? 's' : ''} ${wanted.join(', ')}, got ` +
      `${image.channels === 3 ? `a colour image of modality ${image.modality}` : 'a single grey channel'}. Choose another image or another model.`,
    { expected: wanted, got: image.channels === 3 ? ['red', 'green', 'blue'] : ['grey'] },
  );
}

/** What separates a tinted or annotated film from a colour picture: channels this far apart, of 255, in this share of the pixels. */
const COLOUR_DIFFERENCE = 32;
const COLOURED_FRACTION = 0.1;

/**
 * Refuses a picture of real colour (a photograph, histology) where a grey one is read: its luminance would be read as if
 * it were density.
 * @param image RGB, interleaved, 0..255
 * @throws OverreadError `input/refused`, with the share of coloured pixels
 */
export function refuseColour({ pixels }: Pick<Image, 'pixels'>, spec: InputSpec): void {
  let coloured = 0;
  for (let p = 0; p < pixels.length; p += 3) {
    const [r, g, b] = [pixels[p]!, pixels[p + 1]!, pixels[p + 2]!];
    if (Math.max(r, g, b) - Math.min(r, g, b) > COLOUR_DIFFERENCE) coloured++;
  }
  const fraction = coloured / (pixels.length / 3);
  if (fraction <= COLOURED_FRACTION) return;
  const percent = (share: number) => `${Math.round(100 * share)} %`;
  throw new OverreadError(
    'input/refused',
    `Expected a grey picture with the channel ${spec.channels.join(', ')}, got one in colour (${percent(fraction)} of its pixels, over ${percent(COLOURED_FRACTION)}). Choose another image or another model.`,
    { expected: COLOURED_FRACTION, got: fraction },
  );
}

/** Channels this far apart, of 255, are a colour; a JPEG of a grey picture has less. */
const GREY_DIFFERENCE = 12;
const GREY_FRACTION = 0.01;

/**
 * Refuses a picture without colour where the manifest wants one (`input.colour`): a stain cannot be told from another in it.
 * @throws OverreadError `input/refused`, with the share of coloured pixels
 */
export function refuseGrey({ pixels, channels }: Pick<Image, 'pixels' | 'channels'>): void {
  let coloured = 0;
  for (let p = 0; channels === 3 && p < pixels.length; p += 3) {
    const [r, g, b] = [pixels[p]!, pixels[p + 1]!, pixels[p + 2]!];
    if (Math.max(r, g, b) - Math.min(r, g, b) > GREY_DIFFERENCE) coloured++;
  }
  const fraction = channels === 3 ? coloured / (pixels.length / 3) : 0;
  if (fraction > GREY_FRACTION) return;
  const is = channels === 1 ? 'a single grey channel' : `one that is grey (${(100 * fraction).toFixed(1)} % of its pixels have a colour)`;
  throw new OverreadError('input/refused', `Expected a picture in colour, such as a stained section, got ${is}. Choose another image, or a model of grey pictures.`, { expected: 'colour', got: fraction });
}

/** The image in the model's channels. Luminance is ITU-R BT.601, as Pillow's `convert('L')` without its rounding. */
export function applyChannels(image: Image, plan: ChannelPlan): Image {
  if (plan !== 'luminance') return image;
  const { pixels } = image;
  const grey = new Float32Array(pixels.length / 3);
  for (let i = 0, p = 0; i < grey.length; i++, p += 3) {
    grey[i] = 0.299 * pixels[p]! + 0.587 * pixels[p + 1]! + 0.114 * pixels[p + 2]!;
  }
  return { ...image, channels: 1, pixels: grey };
}
