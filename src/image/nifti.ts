import { OverreadError } from '../errors.ts';
import type { Image } from './image.ts';
import type { StoredValues } from '../dicom/native.ts';

/** NIfTI-1 or -2, plain or gzipped. A gzip stream is taken for one: nothing else that we read comes so. */
export function looksLikeNifti(bytes: Uint8Array): boolean {
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) return true;
  const magic = (at: number) => String.fromCharCode(...bytes.subarray(at, at + 3));
  return ['n+1', 'ni1'].includes(magic(344)) || ['n+2', 'ni2'].includes(magic(4));
}

type Reader = (buffer: ArrayBuffer) => StoredValues;
/** NIfTI data type codes that we read. */
const READERS: Readonly<Record<number, Reader>> = {
  2: (b) => new Uint8Array(b), 256: (b) => new Int8Array(b), 4: (b) => new Int16Array(b), 512: (b) => new Uint16Array(b),
  8: (b) => new Int32Array(b), 768: (b) => new Uint32Array(b), 16: (b) => new Float32Array(b), 64: (b) => new Float64Array(b),
};

/**
 * A NIfTI volume or slice: i, j, k become column, row, slice as they are stored; the RAS+ affine becomes LPS. Values are
 * scaled by scl_slope and scl_inter.
 * @throws OverreadError `input/unreadable`, `input/truncated`, `input/unsupported-pixels`
 */
export async function imageFromNifti(bytes: Uint8Array, file: string): Promise<Image> {
  const nifti = await import('nifti-reader-js');
  const refuse = (code: 'input/unreadable' | 'input/truncated' | 'input/unsupported-pixels', expected: string, got: unknown, todo: string): never => {
    throw new OverreadError(code, `Expected ${expected} in ${file}, got ${got}. ${todo}`, { expected, got, file });
  };
  const whole = new Uint8Array(bytes).buffer;
  let data: ArrayBuffer = whole;
  try {
    if (nifti.isCompressed(whole)) data = nifti.decompress(whole) as ArrayBuffer;
  } catch (cause) {
    throw new OverreadError('input/truncated', `The compressed file ${file} ends or breaks before its end. Fetch it again.`, { expected: 'a whole gzip stream', file }, cause);
  }
  if (!nifti.isNIFTI(data)) refuse('input/unreadable', 'a NIfTI volume', 'another compressed file', 'Choose another file.');
  const header = nifti.readHeader(data);
  const [, columns = 0, rows = 0, slices = 1, ...more] = header.dims.slice(0, header.dims[0]! + 1);
  if (columns < 1 || rows < 1 || slices < 1) refuse('input/unreadable', 'sizes of at least 1', header.dims.join(' '), 'Mend the file.');
  if (more.some((n) => n > 1)) refuse('input/unsupported-pixels', 'one volume', `${more.join('×')} of them (dim ${header.dims.join(' ')})`, 'Split it.');
  const reader = READERS[header.datatypeCode];
  if (!reader) return refuse('input/unsupported-pixels', 'whole or floating-point numbers of up to 64 bits', `data type ${header.datatypeCode}`, 'Convert it.');
  const count = columns * rows * slices;
  const image = nifti.readImage(header, data) as ArrayBuffer;
  const size = count * (header.numBitsPerVoxel / 8);
  if (image.byteLength < size) refuse('input/truncated', `${size} bytes of voxels`, image.byteLength, 'Fetch it again.');
  const raw = image.slice(0, size);
  if (!header.littleEndian) swap(new Uint8Array(raw), header.numBitsPerVoxel / 8);
  const slope = Number.isFinite(header.scl_slope) && header.scl_slope !== 0 ? header.scl_slope : 1;
  const inter = slope === 1 && header.scl_slope === 0 ? 0 : Number.isFinite(header.scl_inter) ? header.scl_inter : 0;
  const pixels = new Float32Array(count);
  let [min, max] = [Infinity, -Infinity];
  for (const [i, v] of reader(raw).entries()) {
    const value = (pixels[i] = v * slope + inter);
    if (value < min) min = value;
    if (value > max) max = value;
  }
  if (!Number.isFinite(min) || !Number.isFinite(max)) refuse('input/unsupported-pixels', 'finite values', 'NaN or infinite ones', 'Mend the file.');
  return {
    sources: Array.from({ length: slices }, () => ({ file })),
    modality: 'OT',
    shape: [columns, rows, slices],
    channels: 1,
    attributes: {},
    ...geometryOf(header, slices),
    pixels,
    // NIfTI does not say how many bits were stored.
    representableRange: [min, max],
  };
}

interface Header {
  readonly qform_code: number;
  readonly sform_code: number;
  readonly affine: number[][];
  readonly pixDims: number[];
}

function geometryOf({ qform_code, sform_code, affine, pixDims }: Header, slices: number): Partial<Image> {
  const spacingMm = [pixDims[1]!, pixDims[2]!] as const;
  const valid = spacingMm.every((v) => Number.isFinite(v) && v > 0);
  if (qform_code < 1 && sform_code < 1) return valid ? { spacingMm, spacingSource: 'given' } : {};
  // RAS+ → LPS+: left is right and front is back.
  const lps = affine.map((row, i) => row.map((v) => (i < 2 ? 0 - v : v)));
  const column = (c: number): [number, number, number] => [lps[0]![c]!, lps[1]![c]!, lps[2]![c]!];
  const norm = (v: readonly number[]) => Math.hypot(...v);
  const [x, y, z] = [column(0), column(1), column(2)];
  const normal = [x[1] * y[2] - x[2] * y[1], x[2] * y[0] - x[0] * y[2], x[0] * y[1] - x[1] * y[0]];
  const slice = Math.abs(normal.reduce((sum, v, i) => sum + v * z[i]!, 0)) / norm(normal);
  return {
    indexToPatient: lps.flat(),
    spacingMm: [norm(x), norm(y)],
    spacingSource: 'given',
    ...(slices > 1 && { sliceSpacingMm: slice }),
  };
}

function swap(bytes: Uint8Array, width: number): void {
  if (width > 1) for (let i = 0; i + width <= bytes.length; i += width) bytes.subarray(i, i + width).reverse();
}
