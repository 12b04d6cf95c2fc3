import { deflateSync } from 'fflate';
import { decodeFrame } from '../../../src/dicom/decode.ts';
import { readImageInstance } from '../../../src/dicom/instance.ts';
import { joined, part10, picture, type Attributes } from '../../fixtures/build-dicom.ts';

const BIG = '1.2.840.10008.1.2.2';
const RLE = '1.2.840.10008.1.2.5';

const decoded = async (attributes: Attributes, frame = 0, syntax?: string, format = {}) =>
  (await decodeFrame(readImageInstance(part10(attributes, syntax, format)), frame)).values;

/** Encapsulated pixel data of undefined length: the offset table, then a fragment each. */
function encapsulated(fragments: readonly Uint8Array[], offsets: readonly number[] = []): Uint8Array {
  const head = (element: number, length: number) => new Uint8Array(new Uint16Array([0xfffe, element, length & 0xffff, length >> 16]).buffer);
  const even = fragments.map((f) => (f.length % 2 ? joined([f, new Uint8Array(1)]) : f));
  return joined([
    Uint8Array.from([0xe0, 0x7f, 0x10, 0x00, 0x4f, 0x42, 0, 0, 0xff, 0xff, 0xff, 0xff]),
    head(0xe000, offsets.length * 4), new Uint8Array(new Uint32Array(offsets).buffer),
    ...even.flatMap((f) => [head(0xe000, f.length), f]), head(0xe0dd, 0),
  ]);
}

/** A file whose pixel data is these fragments; `more` may hold attributes. */
function withFragments(more: Attributes, syntax: string, fragments: readonly Uint8Array[], offsets?: readonly number[]): Uint8Array {
  return joined([part10(picture({ '7FE00010': undefined, ...more }), syntax), encapsulated(fragments, offsets)]);
}

/** One RLE segment of literal bytes. */
const rle = (bytes: readonly number[]): Uint8Array => joined([new Uint8Array(new Uint32Array([1, 64, ...Array<number>(14).fill(0)]).buffer), Uint8Array.from([bytes.length - 1, ...bytes])]);

describe('uncompressed', () => {
  test('16 bits, little and big endian', async () => {
    expect(Array.from(await decoded(picture()))).toEqual([0, 100, 200, 300, 400, 500]);
    expect(Array.from(await decoded(picture(), 0, BIG, { bigEndian: true }))).toEqual([0, 100, 200, 300, 400, 500]);
  });

  test('GE: little-endian elements, big-endian pixels', async () => {
    expect(Array.from(await decoded(picture({ '7FE00010': [0x0001, 0x0100, 0, 0, 0, 0] }), 0, '1.2.840.113619.5.2', { implicit: true }))).toEqual([256, 1, 0, 0, 0, 0]);
  });

  test('bits outside the stored ones are taken off, the sign is extended', async () => {
    expect(Array.from(await decoded(picture({ '7FE00010': [0xf001, 0x8fff, 0, 0, 0, 0] })))).toEqual([1, 0xfff, 0, 0, 0, 0]);
    expect(Array.from(await decoded(picture({ '00280103': 1, '7FE00010': [0x0fff, 0x0800, 0x07ff, 0, 0, 0] })))).toEqual([-1, -2048, 2047, 0, 0, 0]);
    expect(Array.from(await decoded(picture({ '00280102': 15, '7FE00010': [0x1230, 0xfff0, 0, 0, 0, 0] })))).toEqual([0x123, 0xfff, 0, 0, 0, 0]);
  });

  test('8, 32 and 1 bits, floating point', async () => {
    expect(Array.from(await decoded(picture({ '00280100': 8, '00280101': 8, '00280102': 7, '7FE00010': Uint8Array.from([1, 2, 3, 4, 5, 255]) })))).toEqual([1, 2, 3, 4, 5, 255]);
    const words = new Uint8Array(new Uint32Array([1, 2, 3, 4, 5, 0xffffffff]).buffer);
    expect(Array.from(await decoded(picture({ '00280100': 32, '00280101': 32, '00280102': 31, '7FE00010': words })))).toEqual([1, 2, 3, 4, 5, 0xffffffff]);
    const floats = new Float32Array([0.5, -1, 2, 3, 4, 5]);
    expect(Array.from(await decoded(picture({ '00280100': 32, '00280101': undefined, '00280102': undefined, '7FE00010': undefined, '7FE00008': new Uint8Array(floats.buffer) })))).toEqual([...floats]);
    const doubles = new Float64Array([0.1, -1, 2, 3, 4, 5]);
    expect(Array.from(await decoded(picture({ '00280100': 64, '00280101': undefined, '00280102': undefined, '7FE00010': undefined, '7FE00009': new Uint8Array(doubles.buffer) })))).toEqual([...doubles]);
  });

  test('1-bit frames follow each other without padding', async () => {
    // Two frames of 6 pixels: 101010 then 110001, lowest bit first.
    const bits = picture({ '00280100': 1, '00280101': 1, '00280102': 0, '00280008': 2, '7FE00010': Uint8Array.from([0b11010101, 0b1000]) });
    expect(Array.from(await decoded(bits, 0))).toEqual([1, 0, 1, 0, 1, 0]);
    expect(Array.from(await decoded(bits, 1))).toEqual([1, 1, 0, 0, 0, 1]);
  });

  test('a frame that is not there is refused', async () => {
    await expect(decoded(picture(), 1)).rejects.toMatchObject({ code: 'input/refused' });
    await expect(decoded(picture({ '00280008': 2 }), 0)).resolves.toHaveLength(6);
    await expect(decoded(picture({ '00280008': 2 }), 1)).rejects.toMatchObject({ code: 'input/truncated' });
    await expect(decoded(picture({ '7FE00010': [0, 1, 2, 3, 4] }))).rejects.toMatchObject({ code: 'input/truncated', fields: { expected: 12, got: 10 } });
  });

  test('pixel data for more frames than are stated is refused, a padding byte is not', async () => {
    await expect(decoded(picture({ '7FE00010': Array<number>(12).fill(0) }))).rejects.toMatchObject({ code: 'input/inconsistent' });
    await expect(decoded(picture({ '00280011': 1, '00280010': 3, '00280100': 8, '00280101': 8, '00280102': 7, '7FE00010': Uint8Array.from([1, 2, 3]) }))).resolves.toHaveLength(3);
  });
});

describe('encapsulated', () => {
  const eight = { '00280100': 8, '00280101': 8, '00280102': 7 };
  const values = async (file: Uint8Array, frame = 0) => Array.from((await decodeFrame(readImageInstance(file), frame)).values);

  test('RLE, one fragment a frame, by position', async () => {
    const file = withFragments({ ...eight, '00280008': 2 }, RLE, [rle([1, 2, 3, 4, 5, 6]), rle([6, 5, 4, 3, 2, 1])]);
    expect(await values(file, 0)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(await values(file, 1)).toEqual([6, 5, 4, 3, 2, 1]);
  });

  test('a frame in several fragments, by the offset table', async () => {
    const [a, b] = [rle([1, 2, 3, 4, 5, 6]), rle([6, 5, 4, 3, 2, 1])];
    const pieces = [a.subarray(0, 64), a.subarray(64), b.subarray(0, 64), b.subarray(64)];
    const file = withFragments({ ...eight, '00280008': 2 }, RLE, pieces, [0, 8 + 64 + 8 + 8]);
    expect(await values(file, 0)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(await values(file, 1)).toEqual([6, 5, 4, 3, 2, 1]);
    await expect(values(withFragments({ ...eight, '00280008': 2 }, RLE, pieces, [0, 10]), 1)).rejects.toMatchObject({ code: 'input/inconsistent' });
    await expect(values(withFragments({ ...eight, '00280008': 2 }, RLE, pieces), 1)).rejects.toMatchObject({ code: 'input/inconsistent' });
  });

  test('uncompressed and deflated frames', async () => {
    const frame = Uint8Array.from([1, 2, 3, 4, 5, 6]);
    expect(await values(withFragments(eight, '1.2.840.10008.1.2.1.98', [frame]))).toEqual([...frame]);
    expect(await values(withFragments(eight, '1.2.840.10008.1.2.8.1', [deflateSync(frame)]))).toEqual([...frame]);
  });

  test('too few fragments, a stream without its end, bytes that are none', async () => {
    await expect(values(withFragments({ ...eight, '00280008': 2 }, RLE, [rle([1, 2, 3, 4, 5, 6])]))).rejects.toMatchObject({ code: 'input/truncated' });
    await expect(values(withFragments(eight, '1.2.840.10008.1.2.4.50', [Uint8Array.from([0xff, 0xd8, 0xff, 0xdb])]))).rejects.toMatchObject({ code: 'input/truncated' });
    await expect(values(withFragments(eight, '1.2.840.10008.1.2.4.50', [Uint8Array.from([1, 2, 3, 4, 0xff, 0xd9])]))).rejects.toMatchObject({ code: 'input/inconsistent' });
    await expect(values(withFragments(eight, '1.2.840.10008.1.2.4.90', [Uint8Array.from([0xff, 0x4f, 0xff, 0x51, 0xff, 0xd9])]))).rejects.toMatchObject({ code: 'input/inconsistent' });
  });

  test('a file that says compressed and is not encapsulated is refused when it is too short to be plain', async () => {
    await expect(decoded(picture({ '7FE00010': [0, 1] }), 0, RLE)).rejects.toMatchObject({ code: 'input/inconsistent' });
  });
});

test('the offset table of 64-bit offsets is read', async () => {
  const [a, b] = [rle([1, 2, 3, 4, 5, 6]), rle([6, 5, 4, 3, 2, 1])];
  const pieces = [a.subarray(0, 64), a.subarray(64), b.subarray(0, 64), b.subarray(64)];
  const attributes = picture({ '00280100': 8, '00280101': 8, '00280102': 7, '00280008': 2, '7FE00010': undefined, '7FE00001': new Uint8Array(new BigUint64Array([0n, 88n]).buffer) });
  const file = joined([part10(attributes, RLE), encapsulated(pieces)]);
  expect(Array.from((await decodeFrame(readImageInstance(file), 1)).values)).toEqual([6, 5, 4, 3, 2, 1]);
});
