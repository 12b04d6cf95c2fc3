import '@tensorflow/tfjs-backend-cpu';
import { setBackend } from '@tensorflow/tfjs-core';
import { input, layers as tfl, model, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { buildUNet } from '../../../src/architectures/unet.ts';
import { receptiveField } from '../../../src/runtime/receptive-field.ts';

beforeAll(() => setBackend('cpu'));

const image = () => input({ shape: [16, 16, 2], name: 'image' });
type Part = (x: SymbolicTensor) => SymbolicTensor;
const then = (...layers: { apply(x: SymbolicTensor): unknown }[]): Part => x => layers.reduce((y, layer) => layer.apply(y) as SymbolicTensor, x);

test('of convolutions and pooling in a row, as the paper computes it', () => {
  const x = image();
  // r = 3, then 5, after pooling 6, after a 5 × 5 at stride 2 on a stride of 2: 6 + 4 · 2 = 14.
  const network = model({ inputs: x, outputs: then(
    tfl.conv2d({ filters: 1, kernelSize: 3 }), tfl.conv2d({ filters: 1, kernelSize: 3 }), tfl.maxPooling2d({ poolSize: 2 }), tfl.conv2d({ filters: 1, kernelSize: 5, strides: 2 }),
  )(x) });
  expect(receptiveField(network).columns).toMatchObject({ input: 16, output: 1, size: 14, stride: 4, alignment: 4, offset: 0, lost: { before: 0, after: 0 } });
  network.dispose();
});

test('of rows and columns by themselves', () => {
  const x = image();
  const network = model({ inputs: x, outputs: then(tfl.conv2d({ filters: 1, kernelSize: [1, 5], dilationRate: [1, 2], padding: 'same' }), tfl.averagePooling2d({ poolSize: [4, 1] }))(x) });
  const { rows, columns } = receptiveField(network);
  expect(rows).toMatchObject({ output: 4, size: 4, stride: 4, offset: 0, lost: { before: 0, after: 0 } });
  expect(columns).toMatchObject({ output: 16, size: 9, stride: 1, offset: -4, lost: { before: 4, after: 4 } });
  network.dispose();
});

test('a U-Net moves with its total stride only, and its pixels read more or less by their place', () => {
  const network = buildUNet({ inputShape: [32, 32], depth: 2, width: 1, weights: 'zeros' });
  const { columns } = receptiveField(network);
  // Two 3 × 3 a level and side: 2 + 2 + 4 + 4 + 8 + 8 / 2 around a pixel, more on the side of its block's other pixels.
  expect(columns).toMatchObject({ input: 32, output: 32, stride: 1, alignment: 4 });
  const widths = [0, 1, 2, 3].map(i => columns.reads(i)).map(([first, last]) => last - first + 1);
  expect(Math.max(...widths)).toBe(columns.size);
  expect(columns.reads(4)).toEqual(columns.reads(0).map(at => at + 4));
  const [first, last] = [columns.lost.before, 31 - columns.lost.after];
  expect(columns.reads(first)[0]).toBeGreaterThanOrEqual(0);
  expect(columns.reads(first - 1)[0]).toBeLessThan(0);
  expect(columns.reads(last)[1]).toBeLessThan(32);
  expect(columns.reads(last + 1)[1]).toBeGreaterThanOrEqual(32);
  network.dispose();
});

test.each<[string, Part, string, RegExp]>([
  ['global pooling', then(tfl.globalAveragePooling2d({ name: 'global' })), 'global', /reads the whole image at once/],
  ['global pooling within', x => tfl.multiply({ name: 'gate' }).apply([x, then(tfl.globalMaxPooling2d({ name: 'squeeze' }), tfl.reshape({ targetShape: [1, 1, 2] }))(x)]) as SymbolicTensor, 'squeeze', /whole image/],
  ['a flattened map', then(tfl.flatten({ name: 'flat' }), tfl.dense({ units: 1 })), 'flat', /fully convolutional form/],
  ['a layer that is not known', then(tfl.permute({ name: 'turned', dims: [2, 1, 3] })), 'turned', /class that is not known/],
  ['statistics along a row', then(tfl.softmax({ name: 'share', axis: 2 })), 'share', /not along the channels/],
  ['a slope for every pixel', then(tfl.prelu({ name: 'slopes' })), 'slopes', /of its own for every pixel/],
  ['an enlargement by 3', then(tfl.upSampling2d({ name: 'thrice', size: [3, 3] })), 'thrice', /no power of two/],
  ['branches that do not meet', x => tfl.concatenate({ name: 'joined' }).apply([tfl.maxPooling2d({ poolSize: 2 }).apply(x), tfl.cropping2D({ cropping: [[4, 4], [4, 4]] }).apply(x)] as SymbolicTensor[]) as SymbolicTensor, 'joined', /different strides/],
])('refuses %s by the layer\'s name', (_, part, layer, message) => {
  const x = image();
  const network = model({ inputs: x, outputs: part(x) });
  expect(() => receptiveField(network)).toThrow(expect.objectContaining({ code: 'model/graph', message: expect.stringMatching(message), fields: expect.objectContaining({ layer }) }));
  network.dispose();
});

test('refuses an input that leaves nothing, one of no known size, and two inputs', () => {
  const x = input({ shape: [null, null, 1] });
  const network = model({ inputs: x, outputs: tfl.conv2d({ name: 'large', filters: 1, kernelSize: 7 }).apply(x) as SymbolicTensor });
  expect(() => receptiveField(network, [6, 9])).toThrow(expect.objectContaining({ code: 'model/graph', fields: { got: 6, layer: 'large' } }));
  expect(() => receptiveField(network)).toThrow(/Give inputSize/);
  expect(receptiveField(network, [9, 7]).rows.output).toBe(3);
  network.dispose();
  const [a, b] = [image(), input({ shape: [16, 16, 2], name: 'other' })];
  const two = model({ inputs: [a, b], outputs: tfl.add().apply([a, b]) as SymbolicTensor });
  expect(() => receptiveField(two)).toThrow(/one input/);
});
