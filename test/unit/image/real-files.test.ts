/**
 * Every file of ../shared/data/dicom: an image, or one specific refusal; stored values as pydicom and DCMTK read them;
 * the same picture in every transfer syntax. Skipped where that folder is absent.
 */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { decodeFrame } from '../../../src/dicom/decode.ts';
import { readImageInstance } from '../../../src/dicom/instance.ts';
import { isOverreadError, type ErrorCode } from '../../../src/errors.ts';
import { imageFromFile } from '../../../src/image/file-image.ts';
import type { Image } from '../../../src/image/image.ts';

interface Reference {
  readonly tool: string;
  readonly sha256?: string;
  readonly min?: number;
  readonly max?: number;
  readonly mean?: number;
  readonly rgbMean?: readonly number[];
}

const root = path.join(__dirname, '../../../../shared/data/dicom');
const fixture = path.join(__dirname, '../../fixtures/dicom-reference.json');
const reference = JSON.parse(fs.readFileSync(fixture, 'utf8')) as Record<string, Reference>;
const present = fs.existsSync(root);
const files = present
  ? ['open/dev', 'unstated/dev'].flatMap((folder) => fs.readdirSync(path.join(root, folder)).filter((f) => f.endsWith('.dcm')).map((f) => `${folder}/${f}`))
  : [];
if (!present) console.warn(`Skipped: the tests on real DICOM files need ${path.relative(process.cwd(), root)}, which is not there.`);

const read = (file: string): Uint8Array => fs.readFileSync(path.join(root, file));
const find = (part: string): string => files.find((f) => f.includes(part)) ?? fail(part);
const fail = (part: string): never => { throw new Error(`no file named *${part}*`); };

/** What has no image in it, or a broken one, and why. Everything else must open. */
const REFUSED: Readonly<Record<string, ErrorCode>> = {
  'dicomParser__report_dfl.dcm': 'input/no-pixels',
  'dicomParser__wave_dfl.dcm': 'input/no-pixels',
  'fo-dicom__GH1146.dcm': 'input/truncated',
  'fo-dicom__GH178.dcm': 'input/truncated',
  'fo-dicom__GH179A.dcm': 'input/unreadable',
  'fo-dicom__GH179B.dcm': 'input/unreadable',
  'fo-dicom__GH220.dcm': 'input/no-pixels',
  'fo-dicom__GH340.dcm': 'input/unsupported-pixels',
  'fo-dicom__GH487.dcm': 'input/no-pixels',
  'fo-dicom__Issue1097_FailToOpenDeflatedFileWithSQ.dcm': 'input/no-pixels',
  'fo-dicom__genFile.dcm': 'input/truncated',
  'highdicom__sm_annotations.dcm': 'input/no-pixels',
  'highdicom__sr_document.dcm': 'input/no-pixels',
  'pydicom-data__emri_small_jpeg_2k_lossless_too_short.dcm': 'input/truncated',
  'pydicom__ExplVR_LitEndNoMeta.dcm': 'input/no-pixels',
  'pydicom__JPEG2000-embedded-sequence-delimiter.dcm': 'input/inconsistent',
  'pydicom__UN_sequence.dcm': 'input/no-pixels',
  'pydicom__badVR.dcm': 'input/inconsistent',
  'pydicom__chrJapMulti.dcm': 'input/truncated',
  'pydicom__chrJapMultiExplicitIR6.dcm': 'input/truncated',
  'pydicom__chrKoreanMulti.dcm': 'input/truncated',
  'pydicom__chrSQEncoding.dcm': 'input/no-pixels',
  'pydicom__chrSQEncoding1.dcm': 'input/no-pixels',
  'pydicom__empty_charset_LEI.dcm': 'input/no-pixels',
  'pydicom__fall.dcm': 'input/no-pixels',
  'pydicom__nested_priv_SQ.dcm': 'input/inconsistent',
  'pydicom__no_meta_group_length.dcm': 'input/no-pixels',
  'pydicom__priv_SQ.dcm': 'input/no-pixels',
  'pydicom__reportsi_with_empty_number_tags.dcm': 'input/no-pixels',
  'pydicom__rtplan_truncated.dcm': 'input/truncated',
  'pydicom__rtstruct.dcm': 'input/no-pixels',
  'pydicom__waveform_ecg.dcm': 'input/no-pixels',
};

/** Where we differ from the reference on purpose. */
const OTHERWISE: Readonly<Record<string, string>> = {
  'pylibjpeg-data__TOSHIBA_J2K_SIZ1_PixRep0.dcm': 'the stream is signed, the file says unsigned: pydicom shifts by 32768, we give HU',
  'pydicom-data__JLSL_16_15_1_1F.dcm': 'signed, 15 bits stored: pydicom does not extend the sign from bit 14',
  'dicom-test-files__RG3_JPLY.dcm': 'lossy, 10 bits stored, one value of 1024: we clamp',
};

/** The image, or frame 1 of a multi-frame that makes no volume. */
async function open(file: string): Promise<Image> {
  try {
    return await imageFromFile(read(file), file);
  } catch (error) {
    if (!isOverreadError(error, 'input/geometry')) throw error;
    return imageFromFile(read(file), file, { frame: 1 });
  }
}

const sha256 = (values: Float32Array | Float64Array): string =>
  createHash('sha256').update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength)).digest('hex');

const suite = present ? describe : describe.skip;

suite('real files', () => {
  test.each(files)('%s opens or is refused by name', async (file) => {
    const code = REFUSED[path.basename(file)];
    if (code) {
      await expect(open(file)).rejects.toMatchObject({ name: 'OverreadError', code });
      return;
    }
    const image = await open(file);
    const [columns, rows, slices] = image.shape;
    expect(image.pixels.length).toBe(columns * rows * slices * image.channels);
    expect(image.sources).toHaveLength(slices);
    const [min, max] = image.representableRange;
    // Float32 rounds: a millionth of the range is no excess.
    const slack = (max - min) * 1e-6;
    let outside = 0;
    for (const v of image.pixels) if (!(v >= min - slack && v <= max + slack)) outside++; // NaN too
    expect(outside).toBe(0);
  });

  test.each(Object.keys(reference).filter((f) => reference[f]!.sha256 && !OTHERWISE[path.basename(f)]))('%s has the stored values of the reference', async (file) => {
    if (REFUSED[path.basename(file)]) return expect(REFUSED[path.basename(file)]).toBe('input/inconsistent');
    const instance = readImageInstance(read(file));
    const frame = await decodeFrame(instance, 0);
    const values = interleaved(frame.values, frame.planar);
    const expected = reference[file]!;
    let [min, max, sum] = [Infinity, -Infinity, 0];
    for (const v of values) {
      min = Math.min(min, v);
      max = Math.max(max, v);
      sum += v;
    }
    expect({ min, max, mean: sum / values.length }).toEqual({ min: expected.min, max: expected.max, mean: expect.closeTo(expected.mean!, 4) });
    expect(sha256(values)).toBe(expected.sha256);
  });

  test.each(Object.keys(reference).filter((f) => reference[f]!.rgbMean))('%s has the colours of the reference', async (file) => {
    const { pixels } = await open(file);
    const means = [0, 1, 2].map((c) => pixels.reduce((sum, v, i) => (i % 3 === c ? sum + v : sum), 0) / (pixels.length / 3));
    means.forEach((mean, c) => expect(mean).toBeCloseTo(reference[file]!.rgbMean![c]!, 0));
  });

  const same: readonly (readonly [picture: string, files: readonly string[]])[] = [
    ['CT0012', ['CT0012.fragmented_no_bot_jpeg_lossless.57', 'CT0012.fragmented_no_bot_jpeg_lossless.70', 'CT0012.not_fragmented_bot_jpeg_ls.80', 'CT0012.not_fragmented_no_bot_rle']],
    ['MR_small', ['MR_small_bigendian', 'MR_small_expb', 'MR_small_jp2klossless', 'MR_small_jpeg_ls_lossless']],
    ['emri_small', ['emri_small.dcm', 'emri_small_RLE', 'emri_small_jpeg_ls_lossless']],
    ['SC_rgb', ['SC_rgb.dcm', 'SC_rgb_expb.dcm', 'SC_rgb_rle.dcm', 'SC_rgb_jpeg_gdcm', 'SC_rgb_gdcm_KY', 'SC_rgb_gdcm2k_uncompressed', 'SC_rgb_rle_16bit.dcm', 'SC_rgb_2frame', 'SC_rgb_16bit_2frame']],
    ['SC_rgb, 32 bits', ['SC_rgb_32bit.dcm', 'SC_rgb_expb_32bit', 'SC_rgb_rle_32bit.dcm']],
    ['NM1', ['NM1_J2KR', 'NM1_JLSL']],
    ['MR4', ['MR4_JLSL', 'MR4_JPLL']],
    ['liver', ['liver_nonbyte_aligned.dcm', 'liver_nonbyte_aligned_deflate', 'liver_nonbyte_aligned_rle']],
    ['SM', ['sm_image_jpegls.dcm', 'sm_image_jpegls_nobot.dcm']],
    ['RT dose', ['rtdose_expb.dcm', 'rtdose_rle']],
  ];
  test.each(same)('%s is the same in every lossless transfer syntax', async (_, names) => {
    const [first, ...others] = await Promise.all(names.map((n) => open(find(n))));
    for (const other of others) {
      expect(other.shape).toEqual(first!.shape);
      expect(sha256(other.pixels)).toBe(sha256(first!.pixels));
    }
  });

  /** [files, the first one lossless; largest mean absolute difference allowed, in shares of the representable range] */
  const alike: readonly (readonly [picture: string, files: readonly string[], tolerance: number])[] = [
    ['RG3', ['RG3_J2KR', 'RG3_J2KI', 'RG3_JPLY'], 0.003],
    ['RG2', ['RG2_JLSN', 'RG2_JPLY'], 0.006],
    ['NM1', ['NM1_J2KR', 'NM1_JLSN'], 1e-4],
    ['XA1', ['XA1_JLSN', 'XA1_J2KI', 'XA1_JPLY'], 0.003],
    ['MR4', ['MR4_JLSL', 'MR4_J2KI'], 0.003],
    ['CTImage, 12-bit JPEG', ['CTImage.dcm_JPEGProcess10_12', 'CTImage.dcm_JPEGProcess6_8'], 0],
    ['SC_rgb', ['SC_rgb.dcm', 'eb_cr.dcm', 'eb_cy_n1', 'eb_cy_np', 'eb_cy_s2', 'SC_ybr_full_uncompressed', 'SC_ybr_full_422', 'SC_rgb_jpeg_lossy_gdcm'], 0.02],
  ];
  test.each(alike)('%s is alike in lossy transfer syntaxes', async (_, names, tolerance) => {
    const [first, ...others] = await Promise.all(names.map((n) => open(find(n))));
    const [min, max] = first!.representableRange;
    for (const [i, other] of others.entries()) {
      const difference = other.pixels.reduce((sum, v, k) => sum + Math.abs(v - first!.pixels[k]!), 0) / other.pixels.length / (max - min);
      if (difference > tolerance) throw new Error(`${names[i + 1]} differs from ${names[0]} by ${difference} of the range, more than ${tolerance}`);
    }
  });
});

function interleaved(values: ArrayLike<number>, planar: boolean): Float64Array {
  const out = Float64Array.from(values);
  const pixels = values.length / 3;
  if (planar) for (let i = 0; i < pixels; i++) for (let s = 0; s < 3; s++) out[3 * i + s] = values[s * pixels + i]!;
  return out;
}
