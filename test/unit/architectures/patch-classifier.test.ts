import '@tensorflow/tfjs-backend-cpu';
import { setBackend } from '@tensorflow/tfjs-core';
import { input, layers as tfl, model, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { fullyConvolutionalSaving, toFullyConvolutional } from '../../../src/architectures/fully-convolutional.ts';
import { buildPatchClassifier } from '../../../src/architectures/patch-classifier.ts';
import { receptiveField } from '../../../src/runtime/receptive-field.ts';
import { multiplications } from '../../../src/runtime/multiplications.ts';

beforeAll(() => setBackend('cpu'));

const small = () => buildPatchClassifier({ patchSize: [22, 22], inChannels: 3, classes: 2, widths: [4, 8], hidden: [5], weights: { seed: 1 } });

test('multiplications are those of the layers, and one pass needs fewer', () => {
  const classifier = small();
  const whole = toFullyConvolutional(classifier);
  // 22 → 20 → 10 → 8 → 4
  expect(multiplications(classifier, [22, 22])).toBe(20 * 20 * 27 * 4 + 8 * 8 * 36 * 8 + 4 * 4 * 8 * 5 + 5 * 2);
  expect(multiplications(whole, [22, 22])).toBe(multiplications(classifier, [22, 22]));
  // 62 → 60 → 30 → 28 → 14 → 11
  const onePass = 60 * 60 * 27 * 4 + 28 * 28 * 36 * 8 + 11 * 11 * (4 * 4 * 8 * 5 + 5 * 2);
  const saving = fullyConvolutionalSaving(classifier, whole, [62, 62]);
  expect(saving).toEqual({ patches: 121, patchByPatch: 121 * multiplications(classifier, [22, 22]), onePass, ratio: (121 * multiplications(classifier, [22, 22])) / onePass });
  expect(saving.ratio).toBeGreaterThan(10);
  expect(receptiveField(whole, [62, 62]).rows).toMatchObject({ stride: 4, alignment: 4, size: 22, offset: 0, lost: { before: 0, after: 0 } });
  classifier.dispose();
  whole.dispose();
});

test('a patch that the levels leave nothing of is refused with the size it takes', () => {
  const of = (side: number) => buildPatchClassifier({ patchSize: [side, side], widths: [1, 1], hidden: [] });
  expect(() => of(9)).toThrow(expect.objectContaining({ code: 'model/graph', fields: { expected: 10, got: [9, 9] } }));
  of(10).dispose();
});

test.each<[string, (x: SymbolicTensor) => SymbolicTensor, string]>([
  ['padding', x => tfl.flatten().apply(tfl.conv2d({ name: 'padded', filters: 1, kernelSize: 3, padding: 'same' }).apply(x)) as SymbolicTensor, 'padded'],
  ['a whole-map layer before the first dense one', x => tfl.activation({ name: 'shares', activation: 'softmax' }).apply(tfl.flatten().apply(x)) as SymbolicTensor, 'shares'],
  ['an order of values that is not the map\'s', x => tfl.reshape({ name: 'other', targetShape: [64] }).apply(x) as SymbolicTensor, 'scores'],
])('a classifier with %s has no such form: refused by the layer\'s name', (_, features, layer) => {
  const patch = input({ shape: [8, 8, 1] });
  const classifier = model({ inputs: patch, outputs: tfl.dense({ name: 'scores', units: 1 }).apply(features(patch)) as SymbolicTensor });
  expect(() => toFullyConvolutional(classifier)).toThrow(expect.objectContaining({ code: 'model/graph', fields: expect.objectContaining({ layer }) }));
  classifier.dispose();
});
