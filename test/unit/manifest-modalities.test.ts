import { inputNames, type ModelManifest } from '../../src/manifest.ts';
import { tinyManifest } from './runtime/tiny.ts';

const withInput = (change: object, more: object = {}) => (): ModelManifest => tinyManifest('tiny-bright', m => ({ ...m, ...more, input: { ...m.input, modalities: ['T1', 'FLAIR'], ...change } }) as ModelManifest);

test('a model of several modalities has an input for each, and one that says which are there', () => {
  expect(inputNames(withInput({})())).toEqual(['T1', 'FLAIR', 'present']);
});

test.each<[string, object, object, RegExp]>([
  ['one that is none of the four', { modalities: ['T1', 'ADC'] }, {}, /input\.modalities/],
  ['one twice', { modalities: ['T1', 'T1'] }, {}, /each name once/],
  ['none at all', { modalities: [] }, {}, /input\.modalities/],
  ['another task', {}, { task: 'classify' }, /expected none for the task classify/],
  ['tiles', { tiling: { overlap: 'receptive-field', padding: 'edge' } }, {}, /expected none with input\.fusion, input\.tiling or input\.gate/],
  ['a gate', { gate: 'cxr-view' }, {}, /input\.gate/],
  ['several channels', { shape: [32, 32, 3], channels: ['r', 'g', 'b'] }, {}, /one channel and layout NHWC/],
  ['another fit', { fit: 'stretch' }, {}, /expected letterbox with input\.modalities/],
])('refuses %s', (_, change, more, message) => {
  expect(withInput(change, more)).toThrow(message);
});
