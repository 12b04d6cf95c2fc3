import { OverreadError } from '../errors.ts';
import type { DataSet } from './data-set.ts';
import type { DicomElement } from './elements.ts';

/** Image Pixel module (PS3.3 C.7.6.3): how the stored values lie in the pixel data. */
export interface PixelFormat {
  readonly rows: number;
  readonly columns: number;
  readonly numberOfFrames: number;
  readonly samplesPerPixel: 1 | 3;
  /** 1, 8, 16 or 32 bits; 32 and 64 are floating point where `float` is set. */
  readonly bitsAllocated: number;
  readonly bitsStored: number;
  readonly highBit: number;
  readonly signed: boolean;
  readonly float: boolean;
  /** Samples of one colour lie together (1) or pixel by pixel (0). */
  readonly planarConfiguration: 0 | 1;
  readonly photometricInterpretation: string;
}

const FLOAT = '7FE00008';
const DOUBLE = '7FE00009';

/** @throws OverreadError `input/no-pixels`, or `input/truncated` when an image is described and its pixels are not there */
export function pixelElement(set: DataSet, modality: string, sopClassUID: string | undefined): DicomElement {
  const element = set.element('7FE00010') ?? set.element(FLOAT) ?? set.element(DOUBLE);
  if (element) return element;
  if (set.has('00280010') && set.has('00280011') && set.has('00280100')) {
    throw new OverreadError('input/truncated',
      'The file describes an image but holds no pixel data: it was cut off, or its pixels were taken out. Fetch it again.',
      { expected: 'Pixel Data (7FE0,0010)', got: 'none', modality });
  }
  throw new OverreadError('input/no-pixels',
    `Expected an image, got a DICOM object without one (modality ${modality}${sopClassUID ? `, SOP class ${sopClassUID}` : ''}). Choose the images that it refers to.`,
    { expected: 'Pixel Data (7FE0,0010)', got: 'none', modality, sopClassUID });
}

/**
 * @param set of a file, or of DICOM JSON
 * @throws OverreadError `input/inconsistent`, `input/unsupported-pixels`
 */
export function readPixelFormat(set: Pick<DataSet, 'uint16' | 'string' | 'numbers'>, element: Pick<DicomElement, 'tag'>): PixelFormat {
  const float = element.tag === FLOAT || element.tag === DOUBLE;
  const need = (tag: string, keyword: string): number => {
    const value = set.uint16(tag);
    if (value === undefined) {
      throw new OverreadError('input/inconsistent', `${keyword} is missing, so the pixel data cannot be read. Mend the file.`, { attribute: keyword, expected: 'a number', got: 'nothing' });
    }
    return value;
  };
  const rows = need('00280010', 'Rows');
  const columns = need('00280011', 'Columns');
  if (rows === 0 || columns === 0) {
    throw new OverreadError('input/inconsistent', `Expected an image of at least 1×1 pixels, got ${columns}×${rows}. Mend the file.`, { expected: '≥ 1×1', got: `${columns}×${rows}` });
  }
  const numberOfFrames = set.numbers('00280008', 'NumberOfFrames')?.[0] ?? 1;
  if (!Number.isInteger(numberOfFrames) || numberOfFrames < 0) {
    throw new OverreadError('input/inconsistent', `NumberOfFrames is ${numberOfFrames}; expected a whole number. Mend the file.`, { attribute: 'NumberOfFrames', got: numberOfFrames });
  }
  const bitsAllocated = element.tag === DOUBLE ? 64 : element.tag === FLOAT ? 32 : need('00280100', 'BitsAllocated');
  const bitsStored = float ? bitsAllocated : set.uint16('00280101') ?? bitsAllocated;
  const highBit = float ? bitsAllocated - 1 : set.uint16('00280102') ?? bitsStored - 1;
  const samples = set.uint16('00280002') ?? 1;
  const photometric = set.string('00280004') ?? (samples === 3 ? 'RGB' : 'MONOCHROME2');
  const refuse = (expected: string, got: unknown): never => {
    throw new OverreadError('input/unsupported-pixels', `Expected ${expected}, got ${got}. Convert the file and try again.`, { expected, got });
  };
  if (samples !== 1 && samples !== 3) refuse('1 or 3 samples per pixel', `${samples} (${photometric})`);
  if (!PHOTOMETRIC[photometric]) refuse(`a photometric interpretation of ${Object.keys(PHOTOMETRIC).join(', ')}`, photometric);
  if (PHOTOMETRIC[photometric] !== samples) {
    throw new OverreadError('input/inconsistent', `${photometric} needs ${PHOTOMETRIC[photometric]} samples per pixel, the file says ${samples}. Mend the file.`, { expected: PHOTOMETRIC[photometric], got: samples });
  }
  if (!float && ![1, 8, 16, 32].includes(bitsAllocated)) refuse('1, 8, 16 or 32 bits allocated', `${bitsAllocated} bits`);
  if (bitsStored < 1 || bitsStored > bitsAllocated || highBit >= bitsAllocated || highBit < bitsStored - 1) {
    throw new OverreadError('input/inconsistent', `${bitsStored} bits stored up to bit ${highBit} do not fit in ${bitsAllocated} bits allocated. Mend the file.`, { expected: `≤ ${bitsAllocated}`, got: { bitsStored, highBit } });
  }
  return {
    rows, columns, numberOfFrames: numberOfFrames || 1, samplesPerPixel: samples as 1 | 3, bitsAllocated, bitsStored, highBit,
    signed: set.uint16('00280103') === 1, float,
    planarConfiguration: set.uint16('00280006') === 1 ? 1 : 0,
    photometricInterpretation: photometric,
  };
}

/** The photometric interpretations that we read, and their samples per pixel. */
const PHOTOMETRIC: Readonly<Record<string, 1 | 3>> = {
  MONOCHROME1: 1, MONOCHROME2: 1, 'PALETTE COLOR': 1, RGB: 3, YBR_FULL: 3, YBR_FULL_422: 3, YBR_RCT: 3, YBR_ICT: 3,
};
