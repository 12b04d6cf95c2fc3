import type { ModelManifest } from '../manifest.ts';
import { browserDatabase } from './browser-database.ts';
import { httpFiles } from './http-files.ts';
import type { ModelFiles } from './types.ts';

/** A model folder that this browser keeps under an address that no server has: beside its parent, so that its gate is found. */
export interface KeptModel {
  /** With a trailing slash. */
  readonly location: string;
  readonly manifest: ModelManifest;
  /** ISO 8601, UTC. */
  readonly keptAt: string;
  /** Whether it is offered for runs; one that was rolled back is not. */
  readonly installed: boolean;
  readonly bytes: number;
  /** Names of its files, manifest.json among them. */
  readonly files: readonly string[];
}

const MODELS = 'models';
const FILES = 'files';
const database = browserDatabase('overread-kept-models', { [MODELS]: 'location', [FILES]: null });

/** A folder's files: those that this browser keeps, all others over HTTP. */
export function keptFiles(location: string): ModelFiles {
  const folder = location.endsWith('/') ? location : `${location}/`;
  const remote = httpFiles(folder);
  return {
    location: folder,
    read: async (path, options) => (await database?.get<Uint8Array>(FILES, folder + path).catch(() => undefined)) ?? remote.read(path, options),
  };
}

/**
 * Keeps a folder, in place of what was there.
 * @throws OverreadError `store/invalid`
 */
export async function keepModel(model: KeptModel, files: ReadonlyMap<string, Uint8Array>): Promise<void> {
  await database?.write([
    { store: MODELS, put: model },
    ...[...files].map(([path, bytes]) => ({ store: FILES, put: bytes, key: model.location + path })),
  ]);
}

/** Changes what is said of a folder, not its files. */
export async function updateKept(model: KeptModel): Promise<void> {
  await database?.write([{ store: MODELS, put: model }]);
}

export async function removeKept({ location, files }: KeptModel): Promise<void> {
  await database?.write([{ store: MODELS, remove: location }, ...files.map(path => ({ store: FILES, remove: location + path }))]);
}

/** In the order in which they were kept. */
export async function keptModels(): Promise<readonly KeptModel[]> {
  const all = (await database?.all<KeptModel>(MODELS)) ?? [];
  return [...all].sort((a, b) => (a.keptAt < b.keptAt ? -1 : 1));
}

/** Every file of a folder that is kept. */
export async function readKept({ location, files }: KeptModel): Promise<ReadonlyMap<string, Uint8Array>> {
  const read = await Promise.all(files.map(async path => [path, await database?.get<Uint8Array>(FILES, location + path)] as const));
  return new Map(read.flatMap(([path, bytes]) => (bytes ? [[path, bytes] as const] : [])));
}
