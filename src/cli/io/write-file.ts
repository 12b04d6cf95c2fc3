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
