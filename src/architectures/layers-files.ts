import { io } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { OverreadError } from '../errors.ts';

/** Weights are cut into files of at most this size, so that a download shows progress and a cache entry stays small. */
const SHARD_BYTES = 16 * 2 ** 20;

/** A layers model as files: `model.json` and `weights.bin`, or `weights-1of2.bin` and so on where one is too large. */
export async function layersFiles(model: LayersModel, shardBytes = SHARD_BYTES): Promise<ReadonlyMap<string, Uint8Array>> {
  let saved: io.ModelArtifacts | undefined;
  await model.save(io.withSaveHandler(async artifacts => {
    saved = artifacts;
    return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } };
  }));
  if (!saved?.weightData) throw new OverreadError('internal', 'tfjs saved a model without weights.');
  const weights = new Uint8Array(io.concatenateArrayBuffers([saved.weightData].flat()));
  const count = Math.max(1, Math.ceil(weights.length / shardBytes));
  const shards = Array.from({ length: count }, (_, i) =>
    [count === 1 ? 'weights.bin' : `weights-${i + 1}of${count}.bin`, weights.subarray(i * shardBytes, (i + 1) * shardBytes)] as const);
  const topology = {
    format: 'layers-model',
    generatedBy: saved.generatedBy,
    modelTopology: saved.modelTopology,
    weightsManifest: [{ paths: shards.map(([name]) => name), weights: saved.weightSpecs }],
  };
  return new Map<string, Uint8Array>([['model.json', new TextEncoder().encode(JSON.stringify(topology))], ...shards]);
}
