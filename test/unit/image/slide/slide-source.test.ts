import { Context, NativeCodecs } from 'dcmjs-codecs';
import fc from 'fast-check';
import { encodeJpeg } from '../../../../src/dicom/codec.ts';
import type { SynthesisRule } from '../../../../src/dicom/synthesis.ts';
import type { FrameReader } from '../../../../src/image/slide/frames.ts';
import { slidePyramid } from '../../../../src/image/slide/pyramid.ts';
import { slideSource } from '../../../../src/image/slide/slide-source.ts';
import type { Region } from '../../../../src/image/tiles.ts';
import { memoryFrames, slideFrames, slideJson, slope, TILE, type SlideSpec } from '../../../fixtures/build-slide.ts';

const spec: SlideSpec = { sop: '1.1', columns: 100, rows: 60 };

function sourceOf(specs: readonly SlideSpec[], reader: FrameReader = memoryFrames(specs), keptBytes?: number) {
  const pyramid = slidePyramid(specs.map(slideJson));
  return slideSource(pyramid, pyramid.levels[0]!, reader, keptBytes === undefined ? {} : { keptBytes });
}

function wanted({ x, y, columns, rows }: Region, samples = 3, value = slope): number[] {
  return Array.from({ length: columns * rows * samples }, (_, i) => value(x + (Math.floor(i / samples) % columns), y + Math.floor(i / samples / columns), i % samples));
}

/** Quicker than the matcher, which is made for small arrays. */
function expectSame(got: ArrayLike<number>, expected: ArrayLike<number>): void {
  expect(got.length).toBe(expected.length);
  const at = Array.from(got).findIndex((value, i) => value !== expected[i]);
  expect({ at, got: got[at], expected: expected[at] }).toEqual({ at: -1, got: undefined, expected: undefined });
}

const whole = { x: 0, y: 0, columns: 100, rows: 60 };

describe('a level of a slide', () => {
  test('counts as synthesised by a rule of the site', () => {
    const json = { ...slideJson(spec), '0008103E': { vr: 'LO', Value: ['H&E, virtually made'] } };
    const of = (synthesisRules?: readonly SynthesisRule[]) => {
      const pyramid = slidePyramid([json], { ...(synthesisRules && { synthesisRules }) });
      return slideSource(pyramid, pyramid.levels[0]!, memoryFrames([spec])).reference.attributes.synthesised;
    };
    expect(of()).toBeUndefined();
    expect(of([{ descriptions: ['virtually made'] }])).toMatch(/rule of this site/);
  });

  test('gives any region as the picture has it', async () => {
    const source = sourceOf([spec]);
    expect(source.reference).toMatchObject({ shape: [100, 60, 1], channels: 3, modality: 'SM', spacingMm: [0.0005, 0.0005], sources: [{ sopInstanceUID: '1.1', frame: 1 }], attributes: { patientID: 'P1' } });
    await fc.assert(fc.asyncProperty(fc.nat(99), fc.nat(59), fc.nat(99), fc.nat(59), async (x, y, dx, dy) => {
      const region = { x, y, columns: Math.min(dx + 1, 100 - x), rows: Math.min(dy + 1, 60 - y) };
      expectSame(await source.read(region), wanted(region));
    }), { numRuns: 60 });
    await expect(source.read({ ...whole, x: 1 })).rejects.toMatchObject({ code: 'internal' });
  });

  test('grey levels are modality values, MONOCHROME1 larger is brighter', async () => {
    const region = { x: 10, y: 20, columns: 30, rows: 17 };
    const rescaled = sourceOf([{ ...spec, samples: 1, more: [['00281052', 'DS', '-10'], ['00281053', 'DS', '2']] }]);
    expectSame(await rescaled.read(region), wanted(region, 1, (x, y) => 2 * slope(x, y) - 10));
    expect(rescaled.representableRange).toEqual([-10, 500]);
    const dark = sourceOf([{ ...spec, samples: 1, photometric: 'MONOCHROME1' }]);
    expectSame(await dark.read(region), wanted(region, 1, (x, y) => 255 - slope(x, y)));
  });

  test('where a sparse slide has no tile, it is white as glass, or dark', async () => {
    const sparse = [{ x: TILE, y: TILE }];
    const at = (x: number, y: number, sample = 0) => (x >= TILE && x < 2 * TILE && y >= TILE && y < 2 * TILE ? slope(x, y, sample) : NaN);
    const region = { x: 5, y: 9, columns: 40, rows: 31 };
    for (const [samples, absent] of [[3, 255], [1, 0]] as const) {
      const source = sourceOf([{ ...spec, sparse, samples }]);
      expectSame(await source.read(region), wanted(region, samples, at).map(v => (Number.isNaN(v) ? absent : v)));
    }
  });

  test('a slide of 1 × 1 pixels is read', async () => {
    const source = sourceOf([{ ...spec, columns: 1, rows: 1 }]);
    expect(Array.from(await source.read({ x: 0, y: 0, columns: 1, rows: 1 }))).toEqual([slope(0, 0, 0), slope(0, 0, 1), slope(0, 0, 2)]);
    expect(await source.overview()).toMatchObject({ shape: [1, 1, 1] });
    expect((await source.sample!()).pixels).toHaveLength(3);
  });

  describe('compressed', () => {
    beforeAll(() => NativeCodecs.initializeAsync());
    const smooth = (x: number, y: number, sample = 0) => Math.round(100 + 80 * Math.sin(x / 15 + sample) * Math.cos(y / 17));
    const smoothed = { ...spec, tile: 32, value: smooth };
    const encode = (encoder: 'encodeRle' | 'encodeJpeg2000' | 'encodeJpegLs', frame: Uint8Array, photometric = 'RGB') => NativeCodecs[encoder](new Context({
      width: 32, height: 32, bitsAllocated: 8, bitsStored: 8, samplesPerPixel: 3, pixelRepresentation: 0, planarConfiguration: 0, photometricInterpretation: photometric, decodedBuffer: frame,
    }), { lossy: false }).getEncodedBuffer()!;
    const frames = slideFrames(smoothed);
    const coded = (code: (frame: Uint8Array) => Uint8Array | Promise<Uint8Array>, transferSyntaxUID?: string): FrameReader => ({
      frame: async (_, n) => ({ bytes: await code(frames[n - 1]!), ...(transferSyntaxUID !== undefined && { transferSyntaxUID }) }),
    });
    const worst = async (source: ReturnType<typeof sourceOf>) => {
      const expected = wanted(whole, 3, smooth);
      return (await source.read(whole)).reduce((most, v, i) => Math.max(most, Math.abs(v - expected[i]!)), 0);
    };

    test('RLE, JPEG-LS, JPEG 2000 lossless as they went in', async () => {
      for (const [encoder, uid, photometric] of [['encodeRle', '1.2.840.10008.1.2.5', 'RGB'], ['encodeJpegLs', '1.2.840.10008.1.2.4.80', 'RGB'], ['encodeJpeg2000', '1.2.840.10008.1.2.4.90', 'YBR_RCT']] as const) {
        expect([encoder, await worst(sourceOf([{ ...smoothed, photometric }], coded(frame => encode(encoder, frame), uid)))]).toEqual([encoder, 0]);
      }
    });

    test('JPEG in YCbCr as RGB, whether its syntax is said or not', async () => {
      const inside = { ...smoothed, photometric: 'YBR_FULL_422', columns: 96, rows: 32 };
      const region = { x: 0, y: 0, columns: 96, rows: 32 };
      const expected = wanted(region, 3, smooth);
      const three = slideFrames(inside);
      for (const uid of ['1.2.840.10008.1.2.4.50', undefined]) {
        const source = sourceOf([inside], { frame: async (_, n) => ({ bytes: await encodeJpeg(three[n - 1]!, 32, 32, 95), ...(uid !== undefined && { transferSyntaxUID: uid }) }) });
        const off = (await source.read(region)).map((v, i) => Math.abs(v - expected[i]!));
        expect(off.reduce((a, b) => a + b) / off.length).toBeLessThan(3);
      }
    });

    test('YBR_FULL that was not compressed, as RGB', async () => {
      const grey = { ...spec, photometric: 'YBR_FULL', value: (x: number, y: number, sample: number) => (sample === 0 ? (x + y) % 256 : 128) };
      const region = { x: 3, y: 4, columns: 20, rows: 20 };
      expectSame(await sourceOf([grey]).read(region), wanted(region, 3, (x, y) => (x + y) % 256));
    });
  });

  test('reads only the frames that a region shows, each once', async () => {
    const reader = memoryFrames([spec]);
    const source = sourceOf([spec], reader);
    await source.read({ x: 20, y: 20, columns: 20, rows: 20 });
    expect(reader.asked.sort()).toEqual(['1.1 10', '1.1 16', '1.1 17', '1.1 9']);
    await Promise.all([source.read({ x: 16, y: 16, columns: 16, rows: 16 }), source.read({ x: 0, y: 0, columns: 8, rows: 8 }), source.read({ x: 1, y: 1, columns: 8, rows: 8 })]);
    expect(reader.asked).toHaveLength(5);
  });

  test('keeps no more decoded bytes than it may', async () => {
    const reader = memoryFrames([spec]);
    const source = sourceOf([spec], reader, 3 * TILE * TILE * 3);
    const corner = (column: number) => source.read({ x: column * TILE, y: 0, columns: 4, rows: 4 });
    for (const column of [0, 1, 2, 0, 3, 0, 1]) await corner(column);
    // 3 pushes 1 out, which was used longest ago; then 1 is read again.
    expect(reader.asked).toEqual(['1.1 1', '1.1 2', '1.1 3', '1.1 4', '1.1 2']);
  });

  test('a frame that is broken fails the regions that show it, by its number, and no others', async () => {
    const source = sourceOf([spec], memoryFrames([spec], (frame, n) => (n === 9 ? frame.subarray(0, 100) : frame)));
    await expect(source.read({ x: 20, y: 20, columns: 30, rows: 4 })).rejects.toMatchObject({ code: 'input/truncated', message: expect.stringContaining('Frame 9 of 1.1'), fields: { frameNumber: 9 } });
    const region = { x: 32, y: 0, columns: 60, rows: 40 };
    expectSame(await source.read(region), wanted(region));
    // Statistics and overview do without it.
    expect((await source.sample!()).pixels).toHaveLength(3 * (6000 - 256));
    const { pixels } = await source.overview();
    expect(pixels[(20 * 100 + 20) * 3]).toBe(255);
    expect(pixels[(20 * 100 + 40) * 3]).toBe(slope(40, 20));
    const nothing = sourceOf([spec], memoryFrames([spec], () => new Uint8Array(3)));
    await expect(nothing.sample!()).rejects.toMatchObject({ code: 'input/truncated' });
  });

  test('one reader who gives up takes nothing from another', async () => {
    let release = () => {};
    const held = new Promise<void>(resolve => (release = resolve));
    const frames = memoryFrames([spec]);
    let calls = 0;
    const source = sourceOf([spec], {
      async frame(sop, n, signal) {
        if (calls++ === 0) await held;
        if (signal?.aborted) throw new DOMException('given up', 'AbortError');
        return frames.frame(sop, n);
      },
    });
    const stop = new AbortController();
    const region = { x: 0, y: 0, columns: 4, rows: 4 };
    const first = source.read(region, stop.signal).catch((error: unknown) => error);
    const second = source.read(region);
    stop.abort();
    release();
    expect(await first).toBeDefined();
    expectSame(await second, wanted(region));
  });
});

describe('what stands for all of a slide', () => {
  test('the overview is the smallest level, whole', async () => {
    const small: SlideSpec = { sop: '1.2', columns: 25, rows: 15, spacing: '0.002\\0.002' };
    const overview = await sourceOf([spec, small]).overview();
    expect(overview).toMatchObject({ shape: [25, 15, 1], spacingMm: [0.002, 0.002] });
    expectSame(overview.pixels, wanted({ x: 0, y: 0, columns: 25, rows: 15 }));
  });

  test('of a large single level, an even choice of its tiles', async () => {
    const large: SlideSpec = { sop: '1.3', columns: 40 * TILE, rows: 40 * TILE, samples: 1, value: (x, y) => (x < 320 ? 0 : 100) + (y < 320 ? 0 : 50) };
    const reader = memoryFrames([large]);
    const overview = await sourceOf([large], reader).overview();
    expect(reader.asked.length).toBe(400);
    const [columns, rows] = overview.shape;
    expect([columns, rows]).toEqual([320, 320]);
    expect([0, columns - 1, (rows - 1) * columns, rows * columns - 1].map(i => overview.pixels[i])).toEqual([0, 100, 50, 150]);
  });

  test('the sample has the statistics of the finest level, not of a blurred one', async () => {
    const checks: SlideSpec = { sop: '1.1', columns: 320, rows: 320, samples: 1, value: (x, y) => ((x + y) % 2 ? 200 : 10) };
    const blurred: SlideSpec = { sop: '1.2', columns: 40, rows: 40, samples: 1, value: () => 105 };
    const source = sourceOf([checks, blurred]);
    const { pixels } = await source.sample!();
    expect([pixels.reduce((a, b) => Math.min(a, b)), pixels.reduce((a, b) => Math.max(a, b))]).toEqual([10, 200]);
    expect(pixels.reduce((a, b) => a + b) / pixels.length).toBeCloseTo(105, 0);
    expect(new Set((await source.overview()).pixels)).toEqual(new Set([105]));
  });
});
