import type { Affine, ImageAttributes, SpacingSource } from '../../src/image/image.ts';
import { chooseSpacing, spacingFrom } from '../../src/dicom/spacing.ts';
import { synthesisOf, type Equipment, type SynthesisRule } from '../../src/dicom/synthesis.ts';
import { VIEW_CODES } from '../../src/dicom/view-codes.ts';
import type { DicomInstance } from '../types/ohif.ts';

/** `count` finite numbers, or undefined. DICOM text numbers are taken. */
function numbers(value: unknown, count: number): number[] | undefined {
  if (!Array.isArray(value) && !ArrayBuffer.isView(value)) return undefined;
  const parsed = Array.from(value as unknown as ArrayLike<unknown>, Number);
  return parsed.length === count && parsed.every(Number.isFinite) ? parsed : undefined;
}

/** One number; undefined when absent or not a number. */
export function numberOf(value: unknown): number | undefined {
  const parsed = value === undefined || value === null || value === '' ? Number.NaN : Number(value);
  return Number.isFinite(parsed) ? parsed : undefined;
}

/** In-plane spacing and the attribute that it came from; undefined when no attribute has two positive numbers. */
export function spacingOf(instance: DicomInstance): { spacingMm: readonly [column: number, row: number]; spacingSource: SpacingSource } | undefined {
  const measures = [instance.PixelMeasuresSequence].flat()[0] as { readonly PixelSpacing?: unknown } | undefined;
  const spacing =
    spacingFrom(numbers(measures?.PixelSpacing, 2), 'SharedFunctionalGroups') ??
    chooseSpacing({
      pixelSpacing: numbers(instance.PixelSpacing, 2),
      imagerPixelSpacing: numbers(instance.ImagerPixelSpacing, 2),
      nominalScannedPixelSpacing: numbers(instance.NominalScannedPixelSpacing, 2),
    });
  return spacing && { spacingMm: spacing.mm, spacingSource: spacing.source };
}

/** Pixel index → LPS mm, from the image plane attributes; undefined on projection radiographs, which have none. */
export function indexToPatientOf(instance: DicomInstance, spacingMm: readonly [column: number, row: number] | undefined): Affine | undefined {
  const orientation = numbers(instance.ImageOrientationPatient, 6);
  const position = numbers(instance.ImagePositionPatient, 3);
  if (!orientation || !position || !spacingMm) return undefined;
  const [rx, ry, rz, cx, cy, cz] = orientation as [number, number, number, number, number, number];
  const [x, y, z] = position as [number, number, number];
  const [column, row] = spacingMm;
  const normal = [ry * cz - rz * cy, rz * cx - rx * cz, rx * cy - ry * cx] as const;
  return [
    rx * column, cx * row, normal[0], x,
    ry * column, cy * row, normal[1], y,
    rz * column, cz * row, normal[2], z,
    0, 0, 0, 1,
  ];
}

/** ViewPosition, or what the view's code says where there is none. */
function viewPositionOf({ ViewPosition, ViewCodeSequence }: DicomInstance): string | undefined {
  if (ViewPosition?.trim()) return ViewPosition;
  const [code] = [ViewCodeSequence].flat() as ({ readonly CodeValue?: string } | undefined)[];
  return VIEW_CODES[code?.CodeValue ?? ''];
}

/** What a model may ask of the source; empty text counts as absent. @param rules of the site, on what was synthesised */
export function attributesOf(instance: DicomInstance, rules?: readonly SynthesisRule[]): ImageAttributes {
  const pairs = {
    patientID: instance.PatientID,
    viewPosition: viewPositionOf(instance),
    bodyPartExamined: instance.BodyPartExamined,
    seriesDescription: instance.SeriesDescription,
    synthesised: synthesisedOf(instance, rules),
    sopClassUID: instance.SOPClassUID,
    photometricInterpretation: instance.PhotometricInterpretation,
    transferSyntaxUID: instance.AvailableTransferSyntaxUID,
  };
  const mr = instance.Modality === 'MR' ? acquisitionOf(instance) : undefined;
  return { ...Object.fromEntries(Object.entries(pairs).filter(([, value]) => typeof value === 'string' && value.trim() !== '')), ...(mr && { mr }) };
}

/** How an MR image was acquired, as far as the instance says. */
function acquisitionOf({ ProtocolName, ContrastBolusAgent, ScanningSequence, EchoTime, RepetitionTime, InversionTime }: DicomInstance): NonNullable<ImageAttributes['mr']> {
  const all = {
    protocolName: ProtocolName?.trim() || undefined,
    contrastBolusAgent: ContrastBolusAgent?.trim() || undefined,
    scanningSequence: ScanningSequence === undefined ? undefined : [ScanningSequence].flat().flatMap(text => text.split('\\')),
    echoTimeMs: numberOf(EchoTime), repetitionTimeMs: numberOf(RepetitionTime), inversionTimeMs: numberOf(InversionTime),
  };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}

/** Why an image counts as synthesised; undefined where nothing says so. */
export function synthesisedOf(instance: DicomInstance, rules?: readonly SynthesisRule[]): string | undefined {
  const { SyntheticData, ImageType, DerivationDescription, DerivationCodeSequence, ContributingEquipmentSequence, SeriesDescription, Manufacturer, ManufacturerModelName } = instance;
  const equipment = items(ContributingEquipmentSequence).map((item): Equipment => {
    const [purpose] = items(item['PurposeOfReferenceCodeSequence']);
    return {
      purpose: text(purpose?.['CodeValue']), purposeMeaning: text(purpose?.['CodeMeaning']),
      manufacturer: text(item['Manufacturer']), modelName: text(item['ManufacturerModelName']), description: text(item['ContributionDescription']),
    };
  });
  return synthesisOf({
    syntheticData: text(SyntheticData), derivationDescription: text(DerivationDescription), seriesDescription: text(SeriesDescription),
    imageType: [ImageType ?? []].flat().flatMap(value => String(value).split('\\')),
    derivations: items(DerivationCodeSequence).flatMap(item => text(item['CodeMeaning']) ?? []),
    contributingEquipment: equipment, manufacturer: text(Manufacturer), manufacturerModelName: text(ManufacturerModelName),
  }, rules);
}

/** A sequence, which the viewer gives as a list, or as its item where it has one. */
function items(sequence: unknown): readonly Readonly<Record<string, unknown>>[] {
  const isItem = (item: unknown): item is Readonly<Record<string, unknown>> => typeof item === 'object' && item !== null;
  return Array.from(Array.isArray(sequence) ? (sequence as readonly unknown[]) : [sequence]).filter(isItem);
}

const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);
