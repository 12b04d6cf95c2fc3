import { OverreadError } from '../../errors.ts';
import type { Image } from '../../image/image.ts';
import { separateStains } from './stains.ts';
import type { WatershedParameters } from './parameters.ts';

type Channel = Exclude<WatershedParameters['channel'], 'auto'>;

export interface CellChannel {
  readonly channel: Channel;
  /** [rows, columns], larger where cells are: 0..1 of the picture's range, or a stain's optical density. */
  readonly values: Float32Array;
}

const STAINED = { 'hematoxylin-eosin': ['h-e', 0], eosin: ['h-e', 1], 'hematoxylin-dab': ['h-dab', 0], dab: ['h-dab', 1] } as const;
const COLOURS = { red: 0, green: 1, blue: 2 } as const;
/** Channels this far apart, of the range, are a colour. */
const COLOUR = 0.1;

/** @throws OverreadError `input/refused` for a stain or a colour of a grey picture */
export function cellChannel(image: Image, wanted: WatershedParameters['channel']): CellChannel {
  const channel = wanted === 'auto' ? chosen(image) : wanted;
  const { pixels, channels, representableRange: [low, high] } = image;
  if (channels === 1 && channel !== 'brightness' && channel !== 'darkness') {
    throw new OverreadError('input/refused', `Expected a picture in colour for the channel ${channel}, got a single grey channel. Choose brightness or darkness.`, { expected: 3, got: 1 });
  }
  if (channel in STAINED) {
    const [stains, at] = STAINED[channel as keyof typeof STAINED];
    return { channel, values: every(separateStains(pixels, stains), 3, at) };
  }
  const scale = high > low ? 1 / (high - low) : 1;
  if (channel in COLOURS) return { channel, values: every(pixels, 3, COLOURS[channel as keyof typeof COLOURS]).map(value => (value - low) * scale) };
  const grey = channels === 1 ? pixels : luminance(pixels);
  return { channel, values: grey.map(channel === 'darkness' ? value => (high - value) * scale : value => (value - low) * scale) };
}

function chosen({ pixels, channels, representableRange: [low, high] }: Image): Channel {
  const grey = channels === 1 ? pixels : luminance(pixels);
  const ground = Float32Array.from(grey).sort()[grey.length >> 1]!;
  if (ground < (low + high) / 2) return 'brightness';
  if (channels === 1) return 'darkness';
  let coloured = 0;
  for (let p = 0; p < pixels.length; p += 3) {
    if (Math.max(pixels[p]!, pixels[p + 1]!, pixels[p + 2]!) - Math.min(pixels[p]!, pixels[p + 1]!, pixels[p + 2]!) > COLOUR * (high - low)) coloured++;
  }
  return coloured > 0.01 * grey.length ? 'hematoxylin-eosin' : 'darkness';
}

function luminance(rgb: Float32Array): Float32Array {
  return Float32Array.from({ length: rgb.length / 3 }, (_, i) => 0.299 * rgb[3 * i]! + 0.587 * rgb[3 * i + 1]! + 0.114 * rgb[3 * i + 2]!);
}

function every(values: Float32Array, step: number, from: number): Float32Array {
  return Float32Array.from({ length: values.length / step }, (_, i) => values[step * i + from]!);
}
