/**
 * Makes the tiny models of test/fixtures, always the same ones:
 * `node --import ./test/generators/typescript.mjs test/generators/tiny-models.ts`
 */
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import '@tensorflow/tfjs-backend-cpu';
import { io, setBackend, tensor1d, tensor2d, tensor4d, type Tensor } from '@tensorflow/tfjs-core';
import { input, layers, model, type LayersModel } from '@tensorflow/tfjs-layers';
import { buildUNet } from '../../src/architectures/unet.ts';
import { parseManifest, type ModelManifest } from '../../src/manifest.ts';

const FIXTURES = join(import.meta.dirname, '../fixtures');
const SIZE = 32;
const target = { label: 'Bright', concept: { codeValue: '123037004', codingSchemeDesignator: 'SCT', codeMeaning: 'Body structure' } };

type Parts = Pick<ModelManifest, 'id' | 'name'> & { task?: 'classify'; input?: Partial<ModelManifest['input']>; output?: Partial<ModelManifest['output']>; format?: 'graph' };

function manifestOf({ id, name, task, input: changedInput, output, format }: Parts, sha256: Record<string, string>): ModelManifest {
  return parseManifest(
    {
      schemaVersion: 1, id, version: '1.0.0', name, task: task ?? 'segment',
      graph: { url: 'model.json', format: format ?? 'layers', sha256 },
      input: {
        modality: ['CR', 'DX', 'OT'], viewPosition: ['PA', 'AP'], shape: [SIZE, SIZE, 1], layout: 'NHWC', valueRange: [0, 1], channels: ['luminance'],
        normalisation: { kind: 'percentile', low: 0, high: 100 }, fit: 'letterbox', ...changedInput,
      },
      output: { activation: 'sigmoid', gives: 'logits', targets: [target], ...output },
      algorithm: { family: { codeValue: '123110', codingSchemeDesignator: 'DCM', codeMeaning: 'Artificial Intelligence' }, name },
      license: 'MIT', citation: 'none', intendedUse: 'Tests of Overread.', notice: 'A test model. Not for diagnosis.',
    },
    id,
  );
}

function write(parts: Parts, topology: object, weights: ArrayBuffer): void {
  const folder = join(FIXTURES, parts.id);
  mkdirSync(folder, { recursive: true });
  const files = { 'model.json': Buffer.from(JSON.stringify(topology)), 'weights.bin': Buffer.from(weights) };
  const sha256 = Object.fromEntries(Object.entries(files).map(([path, bytes]) => [path, createHash('sha256').update(bytes).digest('hex')]));
  for (const [path, bytes] of Object.entries(files)) writeFileSync(join(folder, path), bytes);
  writeFileSync(join(folder, 'manifest.json'), `${JSON.stringify(manifestOf(parts, sha256), undefined, 2)}\n`);
}

async function saveLayers(parts: Parts, network: LayersModel): Promise<void> {
  await network.save(
    io.withSaveHandler(async ({ modelTopology, weightSpecs, weightData }) => {
      const weightsManifest = [{ paths: ['weights.bin'], weights: weightSpecs }];
      write(parts, { format: 'layers-model', modelTopology, weightsManifest }, io.CompositeArrayBuffer.join(weightData));
      return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } };
    }),
  );
}

/** The mean of 3 × 3 pixels against one half: a mask that a test can foretell. */
const MEAN = { kernel: Array<number>(9).fill(20 / 9), bias: -10 };

function brightLayers(channels: number, filters: number, kernel: number[], bias: number[], size = SIZE): LayersModel {
  const image = input({ shape: [size, size, channels], name: 'image' });
  const conv = layers.conv2d({ name: 'logits', filters, kernelSize: 3, padding: 'same' });
  const network = model({ inputs: image, outputs: conv.apply(image) as ReturnType<typeof input> });
  conv.setWeights([tensor4d(kernel, [3, 3, channels, filters]), tensor1d(bias)] as Tensor[]);
  return network;
}

/** Two scores by the mean of all pixels, m: bright 20 (m − 1/2), dark the opposite. */
function meanScores(): LayersModel {
  const image = input({ shape: [SIZE, SIZE, 1], name: 'image' });
  const dense = layers.dense({ name: 'logits', units: 2 });
  const mean = layers.globalAveragePooling2d({ name: 'mean' }).apply(image) as ReturnType<typeof input>;
  const network = model({ inputs: image, outputs: dense.apply(mean) as ReturnType<typeof input> });
  dense.setWeights([tensor2d([[20, -20]]), tensor1d([-10, 10])]);
  return network;
}

/** The brightness threshold as a graph model: a placeholder, a convolution and a bias. */
function brightGraph(): object {
  const shape = (...sizes: number[]) => ({ shape: { dim: sizes.map(size => ({ size: String(size) })) } });
  const float = { type: 'DT_FLOAT' };
  const node = [
    { name: 'image', op: 'Placeholder', attr: { dtype: float, shape: shape(-1, SIZE, SIZE, 1) } },
    { name: 'kernel', op: 'Const', attr: { dtype: float, value: { tensor: { dtype: 'DT_FLOAT', tensorShape: shape(3, 3, 1, 1).shape } } } },
    { name: 'bias', op: 'Const', attr: { dtype: float, value: { tensor: { dtype: 'DT_FLOAT', tensorShape: shape(1).shape } } } },
    {
      name: 'conv', op: 'Conv2D', input: ['image', 'kernel'],
      attr: { T: float, strides: { list: { i: ['1', '1', '1', '1'] } }, dilations: { list: { i: ['1', '1', '1', '1'] } }, padding: { s: 'U0FNRQ==' }, data_format: { s: 'TkhXQw==' } },
    },
    { name: 'logits', op: 'BiasAdd', input: ['conv', 'bias'], attr: { T: float } },
  ];
  const tensorInfo = (name: string) => ({ name: `${name}:0`, dtype: 'DT_FLOAT', tensorShape: shape(-1, SIZE, SIZE, 1).shape });
  return {
    format: 'graph-model',
    modelTopology: { node, versions: { producer: 1 } },
    signature: { inputs: { image: tensorInfo('image') }, outputs: { logits: tensorInfo('logits') } },
    weightsManifest: [{ paths: ['weights.bin'], weights: [{ name: 'kernel', shape: [3, 3, 1, 1], dtype: 'float32' }, { name: 'bias', shape: [1], dtype: 'float32' }] }],
  };
}

await setBackend('cpu');
await saveLayers({ id: 'tiny-bright', name: 'Tiny brightness threshold' }, brightLayers(1, 1, MEAN.kernel, [MEAN.bias]));
await saveLayers({ id: 'tiny-unet', name: 'Tiny random U-Net' }, buildUNet({ inputShape: [SIZE, SIZE], depth: 2, width: 4, weights: { seed: 1 } }));
await saveLayers(
  {
    id: 'tiny-softmax', name: 'Tiny dark and bright',
    output: { activation: 'softmax', targets: [{ ...target, label: 'Grey' }, target] },
  },
  // Background, grey and bright grow with the pixel at different rates: they meet at 1/4 and at 3/4.
  brightLayers(1, 3, Array.from({ length: 27 }, (_, i) => (Math.floor(i / 3) === 4 ? [0, 20, 40][i % 3]! : 0)), [0, -5, -20]),
);
write({ id: 'tiny-graph', name: 'Tiny brightness threshold as a graph', format: 'graph' }, brightGraph(), new Float32Array([...MEAN.kernel, MEAN.bias]).buffer);
await saveLayers(
  {
    id: 'tiny-scores', name: 'Tiny brightness scores', task: 'classify',
    input: { normalisation: { kind: 'representable' }, fit: 'crop' },
    output: { targets: [{ ...target, operatingPoint: 0.6 }, { ...target, label: 'Quite dark' }] },
  },
  meanScores(),
);
/** Pixels whose red is below 0.52: of haematoxylin and eosin, the nuclei. Each pixel for itself, so that it can be told from the picture. */
await saveLayers(
  {
    id: 'tiny-dark', name: 'Tiny nuclei by colour',
    input: {
      modality: ['SM', 'GM', 'XC', 'OT'], viewPosition: undefined, shape: [256, 256, 3], channels: ['red', 'green', 'blue'],
      normalisation: { kind: 'representable' }, tiling: { overlap: 'receptive-field', padding: 'edge' },
    },
    output: { targets: [{ ...target, label: 'Nucleus', color: [0, 255, 0] }] },
  },
  brightLayers(3, 1, Array.from({ length: 27 }, (_, i) => (i === 12 ? -40 : 0)), [0.52 * 40], 256),
);
