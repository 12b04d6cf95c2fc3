import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { openSlideFiles } from '../../../src/image/node-slide-files.ts';
import { codedSlideFile, slideFile, slideFrames, type SlideSpec } from '../../fixtures/build-slide.ts';

let folder: string;
beforeAll(() => (folder = fs.mkdtempSync(path.join(os.tmpdir(), 'overread-slide-'))));
afterAll(() => fs.rmSync(folder, { recursive: true }));

const spec: SlideSpec = { columns: 48, rows: 32, samples: 1 };
const SOP = '1.2.9.1.1';
const JPEG = '1.2.840.10008.1.2.4.50';
/** Streams of odd and even lengths by their first and last bytes; what lies between is no matter here. */
const streams = Array.from({ length: 6 }, (_, i) => Uint8Array.from([0xff, 0xd8, ...Array.from({ length: 10 + 3 * i }, (__, k) => (k * 31 + i) & 0xff), 0xff, 0xd9]));
const padded = (bytes: Uint8Array) => (bytes.length % 2 ? [...bytes, 0] : [...bytes]);

function write(name: string, bytes: Uint8Array): string {
  const file = path.join(folder, name);
  fs.writeFileSync(file, bytes);
  return file;
}

async function framesOf(file: string): Promise<number[][]> {
  const slide = await openSlideFiles([file]);
  try {
    const frames: number[][] = [];
    for (let n = 6; n >= 1; n--) frames.unshift(Array.from((await slide.frame(SOP, n)).bytes));
    return frames;
  } finally {
    await slide.close();
  }
}

describe('frames from files, none of them whole in memory', () => {
  test('uncompressed', async () => {
    expect(await framesOf(write('native.dcm', slideFile(spec)))).toEqual(slideFrames(spec).map(frame => [...frame]));
  });

  test('compressed, by the basic offset table, by the extended one, by fragments, by the streams\' beginnings', async () => {
    const one = streams.map(stream => [stream]);
    const two = streams.map(stream => [stream.subarray(0, 8), stream.subarray(8)]);
    const offsetsOf = (frames: readonly (readonly Uint8Array[])[]) => {
      let at = 0;
      return frames.map(fragments => {
        const start = at;
        for (const fragment of fragments) at += 8 + fragment.length + (fragment.length % 2);
        return start;
      });
    };
    const extended = Buffer.alloc(48);
    offsetsOf(two).forEach((offset, i) => extended.writeBigUInt64LE(BigInt(offset), 8 * i));
    const files = {
      'table.dcm': codedSlideFile(spec, one, JPEG, { offsets: offsetsOf(one) }),
      'table-two.dcm': codedSlideFile(spec, two, JPEG, { offsets: offsetsOf(two) }),
      'extended.dcm': codedSlideFile(spec, two, JPEG, { elements: [['7FE00001', 'OV', extended]] }),
      'none.dcm': codedSlideFile(spec, one, JPEG),
      'none-two.dcm': codedSlideFile(spec, two, JPEG),
      // A table that wrapped round, as after 4 GiB.
      'wrapped.dcm': codedSlideFile(spec, one, JPEG, { offsets: [0, 22, 50, 80, 4, 30] }),
    };
    for (const [name, bytes] of Object.entries(files)) {
      expect([name, await framesOf(write(name, bytes))]).toEqual([name, streams.map(padded)]);
    }
  });

  test('a header longer than what is read at first', async () => {
    const long = { ...spec, more: [['00091001', 'OB', new Uint8Array(700_000)] as const] };
    expect(await framesOf(write('long.dcm', slideFile(long)))).toEqual(slideFrames(spec).map(frame => [...frame]));
  });

  test('a file that was cut off gives the frames that are there', async () => {
    const slide = await openSlideFiles([write('cut.dcm', slideFile(spec).subarray(0, -300))]);
    expect((await slide.frame(SOP, 1)).bytes).toHaveLength(256);
    await expect(slide.frame(SOP, 6)).rejects.toMatchObject({ code: 'input/truncated', message: expect.stringContaining('cut.dcm is cut short') });
    await slide.close();
    await expect(openSlideFiles([write('head.dcm', slideFile(spec).subarray(0, 401))])).rejects.toMatchObject({ code: 'input/truncated' });
  });

  test.each<[string, Uint8Array, string]>([
    ['text.dcm', Buffer.from('this is no slide'.repeat(20)), 'input/unreadable'],
    ['deflated.dcm', codedSlideFile(spec, [], '1.2.840.10008.1.2.1.99'), 'input/unsupported-transfer-syntax'],
    ['no-pixels.dcm', slideFile(spec).subarray(0, slideFile(spec).length - 6 * 256 - 12), 'input/no-pixels'],
  ])('%s is refused', async (name, bytes, code) => {
    await expect(openSlideFiles([write(name, bytes)])).rejects.toMatchObject({ code });
  });

  test('what is not there is refused, and a frame that cannot be told', async () => {
    await expect(openSlideFiles([path.join(folder, 'nothing.dcm')])).rejects.toMatchObject({ code: 'input/unreadable', message: expect.stringContaining('ENOENT') });
    const slide = await openSlideFiles([write('odd.dcm', codedSlideFile(spec, [[...streams.slice(0, 4), Uint8Array.of(1, 2)]], JPEG))]);
    await expect(slide.frame(SOP, 1)).rejects.toMatchObject({ code: 'input/inconsistent', message: expect.stringContaining('5 fragments') });
    await expect(slide.frame(SOP, 7)).rejects.toMatchObject({ code: 'input/refused' });
    await slide.close();
  });
});
