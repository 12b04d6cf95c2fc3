/** Small random networks as tfjs layers models and, with the same weights, as ONNX files. */
import { createHash } from 'node:crypto';
import { initializers, input, layers, model, type LayersModel, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { layersFiles } from '../../../src/architectures/layers-files.ts';
import { buildUNet } from '../../../src/architectures/unet.ts';
import type { ModelManifest } from '../../../src/manifest.ts';
import type { ModelFiles } from '../../../src/runtime/types.ts';
import { onnxOf } from '../../bench/pages/onnx.ts';
import { asBytes, tinyManifest } from './tiny.ts';

export const [ROWS, COLUMNS] = [16, 24];

/** Three channels and no square, so that a wrong layout shows. */
export function classifier(): LayersModel {
  const x = input({ shape: [ROWS, COLUMNS, 3], name: 'image' });
  const init = (seed: number) => ({ kernelInitializer: initializers.glorotNormal({ seed }), biasInitializer: initializers.randomNormal({ seed }) });
  const conv = layers.conv2d({ name: 'conv', filters: 4, kernelSize: [3, 5], strides: 2, activation: 'relu', ...init(1) }).apply(x);
  const mean = layers.globalAveragePooling2d({ name: 'mean', dataFormat: 'channelsLast' }).apply(conv);
  return model({ inputs: x, outputs: layers.dense({ name: 'scores', units: 2, ...init(2) }).apply(mean) as SymbolicTensor });
}

export const segmenter = () => buildUNet({ inputShape: [ROWS, COLUMNS], inChannels: 3, classes: 2, depth: 2, width: 4, weights: { seed: 3 } });

export interface Both {
  readonly layers: ModelFiles;
  readonly onnx: ModelFiles;
}

/** Both as model folders in memory; the network is disposed. */
export async function folders(network: LayersModel, task: 'classify' | 'segment'): Promise<Both> {
  const onnx = new Map([['model.onnx', onnxOf(network) as Uint8Array]]);
  const both = { layers: folder(new Map(await layersFiles(network)), 'layers', task), onnx: folder(onnx, 'onnx', task) };
  network.dispose();
  return both;
}

export function folder(files: Map<string, Uint8Array>, format: ModelManifest['graph']['format'], task: string, replaced: Readonly<Record<string, Uint8Array>> = {}): ModelFiles {
  const sha256 = Object.fromEntries([...files].map(([path, bytes]) => [path, createHash('sha256').update(bytes).digest('hex')]));
  const manifest = tinyManifest('tiny-bright', m => ({
    ...m, id: `tiny-${format}`, task,
    graph: { url: format === 'onnx' ? 'model.onnx' : 'model.json', format, sha256 },
    input: { ...m.input, shape: [ROWS, COLUMNS, 3], channels: ['red', 'green', 'blue'], normalisation: { kind: 'representable' }, fit: 'stretch' },
    output: { ...m.output, targets: ['First', 'Second'].map(label => ({ ...m.output.targets[0]!, label })) },
  }));
  const all: Record<string, Uint8Array> = { ...Object.fromEntries(files), 'manifest.json': asBytes(manifest), ...replaced };
  return { location: `memory ${format}`, read: async path => all[path]! };
}
