import fs from 'node:fs';
import path from 'node:path';
import { OverreadError } from '../errors.ts';

/** Files to read, in order, at least one, and those of a walked folder that are no images. */
export interface InputFiles {
  readonly files: readonly string[];
  readonly skipped: readonly string[];
}

/**
 * The files that FILE and DIR arguments name. A file that is named is always an input, whatever it holds. A folder is
 * walked with its sub-folders, in the order of names; of its files only those that look like an image are inputs: a
 * DICOM, PNG, JPEG or NIfTI signature, or one of their extensions (so that a broken one is refused aloud). A DICOMDIR,
 * hidden files and all others are skipped. What does not exist stays in `files`: reading it says so.
 * @throws OverreadError `input/unreadable` when there is no image in all of the folders, or one cannot be opened
 */
export function inputFiles(paths: readonly string[]): InputFiles {
  const files: string[] = [];
  const skipped: string[] = [];
  const walked = new Set<string>();
  const walk = (folder: string) => {
    const real = fs.realpathSync(folder);
    if (walked.has(real)) return; // a link to a folder above
    walked.add(real);
    for (const name of namesIn(folder).sort(byName)) {
      const file = path.join(folder, name);
      const stat = fs.statSync(file, { throwIfNoEntry: false });
      if (stat?.isDirectory()) {
        if (!name.startsWith('.')) walk(file);
      } else if (!name.startsWith('.') && name.toUpperCase() !== 'DICOMDIR' && stat?.isFile() && looksLikeImage(file)) {
        files.push(file);
      } else {
        skipped.push(file);
      }
    }
  };
  for (const given of paths) {
    if (fs.existsSync(given) && fs.statSync(given).isDirectory()) walk(given);
    else files.push(given);
  }
  if (files.length === 0) {
    throw new OverreadError('input/unreadable', `Expected images in ${paths.join(', ')}, got none${skipped.length ? ` among ${skipped.length} files` : ': no files at all'}. Check the folder, or name files that have other extensions one by one.`, { expected: 'images', got: skipped.length });
  }
  return { files: [...new Set(files)], skipped };
}

function namesIn(folder: string): string[] {
  try {
    return fs.readdirSync(folder);
  } catch (error) {
    const got = (error as NodeJS.ErrnoException).code;
    throw new OverreadError('input/unreadable', `Expected to read the folder ${folder}, got ${got}. Check its rights, or name the files.`, { expected: 'a folder', got, file: folder }, error);
  }
}

const byName = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

const EXTENSIONS = /\.(dcm|dicom|ima|png|jpe?g|nii|nii\.gz)$/i;
const MAGIC_OFFSET = 128;

function looksLikeImage(file: string): boolean {
  if (EXTENSIONS.test(file)) return true;
  const head = Buffer.alloc(MAGIC_OFFSET + 4);
  let handle: number;
  try {
    handle = fs.openSync(file, 'r');
  } catch {
    return true; // reading it says why
  }
  try {
    const length = fs.readSync(handle, head, 0, head.length, 0);
    return hasSignature(head.subarray(0, length));
  } finally {
    fs.closeSync(handle);
  }
}

function hasSignature(head: Buffer): boolean {
  if (head.length >= MAGIC_OFFSET + 4 && head.toString('latin1', MAGIC_OFFSET) === 'DICM') return true;
  if (head.subarray(0, 4).equals(Buffer.from([0x89, 0x50, 0x4e, 0x47]))) return true;
  if (head.subarray(0, 3).equals(Buffer.from([0xff, 0xd8, 0xff]))) return true;
  return startsAsBareDataset(head);
}

/** DICOM without preamble: a data set that begins at once, with a first element of group 0002 or 0008. */
function startsAsBareDataset(head: Buffer): boolean {
  if (head.length < 8) return false;
  const group = head.readUInt16LE(0);
  const element = head.readUInt16LE(2);
  const explicit = /^(AE|AS|AT|CS|DA|DS|DT|FL|FD|IS|LO|LT|OB|OW|PN|SH|SL|SQ|SS|ST|TM|UI|UL|UN|US|UT)$/.test(head.toString('latin1', 4, 6));
  const implicitLength = head.readUInt32LE(4);
  return (group === 0x0002 || group === 0x0008) && element <= 0x0070 && (explicit || implicitLength <= 1024);
}
