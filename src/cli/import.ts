import fs from 'node:fs';
import path from 'node:path';
import type { Command } from 'commander';
import { ARCHITECTURES, networkFromCheckpoint, outputsOf, type Architecture } from '../architectures/from-checkpoint.ts';
import { layersFiles } from '../architectures/layers-files.ts';
import { PUBLISHED_CHECKPOINTS, type PublishedCheckpoint } from '../architectures/published-checkpoints.ts';
import { OverreadError } from '../errors.ts';
import { parseManifest } from '../manifest.ts';
import { readCheckpoint } from '../runtime/checkpoints/read.ts';
import { sha256 } from '../runtime/sha256.ts';
import { checkpointFile } from './checkpoint-file.ts';
import { cardFor, manifestFor, type ImportedModel } from './import-manifest.ts';
import { ExitStatus, terminal, type Terminal } from './terminal.ts';

export interface ImportOptions {
  readonly as: string;
  readonly out: string;
  readonly labels?: string;
  readonly size?: string;
  readonly force?: boolean;
}

type Published = Readonly<Record<string, PublishedCheckpoint>>;

const NAMES = [...Object.keys(ARCHITECTURES), ...Object.keys(PUBLISHED_CHECKPOINTS)];

export function register(program: Command): void {
  program
    .command('import')
    .description('make a model folder of a PyTorch checkpoint (.pt, .pth) or a .safetensors file')
    .argument('[file]', 'path or http(s) address; left out for a published model, it is fetched from its authors')
    .requiredOption('--as <name>', `what it is: ${NAMES.join(', ')}`)
    .requiredOption('--out <folder>', 'the model folder to write; its last part is the model\'s id')
    .option('--labels <list>', 'names of the outputs in order: a,b,c, or a file with one a line')
    .option('--size <pixels>', 'rows and columns of the input, in place of the architecture\'s own')
    .option('--force', 'replace the folder when it is there')
    .addHelpText('after', '\nNo code in a checkpoint is ever run. Fill in the card (README.md) before you give the model to anybody.')
    .action(async (file: string | undefined, options: ImportOptions) => {
      process.exitCode = await importModel(file, options);
    });
}

/**
 * @returns the exit status
 * @throws OverreadError `cli/usage`, `model/checkpoint`, `input/truncated`, `model/not-found`, `network/*`
 */
export async function importModel(
  file: string | undefined, options: ImportOptions, { print, note }: Terminal = terminal, publishedOnes: Published = PUBLISHED_CHECKPOINTS,
): Promise<number> {
  const published = Object.hasOwn(publishedOnes, options.as) ? publishedOnes[options.as] : undefined;
  const architecture = architectureOf(options.as, published);
  const folder = path.resolve(options.out);
  const id = path.basename(folder);
  if (!/^[a-z0-9][a-z0-9-]*$/.test(id)) throw usage('--out to end in a model id of lower-case letters, digits and hyphens', id, 'Choose another folder name');
  checkFolder(folder, options.force ?? false);
  const address = file ?? published?.address;
  if (address === undefined) throw usage('a checkpoint FILE', 'none', `Only ${Object.keys(publishedOnes).join(' and ')} can be fetched by name`);
  const given = options.labels === undefined ? undefined : readLabels(options.labels);
  const size = options.size === undefined ? published?.size : wholeNumber(options.size);

  const checkpoint = await checkpointFile(address, note);
  const state = readCheckpoint(checkpoint.bytes, checkpoint.name);
  const labels = checkLabels(given ?? published?.labels, outputsOf(architecture, state), checkpoint.name);
  const model = await networkFromCheckpoint(architecture, state, size);
  const [, rows, columns, channels] = model.inputs[0]!.shape as [null, number, number, number];
  if (channels !== 1 && channels !== 3) throw new OverreadError('model/checkpoint', `Expected a network of 1 or 3 input channels, got ${channels} in ${checkpoint.name}. Networks of other channels cannot be imported yet.`, { expected: [1, 3], got: channels });
  const files = await layersFiles(model);
  model.dispose();

  const imported: ImportedModel = {
    id, architecture: options.as, from: checkpoint.from, fromSha256: await sha256(checkpoint.bytes), sha256: await hashes(files), shape: [rows, columns, channels], labels,
    ...(published && { published }),
  };
  const manifest = parseManifest(manifestFor(imported), `of ${id}`);
  write(folder, files, JSON.stringify(manifest, undefined, 2), cardFor(imported, manifest));
  const bytes = [...files.values()].reduce((sum, f) => sum + f.length, 0);
  print(`${folder}: ${options.as}, ${labels.length} outputs, ${(bytes / 2 ** 20).toFixed(1)} MiB`);
  note(`Fill in ${path.join(folder, 'README.md')}, and check input and operating points in manifest.json.`);
  return ExitStatus.ok;
}

function architectureOf(name: string, published: PublishedCheckpoint | undefined): Architecture {
  const architecture = published?.architecture ?? name;
  if (!Object.hasOwn(ARCHITECTURES, architecture)) throw usage(`--as ${NAMES.join(', ')}`, name, 'Choose one of them');
  return architecture as Architecture;
}

/** Only a model folder is ever replaced, and only when asked for. */
function checkFolder(folder: string, force: boolean): void {
  if (!fs.existsSync(folder)) return;
  if (!force) throw usage('--out to be a new folder', `${folder}, which exists`, 'Choose another one, or add --force to replace it');
  if (!fs.existsSync(path.join(folder, 'manifest.json'))) throw usage('--out to be a model folder to replace', `${folder}, which has no manifest.json`, 'Choose another one');
}

/** Of a file, a label a line; else a comma-separated list. */
function readLabels(given: string): string[] {
  const isFile = fs.existsSync(given) && fs.statSync(given).isFile();
  const labels = (isFile ? fs.readFileSync(given, 'utf8').trimEnd().split(/\r?\n/) : given.split(',')).map(label => label.trim());
  const bad = labels.find((label, i) => label === '' || labels.indexOf(label) !== i);
  if (bad !== undefined) throw usage('--labels to be different names, none empty', bad === '' ? 'an empty one' : `${bad} twice`, 'Mend the list');
  return labels;
}

function checkLabels(labels: readonly string[] | undefined, outputs: number, name: string): readonly string[] {
  if (!labels) throw usage(`--labels with ${outputs} names, one an output of ${name}`, 'none', 'Name them in the order of training');
  if (labels.length !== outputs) {
    throw usage(`${outputs} labels, one an output of ${name}`, `${labels.length} (${labels.join(', ')})`, 'Name every output in the order of training');
  }
  return labels;
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 32 || value > 4096) throw usage('--size from 32 to 4096', text, 'Give the size that the network was trained at');
  return value;
}

async function hashes(files: ReadonlyMap<string, Uint8Array>): Promise<Record<string, string>> {
  return Object.fromEntries(await Promise.all([...files].map(async ([name, bytes]) => [name, await sha256(bytes)] as const)));
}

/** Whole or not at all: the folder gets its name when every file is in it. */
function write(folder: string, files: ReadonlyMap<string, Uint8Array>, manifest: string, card: string): void {
  const unfinished = `${folder}.unfinished-${process.pid}`;
  fs.mkdirSync(unfinished, { recursive: true });
  try {
    for (const [name, bytes] of files) fs.writeFileSync(path.join(unfinished, name), bytes);
    fs.writeFileSync(path.join(unfinished, 'manifest.json'), `${manifest}\n`);
    fs.writeFileSync(path.join(unfinished, 'README.md'), card);
    fs.rmSync(folder, { recursive: true, force: true });
    fs.renameSync(unfinished, folder);
  } catch (cause) {
    fs.rmSync(unfinished, { recursive: true, force: true });
    throw new OverreadError('config/invalid', `Expected to write ${folder}, got: ${cause instanceof Error ? cause.message : String(cause)}. Check the folder's rights and the space on the disk.`, { expected: folder }, cause);
  }
}

function usage(expected: string, got: string, advice: string): OverreadError {
  return new OverreadError('cli/usage', `Expected ${expected}, got ${got}. ${advice}.`, { expected, got });
}
