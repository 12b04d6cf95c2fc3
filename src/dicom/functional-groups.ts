import type { DataSet } from './data-set.ts';
import { type PixelSpacing, spacingFrom } from './spacing.ts';

/** Where one frame lies in the patient: Image Plane module, or the functional groups of a multi-frame (PS3.3 C.7.6.16). */
export interface Plane {
  /** Direction cosines of a row, then of a column, LPS. */
  readonly imageOrientationPatient: readonly number[];
  /** Centre of the first pixel, LPS, mm. */
  readonly imagePositionPatient: readonly number[];
  /** Only where the functional groups state one. */
  readonly spacing?: PixelSpacing;
}

const SHARED = '52009229';
const PER_FRAME = '52009230';

/** The per-frame item of each frame with the shared one to fall back on; empty for single-frame objects. */
export function functionalGroups(set: DataSet): readonly ((sequence: string) => DataSet | undefined)[] {
  const shared = set.items(SHARED)[0];
  return set.items(PER_FRAME).map((frame) => (sequence) => frame.items(sequence)[0] ?? shared?.items(sequence)[0]);
}

/** The plane of every frame, or none when a frame has no orientation or position. */
export function framePlanes(set: DataSet, numberOfFrames: number): readonly Plane[] {
  const frames = functionalGroups(set);
  if (frames.length > 0) {
    const planes = frames.map((group) => planeOf(group('00209116'), group('00209113'), group('00289110')));
    return planes.length === numberOfFrames && planes.every((p) => p !== undefined) ? planes : [];
  }
  const plane = planeOf(set, set);
  return plane && numberOfFrames === 1 ? [plane] : [];
}

/** The spacing that all frames share, as enhanced and whole-slide images state it. */
export function sharedSpacing(set: DataSet): PixelSpacing | undefined {
  const measures = set.items(SHARED)[0]?.items('00289110')[0] ?? set.items(PER_FRAME)[0]?.items('00289110')[0];
  return measures && spacingFrom(measures.optionalNumbers('00280030'), 'SharedFunctionalGroups');
}

function planeOf(orientation?: DataSet, position?: DataSet, measures?: DataSet): Plane | undefined {
  const imageOrientationPatient = orientation && orientation.optionalNumbers('00200037');
  const imagePositionPatient = position && position.optionalNumbers('00200032');
  if (imageOrientationPatient?.length !== 6 || imagePositionPatient?.length !== 3) return undefined;
  const spacing = measures && spacingFrom(measures.optionalNumbers('00280030'), 'SharedFunctionalGroups');
  return { imageOrientationPatient, imagePositionPatient, ...(spacing && { spacing }) };
}
