import path from 'node:path';
import type { Command } from 'commander';
import { toOverreadError, type ErrorCode } from '../errors.ts';
import { diskFiles } from '../runtime/node-files.ts';
import { readVerified } from '../runtime/verified.ts';
import { defaultModelsFolder, installedModels } from './installed-models.ts';
import { ExitStatus, table, terminal, type Terminal } from './terminal.ts';

interface ModelsOptions {
  readonly models?: string;
  readonly json?: boolean;
}

/** One installed model, as `overread models --json` prints it. */
export interface ModelEntry {
  readonly id: string;
  readonly version?: string;
  readonly name?: string;
  readonly task?: string;
  readonly license?: string;
  /** Of the graph's files together. */
  readonly bytes?: number;
  /** Over manifest and files, as results carry it. */
  readonly sha256?: string;
  readonly folder: string;
  /** `ok`: every file has the SHA-256 that the manifest says; `corrupt`: one has not; `invalid`: a file or the manifest is wrong. */
  readonly status: 'ok' | 'corrupt' | 'invalid';
  readonly error?: { readonly code: ErrorCode; readonly message: string };
}

export function register(program: Command): void {
  program
    .command('models')
    .description('list the installed models and check their files')
    .option('--models <folder>', 'folder of models, in place of the one that comes with Overread')
    .option('--json', 'print one JSON array, an object a model')
    .action(async (options: ModelsOptions) => {
      process.exitCode = await models(options);
    });
}

/** @returns the exit status: a fault when a model is corrupt or its manifest wrong */
export async function models(options: ModelsOptions, { print, note }: Terminal = terminal): Promise<number> {
  const folder = path.resolve(options.models ?? defaultModelsFolder());
  const entries = await Promise.all(installedModels(folder).map(name => inspect(path.join(folder, name), name)));
  if (options.json) print(JSON.stringify(entries, undefined, 2));
  else if (entries.length === 0) note(`No models in ${folder}.`);
  else for (const line of table([['ID', 'VERSION', 'TASK', 'SIZE', 'SHA-256', 'LICENCE'], ...entries.map(row)])) print(line);
  for (const { id, error } of entries) if (error) note(`${id}: ${error.message} [${error.code}]`);
  return entries.some(e => e.error) ? ExitStatus.fault : ExitStatus.ok;
}

async function inspect(folder: string, name: string): Promise<ModelEntry> {
  try {
    const { manifest, identity, bytes } = await readVerified(diskFiles(folder));
    const { id, version, task, license } = manifest;
    return { id, version, name: manifest.name, task, license, bytes, sha256: identity.sha256, folder, status: 'ok' };
  } catch (error) {
    const { code, message } = toOverreadError(error);
    return { id: name, folder, status: code === 'model/corrupt' ? 'corrupt' : 'invalid', error: { code, message } };
  }
}

function row({ id, version, task, bytes, status, license }: ModelEntry): string[] {
  const size = bytes === undefined ? '' : `${(bytes / 2 ** 20).toFixed(1)} MiB`;
  return [id, version ?? '', task ?? '', size, status, license ?? ''];
}
