import fs from 'node:fs';
import { OverreadError } from '../errors.ts';
import type { CheckpointStore } from '../training/checkpoint.ts';

/** A checkpoint as a file that is replaced whole: a run that dies while it writes has the one before. */
export function fileCheckpoint(file: string): CheckpointStore & { readonly file: string; exists(): boolean; remove(): void } {
  return {
    file,
    exists: () => fs.existsSync(file),
    remove: () => fs.rmSync(file, { force: true }),
    async read() {
      return fs.existsSync(file) ? new Uint8Array(fs.readFileSync(file)) : undefined;
    },
    async write(bytes) {
      const partial = `${file}.${process.pid}.part`;
      try {
        fs.writeFileSync(partial, bytes);
        fs.renameSync(partial, file);
      } catch (error) {
        fs.rmSync(partial, { force: true });
        throw new OverreadError('store/invalid', `Expected room for a checkpoint of ${bytes.length} bytes at ${file}, got: ${(error as Error).message}. The checkpoint before it is whole; make room and go on with --resume.`, { expected: bytes.length, got: (error as NodeJS.ErrnoException).code }, error);
      }
    },
  };
}
