import { jsonOf, vrOfTag } from '../../../src/dicom/dicomjson.ts';
import { readPart10 } from '../../../src/dicom/elements.ts';
import { ctSlice, mrSlice, type SlicePlane } from '../../../src/export/cross-section.ts';
import { code, commonModules, type InstanceIdentity, type StudyIdentity } from '../../../src/export/identity.ts';
import { encodePart10, type DicomObject } from '../../../src/export/part10.ts';
import { radiograph } from '../../../src/export/radiograph.ts';
import type { ExportContext } from '../../../src/export/derived.ts';
import { sourceOfFile } from '../../../src/export/source-file.ts';
import { slideLevelHeader } from '../../../src/export/slide.ts';
import { seededUid } from '../../../src/export/uid.ts';
import { imageFromFile } from '../../../src/image/file-image.ts';
import { referenceOf, type Image, type ImageReference } from '../../../src/image/image.ts';
import { volumeFromInstances } from '../../../src/image/instance-image.ts';
import { slidePyramid, type SlideLevel } from '../../../src/image/slide/pyramid.ts';
import { slideReference } from '../../../src/image/slide/slide-source.ts';
import type { DeviceDescription, ModelIdentity } from '../../../src/results/result.ts';

/** Generated source images, and what a writer is given of them. */
export interface Sources {
  readonly image: Image;
  readonly reference: ImageReference;
  readonly context: ExportContext;
  readonly files: readonly Uint8Array[];
}

export const MODEL: ModelIdentity = { id: 'tiny-net', version: '1.2.3', name: 'Tiny net', sha256: '0123456789abcdef'.repeat(4), notice: 'It misses what is small, and what lies beside bone. Version 1.2 of a test. Research use only. Not for diagnosis.' };
export const DEVICE: DeviceDescription = { backend: 'wasm', adapter: 'simd', software: false, reason: 'a test' };
export const MADE = { model: MODEL, device: DEVICE, timingMs: { load: 1, encode: 1, predict: 1, decode: 1 }, createdAt: '2026-03-04T05:06:07.890Z' } as const;
export const LUNG = { label: 'Lung', concept: { codeValue: '39607008', codingSchemeDesignator: 'SCT', codeMeaning: 'Lung' }, color: [64, 196, 255] as [number, number, number] };
export const HEART = { label: 'Herz (Größe)', concept: { codeValue: '80891009', codingSchemeDesignator: 'SCT', codeMeaning: 'Heart' } };

const studyOf = (name: string): StudyIdentity => ({
  studyInstanceUID: seededUid(name, 'study'), patientID: 'P-1', patientName: 'Müller^Łucja', patientBirthDate: '19700101', patientSex: 'F',
  studyDate: '20250102', studyTime: '030405', studyDescription: 'Über', accessionNumber: 'A1',
});
const identity = (name: string, modality: string, n = 1): InstanceIdentity => ({
  study: studyOf(name), series: { seriesInstanceUID: seededUid(name, 'series'), seriesNumber: 3, modality }, sopInstanceUID: seededUid(name, 'instance', n), instanceNumber: n,
});

export interface StackSpec {
  readonly modality?: 'CT' | 'MR';
  readonly columns?: number;
  readonly rows?: number;
  /** Millimetres along the normal, in the order in which the slices are numbered. */
  readonly places: readonly number[];
  readonly thicknessMm?: number;
  readonly oblique?: boolean;
}

export const OBLIQUE = [0.8, 0.6, 0, 0, 0, -1] as const;
const AXIAL = [1, 0, 0, 0, 1, 0] as const;

/** The files of a stack of slices. */
export function stackFiles(spec: StackSpec): Uint8Array[] {
  const { modality = 'CT', columns = 11, rows = 7, places, thicknessMm = 2.5, oblique = false } = spec;
  const imageOrientation = oblique ? OBLIQUE : AXIAL;
  const normal = oblique ? [-0.6, 0.8, 0] : [0, 0, 1];
  const name = JSON.stringify(spec);
  return places.map((place, n) => {
    const where: SlicePlane = {
      frameOfReferenceUID: seededUid(name, 'frame of reference'), imageOrientation, spacingMm: [0.75, 0.5], sliceSpacingMm: thicknessMm,
      imagePosition: [-40 + normal[0]! * place, 10 + normal[1]! * place, 5 + normal[2]! * place],
    };
    const pixels = Int16Array.from({ length: columns * rows }, (_, i) => 10 * n + i);
    const write = modality === 'CT' ? ctSlice : mrSlice;
    return encodePart10(write(identity(name, modality, n + 1), { columns, rows, pixels }, where, { bodyPart: 'CHEST' }));
  });
}

export async function stack(spec: StackSpec): Promise<Sources> {
  const files = stackFiles(spec);
  return sourcesOf(await volumeFromInstances(files), files);
}

export async function film(kind: 'DX' | 'CR', columns = 13, rows = 9): Promise<Sources> {
  const pixels = Uint16Array.from({ length: columns * rows }, (_, i) => (i * 139) % 4096);
  const file = encodePart10(radiograph(identity(kind, kind), { columns, rows, pixels, bitsStored: 12 }, { kind, view: 'PA', bodyPart: 'CHEST', ...(kind === 'DX' && { spacingMm: [0.2, 0.3] as const }) }));
  return sourcesOf(await imageFromFile(file, `${kind}.dcm`), [file]);
}

/** An enhanced CT whose frames lie at these places, in the file's order. */
export async function multiFrame(places: readonly number[], columns = 11, rows = 7): Promise<Sources> {
  const name = `multi-frame ${places.join(' ')}`;
  const pixels = new Int16Array(columns * rows * places.length).map((_, i) => i % 1000);
  const object: DicomObject = {
    ...commonModules('1.2.840.10008.5.1.4.1.1.2.1', identity(name, 'CT')),
    ImageType: ['ORIGINAL', 'PRIMARY', 'VOLUME', 'NONE'],
    FrameOfReferenceUID: seededUid(name, 'frame of reference'),
    PositionReferenceIndicator: '',
    SamplesPerPixel: 1, PhotometricInterpretation: 'MONOCHROME2', Rows: rows, Columns: columns, BitsAllocated: 16, BitsStored: 16, HighBit: 15, PixelRepresentation: 1,
    NumberOfFrames: places.length,
    SharedFunctionalGroupsSequence: [{
      PixelMeasuresSequence: [{ PixelSpacing: [0.75, 0.5], SliceThickness: 2.5 }],
      PlaneOrientationSequence: [{ ImageOrientationPatient: [...AXIAL] }],
      PixelValueTransformationSequence: [{ RescaleIntercept: 0, RescaleSlope: 1, RescaleType: 'HU' }],
      FrameAnatomySequence: [{ FrameLaterality: 'U', AnatomicRegionSequence: [code('51185008', 'SCT', 'Chest')] }],
    }],
    PerFrameFunctionalGroupsSequence: places.map(z => ({ PlanePositionSequence: [{ ImagePositionPatient: [-40, 10, z] }] })),
    PixelData: pixels.buffer,
  };
  const file = encodePart10(object);
  return sourcesOf(await imageFromFile(file, 'multi-frame.dcm'), [file]);
}

/** A slide of several levels, from the finest on, without their pixels. */
export function pyramid(totalColumns: number, totalRows: number, downsamples: readonly number[]): Pick<Sources, 'context'> & { readonly references: readonly ImageReference[] } {
  const name = `pyramid ${totalColumns} ${totalRows}`;
  const headers = downsamples.map((downsample, level) => encodePart10(slideLevelHeader(identity(name, 'SM', level + 1), {
    totalColumns: Math.ceil(totalColumns / downsample), totalRows: Math.ceil(totalRows / downsample), tileSize: 256, spacingMm: 0.0005 * downsample, level,
  }, { frameOfReferenceUID: seededUid(name, 'frame of reference'), pyramidUID: seededUid(name), containerIdentifier: 'S1', encoding: { kind: 'native' } })));
  const { levels } = slidePyramid(headers.map(file => jsonOf(readPart10(file, { vrOf: vrOfTag }))));
  return { references: levels.map(slideReference), context: { sources: headers.map(sourceOfFile) } };
}

/** A slide of one level, its reference and level as reading it gives them. */
export function slide(totalColumns = 40, totalRows = 24): Omit<Sources, 'image'> & { readonly level: SlideLevel } {
  const tileSize = 16;
  const header = slideLevelHeader(identity(`slide ${totalColumns}`, 'SM'), { totalColumns, totalRows, tileSize, spacingMm: 0.0005, level: 0 }, {
    frameOfReferenceUID: seededUid('slide', 'frame of reference'), pyramidUID: seededUid('pyramid'), containerIdentifier: 'S1', encoding: { kind: 'native' },
  });
  const frames = Math.ceil(totalColumns / tileSize) * Math.ceil(totalRows / tileSize);
  const file = encodePart10({ ...header, PixelData: new Uint8Array(frames * tileSize * tileSize * 3).fill(200).buffer });
  const [level] = slidePyramid([jsonOf(readPart10(file, { vrOf: vrOfTag }))]).levels;
  return { level: level!, reference: slideReference(level!), files: [file], context: { sources: [sourceOfFile(file)] } };
}

function sourcesOf(image: Image, files: readonly Uint8Array[]): Sources {
  return { image, reference: referenceOf(image), files, context: { sources: files.map(sourceOfFile) } };
}
