import { createHash } from 'node:crypto';
import { tensor, type Tensor } from '@tensorflow/tfjs-core';
import { input, layers, model, type LayersModel } from '@tensorflow/tfjs-layers';
import { layersFiles } from '../../../../src/architectures/layers-files.ts';
import { explain, type ExplainOptions } from '../../../../src/explain.ts';
import type { Image } from '../../../../src/image/image.ts';
import type { ModelManifest } from '../../../../src/manifest.ts';
import type { LoadedModel, ModelFiles, Runtime } from '../../../../src/runtime/types.ts';
import type { SaliencyRequest, SaliencyResult } from '../../../../src/tasks/saliency/index.ts';
import { asBytes, picture, tinyManifest } from '../../runtime/tiny.ts';

type Changes = { graph?: 'graph'; input?: Partial<ModelManifest['input']>; output?: Partial<ModelManifest['output']> };

/** A classifier as a model folder in memory; the network is disposed. Values 0..1 reach it as they are. */
export async function classifierFiles(network: LayersModel, labels: readonly string[], changes: Changes = {}): Promise<ModelFiles> {
  const files = new Map(await layersFiles(network));
  const shape = network.inputs[0]!.shape.slice(1) as number[];
  network.dispose();
  return folder(files, labels, shape, changes);
}

/** Of a model that reads one picture. */
export async function explainOne(runtime: Runtime, net: LoadedModel, image: Image, request: SaliencyRequest, options?: ExplainOptions): Promise<SaliencyResult> {
  const [result, ...others] = await explain(runtime, net, [image], request, options);
  expect(others).toEqual([]);
  return result!;
}

function folder(files: Map<string, Uint8Array>, labels: readonly string[], shape: number[], { graph, input: changed, output }: Changes): ModelFiles {
  const sha256 = Object.fromEntries([...files].map(([path, bytes]) => [path, createHash('sha256').update(bytes).digest('hex')]));
  const manifest = tinyManifest('tiny-bright', ({ input: { viewPosition, ...plain }, ...m }) => ({
    ...m,
    id: 'tiny-classifier', task: 'classify',
    graph: { url: 'model.json', format: graph ?? 'layers', sha256 },
    input: { ...plain, ...(!changed?.fusion && { viewPosition }), shape, normalisation: { kind: 'window', min: 0, max: 1 }, ...changed },
    output: { ...m.output, targets: labels.map(label => ({ ...m.output.targets[0]!, label })), ...output },
  }));
  const all = new Map([...files, ['manifest.json', asBytes(manifest)]]);
  return { location: 'memory', read: async path => all.get(path)! };
}

export const SIDE = 24;

/**
 * Scores for a bright and for a dark spot on a grey of 0.4. The first layer averages 3 × 3 pixels; its two channels
 * are what is above 0.6 and what is below 0.2.
 */
export function spotDetector(): LayersModel {
  const image = input({ shape: [SIDE, SIDE, 1], name: 'image' });
  const spots = layers.conv2d({ name: 'spots', filters: 2, kernelSize: 3, padding: 'same' });
  const positive = layers.reLU({ name: 'positive' }).apply(spots.apply(image));
  const mean = layers.globalAveragePooling2d({ name: 'mean', dataFormat: 'channelsLast' }).apply(positive);
  const scores = layers.dense({ name: 'scores', units: 2 });
  const network = model({ inputs: image, outputs: scores.apply(mean) as ReturnType<typeof input> });
  const ninth = 1 / 9;
  setWeights(spots, [[Array.from({ length: 9 }, () => [ninth, -ninth]).flat(), [3, 3, 1, 2]], [[-0.6, 0.2], [2]]]);
  setWeights(scores, [[[100, -20, -20, 100], [2, 2]], [[-1, -1], [2]]]);
  return network;
}

function setWeights(layer: LayersModel['layers'][number], weights: [number[], number[]][]): void {
  const tensors: Tensor[] = weights.map(([values, shape]) => tensor(values, shape));
  layer.setWeights(tensors);
  tensors.forEach(t => t.dispose());
}

export interface Spot {
  readonly x: number;
  readonly y: number;
  readonly radius: number;
}

export function within({ x, y, radius }: Spot, column: number, row: number): boolean {
  return Math.hypot(column + 0.5 - x, row + 0.5 - y) < radius;
}

/** Grey with a bright and a dark spot. */
export function spotted(columns: number, rows: number, bright: Spot, dark: Spot) {
  return picture(columns, rows, (x, y) => (within(bright, x, y) ? 0.95 : within(dark, x, y) ? 0.05 : 0.4 + 0.02 * Math.sin(x + 2 * y)));
}

/** A graph model whose one score is the mean of all pixels. */
export function meanGraph(): ModelFiles {
  const dims = (...sizes: number[]) => ({ shape: { dim: sizes.map(size => ({ size: String(size) })) } });
  const constant = { type: 'DT_INT32' };
  const node = [
    { name: 'image', op: 'Placeholder', attr: { dtype: { type: 'DT_FLOAT' }, shape: dims(-1, SIDE, SIDE, 1) } },
    { name: 'axes', op: 'Const', attr: { dtype: constant, value: { tensor: { dtype: 'DT_INT32', tensorShape: dims(2).shape } } } },
    { name: 'score', op: 'Mean', input: ['image', 'axes'], attr: { T: { type: 'DT_FLOAT' }, Tidx: constant, keep_dims: { b: false } } },
  ];
  const info = (name: string, ...sizes: number[]) => ({ name: `${name}:0`, dtype: 'DT_FLOAT', tensorShape: dims(...sizes).shape });
  const json = {
    format: 'graph-model',
    modelTopology: { node, versions: { producer: 1 } },
    signature: { inputs: { image: info('image', -1, SIDE, SIDE, 1) }, outputs: { score: info('score', -1, 1) } },
    weightsManifest: [{ paths: ['weights.bin'], weights: [{ name: 'axes', shape: [2], dtype: 'int32' }] }],
  };
  const files = new Map([['model.json', asBytes(json)], ['weights.bin', new Uint8Array(Int32Array.from([1, 2]).buffer)]]);
  return folder(files, ['Mean'], [SIDE, SIDE, 1], { graph: 'graph' });
}
