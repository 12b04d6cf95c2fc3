/** A counting model for `cell-studies.mjs`'s pictures, right by construction: it unmixes the two stains and smooths. */
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const SIDE = 13;
const SIGMA = 2.5;
/** Pixels of a disc of radius 6. */
const DISC = Array.from({ length: 169 }, (_, i) => Math.hypot((i % 13) - 6, Math.floor(i / 13) - 6) <= 6).filter(Boolean).length;
const GROUND = [238, 230, 236], STAINS = [[84, 70, 150], [120, 72, 30]];

/** Weights that give 1 on a stain and 0 on the other and on the ground: without a bias, so that nothing is counted beyond the picture's border, where the network sees 0. */
function unmixing(kind) {
  const [own, other, ground] = [STAINS[kind], STAINS[1 - kind], GROUND].map(stain => stain.map(v => v / 255));
  // The one direction that is at right angles to both that give 0.
  const normal = [0, 1, 2].map(c => other[(c + 1) % 3] * ground[(c + 2) % 3] - other[(c + 2) % 3] * ground[(c + 1) % 3]);
  const length = normal.reduce((sum, v, c) => sum + v * own[c], 0);
  return normal.map(v => v / length);
}

export function writeCountingModel(models, id = 'tiny-count') {
  const hill = Array.from({ length: SIDE * SIDE }, (_, i) => Math.exp(-(((i % SIDE) - 6) ** 2 + (Math.floor(i / SIDE) - 6) ** 2) / (2 * SIGMA ** 2)));
  const sum = hill.reduce((a, b) => a + b, 0);
  const rules = [0, 1].map(unmixing);
  const kernel = hill.flatMap(g => [0, 1, 2].flatMap(c => rules.map(w => (g / sum) * w[c] / DISC)));
  const weights = Buffer.from(Float32Array.from(kernel).buffer);
  const layers = [
    { class_name: 'InputLayer', name: 'image', config: { batch_input_shape: [null, 256, 256, 3], dtype: 'float32', sparse: false, name: 'image' }, inbound_nodes: [] },
    {
      class_name: 'Conv2D', name: 'density', inbound_nodes: [[['image', 0, 0, {}]]],
      config: { filters: 2, kernel_size: [SIDE, SIDE], strides: [1, 1], padding: 'same', data_format: 'channels_last', dilation_rate: [1, 1], activation: 'linear', use_bias: false, name: 'density', trainable: true },
    },
  ];
  const model = JSON.stringify({
    format: 'layers-model',
    modelTopology: { class_name: 'Model', config: { name: 'count', layers, input_layers: [['image', 0, 0]], output_layers: [['density', 0, 0]] }, keras_version: 'tfjs-layers 4.22.0', backend: 'tensor_flow.js' },
    weightsManifest: [{ paths: ['weights.bin'], weights: [{ name: 'density/kernel', shape: [SIDE, SIDE, 3, 2], dtype: 'float32' }] }],
  });
  const sha256 = bytes => createHash('sha256').update(bytes).digest('hex');
  const concept = { codeValue: '4421005', codingSchemeDesignator: 'SCT', codeMeaning: 'Cell structure' };
  const manifest = {
    schemaVersion: 1, id, version: '1.0.0', name: 'Tiny count', task: 'count',
    graph: { url: 'model.json', format: 'layers', sha256: { 'model.json': sha256(model), 'weights.bin': sha256(weights) } },
    input: {
      modality: ['OT', 'SM', 'XC', 'GM'], shape: [256, 256, 3], layout: 'NHWC', valueRange: [0, 1], channels: ['red', 'green', 'blue'],
      normalisation: { kind: 'representable' }, fit: 'letterbox', tiling: { overlap: 'receptive-field', padding: 'edge' },
    },
    output: {
      activation: 'none', gives: 'density', targets: [{ label: 'Negative', concept }, { label: 'Positive', concept }],
      counting: { kind: 'density', unitSum: 1, minimumDistancePixels: 6, minimumPeak: 0.3, interval: { level: 0.9, constant: 2, proportional: 0.02 } },
    },
    algorithm: { family: { codeValue: '123109', codingSchemeDesignator: 'DCM', codeMeaning: 'Manual Processing' }, name: 'Unmixing' },
    license: 'MIT', citation: 'none', intendedUse: 'Tests of counting.', notice: 'Made by hand for tests. Not for any real picture.',
  };
  const folder = path.join(models, id);
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, 'model.json'), model);
  writeFileSync(path.join(folder, 'weights.bin'), weights);
  writeFileSync(path.join(folder, 'manifest.json'), JSON.stringify(manifest, null, 2));
}
