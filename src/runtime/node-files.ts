import { readFile, realpath } from 'node:fs/promises';
import { join, resolve, sep } from 'node:path';
import { OverreadError, throwIfAborted } from '../errors.ts';
import type { ModelFiles } from './types.ts';

/** Reads a model folder from disk (Node only); never a file outside of it, not through `..` nor a link. */
export function diskFiles(folder: string): ModelFiles {
  const root = resolve(folder);
  return {
    location: root,
    async read(path, { signal, onBytes } = {}) {
      throwIfAborted(signal);
      const file = join(root, path);
      let bytes: Uint8Array;
      try {
        const [realRoot, realFile] = await Promise.all([realpath(root), realpath(file)]);
        if (!realFile.startsWith(realRoot + sep)) throw outside(root, path);
        bytes = await readFile(realFile);
      } catch (error) {
        if (error instanceof OverreadError) throw error;
        throw new OverreadError(
          'model/not-found',
          `Expected the model file ${path} in ${root}, got none. Check the model's name and its folder.`,
          { expected: file, got: (error as NodeJS.ErrnoException).code },
          error,
        );
      }
      onBytes?.(bytes.byteLength, bytes.byteLength);
      return bytes;
    },
  };
}

function outside(root: string, path: string): OverreadError {
  return new OverreadError('model/not-found', `Expected a file inside ${root}, got ${path}, which lies outside. Mend the manifest.`, {
    expected: root,
    got: path,
  });
}
