/** Makes the networks with seeded random weights and leaves them on the server for all engines. */
import '@tensorflow/tfjs-backend-cpu';
import { io, ready, setBackend, tensor1d } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { multiplicationsOf, NETWORKS } from '../networks.ts';
import type { Made } from './contract.ts';
import { onnxOf } from './onnx.ts';

const SEED = 42;

window.make = async (name, size) => {
  await setBackend('cpu');
  await ready();
  const network = NETWORKS[name];
  if (!network) throw new Error(`Expected one of ${Object.keys(NETWORKS).join(', ')}, got ${name}.`);
  const { batch = 1, stream = 1 } = network;
  const model = network.build(size === 'small' ? network.small : size ?? network.size);
  shakeNormalisation(model);
  const made: Made = {
    name, shape: model.inputs[0]!.shape.slice(1) as number[], batch, stream, parameters: model.countParams(), multiplications: batch * stream * multiplicationsOf(model),
  };

  let saved: io.ModelArtifacts | undefined;
  await model.save(io.withSaveHandler(async artifacts => {
    saved = artifacts;
    return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } };
  }));
  const weights = io.concatenateArrayBuffers([saved!.weightData!].flat());
  const json = {
    modelTopology: saved!.modelTopology, format: 'layers-model',
    weightsManifest: [{ paths: ['weights.bin'], weights: saved!.weightSpecs }],
  };
  const graph = new TextEncoder().encode(JSON.stringify(json));
  const targets = model.outputs[0]!.shape.at(-1)!;
  const files: Record<string, BodyInit> = {
    'made.json': JSON.stringify(made),
    'model.json': graph,
    'weights.bin': weights,
    'manifest.json': JSON.stringify(manifestOf(made, targets, { 'model.json': await sha256(graph), 'weights.bin': await sha256(weights) })),
    'model.onnx': onnxOf(model, batch),
  };
  for (const [file, body] of Object.entries(files)) await fetch(`/made/${name}/${file}`, { method: 'PUT', body });
  return made;
};

/** Fresh batch normalisation does nothing (mean 0, variance 1); trained one does, and engines may fold it. */
function shakeNormalisation(model: LayersModel): void {
  let state = SEED;
  const between = (low: number, high: number, n: number) => tensor1d(Float32Array.from({ length: n }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return low + (high - low) * (state / 4294967296);
  }));
  for (const layer of model.layers.filter(l => l.getClassName() === 'BatchNormalization')) {
    const n = layer.getWeights()[0]!.size;
    layer.setWeights([between(0.8, 1.2, n), between(-0.1, 0.1, n), between(-0.1, 0.1, n), between(0.8, 1.2, n)]);
  }
}

function manifestOf({ name, shape }: Made, targets: number, hashes: Record<string, string>) {
  const concept = { codeValue: '1', codingSchemeDesignator: '99BENCH', codeMeaning: 'nothing' };
  return {
    schemaVersion: 1, id: name, version: '1.0.0', name, task: 'segment',
    graph: { url: 'model.json', format: 'layers', sha256: hashes },
    input: {
      modality: ['DX'], shape, valueRange: [-1, 1], normalisation: { kind: 'representable' },
      ...(shape.length === 4 ? { layout: 'NDHWC', fit: 'conform', grid: { axes: 'LIA', spacingMm: 1 } } : { layout: 'NHWC', fit: 'stretch' }),
      channels: Array.from({ length: shape.at(-1)! }, (_, i) => `channel ${i}`),
    },
    output: { activation: 'none', gives: 'logits', targets: Array.from({ length: targets }, (_, i) => ({ label: `output ${i}`, concept })) },
    algorithm: { family: concept, name }, license: 'none', citation: 'none', intendedUse: 'timing', notice: 'Random weights.',
  };
}

async function sha256(bytes: BufferSource): Promise<string> {
  return Array.from(new Uint8Array(await crypto.subtle.digest('SHA-256', bytes)), b => b.toString(16).padStart(2, '0')).join('');
}
