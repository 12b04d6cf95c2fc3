import type { CodedConcept } from '../dicom/concepts.ts';
import { OverreadError } from '../errors.ts';
import { isInstanceReference, type InstanceReference, type SourceReference } from '../image/image.ts';
import type { ResultBase } from '../results/result.ts';
import { OVERREAD_VERSION } from '../version.ts';
import { code } from './identity.ts';
import type { DicomObject } from './part10.ts';
import type { SourceInstance } from './source.ts';
import { freshUid } from './uid.ts';

/** What a reader said of a result. */
export interface Verdict {
  readonly decision: 'accepted' | 'corrected' | 'rejected';
  readonly reason?: string;
  /** ISO 8601, UTC. */
  readonly decidedAt: string;
}

/** What a writer needs beside the result. */
export interface ExportContext {
  /** At least every instance that the result was made from. */
  readonly sources: readonly SourceInstance[];
  /** Of the model's manifest. */
  readonly algorithm?: { readonly family: CodedConcept; readonly name: string };
  /** Who looked at it, where the viewer knows: a DICOM person name. */
  readonly user?: string;
  readonly verdict?: Verdict;
}

/** The part of a result that says how it was made. */
export type Made = Pick<ResultBase, 'model' | 'device' | 'createdAt'>;

export const DerivedClass = {
  segmentation: '1.2.840.10008.5.1.4.1.1.66.4',
  labelMapSegmentation: '1.2.840.10008.5.1.4.1.1.66.7',
  parametricMap: '1.2.840.10008.5.1.4.1.1.30',
  enhancedSr: '1.2.840.10008.5.1.4.1.1.88.22',
  comprehensiveSr: '1.2.840.10008.5.1.4.1.1.88.33',
  comprehensive3dSr: '1.2.840.10008.5.1.4.1.1.88.34',
  keyObjectSelection: '1.2.840.10008.5.1.4.1.1.88.59',
  bulkAnnotations: '1.2.840.10008.5.1.4.1.1.91.1',
  secondaryCapture: '1.2.840.10008.5.1.4.1.1.7',
} as const;

export const ARTIFICIAL_INTELLIGENCE: CodedConcept = { codeValue: '123110', codingSchemeDesignator: 'DCM', codeMeaning: 'Artificial Intelligence' };

export function conceptItem({ codeValue, codingSchemeDesignator, codeMeaning }: CodedConcept): DicomObject {
  // A code of more than 16 characters has an attribute of its own (PS3.3 8.1).
  const value = codeValue.length > 16 ? { LongCodeValue: codeValue } : { CodeValue: codeValue };
  return { ...value, CodingSchemeDesignator: codingSchemeDesignator, CodeMeaning: codeMeaning.slice(0, 64) };
}

/** Our own concepts: where DICOM, SNOMED CT and NCIt have none that says it. */
export const PRIVATE_SCHEME = '99OVERREAD';

/**
 * The source of a picture.
 * @throws OverreadError `input/refused` for a picture that is no DICOM object, `input/inconsistent` for one whose attributes are not there
 */
export function sourceOf(reference: SourceReference, { sources }: Pick<ExportContext, 'sources'>): SourceInstance & { readonly frame: number } {
  if (!isInstanceReference(reference)) {
    throw new OverreadError('input/refused', `A DICOM object refers to DICOM images, but ${reference.file} is none. Wrap it first (overread dicomize), and run the model on that.`, { expected: 'a DICOM image', got: reference.file });
  }
  const found = sources.find(({ sopInstanceUID }) => sopInstanceUID === reference.sopInstanceUID);
  if (found?.studyInstanceUID === reference.studyInstanceUID) return { ...found, frame: reference.frame };
  throw new OverreadError('input/inconsistent', `The attributes of the source image ${reference.sopInstanceUID} are not at hand${found ? ' for this study' : ''}. Open its study, and export again.`, { expected: reference.sopInstanceUID, got: found?.studyInstanceUID });
}

/** All pictures of a result, each instance once. @throws OverreadError as {@link sourceOf}; `input/inconsistent` for several studies */
export function sourcesIn(references: readonly SourceReference[], context: Pick<ExportContext, 'sources'>): readonly SourceInstance[] {
  const found = new Map<string, SourceInstance>();
  for (const reference of references) {
    if (isInstanceReference(reference) && found.has(reference.sopInstanceUID)) continue;
    const source = sourceOf(reference, context);
    found.set(source.sopInstanceUID, source);
  }
  const all = [...found.values()];
  const studies = new Set(all.map(({ studyInstanceUID }) => studyInstanceUID));
  if (studies.size !== 1) throw new OverreadError('input/inconsistent', `Expected a result on images of one study, got ${studies.size}. It is not written.`, { expected: 1, got: [...studies] });
  return all;
}

export interface DerivedSeries {
  readonly sopClassUID: string;
  readonly modality: string;
  readonly description: string;
  readonly seriesNumber: number;
}

/** Patient and study of the source, a new series and instance, and what made them. A new UID every time. */
export function derivedModules(made: Made, [first]: readonly SourceInstance[], { sopClassUID, modality, description, seriesNumber }: DerivedSeries): DicomObject {
  const { model, createdAt } = made;
  const content = localTime(createdAt);
  const now = localTime(new Date().toISOString());
  return {
    SOPClassUID: sopClassUID,
    SOPInstanceUID: freshUid(),
    ...first!.patientAndStudy,
    Modality: modality,
    SeriesInstanceUID: freshUid(),
    SeriesNumber: seriesNumber,
    SeriesDescription: lo(description),
    SeriesDate: content.date,
    SeriesTime: content.time,
    Manufacturer: 'Overread',
    ManufacturerModelName: lo(model.name),
    DeviceSerialNumber: model.sha256,
    SoftwareVersions: [OVERREAD_VERSION, lo(`${model.id} ${model.version}`)],
    InstanceNumber: 1,
    ContentDate: content.date,
    ContentTime: content.time,
    InstanceCreationDate: now.date,
    InstanceCreationTime: now.time,
    ContributingEquipmentSequence: [{
      PurposeOfReferenceCodeSequence: [code('109102', 'DCM', 'Processing Equipment')],
      Manufacturer: 'Overread',
      ManufacturerModelName: lo(`${model.id} ${model.version}`),
      SoftwareVersions: OVERREAD_VERSION,
      DeviceSerialNumber: model.sha256,
      ContributionDateTime: dateTime(createdAt),
      ContributionDescription: provenance(made),
    }],
  };
}

/** Model, version, weights, device, and that it is no diagnosis, in one line. */
export function provenance({ model, device }: Made): string {
  return `${model.name} (${model.id} ${model.version}, SHA-256 ${model.sha256}) on ${device.backend}, ${device.adapter}. ${model.notice}`.slice(0, 1024);
}

/** The parameters of an algorithm, as SEG and ANN state them: read back by `read/provenance.ts`. */
export function algorithmItem(made: Made, { algorithm }: Pick<ExportContext, 'algorithm'>, more: Readonly<Record<string, string | number | undefined>> = {}): DicomObject {
  return {
    AlgorithmFamilyCodeSequence: [conceptItem(algorithm?.family ?? ARTIFICIAL_INTELLIGENCE)],
    AlgorithmName: lo(algorithm?.name ?? made.model.name),
    AlgorithmVersion: made.model.version,
    AlgorithmParameters: parametersOf(made, more).join('; '),
    AlgorithmSource: 'Overread',
  };
}

/** `name=value`, one an entry. */
export function parametersOf({ model, device }: Made, more: Readonly<Record<string, string | number | undefined>> = {}): string[] {
  const all = { model: model.id, sha256: model.sha256, backend: device.backend, adapter: device.adapter, software: String(device.software), ...more };
  return Object.entries(all).flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${String(value).replaceAll(';', ',')}`]));
}

/** Common Instance Reference module: every source, by its series. */
export function referencedSeries(sources: readonly SourceInstance[]): DicomObject {
  const series = new Map<string, SourceInstance[]>();
  for (const source of sources) series.set(source.seriesInstanceUID, [...(series.get(source.seriesInstanceUID) ?? []), source]);
  return {
    ReferencedSeriesSequence: [...series].map(([seriesInstanceUID, of]) => ({
      SeriesInstanceUID: seriesInstanceUID,
      ReferencedInstanceSequence: of.map(({ sopClassUID, sopInstanceUID }) => ({ ReferencedSOPClassUID: sopClassUID, ReferencedSOPInstanceUID: sopInstanceUID })),
    })),
  };
}

/** Image SOP Instance Reference macro: the frame, where the source has several. */
export function referencedImage({ sopClassUID, sopInstanceUID, numberOfFrames, frame }: SourceInstance & Pick<InstanceReference, 'frame'>): DicomObject {
  return { ReferencedSOPClassUID: sopClassUID, ReferencedSOPInstanceUID: sopInstanceUID, ...(numberOfFrames > 1 && { ReferencedFrameNumber: frame }) };
}

/** Derivation Image macro (PS3.3 C.7.6.16.2.6). */
export function derivationImage(sources: readonly (SourceInstance & Pick<InstanceReference, 'frame'>)[], derivation: DicomObject): readonly DicomObject[] {
  return [{
    DerivationCodeSequence: [derivation],
    SourceImageSequence: sources.map(source => ({
      ...referencedImage(source),
      SpatialLocationsPreserved: 'YES',
      PurposeOfReferenceCodeSequence: [code('121322', 'DCM', 'Source image for image processing operation')],
    })),
  }];
}

/** At most 64 characters, and no backslash, which parts values. */
export function lo(value: string): string {
  return value.replaceAll('\\', '/').slice(0, 64).trim();
}

/** Date and time of the local clock: the study's own times are of it too, and no offset is written over them. */
export function localTime(iso: string): { readonly date: string; readonly time: string } {
  const at = new Date(iso);
  const two = (n: number): string => String(n).padStart(2, '0');
  return {
    date: `${at.getFullYear()}${two(at.getMonth() + 1)}${two(at.getDate())}`,
    time: `${two(at.getHours())}${two(at.getMinutes())}${two(at.getSeconds())}`,
  };
}

/** With its offset: UTC. */
export function dateTime(iso: string): string {
  return `${new Date(iso).toISOString().replace(/[-:TZ]/g, '')}+0000`;
}
