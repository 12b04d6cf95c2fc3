/**
 * Every coded transfer syntax, written by the encoder of the same library: a frame comes out as it went in. Not 12-bit
 * lossy JPEG, which has no encoder here; real-files.test.ts has files of it.
 */
import { Context, NativeCodecs } from 'dcmjs-codecs';
import { decodeFrame } from '../../../src/dicom/decode.ts';
import { readImageInstance } from '../../../src/dicom/instance.ts';
import { imageFromInstance } from '../../../src/image/instance-image.ts';
import { joined, part10, picture, type Attributes } from '../../fixtures/build-dicom.ts';

const COLUMNS = 37;
const ROWS = 23;

beforeAll(() => NativeCodecs.initializeAsync());

type Encoder = 'encodeRle' | 'encodeJpeg' | 'encodeJpegLs' | 'encodeJpeg2000' | 'encodeHtJpeg2000';
interface Format {
  readonly bitsAllocated: number;
  readonly bitsStored: number;
  readonly signed: boolean;
  readonly samples: 1 | 3;
  readonly photometric: string;
}

function encode(encoder: Encoder, values: Uint8Array | Uint16Array | Int16Array, format: Format, parameters: Record<string, unknown>): Uint8Array {
  const context = new Context({
    width: COLUMNS, height: ROWS, bitsAllocated: format.bitsAllocated, bitsStored: format.bitsStored, samplesPerPixel: format.samples,
    pixelRepresentation: format.signed ? 1 : 0, planarConfiguration: 0, photometricInterpretation: format.photometric,
    decodedBuffer: new Uint8Array(values.buffer),
  });
  return NativeCodecs[encoder](context, parameters).getEncodedBuffer()!;
}

function file(encoded: Uint8Array, syntax: string, format: Format, more: Attributes = {}): Uint8Array {
  const even = encoded.length % 2 ? joined([encoded, new Uint8Array(1)]) : encoded;
  const item = (element: number, length: number) => new Uint8Array(new Uint16Array([0xfffe, element, length & 0xffff, length >> 16]).buffer);
  const attributes = picture({
    '00280002': format.samples, '00280004': format.photometric, '00280006': format.samples === 3 ? 0 : undefined, '00280010': ROWS, '00280011': COLUMNS,
    '00280100': format.bitsAllocated, '00280101': format.bitsStored, '00280102': format.bitsStored - 1, '00280103': format.signed ? 1 : 0, '7FE00010': undefined, ...more,
  });
  return joined([
    part10(attributes, syntax), Uint8Array.from([0xe0, 0x7f, 0x10, 0, 0x4f, 0x42, 0, 0, 0xff, 0xff, 0xff, 0xff]),
    item(0xe000, 0), item(0xe000, even.length), even, item(0xe0dd, 0),
  ]);
}

const grey8 = { bitsAllocated: 8, bitsStored: 8, signed: false, samples: 1, photometric: 'MONOCHROME2' } as const;
const grey12 = { ...grey8, bitsAllocated: 16, bitsStored: 12 } as const;
const grey16 = { ...grey8, bitsAllocated: 16, bitsStored: 16 } as const;
const signed16 = { ...grey16, signed: true } as const;
const rgb = { ...grey8, samples: 3, photometric: 'RGB' } as const;

/** A slope with some noise in it, over all of the stored range. */
function valuesOf(format: Format): Uint8Array | Uint16Array | Int16Array {
  const count = COLUMNS * ROWS * format.samples;
  const max = 2 ** format.bitsStored - 1;
  const low = format.signed ? -(2 ** (format.bitsStored - 1)) : 0;
  const value = (_: unknown, i: number) => low + Math.min(max, Math.floor((i / count) * max) + ((i * 7919) % 13));
  if (format.bitsAllocated === 8) return Uint8Array.from({ length: count }, value);
  return format.signed ? Int16Array.from({ length: count }, value) : Uint16Array.from({ length: count }, value);
}

const lossless: readonly (readonly [syntax: string, encoder: Encoder, parameters: Record<string, unknown>, formats: readonly Format[]])[] = [
  ['1.2.840.10008.1.2.5', 'encodeRle', {}, [grey8, grey12, grey16, signed16, rgb]],
  ['1.2.840.10008.1.2.4.70', 'encodeJpeg', { lossy: false, predictor: 1 }, [grey8, grey12, grey16, signed16, rgb]],
  ['1.2.840.10008.1.2.4.57', 'encodeJpeg', { lossy: false, predictor: 4 }, [grey8, grey12, grey16, rgb]],
  ['1.2.840.10008.1.2.4.80', 'encodeJpegLs', { lossy: false }, [grey8, grey12, grey16, signed16, rgb]],
  ['1.2.840.10008.1.2.4.90', 'encodeJpeg2000', { lossy: false }, [grey8, grey12, grey16, signed16, rgb]],
  ['1.2.840.10008.1.2.4.201', 'encodeHtJpeg2000', { lossy: false }, [grey8, grey12, grey16, signed16, rgb]],
  ['1.2.840.10008.1.2.4.202', 'encodeHtJpeg2000', { lossy: false }, [grey12]],
];

test.each(lossless.flatMap(([syntax, encoder, parameters, formats]) => formats.map((format) => [syntax, encoder, format, parameters] as const)))(
  '%s (%s) of %j comes out as it went in', async (syntax, encoder, format, parameters) => {
    const values = valuesOf(format);
    const bytes = file(encode(encoder, values, format, parameters), syntax, format);
    const frame = await decodeFrame(readImageInstance(bytes), 0);
    expect(Array.from(frame.values)).toEqual(Array.from(values));
    expect(frame).toMatchObject({ planar: false, photometricInterpretation: format.photometric, signed: format.signed });
  });

const lossy: readonly (readonly [syntax: string, encoder: Encoder, parameters: Record<string, unknown>, formats: readonly Format[]])[] = [
  ['1.2.840.10008.1.2.4.50', 'encodeJpeg', { lossy: true, quality: 95 }, [grey8, rgb]],
  ['1.2.840.10008.1.2.4.81', 'encodeJpegLs', { lossy: true, allowedLossyError: 3 }, [grey8, grey12]],
  ['1.2.840.10008.1.2.4.91', 'encodeJpeg2000', { lossy: true, rate: 4 }, [grey8, grey12]],
  ['1.2.840.10008.1.2.4.203', 'encodeHtJpeg2000', { lossy: true }, [grey8, grey12]],
];

test.each(lossy.flatMap(([syntax, encoder, parameters, formats]) => formats.map((format) => [syntax, encoder, format, parameters] as const)))(
  '%s (%s) of %j comes out within 4 %% of its range on average', async (syntax, encoder, format, parameters) => {
    const values = valuesOf(format);
    const image = await imageFromInstance(file(encode(encoder, values, format, parameters), syntax, format));
    const difference = image.pixels.reduce((sum, v, i) => sum + Math.abs(v - values[i]!), 0) / values.length;
    expect(difference).toBeLessThan(0.04 * 2 ** format.bitsStored);
  });

test('a stream of another size or depth than the file says is refused', async () => {
  const encoded = encode('encodeJpegLs', valuesOf(grey12), grey12, { lossy: false });
  const refused = (more: Attributes, format: Format = grey12) => imageFromInstance(file(encoded, '1.2.840.10008.1.2.4.80', format, more));
  await expect(refused({ '00280011': COLUMNS + 1 })).rejects.toMatchObject({ code: 'input/inconsistent' });
  await expect(refused({ '00280010': ROWS - 1 })).rejects.toMatchObject({ code: 'input/inconsistent' });
  await expect(refused({}, rgb)).rejects.toMatchObject({ code: 'input/inconsistent' });
  await expect(refused({}, grey8)).rejects.toMatchObject({ code: 'input/inconsistent' });
  await expect(refused({})).resolves.toMatchObject({ shape: [COLUMNS, ROWS, 1] });
});

test('a stream cut anywhere is refused, and the next one is decoded', async () => {
  const encoded = encode('encodeJpeg2000', valuesOf(grey12), grey12, { lossy: false });
  for (const share of [0.1, 0.5, 0.9]) {
    const cut = file(encoded.subarray(0, Math.floor(encoded.length * share)), '1.2.840.10008.1.2.4.90', grey12);
    await expect(imageFromInstance(cut)).rejects.toMatchObject({ code: 'input/truncated' });
    const broken = file(joined([encoded.subarray(0, 60), Uint8Array.from([0xff, 0xd9])]), '1.2.840.10008.1.2.4.90', grey12);
    await expect(imageFromInstance(broken)).rejects.toMatchObject({ name: 'OverreadError' });
  }
  await expect(imageFromInstance(file(encoded, '1.2.840.10008.1.2.4.90', grey12))).resolves.toMatchObject({ shape: [COLUMNS, ROWS, 1] });
});
