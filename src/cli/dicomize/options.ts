import type { StudyIdentity } from '../../export/identity.ts';
import type { RadiographView } from '../../export/radiograph.ts';

export const PICTURE_MODALITIES = ['DX', 'CR', 'OT'] as const;
export const VOLUME_MODALITIES = ['MR', 'CT'] as const;
export type DicomizeModality = (typeof PICTURE_MODALITIES)[number] | (typeof VOLUME_MODALITIES)[number];

export interface DicomizeOptions {
  readonly out: string;
  readonly patientID?: string;
  readonly patientName?: string;
  readonly view?: RadiographView;
  readonly modality?: DicomizeModality;
  readonly bodyPart?: string;
  /** [row spacing, column spacing] of pictures; volumes say their own. */
  readonly spacingMm?: readonly [row: number, column: number];
  readonly studyInstanceUID?: string;
  readonly description?: string;
}

export interface WrittenSeries {
  /** The file that was wrapped. */
  readonly source: string;
  readonly seriesInstanceUID: string;
  readonly modality: string;
  readonly sopInstanceUIDs: readonly string[];
  readonly files: readonly string[];
}

export interface DicomizeReport {
  readonly studyInstanceUID: string;
  readonly series: readonly WrittenSeries[];
}

/** What is common to all files of one call. */
export interface DicomizeContext extends DicomizeOptions {
  readonly study: StudyIdentity;
  /** A volume on the same grid as an earlier one shares its frame of reference. */
  readonly framesOfReference: Map<string, string>;
}

export interface DicomizeTarget {
  readonly file: string;
  /** For the file or folder to write. */
  readonly name: string;
  readonly seriesNumber: number;
}
