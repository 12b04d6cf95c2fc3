import fs from 'node:fs';
import path from 'node:path';
import { Option, type Command } from 'commander';
import { isOverreadError, OverreadError } from '../errors.ts';
import type { TrainingRecord } from '../manifest.ts';
import { diskFiles, installWebGPU } from '../node.ts';
import { wasmFolder } from '../runtime/node-wasm.ts';
import { createRuntime, type TfjsRuntime } from '../runtime/runtime.ts';
import { sha256 } from '../runtime/sha256.ts';
import { readVerified, type VerifiedModel } from '../runtime/verified.ts';
import { checkTrainable } from '../training/examples.ts';
import { tunedFiles, tunedManifest } from '../training/publish.ts';
import { parseRecipe, type Recipe } from '../training/recipe.ts';
import type { Split } from '../training/split.ts';
import { train, type Trained, type TrainingEvent } from '../training/trainer.ts';
import { readDatasetFolder, readIds, type DatasetFolder } from './dataset-folder.ts';
import { evalItems } from './eval-items.ts';
import type { EvalReport, Measured } from './eval-report.ts';
import { checkFolder, idOf, write } from './import-folder.ts';
import { defaultModelsFolder, modelFolder } from './installed-models.ts';
import { writeFile } from './io/write-file.ts';
import { openModel } from './open-model.ts';
import { ExitStatus, table, terminal, type Terminal } from './terminal.ts';
import { fileCheckpoint } from './train-checkpoint.ts';
import { readTrainingData, type TrainingData } from './train-data.ts';
import { compared, type Compared } from './train-report.ts';

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
  const folder = readDatasetFolder(options.dataset);
  const given = options.split === undefined ? undefined : { train: [...readIds(options.split, 'train')], validation: [...readIds(options.split, 'validation')] };
  const data = await readTrainingData(folder, verified.manifest, recipe, given);
  tellData(data, note);
  const checkpoints = fileCheckpoint(`${path.resolve(options.out)}.checkpoint`);
  if (checkpoints.exists() && !options.resume) {
    throw new OverreadError('cli/usage', `Expected no checkpoint at ${checkpoints.file}, got that of a run that was stopped. Add --resume to go on with it, or remove it.`, { got: checkpoints.file });
  }
  const done = await trained(options, { verified, recipe, data, checkpoints }, note);
  if (done === 'stopped') return ExitStatus.stopped;
  const { outcome, files, seconds } = done;
  const metrics = await compareBoth({ options, location, files, verified, folder, data, id, recipe, outcome }, note);
  const record = recordOf(verified, folder, data.examples, recipe, outcome, metrics);
  const manifest = await tunedManifest(verified.manifest, id, files, record);
  write(options.out, files, manifest, card(manifest.name, record, outcome));
  const report = { ...record, ended: outcome.ended, ...(outcome.failed && { failed: outcome.failed }), seconds, stepsPerSecond: outcome.stepsDone / seconds, refused: data.refused, alike: data.alike, curve: outcome.curve };
  writeFile(path.join(options.out, 'report.json'), `${JSON.stringify(report, undefined, 1)}\n`);
  checkpoints.remove();
  if (options.json) print(JSON.stringify(report, undefined, 2));
  else for (const line of summary(metrics, outcome, options.out)) print(line);
  return outcome.failed ? ExitStatus.refused : ExitStatus.ok;
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

function tellData({ examples: { train: fitted, validation }, refused, alike }: TrainingData, note: (line: string) => void): void {
  note(`${fitted.length} items of ${patientsOf(fitted)} patients to train, ${validation.length} of ${patientsOf(validation)} to validate${refused.length ? `, ${refused.length} refused` : ''}`);
  for (const { id, code, message } of refused.slice(0, 5)) note(`Refused ${id}: ${message} [${code}]`);
  if (alike.length) note(`Warning: ${alike.length} pairs across the split look alike, such as ${alike[0]!.join(' and ')}; the report names them all.`);
}

interface Work {
  readonly verified: VerifiedModel;
  readonly recipe: Recipe;
  readonly data: TrainingData;
  readonly checkpoints: ReturnType<typeof fileCheckpoint>;
}

async function trained(options: TrainOptions, { verified, recipe, data, checkpoints }: Work, note: (line: string) => void): Promise<'stopped' | { outcome: Trained; files: ReadonlyMap<string, Uint8Array>; seconds: number }> {
  const runtime = await openRuntime(options);
  const stop = new AbortController();
  const onSignal = () => stop.abort();
  process.once('SIGINT', onSignal);
  const started = performance.now();
  try {
    const run = await sha256(new TextEncoder().encode(JSON.stringify([verified.identity.sha256, recipe, data.examples.train.map(({ id }) => id), data.examples.validation.map(({ id }) => id)])));
    const outcome = await train(runtime, { verified, recipe, examples: data.examples, run, checkpoints, signal: stop.signal, allowSlow: options.softwareGpu || (options.backend !== undefined && options.backend !== 'webgpu'), onEvent: event => say(event, note) });
    const files = await runtime.turn(device => tunedFiles(device, verified, recipe, outcome));
    return { outcome, files, seconds: (performance.now() - started) / 1000 };
  } catch (error) {
    if (!isOverreadError(error, 'job/cancelled')) throw error;
    note(`Stopped; the same command with --resume goes on from ${checkpoints.file}.`);
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

function say(event: TrainingEvent, note: (line: string) => void): void {
  switch (event.kind) {
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

interface Comparison {
  readonly options: TrainOptions;
  readonly location: string;
  readonly files: ReadonlyMap<string, Uint8Array>;
  readonly verified: VerifiedModel;
  readonly folder: DatasetFolder;
  readonly data: TrainingData;
  readonly id: string;
  readonly recipe: Recipe;
  readonly outcome: Trained;
}

/** Both models on the validation items, through the engine as `overread eval` runs it. */
async function compareBoth(of: Comparison, note: (line: string) => void): Promise<Readonly<Record<string, Compared>>> {
  const { options, location, files, verified, folder, data, id, recipe, outcome } = of;
  const manifest = await tunedManifest(verified.manifest, id, files, recordOf(verified, folder, data.examples, recipe, outcome, {}));
  const scratch = `${path.resolve(options.out)}.measured-${process.pid}/${id}`;
  const ids = new Set(data.examples.validation.map(example => example.id));
  const measure = async (model: string): Promise<EvalReport> => {
    const runner = await openModel({ model, models: path.dirname(location), softwareGpu: options.softwareGpu ?? false, force: true }, () => {});
    try {
      return (await evalItems({ runner, folder, ids, keepWorst: 0 })).report;
    } finally {
      await runner.close();
    }
  };
  try {
    write(scratch, files, manifest, '');
    note(`Measuring both models on ${ids.size} validation items`);
    return compared(await measure(location), await measure(scratch));
  } finally {
    fs.rmSync(path.dirname(scratch), { recursive: true, force: true });
  }
}

function recordOf({ manifest, identity }: VerifiedModel, { dataset }: DatasetFolder, examples: TrainingData['examples'], recipe: Recipe, outcome: Trained, metrics: TrainingRecord['metrics']): TrainingRecord {
  const side = (of: Split<unknown>['train']) => ({ items: of.length, patients: patientsOf(of as readonly { patientId: string }[]) });
  return {
    parent: { id: manifest.id, version: manifest.version, sha256: identity.sha256 },
    dataset: { name: dataset.name, licence: dataset.licence, train: side(examples.train), validation: side(examples.validation) },
    recipe: { ...recipe },
    step: outcome.step,
    steps: outcome.stepsDone,
    backend: `${outcome.device.backend} (${outcome.device.adapter})`,
    metrics,
    trainedAt: new Date().toISOString(),
  };
}

function patientsOf(of: readonly { readonly patientId: string }[]): number {
  return new Set(of.map(({ patientId }) => patientId)).size;
}

function summary(metrics: Readonly<Record<string, Compared>>, { ended, step, failed }: Trained, out: string): string[] {
  return [
    ...(failed ? [`The loss was ${failed.loss} at step ${failed.step} (items ${failed.ids.join(', ')}); training stopped there.`] : []),
    `Kept the weights of step ${step}${ended === 'early' ? '; validation did not get better after it' : ''}: ${out}`,
    ...table([['METRIC', 'BASE', '', 'TRAINED', '', 'DIFFERENCE', ''], ...Object.entries(metrics).map(([name, { base, tuned, difference }]) => [name, ...number(base), ...number(tuned), ...number(difference)])]),
  ];
}

function number({ value, low, high }: Measured): string[] {
  return [value.toFixed(4), low === undefined || high === undefined ? '' : `(${low.toFixed(4)} to ${high.toFixed(4)})`];
}

function card(name: string, { parent, dataset, metrics, step }: TrainingRecord, { ended }: Trained): string {
  const rows = Object.entries(metrics).map(([metric, { base, tuned, difference }]) => `| ${metric} | ${[base, tuned, difference].map(of => number(of).join(' ')).join(' | ')} |`);
  return [
    `# ${name}`, '',
    `Trained further from ${parent.id} ${parent.version} (SHA-256 ${parent.sha256}) on ${dataset.train.items} items of ${dataset.train.patients} patients of '${dataset.name}' (${dataset.licence}); the weights of step ${step}${ended === 'early' ? ', where validation was best' : ''}.`,
    `**Measured on ${dataset.validation.items} items of ${dataset.validation.patients} patients that it did not learn from, which also chose the step. Research use only. Not for diagnosis.**`, '',
    '| metric | base | trained | difference |', '| --- | --- | --- | --- |', ...rows, '',
    'Intervals: 95 %, bootstrap over patients. `report.json` has the curve and the recipe; `manifest.json` the record of the training.', '',
  ].join('\n');
}
