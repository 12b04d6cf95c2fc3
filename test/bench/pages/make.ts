/** Makes the networks with seeded random weights and leaves them on the server for all engines. */
import '@tensorflow/tfjs-backend-cpu';
import { ready, setBackend, tensor1d } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { layersFiles } from '../../../src/architectures/layers-files.ts';
import { mulberry32 } from '../../../src/metrics/mulberry32.ts';
import { sha256 } from '../../../src/runtime/sha256.ts';
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

  const layers = await layersFiles(model, 2 ** 31);
  const hashes = Object.fromEntries(await Promise.all([...layers].map(async ([file, bytes]) => [file, await sha256(bytes)] as const)));
  const targets = model.outputs[0]!.shape.at(-1)!;
  const files: Record<string, BodyInit> = {
    'made.json': JSON.stringify(made),
    ...(Object.fromEntries(layers) as Record<string, Uint8Array<ArrayBuffer>>),
    'manifest.json': JSON.stringify(manifestOf(made, targets, hashes)),
    'model.onnx': onnxOf(model, batch),
  };
  for (const [file, body] of Object.entries(files)) await fetch(`/made/${name}/${file}`, { method: 'PUT', body });
  return made;
};

/** Fresh batch normalisation does nothing (mean 0, variance 1); trained one does, and engines may fold it. */
function shakeNormalisation(model: LayersModel): void {
  const next = mulberry32(SEED);
  const between = (low: number, high: number, n: number) => tensor1d(Float32Array.from({ length: n }, () => low + (high - low) * next()));
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
