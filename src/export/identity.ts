import type { DicomObject } from './part10.ts';

/** Whom and when an image shows: what all instances of a study share. */
export interface StudyIdentity {
  readonly studyInstanceUID: string;
  readonly patientID: string;
  /** DICOM person name, `Family^Given`. */
  readonly patientName: string;
  /** YYYYMMDD */
  readonly patientBirthDate?: string;
  readonly patientSex?: 'F' | 'M' | 'O';
  /** YYYYMMDD */
  readonly studyDate: string;
  /** HHMMSS */
  readonly studyTime: string;
  readonly studyDescription?: string;
  readonly studyID?: string;
  readonly accessionNumber?: string;
}

export interface SeriesIdentity {
  readonly seriesInstanceUID: string;
  readonly seriesNumber: number;
  readonly seriesDescription?: string;
  readonly modality: string;
}

export interface InstanceIdentity {
  readonly study: StudyIdentity;
  readonly series: SeriesIdentity;
  readonly sopInstanceUID: string;
  readonly instanceNumber: number;
}

/** Patient, General Study, General Series, General Equipment, General Image, SOP Common: types 1 and 2 filled. */
export function commonModules(sopClassUID: string, identity: InstanceIdentity): DicomObject {
  const { study, series } = identity;
  return {
    SOPClassUID: sopClassUID,
    SOPInstanceUID: identity.sopInstanceUID,
    PatientName: study.patientName,
    PatientID: study.patientID,
    PatientBirthDate: study.patientBirthDate ?? '',
    PatientSex: study.patientSex ?? '',
    StudyInstanceUID: study.studyInstanceUID,
    StudyDate: study.studyDate,
    StudyTime: study.studyTime,
    StudyID: study.studyID ?? '1',
    StudyDescription: study.studyDescription,
    AccessionNumber: study.accessionNumber ?? '',
    ReferringPhysicianName: '',
    Modality: series.modality,
    SeriesInstanceUID: series.seriesInstanceUID,
    SeriesNumber: series.seriesNumber,
    SeriesDescription: series.seriesDescription,
    SeriesDate: study.studyDate,
    SeriesTime: study.studyTime,
    Manufacturer: 'Overread',
    ManufacturerModelName: 'Overread',
    DeviceSerialNumber: '1',
    SoftwareVersions: '1',
    InstanceNumber: identity.instanceNumber,
    ContentDate: study.studyDate,
    ContentTime: study.studyTime,
    InstanceCreationDate: study.studyDate,
    InstanceCreationTime: study.studyTime,
  };
}

export const SopClass = {
  cr: '1.2.840.10008.5.1.4.1.1.1',
  dxForPresentation: '1.2.840.10008.5.1.4.1.1.1.1',
  ct: '1.2.840.10008.5.1.4.1.1.2',
  mr: '1.2.840.10008.5.1.4.1.1.4',
  secondaryCapture: '1.2.840.10008.5.1.4.1.1.7',
  vlMicroscopic: '1.2.840.10008.5.1.4.1.1.77.1.2',
  vlWholeSlide: '1.2.840.10008.5.1.4.1.1.77.1.6',
} as const;

export function code(codeValue: string, codingSchemeDesignator: string, codeMeaning: string): DicomObject {
  return { CodeValue: codeValue, CodingSchemeDesignator: codingSchemeDesignator, CodeMeaning: codeMeaning };
}
