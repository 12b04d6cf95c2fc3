import { fullyConvolutionalSaving, toFullyConvolutional, type FullyConvolutionalSaving } from '../architectures/fully-convolutional.ts';
import { layersFiles } from '../architectures/layers-files.ts';
import { OverreadError } from '../errors.ts';
import { wasmFolder } from '../runtime/node-wasm.ts';
import { receptiveField } from '../runtime/receptive-field.ts';
import { createRuntime } from '../runtime/runtime.ts';
import { tfjsNetwork } from '../runtime/tfjs-network.ts';
import type { GraphFiles } from './import-files.ts';
import { hashes } from './import-folder.ts';
import { manifestFor, type Stated } from './import-manifest.ts';

/** Rows and columns of a tile where none are stated, at least. */
const TILE = 256;

export interface ImportedPatches {
  readonly graph: GraphFiles;
  /** For one tile. */
  readonly saving: FullyConvolutionalSaving;
  readonly tile: number;
}

/**
 * A classifier of patches as a network of whole images, that gives an output for each stride × stride pixels.
 * @param size of a tile; the least multiple of the stride from 256 on when left out
 * @throws OverreadError `model/graph` for what is no classifier of patches without padding, or a tile that is no
 *   multiple of its stride
 */
export async function asFullyConvolutional(graph: GraphFiles, stated: Omit<Stated, 'format' | 'url'>, size?: number): Promise<ImportedPatches> {
  if (graph.format !== 'layers') throw new OverreadError('model/graph', `Expected a tfjs layers model with --fully-convolutional, got ${graph.name}, a model of format ${graph.format}. Its dense layers can be turned into convolutions only where the layers are known.`, { expected: 'layers', got: graph.format });
  const id = 'patches';
  const draft = manifestFor({ id, architecture: '', from: graph.from, fromSha256: '', sha256: await hashes(graph.files), shape: [1, 1, 1], labels: ['not named'], stated: { ...stated, format: 'layers', url: graph.url } });
  const runtime = await createRuntime({ backend: 'wasm', wasmPath: wasmFolder(import.meta.url) });
  try {
    return await runtime.turn(async () => {
      const network = await tfjsNetwork({ manifest: draft, identity: { id, version: '', name: id, notice: '', sha256: '' }, files: graph.files, bytes: 0 });
      try {
        const classifier = network.layersModel!;
        const [, rows, columns] = classifier.inputs[0]!.shape;
        if (rows == null || columns == null) throw new OverreadError('model/graph', `Expected a classifier of patches of one size in ${graph.name}, got one that takes any. Save it with the size that it was trained on.`, { expected: '[n, rows, columns, channels]', got: classifier.inputs[0]!.shape });
        const one = toFullyConvolutional(classifier, [rows, columns]);
        const field = receptiveField(one);
        one.dispose();
        const stride = field.rows.stride === field.columns.stride ? field.rows.stride : field.rows.stride * field.columns.stride;
        const tile = size ?? Math.ceil(Math.max(TILE, rows, columns) / stride) * stride;
        if (tile % stride !== 0) throw new OverreadError('model/graph', `Expected --size in multiples of the stride of ${graph.name}, ${stride} pixels, got ${tile}. Give ${Math.ceil(tile / stride) * stride}.`, { expected: stride, got: tile });
        const whole = toFullyConvolutional(classifier, [tile, tile], { covers: true });
        const saving = fullyConvolutionalSaving(classifier, whole, [tile, tile]);
        const files = await layersFiles(whole);
        whole.dispose();
        return { graph: { ...graph, files }, saving, tile };
      } finally {
        network.dispose();
      }
    });
  } finally {
    runtime.dispose();
  }
}
