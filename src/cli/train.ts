import fs from 'node:fs';
import path from 'node:path';
import { Option, type Command } from 'commander';
import { isOverreadError, OverreadError } from '../errors.ts';
import { fineTune, type FineTuned, type FineTuneEvent, type FineTuneJob, type TrainingReport } from '../fine-tune.ts';
import { diskFiles, installWebGPU } from '../node.ts';
import { wasmFolder } from '../runtime/node-wasm.ts';
import { createRuntime, type TfjsRuntime } from '../runtime/runtime.ts';
import { readVerified } from '../runtime/verified.ts';
import { checkTrainable } from '../training/accepts.ts';
import { metricCells } from '../training/card.ts';
import { parseRecipe, type Recipe } from '../training/recipe.ts';
import { readDatasetFolder, readIds } from './dataset-folder.ts';
import { checkFolder, idOf, write } from './import-folder.ts';
import { defaultModelsFolder, modelFolder } from './installed-models.ts';
import { writeFile } from './io/write-file.ts';
import { ExitStatus, table, terminal, type Terminal } from './terminal.ts';
import { fileCheckpoint } from './train-checkpoint.ts';

export interface TrainOptions {
  readonly model: string;
  readonly models?: string;
  readonly recipe: string;
  readonly dataset: string;
  readonly split?: string;
  readonly out: string;
  readonly backend?: 'webgpu' | 'wasm' | 'cpu';
  readonly softwareGpu?: boolean;
  readonly resume?: boolean;
  readonly force?: boolean;
  readonly json?: boolean;
}

const HELP = `
The recipe is a JSON file; src/training/recipe.ts holds its fields. The result is a model folder that every command reads, with
report.json beside its manifest: the base and the trained model on the same validation patients, 95 % intervals over patients,
and the curve. Ctrl-C stops after a checkpoint (FOLDER.checkpoint); the same command with --resume goes on from it.

Training wants WebGPU on a GPU. --software-gpu, --backend wasm (U-Nets and patch classifiers) and --backend cpu are for tests and
small networks.

Exit status: 0 done, 2 the loss was no number and the last good weights were kept, 1 a fault, 130 stopped.`;

export function register(program: Command): void {
  program.command('train')
    .description('train a model further on a labelled data set')
    .requiredOption('--model <id>', 'id of an installed model, or the folder of one: where training starts')
    .option('--models <folder>', 'folder of models, in place of the one that comes with Overread')
    .requiredOption('--recipe <file>', 'what is trained and how')
    .requiredOption('--dataset <folder>', 'folder with a dataset.json')
    .option('--split <file>', 'JSON: { "train": […], "validation": […] }, ids of items or patients; by the recipe\'s share of patients when left out')
    .requiredOption('--out <folder>', 'the new model\'s folder; its name is the new id')
    .addOption(new Option('--backend <name>', 'use this or fail; default: WebGPU on a real GPU').choices(['webgpu', 'wasm', 'cpu']))
    .option('--software-gpu', 'count a software WebGPU adapter (SwiftShader) as a GPU')
    .option('--resume', 'go on from the checkpoint of a run that was stopped')
    .option('--force', 'replace a model folder at --out')
    .option('--json', 'print the report as JSON')
    .addHelpText('after', HELP)
    .action(async (options: TrainOptions) => {
      process.exitCode = await trainModel(options);
    });
}

/** @returns the exit status */
export async function trainModel(options: TrainOptions, { print, note }: Terminal = terminal): Promise<number> {
  const id = idOf(options.out);
  checkFolder(options.out, options.force ?? false);
  const recipe = readRecipe(options.recipe);
  const location = modelFolder(options.model, path.resolve(options.models ?? defaultModelsFolder()));
  const verified = await readVerified(diskFiles(location));
  checkTrainable(verified.manifest);
  const split = options.split === undefined ? undefined : { train: [...readIds(options.split, 'train')], validation: [...readIds(options.split, 'validation')] };
  const checkpoints = fileCheckpoint(`${path.resolve(options.out)}.checkpoint`);
  if (checkpoints.exists() && !options.resume) {
    throw new OverreadError('cli/usage', `Expected no checkpoint at ${checkpoints.file}, got that of a run that was stopped. Add --resume to go on with it, or remove it.`, { got: checkpoints.file });
  }
  const tuned = await tunedModel(options, { verified, recipe, data: readDatasetFolder(options.dataset), split, id, checkpoints }, note);
  if (tuned === 'stopped') {
    note(`Stopped; the same command with --resume goes on from ${checkpoints.file}.`);
    return ExitStatus.stopped;
  }
  const { manifest, files, card, report } = tuned;
  write(options.out, files, manifest, card);
  writeFile(path.join(options.out, 'report.json'), `${JSON.stringify(report, undefined, 1)}\n`);
  checkpoints.remove();
  if (options.json) print(JSON.stringify(report, undefined, 2));
  else for (const line of summary(report, options.out)) print(line);
  return report.failed ? ExitStatus.refused : ExitStatus.ok;
}

function readRecipe(file: string): Recipe {
  let json: unknown;
  try {
    json = JSON.parse(fs.readFileSync(file, 'utf8'));
  } catch (error) {
    throw new OverreadError('config/invalid', `Expected a recipe as JSON in ${file}, got: ${(error as Error).message}. Give --recipe such a file.`, { got: file }, error);
  }
  return parseRecipe(json, file);
}

async function tunedModel(options: TrainOptions, job: FineTuneJob, note: (line: string) => void): Promise<FineTuned | 'stopped'> {
  const runtime = await openRuntime(options);
  const stop = new AbortController();
  const onSignal = () => stop.abort();
  process.once('SIGINT', onSignal);
  try {
    const allowSlow = options.softwareGpu || (options.backend !== undefined && options.backend !== 'webgpu');
    return await fineTune(runtime, { ...job, signal: stop.signal, allowSlow, onEvent: event => say(event, note) });
  } catch (error) {
    if (!isOverreadError(error, 'job/cancelled')) throw error;
    return 'stopped';
  } finally {
    process.removeListener('SIGINT', onSignal);
    runtime.dispose();
  }
}

async function openRuntime({ backend = 'webgpu', softwareGpu = false }: TrainOptions): Promise<TfjsRuntime> {
  if (backend === 'webgpu') await installWebGPU(softwareGpu);
  try {
    return await createRuntime({ backend, allowSoftware: softwareGpu, wasmPath: wasmFolder(import.meta.url) });
  } catch (error) {
    if (!isOverreadError(error, 'device/unavailable')) throw error;
    throw new OverreadError('device/unavailable', `${error.message} Training needs WebGPU on a GPU, since WebAssembly has no derivatives; --software-gpu, --backend wasm and --backend cpu train small networks slowly.`, error.fields, error);
  }
}

function say(event: FineTuneEvent, note: (line: string) => void): void {
  switch (event.kind) {
    case 'data': {
      const { dataset: { train, validation }, refused, alike } = event;
      note(`${train.items} items of ${train.patients} patients to train, ${validation.items} of ${validation.patients} to validate${refused.length ? `, ${refused.length} refused` : ''}`);
      for (const { id, code, message } of refused.slice(0, 5)) note(`Refused ${id}: ${message} [${code}]`);
      if (alike.length) note(`Warning: ${alike.length} pairs across the split look alike, such as ${alike[0]!.join(' and ')}; the report names them all.`);
      return;
    }
    case 'measuring':
      if (event.done === 0) note(`Measuring both models on ${event.of / 2} validation items`);
      return;
    case 'start':
      return note(`Training ${event.learning} weights of ${event.layers} layers on ${event.device.backend} (${event.device.adapter}) from step ${event.step}, ${event.atOnce} pictures at once`);
    case 'step':
      return note(`[${event.point.step}/${event.of}] loss ${event.point.loss!.toFixed(4)}`);
    case 'validation':
      return note(`Step ${event.point.step}: validation ${event.point.validation!.toFixed(4)}${event.best ? ', the best so far' : ''}`);
    case 'checkpoint':
      return note(`Step ${event.step}: checkpoint written`);
    case 'recovered':
      return note(`The device was lost (${event.because}); going on from step ${event.step}`);
  }
}

function summary({ metrics, ended, step, failed }: TrainingReport, out: string): string[] {
  return [
    ...(failed ? [`The loss was ${failed.loss} at step ${failed.step} (items ${failed.ids.join(', ')}); training stopped there.`] : []),
    `Kept the weights of step ${step}${ended === 'early' ? '; validation did not get better after it' : ''}: ${out}`,
    ...table([['METRIC', 'BASE', '', 'TRAINED', '', 'DIFFERENCE', ''], ...Object.entries(metrics).map(([name, { base, tuned, difference }]) => [name, ...metricCells(base), ...metricCells(tuned), ...metricCells(difference)])]),
  ];
}
