import type { ModelManifest } from '../manifest.ts';

/** The manifest's file, as it is written and hashed. */
export function manifestBytes(manifest: ModelManifest): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify(manifest, undefined, 2)}\n`);
}
