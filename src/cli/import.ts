import path from 'node:path';
import type { Command } from 'commander';
import { ARCHITECTURES, networkFromCheckpoint, outputsOf, type Architecture } from '../architectures/from-checkpoint.ts';
import { layersFiles } from '../architectures/layers-files.ts';
import { PUBLISHED_CHECKPOINTS, type PublishedCheckpoint } from '../architectures/published-checkpoints.ts';
import { OverreadError } from '../errors.ts';
import { parseManifest, type ModelManifest } from '../manifest.ts';
import { readCheckpoint } from '../runtime/checkpoints/read.ts';
import { sha256 } from '../runtime/sha256.ts';
import { checkpointFile } from './checkpoint-file.ts';
import { graphFiles, isGraph } from './import-files.ts';
import { checkFolder, checkLabels, hashes, idOf, readLabels, usage, write } from './import-folder.ts';
import { importGraph } from './import-graph.ts';
import { cardFor, manifestFor, type ImportedModel } from './import-manifest.ts';
import { statedOptions, TYPED, type StatedOptions, type TypedOptions } from './import-options.ts';
import { asFullyConvolutional, type ImportedPatches } from './import-patches.ts';
import { ExitStatus, terminal, type Terminal } from './terminal.ts';

export interface ImportOptions extends TypedOptions {
  /** For PyTorch checkpoints. */
  readonly as?: string;
  readonly out: string;
  readonly labels?: string;
  readonly size?: string;
  readonly force?: boolean;
  /** Of a tfjs classifier of patches: import its fully convolutional form. */
  readonly fullyConvolutional?: boolean;
}

type Published = Readonly<Record<string, PublishedCheckpoint>>;

const NAMES = [...Object.keys(ARCHITECTURES), ...Object.keys(PUBLISHED_CHECKPOINTS)];

export function register(program: Command): void {
  program
    .command('import')
    .description('make a model folder of a PyTorch checkpoint (.pt, .pth, .safetensors), a tfjs model or an ONNX file')
    .argument('[file]', 'path or http(s) address, the folder for tfjs; left out for a published model, it is fetched from its authors')
    .option('--as <name>', `what a PyTorch checkpoint is: ${NAMES.join(', ')}`)
    .requiredOption('--out <folder>', 'the model folder to write; its last part is the model\'s id')
    .option('--labels <list>', 'names of the outputs in order: a,b,c, or a file with one a line')
    .option('--size <pixels>', 'rows and columns of the input, in place of the architecture\'s own, or where the model leaves them open')
    .option('--task <task>', 'tfjs and ONNX, always: classify or segment')
    .option('--activation <name>', 'tfjs and ONNX, always: sigmoid, softmax (when segmenting, the first channel is the background) or none')
    .option('--gives <what>', 'tfjs and ONNX, always: logits, or probability when the activation is in the network')
    .option('--range <min,max>', 'tfjs and ONNX, always: the values that the network was trained on; --range=-1,1 for a negative one')
    .option('--normalisation <how>', 'tfjs and ONNX: representable (default), percentile:LOW,HIGH (:unclipped to go on beyond), window:MIN,MAX or zscore')
    .option('--fit <how>', 'tfjs and ONNX: crop (default), letterbox or stretch')
    .option('--grid <axes:mm>', 'tfjs models of volumes, always: where slices, rows and columns run to, and the size of a voxel: LIA:1 is what FreeSurfer conforms to')
    .option('--modality <list>', 'tfjs and ONNX: the DICOM modalities that it reads, OT for pictures and NIfTI; default: DX,CR,RG,OT, of volumes MR,OT')
    .option('--fully-convolutional', 'tfjs classifiers of patches: turn dense layers into convolutions, to run over whole pictures in one pass; says how many multiplications that saves')
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
  const folder = path.resolve(options.out);
  const says: Terminal = { print, note };
  if (file !== undefined && isGraph(file)) return importGraphModel(file, folder, options, says);
  return importCheckpoint(file, folder, options, says, publishedOnes);
}

/** A tfjs or ONNX model: its files as they are, with a manifest of what was stated. */
async function importGraphModel(file: string, folder: string, options: ImportOptions, { print, note }: Terminal): Promise<number> {
  if (options.as !== undefined) throw usage('no --as for a tfjs or ONNX model', options.as, 'Leave it out: such a model says itself what it is');
  const stated = statedOptions(options);
  const id = idOf(folder);
  checkFolder(folder, options.force ?? false);
  const labels = options.labels === undefined ? undefined : readLabels(options.labels);
  const size = options.size === undefined ? undefined : wholeNumber(options.size);
  const given = await graphFiles(file, note);
  const patches = options.fullyConvolutional ? await asFullyConvolutional(given, forPatches(stated), size) : undefined;
  const graph = patches?.graph ?? given;
  const { imported, manifest } = await importGraph(id, graph, labels, patches ? { ...stated, tiling: true } : stated, patches ? undefined : size);
  if (patches) note(described(patches));
  finish(folder, graph.files, imported, manifest, { print, note });
  return ExitStatus.ok;
}

/** A map of scores is a segmentation, whatever the classifier was trained for. */
function forPatches(stated: StatedOptions): StatedOptions {
  if (stated.task !== 'segment') throw usage('--task segment with --fully-convolutional', stated.task, 'The classifier gives its scores for every patch of a picture: a map');
  return stated;
}

function described({ saving, tile }: ImportedPatches): string {
  const count = (n: number) => n.toLocaleString('en');
  return `One pass over ${tile} × ${tile} pixels stands for ${count(saving.patches)} patches: ${count(saving.onePass)} multiplications in place of ${count(saving.patchByPatch)}, ${saving.ratio.toFixed(1)} times fewer.`;
}

async function importCheckpoint(file: string | undefined, folder: string, options: ImportOptions, { print, note }: Terminal, publishedOnes: Published): Promise<number> {
  if (options.fullyConvolutional) throw usage('no --fully-convolutional for a PyTorch checkpoint', '--fully-convolutional', 'It is for tfjs classifiers of patches');
  if (options.as === undefined) throw usage(`--as ${NAMES.join(', ')}`, 'none', 'Say what the PyTorch checkpoint is; only tfjs (a folder, model.json) and .onnx go without');
  const published = Object.hasOwn(publishedOnes, options.as) ? publishedOnes[options.as] : undefined;
  const architecture = architectureOf(options.as, published);
  const forGraphs = TYPED.find(name => options[name] !== undefined);
  if (forGraphs) throw usage('no option for tfjs and ONNX models', `--${forGraphs}`, 'Leave it out, and mend manifest.json afterwards where it needs it');
  const id = idOf(folder);
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
  finish(folder, files, imported, manifest, { print, note });
  return ExitStatus.ok;
}

function finish(folder: string, files: ReadonlyMap<string, Uint8Array>, imported: ImportedModel, manifest: ModelManifest, { print, note }: Terminal): void {
  write(folder, files, manifest, cardFor(imported, manifest));
  const bytes = [...files.values()].reduce((sum, f) => sum + f.length, 0);
  const labels = imported.labels.length;
  print(`${folder}: ${imported.architecture}, ${labels} ${imported.stated?.task === 'segment' ? 'label' : 'output'}${labels === 1 ? '' : 's'}, ${(bytes / 2 ** 20).toFixed(1)} MiB`);
  note(`Fill in ${path.join(folder, 'README.md')}, and check input and operating points in manifest.json.`);
}

function architectureOf(name: string, published: PublishedCheckpoint | undefined): Architecture {
  const architecture = published?.architecture ?? name;
  if (!Object.hasOwn(ARCHITECTURES, architecture)) throw usage(`--as ${NAMES.join(', ')}`, name, 'Choose one of them');
  return architecture as Architecture;
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 32 || value > 4096) throw usage('--size from 32 to 4096', text, 'Give the size that the network was trained at');
  return value;
}
