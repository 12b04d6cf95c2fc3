import dcmjs from 'dcmjs';
import type { DicomJson } from '../dicom/dicomjson.ts';
import { OverreadError } from '../errors.ts';
import type { DicomObject, DicomValue } from './part10.ts';

/** A data set by keyword, as dcmjs and OHIF naturalise it: single values bare, sequences as arrays. */
export interface Naturalized {
  readonly [keyword: string]: unknown;
}

/** Where a frame lies in the patient. */
export interface FramePlane {
  /** LPS mm, centre of the first pixel. */
  readonly imagePositionPatient: readonly number[];
  readonly imageOrientationPatient: readonly number[];
}

/** What an object made from an image has to say of it. */
export interface SourceInstance {
  readonly studyInstanceUID: string;
  readonly seriesInstanceUID: string;
  readonly sopInstanceUID: string;
  readonly sopClassUID: string;
  readonly modality: string;
  readonly rows: number;
  readonly columns: number;
  readonly numberOfFrames: number;
  readonly frameOfReferenceUID?: string;
  readonly positionReferenceIndicator?: string;
  /** One a frame; empty where the instance does not say where its frames lie. */
  readonly planes: readonly FramePlane[];
  /** PixelSpacing: [row spacing, column spacing]. */
  readonly pixelSpacing?: readonly number[];
  readonly sliceThicknessMm?: number;
  readonly patientOrientation?: readonly string[];
  /** Patient and General Study modules, as they are copied. */
  readonly patientAndStudy: DicomObject;
  readonly bodyPartExamined?: string;
  readonly laterality?: string;
  readonly lossy: DicomObject;
  /** Of a whole slide: container and specimen, the place of the total pixel matrix. */
  readonly slide?: DicomObject;
}

const PATIENT_AND_STUDY = [
  'PatientName', 'PatientID', 'IssuerOfPatientID', 'PatientBirthDate', 'PatientSex', 'PatientAge',
  'StudyInstanceUID', 'StudyDate', 'StudyTime', 'StudyID', 'AccessionNumber', 'ReferringPhysicianName', 'StudyDescription',
] as const;
/** Type 2: empty where the source has none. */
const TYPE_2 = new Set<string>(['PatientName', 'PatientID', 'PatientBirthDate', 'PatientSex', 'StudyDate', 'StudyTime', 'StudyID', 'AccessionNumber', 'ReferringPhysicianName']);
const LOSSY = ['LossyImageCompression', 'LossyImageCompressionRatio', 'LossyImageCompressionMethod'] as const;
const SLIDE = [
  'ContainerIdentifier', 'IssuerOfTheContainerIdentifierSequence', 'ContainerTypeCodeSequence', 'SpecimenDescriptionSequence',
  'TotalPixelMatrixOriginSequence', 'ImageOrientationSlide', 'TotalPixelMatrixColumns', 'TotalPixelMatrixRows',
  'ImagedVolumeWidth', 'ImagedVolumeHeight', 'ImagedVolumeDepth', 'TotalPixelMatrixFocalPlanes',
] as const;

/** Shadows and photographs: a position that they state is not used, as in reading them. */
const PROJECTIONS = new Set(['CR', 'DX', 'DR', 'MG', 'IO', 'PX', 'XA', 'RF', 'RG', 'RTIMAGE', 'XC', 'GM', 'SM']);

interface DcmjsReader {
  readonly DicomMetaDictionary: { naturalizeDataset(dataset: DicomJson): Naturalized };
}

/** DICOM JSON, of a server or of a file's header, by keyword. */
export function naturalised(json: DicomJson): Naturalized {
  return (dcmjs.data as unknown as DcmjsReader).DicomMetaDictionary.naturalizeDataset(json);
}

/**
 * What a writer needs of a source image.
 * @throws OverreadError `input/inconsistent` when a UID is missing: what is written could not refer to it
 */
export function sourceInstance(of: Naturalized): SourceInstance {
  const modality = text(of.Modality) ?? 'OT';
  const shared = items(of.SharedFunctionalGroupsSequence)[0];
  const perFrame = items(of.PerFrameFunctionalGroupsSequence);
  const measures = items(shared?.PixelMeasuresSequence)[0] ?? items(perFrame[0]?.PixelMeasuresSequence)[0];
  const optional = {
    frameOfReferenceUID: text(of.FrameOfReferenceUID),
    positionReferenceIndicator: text(of.PositionReferenceIndicator),
    pixelSpacing: numbers(of.PixelSpacing) ?? numbers(measures?.PixelSpacing),
    sliceThicknessMm: numbers(of.SliceThickness)?.[0] ?? numbers(measures?.SliceThickness)?.[0],
    patientOrientation: texts(of.PatientOrientation),
    bodyPartExamined: text(of.BodyPartExamined),
    laterality: text(of.Laterality),
    slide: modality === 'SM' ? slideModules(of) : undefined,
  };
  return {
    studyInstanceUID: uid(of, 'StudyInstanceUID'),
    seriesInstanceUID: uid(of, 'SeriesInstanceUID'),
    sopInstanceUID: uid(of, 'SOPInstanceUID'),
    sopClassUID: uid(of, 'SOPClassUID'),
    modality,
    rows: numbers(of.Rows)?.[0] ?? 0,
    columns: numbers(of.Columns)?.[0] ?? 0,
    numberOfFrames: numbers(of.NumberOfFrames)?.[0] ?? 1,
    planes: PROJECTIONS.has(modality) ? [] : planesOf(of, shared, perFrame),
    patientAndStudy: { ...Object.fromEntries([...TYPE_2].map(keyword => [keyword, ''])), ...copied(of, PATIENT_AND_STUDY) },
    lossy: text(of.LossyImageCompression) === '01' ? copied(of, LOSSY) : {},
    ...Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined)),
  };
}

/** Sequences of type 2 that are empty do not survive being naturalised. */
function slideModules(of: Naturalized): DicomObject {
  const copy = copied(of, SLIDE);
  const specimens = (copy.SpecimenDescriptionSequence ?? []) as readonly DicomObject[];
  return {
    ...copy,
    ...(copy.ContainerIdentifier !== undefined && { IssuerOfTheContainerIdentifierSequence: copy.IssuerOfTheContainerIdentifierSequence ?? [], ContainerTypeCodeSequence: copy.ContainerTypeCodeSequence ?? [] }),
    ...(specimens.length > 0 && { SpecimenDescriptionSequence: specimens.map(item => ({ IssuerOfTheSpecimenIdentifierSequence: [], SpecimenPreparationSequence: [], ...item })) }),
  };
}

function planesOf(of: Naturalized, shared: Naturalized | undefined, perFrame: readonly Naturalized[]): FramePlane[] {
  const frames = perFrame.length > 0
    ? perFrame.map(frame => {
        const group = (name: string): Naturalized | undefined => items(frame[name])[0] ?? items(shared?.[name])[0];
        return plane(group('PlanePositionSequence')?.ImagePositionPatient, group('PlaneOrientationSequence')?.ImageOrientationPatient);
      })
    : [plane(of.ImagePositionPatient, of.ImageOrientationPatient)];
  return frames.every(frame => frame !== undefined) ? frames : [];
}

function plane(position: unknown, orientation: unknown): FramePlane | undefined {
  const [imagePositionPatient, imageOrientationPatient] = [numbers(position), numbers(orientation)];
  return imagePositionPatient?.length === 3 && imageOrientationPatient?.length === 6 ? { imagePositionPatient, imageOrientationPatient } : undefined;
}

function uid(of: Naturalized, keyword: string): string {
  const value = text(of[keyword]);
  if (value) return value;
  throw new OverreadError('input/inconsistent', `The source image has no ${keyword}, so an object made from it could not refer to it. Mend the image.`, { expected: keyword, got: 'nothing' });
}

/** The items of a sequence. */
export function items(value: unknown): readonly Naturalized[] {
  if (Array.isArray(value)) return value as Naturalized[];
  return value !== null && typeof value === 'object' ? [value as Naturalized] : [];
}

/** All values as text, trimmed; undefined where there is none. */
export function texts(value: unknown): readonly string[] | undefined {
  const values = (Array.isArray(value) ? value : [value]).map(plainText);
  return values.some(v => v !== '') ? values : undefined;
}

export function text(value: unknown): string | undefined {
  return texts(value)?.[0] || undefined;
}

/** Undefined where there is none, or what is there are no finite numbers. */
export function numbers(value: unknown): readonly number[] | undefined {
  const values = texts(value)?.map(v => (v === '' ? NaN : Number(v)));
  return values?.every(Number.isFinite) ? values : undefined;
}

function plainText(value: unknown): string {
  if (value === null || value === undefined) return '';
  if (typeof value !== 'object') return String(value).trim();
  const { Alphabetic, Ideographic, Phonetic } = value as Readonly<Record<string, string | undefined>>;
  return [Alphabetic, Ideographic, Phonetic].map(v => v ?? '').join('=').replace(/=+$/, '');
}

/** The attributes that are there, as they can be written again. */
function copied(of: Naturalized, keywords: readonly string[]): DicomObject {
  return Object.fromEntries(keywords.flatMap(keyword => {
    const value = writable(of[keyword]);
    return value === undefined ? [] : [[keyword, value]];
  }));
}

function writable(value: unknown): DicomValue {
  if (value === null || value === undefined) return undefined;
  if (typeof value === 'string' || typeof value === 'number') return value;
  if (typeof value !== 'object' || value instanceof ArrayBuffer || ArrayBuffer.isView(value)) return undefined;
  if (isName(value)) return plainText(value);
  if (!Array.isArray(value)) return [itemOf(value as Naturalized)];
  if (value.length > 0 && isName(value[0])) return plainText(value[0]);
  if (value.every(v => typeof v === 'string' || typeof v === 'number')) return [...(value as (string | number)[])];
  return value.map(item => itemOf(item as Naturalized));
}

const isName = (value: unknown): boolean => value !== null && typeof value === 'object' && ('Alphabetic' in value || 'Ideographic' in value);

function itemOf(of: Naturalized): DicomObject {
  return copied(of, Object.keys(of).filter(keyword => /^[A-Z]/.test(keyword)));
}
