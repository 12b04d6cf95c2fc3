import { dicomWebFrames, dicomWebInstances } from '../../../../src/image/slide/dicomweb-frames.ts';
import { firstPart } from '../../../../src/image/slide/multipart.ts';
import { slidePyramid } from '../../../../src/image/slide/pyramid.ts';
import { slideSource } from '../../../../src/image/slide/slide-source.ts';
import { codedSlideFile, slideFile, slideFrames, SLIDE_UID, slope, type SlideSpec } from '../../../fixtures/build-slide.ts';
import { embedded, removeFolders, temporaryFolder, write, type Embedded } from '../../cli/serve/embedded.ts';

afterAll(removeFolders);

const base: SlideSpec = { sop: '1.1', columns: 100, rows: 60 };
const half: SlideSpec = { sop: '1.2', columns: 50, rows: 30, spacing: '0.001\\0.001' };
const sparse: SlideSpec = { sop: '1.3', columns: 25, rows: 15, spacing: '0.002\\0.002', sparse: [{ x: 0, y: 0 }] };

describe('a slide over DICOMweb, from the embedded store', () => {
  let server: Embedded;
  let url: string;
  beforeAll(async () => {
    const folder = temporaryFolder();
    write(folder, 'base.dcm', slideFile(base));
    // Two frames a fragment each would do; encapsulated as they are, uncompressed.
    write(folder, 'half.dcm', codedSlideFile(half, slideFrames(half).map(frame => [frame]), '1.2.840.10008.1.2.1.98'));
    write(folder, 'sparse.dcm', slideFile(sparse));
    server = await embedded(folder);
    url = `${server.dicomWeb}/studies/${SLIDE_UID.study}/series/${SLIDE_UID.series}`;
  });
  afterAll(() => server.close());

  test('its levels come from the metadata, its regions frame by frame', async () => {
    const pyramid = slidePyramid(await dicomWebInstances({ url: `${url}/` }));
    expect(pyramid.levels.map(({ columns, image }) => [columns, image.organisation])).toEqual([[100, 'TILED_FULL'], [50, 'TILED_FULL'], [25, 'TILED_SPARSE']]);
    for (const level of pyramid.levels.slice(0, 2)) {
      const source = slideSource(pyramid, level, dicomWebFrames({ url }));
      const got = await source.read({ x: 10, y: 12, columns: 30, rows: 15 });
      expect(Array.from({ length: 450 }, (_, i) => got[3 * i + 1])).toEqual(Array.from({ length: 450 }, (_, i) => slope(10 + (i % 30), 12 + Math.floor(i / 30), 1)));
    }
  });

  test('what the server does not have is said with its status, at once', async () => {
    const frames = dicomWebFrames({ url });
    await expect(frames.frame('1.1', 999)).rejects.toMatchObject({ code: 'network/status', fields: { got: 404 } });
    await expect(dicomWebInstances({ url: `${url}9` })).rejects.toMatchObject({ code: 'network/status' });
    await expect(frames.frame('1.1', 1, AbortSignal.abort())).rejects.toMatchObject({ code: 'job/cancelled' });
  });
});

describe('requests', () => {
  const realFetch = globalThis.fetch;
  const answers: (() => Response)[] = [];
  const asked: { url: string; headers: Record<string, string> }[] = [];
  beforeEach(() => {
    answers.length = asked.length = 0;
    globalThis.fetch = (async (url: string, init: { headers: Record<string, string> }) => {
      asked.push({ url, headers: init.headers });
      return answers.shift()!();
    }) as unknown as typeof fetch;
  });
  afterEach(() => {
    globalThis.fetch = realFetch;
  });
  const body = (part: string, type = 'image/jpeg; transfer-syntax=1.2.840.10008.1.2.4.50') => () =>
    new Response(`--b\r\nContent-Type: ${type}\r\n\r\n${part}\r\n--b--\r\n`, { headers: { 'content-type': 'multipart/related; type="image/jpeg"; boundary=b' } });

  test('carry headers, asked anew for each, and name any transfer syntax', async () => {
    answers.push(body('one'), body('two', 'application/octet-stream'));
    let token = 0;
    const frames = dicomWebFrames({ url: 'https://pacs.invalid/series/1/', headers: async () => ({ Authorization: `Bearer ${++token}` }) });
    expect(await frames.frame('1.9', 4)).toEqual({ bytes: new TextEncoder().encode('one'), transferSyntaxUID: '1.2.840.10008.1.2.4.50' });
    expect(await frames.frame('1.9', 5)).toEqual({ bytes: new TextEncoder().encode('two') });
    expect(asked.map(({ url, headers }) => [url, headers.Authorization])).toEqual([['https://pacs.invalid/series/1/instances/1.9/frames/4', 'Bearer 1'], ['https://pacs.invalid/series/1/instances/1.9/frames/5', 'Bearer 2']]);
    expect(asked[0]!.headers.Accept).toContain('transfer-syntax=*');
  });

  test('are made again when a server is busy or the network fails, and then given up', async () => {
    answers.push(() => new Response('', { status: 503 }), () => { throw new TypeError('no route'); }, body('three'));
    expect((await dicomWebFrames({ url: 'https://pacs.invalid' }).frame('1', 1)).bytes).toHaveLength(5);
    answers.push(...Array.from({ length: 3 }, () => () => { throw new TypeError('no route'); }));
    await expect(dicomWebFrames({ url: 'https://pacs.invalid' }).frame('1', 1)).rejects.toMatchObject({ code: 'network/unreachable' });
    expect(asked).toHaveLength(6);
    answers.push(() => new Response('', { status: 403 }));
    await expect(dicomWebFrames({ url: 'https://pacs.invalid' }).frame('1', 1)).rejects.toMatchObject({ code: 'network/status', fields: { got: 403 } });
    answers.push(() => new Response('<html>'));
    await expect(dicomWebInstances({ url: 'https://pacs.invalid' })).rejects.toMatchObject({ code: 'network/status', message: expect.stringContaining('DICOM JSON') });
  });
});

describe('multipart bodies', () => {
  const bytes = (text: string) => Uint8Array.from(text, c => c.charCodeAt(0));
  test.each([
    ['multipart/related; boundary=b', '--b\r\nContent-Type: image/jpeg\r\n\r\nab\r\nc\r\n--b--'],
    ['multipart/related; type="image/jpeg"; boundary="b"', 'preamble\r\n--b\r\ncontent-type:image/jpeg\r\n\r\nab\r\nc\r\n--b--'],
    // The stated length holds the boundary itself.
    ['Multipart/Related; boundary=b; type=x', '--b\r\nContent-Type: image/jpeg\r\nContent-Length: 5\r\n\r\nab\r\nc\r\n--b--'],
  ])('%s', (contentType, text) => {
    expect(firstPart(bytes(text), contentType)).toEqual({ contentType: 'image/jpeg', bytes: bytes('ab\r\nc') });
  });

  test('a frame may look like the boundary where its length is stated', () => {
    expect(firstPart(bytes('--b\r\nContent-Length: 9\r\n\r\n12\r\n--b34\r\n--b--'), 'multipart/related; boundary=b').bytes).toEqual(bytes('12\r\n--b34'));
  });

  test('what is no multipart is the frame; what is broken is refused', () => {
    expect(firstPart(bytes('abc'), 'image/jp2')).toEqual({ contentType: 'image/jp2', bytes: bytes('abc') });
    for (const [contentType, text] of [['multipart/related; boundary=b', '--b\r\n\r\nabc'], ['multipart/related', 'abc'], ['multipart/related; boundary=c', '--b\r\n\r\nabc\r\n--b--']] as const) {
      expect(() => firstPart(bytes(text), contentType)).toThrow('boundary');
    }
  });
});
