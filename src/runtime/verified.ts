import { OverreadError, throwIfAborted } from '../errors.ts';
import { parseManifest, type ModelManifest } from '../manifest.ts';
import type { ModelIdentity } from '../results/result.ts';
import { identityOf, sha256 } from './sha256.ts';
import type { ModelFiles, OnProgress } from './types.ts';
import { cached, forget, keep } from './weight-cache.ts';

/** A model's files, every one of them checked against the manifest's SHA-256. */
export interface VerifiedModel {
  readonly manifest: ModelManifest;
  readonly identity: ModelIdentity;
  readonly files: ReadonlyMap<string, Uint8Array>;
  readonly bytes: number;
}

/**
 * Reads and checks manifest.json, no weights.
 * @throws OverreadError `model/not-found`, `model/manifest`, `network/*`
 */
export async function readManifest(files: ModelFiles, signal?: AbortSignal): Promise<{ manifest: ModelManifest; bytes: Uint8Array }> {
  const bytes = await files.read('manifest.json', { signal });
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    const got = error instanceof Error ? error.message : String(error);
    throw new OverreadError(
      'model/manifest',
      `Expected JSON in the manifest of ${files.location}, got something else (${got}). Check the model's folder.`,
      { expected: 'JSON', got },
      error,
    );
  }
  return { manifest: parseManifest(json, `of ${files.location}`), bytes };
}

/**
 * Reads a model folder and checks every file's SHA-256 before anything is made of it.
 * @throws OverreadError `model/corrupt` with the expected and the found hash; `model/not-found`, `model/manifest`, `network/*`, `job/cancelled`
 */
export async function readVerified(files: ModelFiles, onProgress?: OnProgress, signal?: AbortSignal): Promise<VerifiedModel> {
  onProgress?.({ stage: 'download', fraction: 0 });
  const { manifest, bytes } = await readManifest(files, signal);
  const entries = Object.entries(manifest.graph.sha256);
  const verified = new Map<string, Uint8Array>();
  let size = 0;
  for (const [index, [path, hash]] of entries.entries()) {
    throwIfAborted(signal);
    const file = await readOne(files, path, hash, signal, (stage, part) => onProgress?.({ stage, fraction: (index + part) / entries.length }));
    verified.set(path, file);
    size += file.byteLength;
  }
  const { id, version, name, notice } = manifest;
  const identity = { id, version, name, notice, sha256: await identityOf(await sha256(bytes), manifest.graph.sha256) };
  return { manifest, identity, files: verified, bytes: size };
}

async function readOne(
  files: ModelFiles,
  path: string,
  expected: string,
  signal: AbortSignal | undefined,
  report: (stage: 'download' | 'verify', part: number) => void,
): Promise<Uint8Array> {
  const held = await cached(expected);
  if (held) {
    report('verify', 0);
    if ((await sha256(held)) === expected) return held;
    await forget(expected);
  }
  const bytes = await files.read(path, { signal, onBytes: (received, total) => total && report('download', Math.min(1, received / total)) });
  report('verify', 1);
  const got = await sha256(bytes);
  if (got !== expected) {
    throw new OverreadError(
      'model/corrupt',
      `The model file ${path} of ${files.location} is not the one that its manifest names: expected SHA-256 ${expected}, ` +
        `got ${got}. Nothing was run with it; fetch the model again.`,
      { expected, got, path },
    );
  }
  await keep(expected, bytes);
  return bytes;
}
