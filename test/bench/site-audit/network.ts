import { tensor } from '@tensorflow/tfjs-core';
import { input, layers, model as modelOf, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { layersFiles } from '../../../src/architectures/layers-files.ts';
import { sha256 } from '../../../src/runtime/sha256.ts';
import type { ModelFiles } from '../../../src/runtime/types.ts';

export const LABEL = 'Bright spot';
const SIDE = 32;

/** A network that answers to what is bright, wherever it is: means of 3 × 3 pixels above a threshold, added up. */
export async function spotModel(): Promise<ModelFiles> {
  const image = input({ shape: [SIDE, SIDE, 1], name: 'image' });
  const spots = layers.conv2d({ name: 'spots', filters: 1, kernelSize: 3, padding: 'same', activation: 'relu' });
  const mean = layers.globalAveragePooling2d({ name: 'mean', dataFormat: 'channelsLast' }).apply(spots.apply(image)) as SymbolicTensor;
  const score = layers.dense({ name: 'score', units: 1 });
  const network = modelOf({ inputs: image, outputs: score.apply(mean) as SymbolicTensor });
  spots.setWeights([tensor(new Array<number>(9).fill(1 / 9), [3, 3, 1, 1]), tensor([-0.55])]);
  score.setWeights([tensor([[100]]), tensor([-1])]);
  const files = await layersFiles(network);
  network.dispose();
  const hashes = Object.fromEntries(await Promise.all([...files].map(async ([name, bytes]) => [name, await sha256(bytes)] as const)));
  const concept = { codeValue: '123037004', codingSchemeDesignator: 'SCT', codeMeaning: 'Body structure' };
  const manifest = {
    schemaVersion: 1, id: 'spots', version: '1.0.0', name: 'Spots', task: 'classify', graph: { url: 'model.json', format: 'layers', sha256: hashes },
    input: { modality: ['OT'], shape: [SIDE, SIDE, 1], layout: 'NHWC', valueRange: [0, 1], channels: ['luminance'], normalisation: { kind: 'representable' }, fit: 'stretch' },
    output: { activation: 'sigmoid', gives: 'logits', targets: [{ label: LABEL, concept, operatingPoint: 0.5 }] },
    algorithm: { family: { codeValue: '123110', codingSchemeDesignator: 'DCM', codeMeaning: 'Artificial Intelligence' }, name: 'Spots' },
    license: 'MIT', citation: 'none', intendedUse: 'The benchmark of the site audit.', notice: 'Knows bright spots only. Not for diagnosis.',
  };
  const all = new Map([...files, ['manifest.json', new TextEncoder().encode(JSON.stringify(manifest))]]);
  return { location: 'memory', read: async name => all.get(name)! };
}
