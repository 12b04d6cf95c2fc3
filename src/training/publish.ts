import { tensor1d } from '@tensorflow/tfjs-core';
import { layersFiles } from '../architectures/layers-files.ts';
import { OverreadError } from '../errors.ts';
import { parseManifest, type ModelManifest, type TrainingRecord } from '../manifest.ts';
import type { Device } from '../runtime/device.ts';
import { buildNetwork } from '../runtime/network.ts';
import { identityOf, sha256 } from '../runtime/sha256.ts';
import type { VerifiedModel } from '../runtime/verified.ts';
import { manifestBytes } from './manifest-bytes.ts';
import { Parameters } from './parameters.ts';
import type { Recipe } from './recipe.ts';
import { TrainableNetwork } from './trainable.ts';
import type { Trained } from './trainer.ts';

/** A model folder that is not on a disk: every file but the manifest. */
export interface ModelFolder {
  readonly manifest: ModelManifest;
  readonly files: ReadonlyMap<string, Uint8Array>;
}

/** The network's files with what was learnt in place of what was there. Weights that did not learn stay to the bit. */
export async function tunedFiles(device: Device, verified: VerifiedModel, recipe: Recipe, { weights, statistics }: Pick<Trained, 'weights' | 'statistics'>): Promise<ReadonlyMap<string, Uint8Array>> {
  const network = await buildNetwork(verified);
  try {
    return await device.guard(async () => {
      const trainable = new TrainableNetwork(network.layersModel!, recipe);
      for (const [variables, values] of [[trainable.variables, weights], [trainable.statistics, statistics]] as const) {
        const vector = tensor1d(values);
        new Parameters(variables).scatter(vector);
        vector.dispose();
      }
      return layersFiles(network.layersModel!);
    });
  } finally {
    network.dispose();
  }
}

/**
 * The manifest of a model that was trained: its parent's, with a version of its own, the hashes of its files and the record of
 * its training. A calibration of the parent's scores does not hold for the new ones and is left out.
 * @param name the parent's, with a word on its training, when left out
 */
export async function tunedManifest(parent: ModelManifest, id: string, files: ReadonlyMap<string, Uint8Array>, training: TrainingRecord, name = /, trained further$/.test(parent.name) ? parent.name : `${parent.name}, trained further`): Promise<ModelManifest> {
  const hashes = Object.fromEntries(await Promise.all([...files].map(async ([name, bytes]) => [name, await sha256(bytes)] as const)));
  const { calibration: _, ...output } = parent.output;
  return parseManifest({
    ...parent,
    id,
    version: nextVersion(parent.version),
    name,
    graph: { url: 'model.json', format: 'layers', sha256: hashes },
    output,
    notice: `Trained further on ${training.dataset.train.patients} patients of '${training.dataset.name}'. ${parent.notice.replace(/^Trained further on \d+ patients of '.*?'\. /, '')}`,
    training,
  }, `of ${id}`);
}

/** A folder that was just made, as one that was read and found whole. */
export async function verifiedFolder({ manifest, files }: ModelFolder): Promise<VerifiedModel> {
  const { id, version, name, notice, graph } = manifest;
  const identity = { id, version, name, notice, sha256: await identityOf(await sha256(manifestBytes(manifest)), graph.sha256) };
  return { manifest, identity, files, bytes: [...files.values()].reduce((sum, { byteLength }) => sum + byteLength, 0) };
}

/** 1.0.0 → 1.1.0 */
function nextVersion(version: string): string {
  const [major, minor] = version.split('.').map(Number);
  if (major === undefined || minor === undefined) throw new OverreadError('internal', `Expected a semantic version, got ${version}. Please report this.`);
  return `${major}.${minor + 1}.0`;
}
