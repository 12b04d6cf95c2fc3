import type { LayersModel } from '@tensorflow/tfjs-layers';
import { layersFiles } from '../../src/architectures/layers-files.ts';
import { parseManifest, type ModelManifest } from '../../src/manifest.ts';
import { sha256 } from '../../src/runtime/sha256.ts';
import type { ModelFiles } from '../../src/runtime/types.ts';

/** What sets one of the benchmarks' classifiers apart from another. */
export interface About {
  readonly id: string;
  readonly name: string;
  readonly labels: readonly string[];
  readonly normalisation: ModelManifest['input']['normalisation'];
  readonly intendedUse: string;
  readonly notice: string;
}

/** A classifier of one grey picture as a model folder in memory; the network is disposed. */
export async function classifierFolder(network: LayersModel, { id, name, labels, normalisation, intendedUse, notice }: About) {
  const shape = network.inputs[0]!.shape.slice(1) as number[];
  const files = new Map(await layersFiles(network));
  network.dispose();
  const hashes = Object.fromEntries(await Promise.all([...files].map(async ([path, bytes]) => [path, await sha256(bytes)] as const)));
  const concept = { codeValue: '123037004', codingSchemeDesignator: 'SCT', codeMeaning: 'Body structure' };
  const manifest = parseManifest({
    schemaVersion: 1, id, version: '1.0.0', name, task: 'classify', graph: { url: 'model.json', format: 'layers', sha256: hashes },
    input: { modality: ['OT'], shape, layout: 'NHWC', valueRange: [0, 1], channels: ['luminance'], normalisation, fit: 'stretch' },
    output: { activation: 'sigmoid', gives: 'logits', targets: labels.map(label => ({ label, concept, operatingPoint: 0.5 })) },
    algorithm: { family: { codeValue: '123110', codingSchemeDesignator: 'DCM', codeMeaning: 'Artificial Intelligence' }, name },
    license: 'MIT', citation: 'none', intendedUse, notice,
  }, 'of the benchmark');
  return { manifest, hashes, files };
}

/** The same, as a runtime loads it. */
export async function classifierFiles(network: LayersModel, about: About): Promise<ModelFiles> {
  const { manifest, files } = await classifierFolder(network, about);
  const all = new Map([...files, ['manifest.json', new TextEncoder().encode(JSON.stringify(manifest))]]);
  return { location: 'memory', read: async path => all.get(path)! };
}
