import fs from 'node:fs/promises';
import { JsonSet } from '../../dicom/json-set.ts';
import { readFileHeader } from '../../dicom/node-header.ts';
import { isOverreadError } from '../../errors.ts';
import { inputFile } from '../image-inputs.ts';
import { inputFiles } from '../input-files.ts';
import type { CohortStudy } from './study.ts';

const STUDY_INSTANCE_UID = '0020000D';

/**
 * The studies in files and folders, by the headers of their files; a picture that names no study is one by itself.
 * @throws OverreadError `input/unreadable` when there is no image
 */
export async function folderStudies(paths: readonly string[]): Promise<CohortStudy[]> {
  const studies = new Map<string, string[]>();
  for (const file of inputFiles(paths).files) {
    const id = (await studyOf(file)) ?? file;
    studies.set(id, [...(studies.get(id) ?? []), file]);
  }
  return [...studies].map(([id, files]) => ({ id, paths: files, files: async () => files.map(inputFile) }));
}

/** Undefined for what is no DICOM, or cannot be read: reading it says why. */
async function studyOf(name: string): Promise<string | undefined> {
  let file: fs.FileHandle;
  try {
    file = await fs.open(name);
  } catch {
    return undefined;
  }
  try {
    return new JsonSet((await readFileHeader(file, name)).json).string(STUDY_INSTANCE_UID);
  } catch (error) {
    if (isOverreadError(error)) return undefined;
    throw error;
  } finally {
    await file.close();
  }
}
