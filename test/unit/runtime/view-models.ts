/** Networks of two views, and a gate, whose answers a test can foretell from the brightness of the pictures. */
import { createHash } from 'node:crypto';
import { tensor1d, tensor2d } from '@tensorflow/tfjs-core';
import { input, layers, model, type LayersModel, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import '@tensorflow/tfjs-backend-cpu';
import { layersFiles } from '../../../src/architectures/layers-files.ts';
import type { Image } from '../../../src/image/image.ts';
import type { FusionKind, ModelManifest } from '../../../src/manifest.ts';
import type { ModelFiles } from '../../../src/runtime/types.ts';
import { asBytes, picture, tinyManifest } from './tiny.ts';

export const SIDE = 8;
const mean = (image: SymbolicTensor, name: string) => layers.globalAveragePooling2d({ name }).apply(image) as SymbolicTensor;
const view = (name: string) => input({ shape: [SIDE, SIDE, 1], name });

function linear(name: string, from: SymbolicTensor, weights: number[][], bias: number[]): { layer: ReturnType<typeof layers.dense>; out: SymbolicTensor; set(): void } {
  const layer = layers.dense({ name, units: bias.length });
  const out = layer.apply(from) as SymbolicTensor;
  return { layer, out, set: () => layer.setWeights([tensor2d(weights), tensor1d(bias)]) };
}

/** Logits of the brightness of each view: 4 PA + 2 L; heads of its own 4 PA and 2 L with auxloss. */
export function fusionNetwork(kind: 'stacked' | 'auxloss', order: readonly ['PA' | 'L', 'PA' | 'L'] = ['PA', 'L']): LayersModel {
  const views = { PA: view('PA'), L: view('L') };
  const [pa, l] = [mean(views.PA, 'mean_pa'), mean(views.L, 'mean_l')];
  const both = layers.concatenate({ name: 'both' }).apply([pa, l]) as SymbolicTensor;
  const joint = linear('joint', both, [[4], [2]], [0]);
  const heads = [linear('head_pa', pa, [[4]], [0]), linear('head_l', l, [[2]], [0])];
  const network = model({ inputs: order.map(name => views[name]), outputs: kind === 'stacked' ? joint.out : [joint.out, ...heads.map(h => h.out)] });
  joint.set();
  if (kind === 'auxloss') heads.forEach(h => h.set());
  return network;
}

/** Frontal up to a mean of 0.4, lateral above, inverted above 0.8; the distance is twice the mean. */
export function gateNetwork(): LayersModel {
  const image = view('image');
  const m = mean(image, 'mean');
  const distance = linear('distance', m, [[2]], [0]);
  const scores = linear('scores', m, [[0, 100, 300]], [0, -40, -200]);
  const network = model({ inputs: image, outputs: [distance.out, scores.out] });
  distance.set();
  scores.set();
  return network;
}

export type Changes = { task?: string; input?: Partial<ModelManifest['input']>; output?: Partial<ModelManifest['output']>; gate?: ModelManifest['gate'] };
export async function folder(id: string, network: LayersModel, changes: Changes): Promise<ModelFiles> {
  const files = await folderFiles(id, network, changes);
  return { location: id, read: async path => files.get(path)! };
}

/** Every file of the model's folder, the manifest too; the network is disposed. */
export async function folderFiles(id: string, network: LayersModel, { input: changed, output, ...rest }: Changes): Promise<Map<string, Uint8Array>> {
  const files = new Map(await layersFiles(network));
  network.dispose();
  const sha256 = Object.fromEntries([...files].map(([path, bytes]) => [path, createHash('sha256').update(bytes).digest('hex')]));
  const manifest = tinyManifest('tiny-bright', ({ input: { viewPosition: _, ...plain }, ...m }) => ({
    ...m, id, task: 'classify', graph: { url: 'model.json', format: 'layers', sha256 },
    input: { ...plain, shape: [SIDE, SIDE, 1], normalisation: { kind: 'window', min: 0, max: 1 }, ...changed },
    output: { ...m.output, ...output }, ...rest,
  }));
  files.set('manifest.json', asBytes(manifest));
  return files;
}

const target = (label: string) => ({ label, concept: { codeValue: label, codingSchemeDesignator: '99TEST', codeMeaning: label } });
export const fused = (kind: FusionKind, more: Partial<ModelManifest['input']> = {}): Changes => ({ input: { fusion: kind, ...more } });
export const gateChanges: Changes = {
  output: { activation: 'softmax', targets: ['Frontal', 'Lateral', 'Inverted'].map(target) },
  gate: { frontal: 'Frontal', lateral: 'Lateral', faults: { Inverted: 'inverted grey scale' }, threshold: 0.5, distanceThreshold: 1.9 },
};

/** A film of one grey, of a patient's study; its SOP Instance UID ends in its view. */
export const grey = (value: number, viewPosition?: string, studyInstanceUID = '1.1', patientID = 'A'): Image =>
  picture(SIDE, SIDE, () => value, {
    modality: 'DX', attributes: { patientID, ...(viewPosition !== undefined && { viewPosition }) },
    sources: [{ studyInstanceUID, seriesInstanceUID: '1.2', sopInstanceUID: `1.3.${viewPosition ?? 'none'}`, frame: 1 }],
  });

/** Folders of the two-view networks, one of them behind the gate, and of the gate. */
export async function viewFolders(): Promise<[string, ModelFiles][]> {
  return [
    ['stacked', await folder('stacked', fusionNetwork('stacked'), fused('stacked'))],
    ['swapped', await folder('swapped', fusionNetwork('stacked', ['L', 'PA']), fused('stacked'))],
    ['auxloss', await folder('auxloss', fusionNetwork('auxloss'), fused('auxloss'))],
    ['gated', await folder('gated', fusionNetwork('stacked'), fused('stacked', { gate: 'gate' }))],
    ['gate', await folder('gate', gateNetwork(), gateChanges)],
  ];
}
