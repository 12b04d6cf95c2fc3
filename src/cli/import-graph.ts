import { OverreadError } from '../errors.ts';
import type { Image } from '../image/image.ts';
import { infer } from '../infer.ts';
import { parseManifest, type ModelManifest } from '../manifest.ts';
import type { Shaped } from '../runtime/network.ts';
import { wasmFolder } from '../runtime/node-wasm.ts';
import { createRuntime } from '../runtime/runtime.ts';
import { sha256 } from '../runtime/sha256.ts';
import { tfjsNetwork } from '../runtime/tfjs-network.ts';
import type { LoadedModel, ModelFiles } from '../runtime/types.ts';
import { hashes, usage } from './import-folder.ts';
import type { GraphFiles } from './import-files.ts';
import { manifestFor, type ImportedModel, type Stated } from './import-manifest.ts';
import type { StatedOptions } from './import-options.ts';

export interface ImportedGraph {
  readonly imported: ImportedModel;
  readonly manifest: ModelManifest;
}

/**
 * Makes a manifest of a tfjs or ONNX model: its shapes are read from it, all else is as stated. The model is then
 * loaded by that manifest and run once on wasm, so that one with an unknown operator is refused here.
 * @param size rows and columns, where the model leaves them open
 * @throws OverreadError `cli/usage` for labels or a size that do not fit; `model/graph` for a model that does not load or
 *   run, or has not one input and one output; `model/manifest`, `model/output`
 */
export async function importGraph(id: string, graph: GraphFiles, labels: readonly string[] | undefined, options: StatedOptions, size: number | undefined): Promise<ImportedGraph> {
  const wasmPath = wasmFolder(import.meta.url);
  const facts = { id, architecture: NAMES[graph.format], from: graph.from, fromSha256: await sha256(graph.files.get(graph.url)!), sha256: await hashes(graph.files) };
  const stated: Stated = { ...options, format: graph.format, url: graph.url };
  const runtime = await createRuntime({ backend: 'wasm', wasmPath });
  try {
    const draft = manifestFor({ ...facts, shape: [1, 1, 1], labels: labels ?? ['not named'], stated });
    const { inputs, outputs } = await runtime.turn(async () => {
      const verified = { manifest: draft, identity: { id, version: '', name: id, notice: '', sha256: '' }, files: graph.files, bytes: 0 };
      const network: Shaped = graph.format === 'onnx' ? await (await import('../runtime/onnx.ts')).onnxNetwork(verified, {}) : await tfjsNetwork(verified);
      network.dispose();
      return network;
    });
    const shape = inputShape(inputs.map(port => port.shape), graph, stated, size);
    const imported: ImportedModel = { ...facts, shape, labels: namesOf(labels, outputs, stated, graph.name), stated };
    const manifest = parseManifest(manifestFor(imported), `of ${id}`);
    const model = await runtime.load(inMemory(graph, manifest));
    try {
      if (manifest.input.layout === 'NDHWC') await firstSlice(model);
      else await infer(runtime, model, [ramp(manifest)]);
    } finally {
      model.dispose();
    }
    return { imported, manifest };
  } finally {
    runtime.dispose();
  }
}

const NAMES = { layers: 'a tfjs layers model', graph: 'a tfjs graph model', onnx: 'an ONNX model' } as const;

type Shapes = readonly (readonly (number | null)[] | undefined)[];

function inputShape(inputs: Shapes, { name, format }: GraphFiles, { grid, task }: Stated, size: number | undefined): number[] {
  const [shape] = inputs;
  const volume = shape?.length === 5 && format !== 'onnx';
  if (inputs.length !== 1 || !shape || (shape.length !== 4 && !volume)) {
    throw graphError(`one input, [n, rows, columns, channels]${format === 'onnx' ? ' ([n, channels, rows, columns] in ONNX)' : ', or with slices before the rows'}, in ${name}`, `${inputs.length}: ${inputs.map(described).join(', ')}`, 'Models of other inputs cannot be imported yet');
  }
  const channels = shape.at(-1);
  if (channels !== 1 && (channels !== 3 || volume)) {
    throw graphError(`${volume ? '1 input channel' : '1 or 3 input channels'} in ${name}`, described(shape), format === 'onnx' ? 'An ONNX model must take [n, channels, rows, columns]: export it so' : 'Networks of other channels cannot be imported yet');
  }
  if (volume && task !== 'segment') throw usage(`--task segment for ${name}, which reads volumes`, task, 'Other tasks on volumes cannot be imported yet');
  if (volume && !grid) throw usage(`--grid AXES:MM for ${name}, which reads volumes`, 'none', 'Say where its slices, rows and columns run to and how large a voxel is, such as LIA:1 for what FreeSurfer conforms');
  if (!volume && grid) throw usage(`no --grid for ${name}, which reads planes`, described(shape), 'Leave it out');
  const sides = shape.slice(1, -1);
  if (size === undefined && sides.some(side => side == null)) throw usage(`--size, since ${name} leaves ${volume ? 'its sides' : 'rows and columns'} open`, 'none', 'Give the size that the network was trained at');
  if (size !== undefined && sides.some(side => (side ?? size) !== size)) throw usage(`the input size of ${name}, ${described(shape)}`, `--size ${size}`, 'Leave --size out');
  return [...sides.map(side => side ?? size!), channels];
}

/** The labels, when they are as many as the model's channels, where it says how many these are; its run tells in any case. */
function namesOf(labels: readonly string[] | undefined, outputs: Shapes, { task, activation, grid }: Stated, name: string): readonly string[] {
  const [shape] = outputs;
  const rank = task === 'classify' ? 2 : grid ? 5 : 4;
  if (outputs.length !== 1 || (shape && shape.length !== rank)) {
    throw graphError(`one output, ${task === 'classify' ? '[n, labels]' : grid ? '[n, slices, rows, columns, labels]' : '[n, rows, columns, labels]'}, for --task ${task} in ${name}`, `${outputs.length}: ${outputs.map(described).join(', ')}`, 'Choose another --task, or save the model with that output only');
  }
  const channels = shape?.at(-1);
  const wanted = channels == null ? 'one an output' : activation !== 'softmax' ? `${channels}` : task === 'segment' ? `${channels - 1} (the first channel is the background)` : `${channels}, or ${channels - 1} where the first channel is the background,`;
  if (!labels) throw usage(`--labels with ${wanted} names for ${name}`, 'none', 'Name them in the order of training');
  const allowed = channels == null ? [labels.length] : activation !== 'softmax' ? [channels] : task === 'segment' ? [channels - 1] : [channels, channels - 1];
  if (!allowed.includes(labels.length)) throw usage(`${wanted} labels for the outputs of ${name}`, `${labels.length} (${labels.join(', ')})`, 'Name every output in the order of training');
  return labels;
}

function inMemory({ files }: GraphFiles, manifest: ModelManifest): ModelFiles {
  const all = new Map([...files, ['manifest.json', new TextEncoder().encode(JSON.stringify(manifest))]]);
  return { location: `the import of ${manifest.id}`, read: async path => all.get(path)! };
}

/** A picture with every grey value, of the size of the input. */
function ramp({ input: { shape } }: ModelManifest): Image {
  const [rows, columns] = shape as [number, number];
  return {
    pixels: Float32Array.from({ length: rows * columns }, (_, i) => (255 * i) / (rows * columns)),
    sources: [{ file: 'ramp' }], modality: 'OT', shape: [columns, rows, 1], channels: 1, representableRange: [0, 255], attributes: {},
  };
}

/** A volume takes long: its first slice needs every layer. */
async function firstSlice(model: LoadedModel): Promise<void> {
  const plane = model.manifest.input.shape.slice(1).reduce((product, side) => product * side, 1);
  for await (const { slices } of model.predictSlices(slice => new Float32Array(plane).fill(slice / plane))) if (slices.length) return;
}

function described(shape: readonly (number | null)[] | undefined): string {
  return shape ? `[${shape.map(size => size ?? 'any').join(', ')}]` : 'no known shape';
}

function graphError(expected: string, got: string, advice: string): OverreadError {
  return new OverreadError('model/graph', `Expected ${expected}, got ${got}. ${advice}.`, { expected, got });
}
