import fs from 'node:fs';
import path from 'node:path';
import { OverreadError } from '../../errors.ts';

/**
 * Writes a file with its folder; a reader never sees half of it.
 * @throws OverreadError `config/invalid` when the place cannot be written
 */
export function writeFile(file: string, bytes: Uint8Array | string): void {
  const partial = `${file}.${process.pid}.part`;
  try {
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(partial, bytes);
    fs.renameSync(partial, file);
  } catch (error) {
    throw new OverreadError('config/invalid', `Cannot write ${file}: ${(error as Error).message}. Give a folder that can be written.`, { got: file }, error);
  }
}

/**
 * Says before the work, not after it, that results could not be written.
 * @param folder need not be there yet
 * @throws OverreadError `config/invalid` when a file has its name, or that of a folder above it
 */
export function checkFolder(folder: string): void {
  for (let at = path.resolve(folder); ; at = path.dirname(at)) {
    if (!fs.existsSync(at) && at !== path.dirname(at)) continue;
    if (fs.statSync(at).isDirectory()) return;
    throw new OverreadError('config/invalid', `Expected a folder at ${at}, got a file. Give --out another folder.`, { expected: 'a folder', got: at });
  }
}
