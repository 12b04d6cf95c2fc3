import fs from 'node:fs';
import path from 'node:path';
import { OverreadError } from '../errors.ts';
import { sha256 } from '../runtime/sha256.ts';
import { checkFolder as checkPlace } from './io/write-file.ts';

/** The id that a model folder gives its model. @throws OverreadError `cli/usage` */
export function idOf(folder: string): string {
  const id = path.basename(folder);
  if (!/^[a-z0-9][a-z0-9-]*$/.test(id)) throw usage('--out to end in a model id of lower-case letters, digits and hyphens', id, 'Choose another folder name');
  return id;
}

/** Only a model folder is ever replaced, and only when asked for. */
export function checkFolder(folder: string, force: boolean): void {
  checkPlace(path.dirname(folder));
  if (!fs.existsSync(folder)) return;
  if (!force) throw usage('--out to be a new folder', `${folder}, which exists`, 'Choose another one, or add --force to replace it');
  if (!fs.existsSync(path.join(folder, 'manifest.json'))) throw usage('--out to be a model folder to replace', `${folder}, which has no manifest.json`, 'Choose another one');
}

/** Of a file, a label a line; else a comma-separated list. */
export function readLabels(given: string): string[] {
  const isFile = fs.existsSync(given) && fs.statSync(given).isFile();
  const labels = (isFile ? fs.readFileSync(given, 'utf8').trimEnd().split(/\r?\n/) : given.split(',')).map(label => label.trim());
  const bad = labels.find((label, i) => label === '' || labels.indexOf(label) !== i);
  if (bad !== undefined) throw usage('--labels to be different names, none empty', bad === '' ? 'an empty one' : `${bad} twice`, 'Mend the list');
  return labels;
}

export function checkLabels(labels: readonly string[] | undefined, outputs: number, name: string): readonly string[] {
  if (!labels) throw usage(`--labels with ${outputs} names, one an output of ${name}`, 'none', 'Name them in the order of training');
  if (labels.length !== outputs) {
    throw usage(`${outputs} labels, one an output of ${name}`, `${labels.length} (${labels.join(', ')})`, 'Name every output in the order of training');
  }
  return labels;
}

export async function hashes(files: ReadonlyMap<string, Uint8Array>): Promise<Record<string, string>> {
  return Object.fromEntries(await Promise.all([...files].map(async ([name, bytes]) => [name, await sha256(bytes)] as const)));
}

/** Whole or not at all: the folder gets its name when every file is in it. */
export function write(folder: string, files: ReadonlyMap<string, Uint8Array>, manifest: object, card: string): void {
  const unfinished = `${folder}.unfinished-${process.pid}`;
  try {
    for (const [name, bytes] of files) {
      fs.mkdirSync(path.dirname(path.join(unfinished, name)), { recursive: true });
      fs.writeFileSync(path.join(unfinished, name), bytes);
    }
    fs.writeFileSync(path.join(unfinished, 'manifest.json'), `${JSON.stringify(manifest, undefined, 2)}\n`);
    fs.writeFileSync(path.join(unfinished, 'README.md'), card);
    fs.rmSync(folder, { recursive: true, force: true });
    fs.renameSync(unfinished, folder);
  } catch (cause) {
    fs.rmSync(unfinished, { recursive: true, force: true });
    throw new OverreadError('config/invalid', `Expected to write ${folder}, got: ${cause instanceof Error ? cause.message : String(cause)}. Check the folder's rights and the space on the disk.`, { expected: folder }, cause);
  }
}

export function usage(expected: string, got: string, advice: string): OverreadError {
  return new OverreadError('cli/usage', `Expected ${expected}, got ${got}. ${advice}.`, { expected, got });
}
