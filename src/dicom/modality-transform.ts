import type { DataSet } from './data-set.ts';
import { OverreadError } from '../errors.ts';
import { functionalGroups } from './functional-groups.ts';
import type { PixelFormat } from './pixel-format.ts';

/** Stored value → modality value (PS3.3 C.11.1): a straight line, or a table. */
export type ModalityTransform =
  | { readonly kind: 'linear'; readonly slope: number; readonly intercept: number }
  | { readonly kind: 'table'; readonly first: number; readonly bits: number; readonly values: Uint16Array };

export const IDENTITY: ModalityTransform = { kind: 'linear', slope: 1, intercept: 0 };

/** One transform for all frames, or one a frame where an enhanced object states it so. */
export function modalityTransforms(set: DataSet, format: PixelFormat): readonly ModalityTransform[] {
  const frames = functionalGroups(set).map((group) => group('00289145'));
  if (frames.some((f) => f !== undefined)) return frames.map((f) => (f ? linear(f) : IDENTITY));
  const table = set.items('00283000')[0];
  return [table ? readTable(table, format.signed) : linear(set)];
}

function linear(set: DataSet): ModalityTransform {
  const slope = set.number('00281053', 'RescaleSlope') ?? 1;
  const intercept = set.number('00281052', 'RescaleIntercept') ?? 0;
  return checkedLinear(slope, intercept);
}

/**
 * @throws OverreadError `input/inconsistent` for a slope or intercept that is not finite, and for slope 0, which would
 *   make every pixel the same
 */
export function checkedLinear(slope: number, intercept: number): ModalityTransform {
  if (!Number.isFinite(slope) || slope === 0 || !Number.isFinite(intercept)) {
    throw new OverreadError('input/inconsistent', `RescaleSlope is ${slope} and RescaleIntercept ${intercept}; expected finite numbers and a slope other than 0. Mend the attributes.`,
      { expected: 'finite, slope ≠ 0', got: { slope, intercept } });
  }
  return { kind: 'linear', slope, intercept };
}

function readTable(item: DataSet, signed: boolean): ModalityTransform {
  const count = item.uint16('00283002', 0);
  const first = item.pixelValue('00283002', signed, 1);
  const bits = item.uint16('00283002', 2);
  const values = item.words('00283006');
  const entries = count === 0 ? 65536 : count;
  if (entries === undefined || first === undefined || bits === undefined || !values || values.length < entries) {
    throw new OverreadError('input/inconsistent', `The modality LUT promises ${entries ?? 'no'} entries and holds ${values?.length ?? 0}. Mend the file.`,
      { expected: entries, got: values?.length ?? 0 });
  }
  return { kind: 'table', first, bits: bits || 16, values: values.subarray(0, entries) };
}

/** One stored value through the transform; a table's ends hold beyond it. */
export function applyTransform(transform: ModalityTransform, stored: number): number {
  if (transform.kind === 'linear') return stored * transform.slope + transform.intercept;
  const { first, values } = transform;
  return values[Math.min(Math.max(stored - first, 0), values.length - 1)]!;
}
