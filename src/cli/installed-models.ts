import fs from 'node:fs';
import path from 'node:path';
import { OverreadError } from '../errors.ts';
import { packageRoot } from './package-root.ts';

const MANIFEST = 'manifest.json';

/** Where the models that come with Overread lie. */
export function defaultModelsFolder(): string {
  return path.join(packageRoot().folder, 'models');
}

/** Folders of `modelsFolder` that hold a manifest, by name, sorted; none when the folder is not there. */
export function installedModels(modelsFolder: string): string[] {
  if (!fs.existsSync(modelsFolder)) return [];
  return fs.readdirSync(modelsFolder).filter(id => hasManifest(path.join(modelsFolder, id))).sort();
}

/**
 * The folder of a model: an installed one by its id, else a folder by its path.
 * @throws OverreadError `model/not-found`
 */
export function modelFolder(idOrFolder: string, modelsFolder: string): string {
  const ids = installedModels(modelsFolder);
  if (ids.includes(idOrFolder)) return path.join(modelsFolder, idOrFolder);
  const folder = path.resolve(idOrFolder);
  if (hasManifest(folder)) return folder;
  const why = fs.existsSync(folder) ? `the folder ${folder} has no ${MANIFEST}` : `there is no such folder either`;
  throw new OverreadError(
    'model/not-found',
    `Expected the id of an installed model (${ids.join(', ') || `none in ${modelsFolder}`}) or a model's folder, got '${idOrFolder}': ${why}. See 'overread models'.`,
    { expected: ids, got: idOrFolder },
  );
}

function hasManifest(folder: string): boolean {
  return fs.existsSync(path.join(folder, MANIFEST));
}
