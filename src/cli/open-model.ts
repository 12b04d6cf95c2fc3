import { readFileSync } from 'node:fs';
import path from 'node:path';
import { InvalidArgumentError, Option, type Command } from 'commander';
import { synthesisRulesSchema } from '../dicom/synthesis-rules.ts';
import type { SynthesisRule } from '../dicom/synthesis.ts';
import { OverreadError } from '../errors.ts';
import { createNodeEngine } from '../node.ts';
import { defaultModelsFolder, modelFolder } from './installed-models.ts';
import type { ExplainingRunner, TilesRunner } from './model-runner.ts';

export interface ModelOptions {
  readonly model: string;
  readonly models?: string;
  readonly backend?: 'webgpu' | 'webgl' | 'wasm' | 'cpu';
  readonly softwareGpu?: boolean;
  readonly force?: boolean;
  readonly register?: boolean;
  /** File of rules on what was synthesised. */
  readonly synthesised?: string;
  /** MiB. */
  readonly gpuMemory?: number;
  /** Asked of the adapter in place of its best. */
  readonly deviceLimits?: Readonly<Record<string, number>>;
}

/** The options of every command that runs a model. */
export function modelOptions(command: Command): Command {
  return deviceOptions(command.requiredOption('--model <id>', 'id of an installed model, or the folder of one'));
}

/** The same but for the model. */
export function deviceOptions(command: Command): Command {
  return command
    .option('--models <folder>', 'folder of models, in place of the one that comes with Overread')
    .addOption(new Option('--backend <name>', 'use this or fail; default: WebGPU on a real GPU, else wasm').choices(['webgpu', 'webgl', 'wasm', 'cpu']))
    .option('--force', 'read pictures that the model\'s gate refuses as unlike those that it was made for; the results are marked')
    .option('--synthesised <json>', "file with the site's rules on what counts as synthesised beside what says so itself, as overread.synthesised of the viewer's configuration has them")
    .option('--register', 'of a model of several MR series: register them with each other even where they state one frame of reference')
    .addOption(new Option('--gpu-memory <MiB>', 'what a model may take of a GPU: batches are parted to keep to it, and a model that cannot is refused').argParser(mebibytes))
    .option('--software-gpu', 'count a software WebGPU adapter (SwiftShader) as a GPU; asking for --backend webgpu does so too');
}

/**
 * Opens the device and loads the model.
 * @param note told what device was got, and why
 * @throws OverreadError `model/*`, `device/unavailable`
 */
export async function openModel(options: ModelOptions, note: (line: string) => void): Promise<ExplainingRunner & TilesRunner> {
  const [runner] = await openModels([options.model], options, note);
  return runner!;
}

/**
 * As {@link openModel}, of several models on one device. Closing one of them closes all.
 * @throws OverreadError `model/*`, `device/unavailable`
 */
export async function openModels(names: readonly string[], options: Omit<ModelOptions, 'model'>, note: (line: string) => void): Promise<(ExplainingRunner & TilesRunner)[]> {
  const { models, backend, softwareGpu = false, force = false, register = false, gpuMemory, deviceLimits } = options;
  const synthesisRules = options.synthesised === undefined ? undefined : readSynthesisRules(options.synthesised);
  const locations = names.map(name => modelFolder(name, path.resolve(models ?? defaultModelsFolder())));
  if (backend === 'webgl') {
    throw new OverreadError('device/unavailable', 'Expected a backend of Node, got webgl, which browsers only have. Choose webgpu or wasm.', { expected: ['webgpu', 'wasm'], got: backend });
  }
  const engine = await createNodeEngine({
    backend, allowSoftware: softwareGpu || backend === 'webgpu',
    ...(gpuMemory !== undefined && { memoryBudget: gpuMemory * 2 ** 20 }), ...(deviceLimits && { deviceLimits }),
  });
  const opened: (ExplainingRunner & TilesRunner)[] = [];
  let jobs = 0;
  for (const location of locations) {
    const manifest = await engine.describe(location);
    const device = await engine.start();
    const start = performance.now();
    const identity = await engine.load(location);
    const loadMs = performance.now() - start;
    note(`${identity.id} ${identity.version} on ${device.backend} (${device.adapter}); ${device.reason}`);
    note(identity.notice);
    let runs = 0;
    let jobId = '';
    const next = () => (jobId = `${++jobs}`);
    opened.push({
      manifest,
      identity,
      device,
      ...(synthesisRules && { synthesisRules }),
      async run(images, { force: once = force } = {}) {
        const result = await engine.run({ jobId: next(), location, images, force: once, register });
        // The model was loaded before the first run, whose time it belongs to.
        return ++runs === 1 ? { ...result, timingMs: { ...result.timingMs, load: loadMs } } : result;
      },
      features: images => engine.features({ jobId: next(), location, images, force }),
      explain: (images, request) => engine.explain({ jobId: next(), location, images, force, request }),
      runTiles: ({ source, ...job }, listener) => engine.runTiles({ jobId: next(), location, force, ...job, source: synthesisRules && !('read' in source) ? { ...source, synthesisRules } : source }, listener),
      stop: () => engine.cancel(jobId),
      close: () => engine.dispose(),
    });
  }
  return opened;
}

function mebibytes(text: string): number {
  const value = Number(text);
  if (!(value > 0 && value < Infinity)) throw new InvalidArgumentError('Expected a number of MiB above 0.');
  return value;
}

/** @throws OverreadError `config/invalid` for a file that is not there, or holds no rules */
function readSynthesisRules(file: string): readonly SynthesisRule[] {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new OverreadError('config/invalid', `Expected rules on what was synthesised in ${file} as JSON, got: ${(error as Error).message}. Check the path.`, { got: file }, error);
  }
  const parsed = synthesisRulesSchema.safeParse(value);
  if (parsed.success) return [parsed.data].flat();
  throw new OverreadError('config/invalid', `Expected a rule or a list of them in ${file}, such as [{ "descriptions": ["MRCAT"] }], got: ${parsed.error.issues[0]!.message}.`, { got: file });
}
