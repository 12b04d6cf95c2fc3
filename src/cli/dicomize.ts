import fs from 'node:fs';
import path from 'node:path';
import type { Command } from 'commander';
import { OverreadError } from '../errors.ts';
import { freshUid, isUid } from '../export/uid.ts';
import type { StudyIdentity } from '../export/identity.ts';
import { RADIOGRAPH_VIEWS } from '../export/radiograph.ts';
import { imageFromFile, kindOfFile } from '../image/file-image.ts';
import {
  PICTURE_MODALITIES, VOLUME_MODALITIES, type DicomizeContext, type DicomizeOptions, type DicomizeReport, type WrittenSeries,
} from './dicomize/options.ts';
import { wrapPicture } from './dicomize/picture.ts';
import { wrapVolume } from './dicomize/volume.ts';
import { terminal, type Terminal } from './terminal.ts';

export type { DicomizeOptions, DicomizeReport } from './dicomize/options.ts';

/**
 * Wraps PNG, JPEG and NIfTI files in DICOM: one study, a series for each file.
 * @throws OverreadError `input/*` for a file that cannot be wrapped; those before it are written
 */
export async function dicomize(files: readonly string[], options: DicomizeOptions, onSeries?: (series: WrittenSeries) => void): Promise<DicomizeReport> {
  const now = new Date();
  const two = (n: number): string => String(n).padStart(2, '0');
  const study: StudyIdentity = {
    studyInstanceUID: options.studyInstanceUID ?? freshUid(),
    patientID: options.patientID ?? 'OVERREAD',
    patientName: options.patientName ?? 'Anonymous^Patient',
    studyDate: `${now.getFullYear()}${two(now.getMonth() + 1)}${two(now.getDate())}`,
    studyTime: `${two(now.getHours())}${two(now.getMinutes())}${two(now.getSeconds())}`,
    studyDescription: options.description,
  };
  const context: DicomizeContext = { ...options, study, framesOfReference: new Map() };
  const sources = files.map((file) => ({ file, bytes: readWrappable(file) }));
  const names = new Set<string>();
  const series: WrittenSeries[] = [];
  for (const [i, { file, bytes }] of sources.entries()) {
    const image = await imageFromFile(bytes(), file);
    const target = { file, name: uniqueName(file, names), seriesNumber: i + 1 };
    const volume = kindOfFile(bytes()) === 'nifti';
    const written = volume ? wrapVolume(image, target, context) : wrapPicture(image, bytes(), target, context);
    series.push(written);
    onSeries?.(written);
  }
  return { studyInstanceUID: study.studyInstanceUID, series };
}

/** All are looked at before the first is written. The bytes are read again when asked for, so that few stand in memory. */
function readWrappable(file: string): () => Uint8Array {
  const read = (): Uint8Array => {
    try {
      return fs.readFileSync(file);
    } catch (error) {
      throw new OverreadError('input/unreadable', `Cannot read ${file}: ${(error as Error).message}. Give PNG, JPEG or NIfTI files that exist.`, { got: file }, error);
    }
  };
  const kind = kindOfFile(read());
  if (kind === 'dicom') throw new OverreadError('input/refused', `Expected PNG, JPEG or NIfTI, but ${file} is DICOM already. Leave it out.`, { expected: ['png', 'jpeg', 'nifti'], got: kind, file });
  if (!kind) throw new OverreadError('input/unreadable', `Expected PNG, JPEG or NIfTI, but ${file} is none of them. Leave it out.`, { expected: ['png', 'jpeg', 'nifti'], got: file });
  return read;
}

function uniqueName(file: string, taken: Set<string>): string {
  const stem = path.basename(file).replace(/(\.nii)?\.[^.]+$/i, '').replace(/[^\w.-]+/g, '_') || 'image';
  let name = stem;
  for (let i = 2; taken.has(name.toLowerCase()); i++) name = `${stem}-${i}`;
  taken.add(name.toLowerCase());
  return name;
}

interface DicomizeFlags {
  readonly out: string;
  readonly patientId?: string;
  readonly patientName?: string;
  readonly view?: string;
  readonly modality?: string;
  readonly bodyPart?: string;
  readonly spacing?: string;
  readonly studyUid?: string;
  readonly description?: string;
  readonly json?: boolean;
}

export function register(program: Command): void {
  program
    .command('dicomize')
    .description('wrap PNG, JPEG and NIfTI files in DICOM: one study, a series a file')
    .argument('<files...>', 'PNG, JPEG or NIfTI files')
    .requiredOption('--out <folder>', 'where to write')
    .option('--patient-id <id>', 'Patient ID (default: OVERREAD)')
    .option('--patient-name <name>', 'Patient Name, Family^Given (default: Anonymous^Patient)')
    .option('--view <position>', `View Position of radiographs: ${RADIOGRAPH_VIEWS.join(', ')}`)
    .option('--modality <modality>', 'pictures: DX, CR or OT; volumes: MR or CT (default: DX with a view and a spacing, CR with a view only, else OT; MR)')
    .option('--body-part <part>', 'Body Part Examined, such as CHEST')
    .option('--spacing <mm>', 'pixel spacing of pictures: one number, or row,column')
    .option('--study-uid <uid>', 'Study Instance UID (default: a new one)')
    .option('--description <text>', 'Study Description')
    .option('--json', 'print what was written as JSON')
    .action((files: string[], flags: DicomizeFlags) => runDicomize(files, flags, terminal));
}

async function runDicomize(files: readonly string[], flags: DicomizeFlags, { print, note }: Terminal): Promise<void> {
  const report = await dicomize(files, dicomizeOptions(flags), ({ source, files: written }) => note(`${source} → ${written.length === 1 ? written[0] : `${written.length} files`}`));
  if (flags.json) print(JSON.stringify(report, undefined, 2));
  else print(`Study ${report.studyInstanceUID}: ${report.series.length} series in ${flags.out}`);
}

/**
 * The flags as typed options.
 * @throws OverreadError `cli/usage`
 */
export function dicomizeOptions(flags: DicomizeFlags): DicomizeOptions {
  const { studyUid } = flags;
  if (studyUid !== undefined && !isUid(studyUid)) throw usage('--study-uid', 'a UID of digits and dots, at most 64 characters', studyUid);
  return {
    out: flags.out,
    patientID: text('--patient-id', flags.patientId),
    patientName: text('--patient-name', flags.patientName),
    view: oneOf('--view', flags.view, RADIOGRAPH_VIEWS),
    modality: oneOf('--modality', flags.modality, [...PICTURE_MODALITIES, ...VOLUME_MODALITIES]),
    bodyPart: bodyPart(flags.bodyPart),
    spacingMm: spacing(flags.spacing),
    studyInstanceUID: studyUid,
    description: text('--description', flags.description),
  };
}

function usage(flag: string, expected: string, got: string): OverreadError {
  return new OverreadError('cli/usage', `Expected ${flag} to be ${expected}, got '${got}'.`, { expected, got });
}

function oneOf<T extends string>(flag: string, value: string | undefined, allowed: readonly T[]): T | undefined {
  if (value === undefined) return undefined;
  const known = allowed.find((one) => one === value.toUpperCase());
  if (!known) throw usage(flag, `one of ${allowed.join(', ')}`, value);
  return known;
}

/** At most 64 characters, no backslash (DICOM's separator of values), no control characters. */
function text(flag: string, value: string | undefined): string | undefined {
  if (value === undefined) return undefined;
  if (value.length > 64 || /[\\\u0000-\u001f\u007f]/.test(value)) throw usage(flag, 'at most 64 characters without backslash', value);
  return value;
}

function bodyPart(value: string | undefined): string | undefined {
  if (value === undefined) return undefined;
  const part = value.toUpperCase();
  if (!/^[A-Z0-9_ ]{1,16}$/.test(part)) throw usage('--body-part', 'at most 16 letters, digits, spaces or underscores', value);
  return part;
}

function spacing(value: string | undefined): readonly [number, number] | undefined {
  if (value === undefined) return undefined;
  const numbers = value.split(',').map((part) => (/^\s*\d*\.?\d+(e-?\d+)?\s*$/i.test(part) ? Number(part) : NaN));
  const [row = NaN, column = row] = numbers;
  if (numbers.length > 2 || !(row > 0 && column > 0 && row <= 100 && column <= 100)) throw usage('--spacing', 'one or two positive numbers of mm up to 100, such as 0.2 or 0.2,0.2', value);
  return [row, column];
}
