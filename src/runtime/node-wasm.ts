import { createRequire } from 'node:module';
import { dirname, join, sep } from 'node:path';
import { pathToFileURL } from 'node:url';

/** Folder of tfjs's wasm binaries in node_modules, with a trailing separator. */
export function wasmFolder(from: string): string {
  const require = createRequire(from.startsWith('file:') ? from : pathToFileURL(from));
  return join(dirname(require.resolve('@tensorflow/tfjs-backend-wasm/package.json')), 'dist') + sep;
}
