/**
 * Writes the network that export.py chose as a tfjs layers model with its manifest.
 *
 *     node --import ./test/generators/typescript.mjs test/bench/fusion/export.ts --networks .cache/fusion/networks --out models/phantom-chest-fusion
 */
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { enableProdMode, setBackend } from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { assignStateDict } from '../../../src/architectures/assign.ts';
import { buildFusion, type FusionKind, type FusionOptions } from '../../../src/architectures/fusion.ts';
import { layersFiles } from '../../../src/architectures/layers-files.ts';
import { parseManifest } from '../../../src/manifest.ts';
import { readCheckpoint } from '../../../src/runtime/checkpoints/read.ts';

interface Shipped extends FusionOptions {
  readonly kind: FusionKind;
  /** The checkpoint's name: a network of this kind, in one of the ways of training it. */
  readonly network: string;
  readonly inputShape: readonly [number, number];
  readonly targets: readonly string[];
  readonly operatingPoints: readonly number[];
}
const CODES = ['FINDING_PA', 'FINDING_LATERAL', 'FINDING_BOTH'];

const { values } = parseArgs({ options: { networks: { type: 'string' }, out: { type: 'string' } } });
if (!values.networks || !values.out) throw new Error('expected --networks DIR and --out DIR');
const { networks, out } = values;
const { kind, network: name, targets, operatingPoints, ...options } = JSON.parse(readFileSync(join(networks, 'shipped.json'), 'utf8')) as Shipped;

enableProdMode();
await setBackend('cpu');
const network = buildFusion(kind, { ...options, weights: 'zeros' });
const checkpoint = join(networks, `${name}.pt`);
assignStateDict(network, readCheckpoint(new Uint8Array(readFileSync(checkpoint)), checkpoint));
const sha256: Record<string, string> = {};
for (const [file, bytes] of await layersFiles(network)) {
  writeFileSync(join(out, file), bytes);
  sha256[file] = createHash('sha256').update(bytes).digest('hex');
}

const manifest = {
  schemaVersion: 1,
  id: 'phantom-chest-fusion',
  version: '1.1.0',
  name: 'Phantom chest fusion',
  task: 'classify',
  graph: { url: 'model.json', format: 'layers', sha256 },
  input: {
    modality: ['DX', 'CR', 'OT'],
    bodyPart: ['CHEST', 'THORAX', 'LUNG', 'LUNGS', 'CXR'],
    shape: [...options.inputShape, 1],
    layout: 'NHWC',
    valueRange: [-1, 1],
    channels: ['grey'],
    normalisation: { kind: 'percentile', low: 0.5, high: 99.5 },
    fit: 'letterbox',
    fusion: kind,
    gate: 'cxr-view',
  },
  output: {
    activation: 'sigmoid',
    gives: 'logits',
    targets: targets.map((label, i) => ({
      label,
      concept: { codeValue: CODES[i], codingSchemeDesignator: '99OVERREAD', codeMeaning: label },
      operatingPoint: operatingPoints[i],
    })),
  },
  algorithm: {
    family: { codeValue: '123110', codingSchemeDesignator: 'DCM', codeMeaning: 'Artificial Intelligence' },
    name: 'Overread phantom chest fusion',
  },
  license: 'MIT',
  citation: 'Fusion: Hashir et al. 2020, Quantifying the Value of Lateral Views in Deep Learning for Chest X-rays, arXiv 2002.02582. DenseNet: Huang et al. 2017, arXiv 1608.06993. Trained on chests that src/phantoms generates.',
  intendedUse: 'Shows on generated chests how a PA and a lateral view are read together and what is done when one is missing. For no patient.',
  notice: 'Demonstration on generated phantoms. Not for real patients, not for diagnosis.',
};
parseManifest(manifest, join(out, 'manifest.json'));
writeFileSync(join(out, 'manifest.json'), `${JSON.stringify(manifest, null, 2)}\n`);
console.log(`${name}: ${network.countParams()} parameters`);
