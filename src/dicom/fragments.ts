import { OverreadError } from '../errors.ts';
import type { DataSet } from './data-set.ts';
import type { ByteRange, DicomElement } from './elements.ts';

/**
 * The coded bytes of one frame of encapsulated pixel data (PS3.5 A.4): by the extended offset table, the basic one, one
 * fragment a frame, or, where none says it, by the fragments that begin a JPEG stream.
 * @throws OverreadError `input/truncated` when the frame is not there, `input/inconsistent` when its bounds cannot be told
 */
export function encapsulatedFrame(set: DataSet, element: DicomElement, frameIndex: number, numberOfFrames: number): Uint8Array {
  const fragments = element.fragments ?? [];
  const extended = set.longWords('7FE00001');
  const table = extended.length > 0 ? extended : element.offsetTable ?? [];
  if (fragments.length < numberOfFrames) {
    throw new OverreadError('input/truncated', `Expected at least one fragment for each of ${numberOfFrames} frames, got ${fragments.length}. Fetch the file again.`,
      { expected: numberOfFrames, got: fragments.length });
  }
  let own: readonly ByteRange[];
  if (numberOfFrames === 1) own = fragments;
  else if (fragments.length === numberOfFrames) own = [fragments[frameIndex]!];
  else if (table.length === numberOfFrames) own = between(fragments, table, frameIndex);
  else {
    const starts = fragments.flatMap((f, i) => (beginsStream(set.bytes, f) ? [i] : []));
    if (starts.length !== numberOfFrames) {
      throw new OverreadError('input/inconsistent',
        `Without an offset table, ${fragments.length} fragments cannot be shared out among ${numberOfFrames} frames (${starts.length} of them begin a stream). Convert the file.`,
        { expected: numberOfFrames, got: { fragments: fragments.length, streams: starts.length } });
    }
    own = fragments.slice(starts[frameIndex], starts[frameIndex + 1]);
  }
  return joined(set.bytes, own);
}

/** Offsets count from the first byte of the first fragment's item tag, 8 bytes before its value. */
function between(fragments: readonly ByteRange[], table: readonly number[], frameIndex: number): readonly ByteRange[] {
  const origin = fragments[0]![0] - 8;
  const from = origin + table[frameIndex]!;
  const to = frameIndex + 1 < table.length ? origin + table[frameIndex + 1]! : Infinity;
  const own = fragments.filter(([at]) => at - 8 >= from && at - 8 < to);
  if (own[0]?.[0] !== from + 8) {
    throw new OverreadError('input/inconsistent', `The offset table points to byte ${from} for frame ${frameIndex + 1}, where no fragment begins. Convert the file.`,
      { expected: 'the beginning of a fragment', got: from });
  }
  return own;
}

/** JPEG and JPEG-LS begin with FFD8, JPEG 2000 code streams with FF4F. */
function beginsStream(bytes: Uint8Array, [at, length]: ByteRange): boolean {
  return length >= 2 && bytes[at] === 0xff && (bytes[at + 1] === 0xd8 || bytes[at + 1] === 0x4f);
}

function joined(bytes: Uint8Array, ranges: readonly ByteRange[]): Uint8Array {
  if (ranges.length === 1) return bytes.subarray(ranges[0]![0], ranges[0]![0] + ranges[0]![1]);
  const whole = new Uint8Array(ranges.reduce((n, [, length]) => n + length, 0));
  let to = 0;
  for (const [at, length] of ranges) {
    whole.set(bytes.subarray(at, at + length), to);
    to += length;
  }
  return whole;
}
