import '@tensorflow/tfjs-backend-cpu';
import { memory, ones, setBackend, type Tensor } from '@tensorflow/tfjs-core';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildUNet } from '../../../src/architectures/unet.ts';

interface LayersJson {
  readonly weightsManifest: readonly { readonly weights: readonly { readonly name: string; readonly shape: readonly number[] }[] }[];
}

beforeAll(() => setBackend('cpu'));

describe('buildUNet', () => {
  test('has the weights of lung-unet, by name and shape', () => {
    const json = JSON.parse(readFileSync(join(__dirname, '../../../models/lung-unet/model.json'), 'utf8')) as LayersJson;
    const shipped = json.weightsManifest.flatMap(group => group.weights).map(({ name, shape }) => `${name} ${shape}`);
    const network = buildUNet({ inputShape: [256, 256], depth: 4, width: 8, weights: 'zeros' });
    expect(network.weights.map(w => `${w.originalName} ${w.shape}`).sort()).toEqual([...shipped].sort());
    network.dispose();
  });

  test.each([[true, 12], [false, 8]])('skip %p: the decoder reads %i channels on the first level', (skip, channels) => {
    const network = buildUNet({ inputShape: [16, 32], inChannels: 2, classes: 3, depth: 2, width: 4, skip, weights: 'zeros' });
    expect(network.inputs[0]!.shape).toEqual([null, 16, 32, 2]);
    expect(network.outputs[0]!.shape).toEqual([null, 16, 32, 3]);
    const kernel = network.getLayer('up1_conv0').getWeights()[0]!;
    expect(kernel.shape).toEqual([3, 3, channels, 4]);
    network.dispose();
  });

  test('an edge head gives one more channel, and leaves the others as they are', async () => {
    const outputOf = async (edgeHead: boolean) => {
      const network = buildUNet({ inputShape: [8, 8], classes: 2, depth: 1, width: 6, edgeHead, weights: { seed: 4 } });
      const input = ones([1, 8, 8, 1]);
      const output = network.predict(input) as Tensor;
      const values = [...(await output.data())];
      const { shape } = output;
      [input, output].forEach(t => t.dispose());
      network.dispose();
      return { shape, values };
    };
    const [plain, edges] = [await outputOf(false), await outputOf(true)];
    expect(edges.shape).toEqual([1, 8, 8, 3]);
    expect(edges.values.filter((_, i) => i % 3 < 2)).toEqual(plain.values);
    expect(new Set(edges.values.filter((_, i) => i % 3 === 2)).size).toBeGreaterThan(1);
  });

  test('the same seed gives the same network, another seed another', async () => {
    const outputOf = async (seed: number) => {
      const network = buildUNet({ inputShape: [8, 8], depth: 1, width: 2, weights: { seed } });
      const input = ones([1, 8, 8, 1]);
      const output = network.predict(input) as Tensor;
      const values = [...(await output.data())];
      [input, output].forEach(t => t.dispose());
      network.dispose();
      return values;
    };
    const first = await outputOf(1);
    expect(await outputOf(1)).toEqual(first);
    expect(await outputOf(2)).not.toEqual(first);
    expect(memory().numTensors).toBe(0);
  });

  test.each([[[30, 32], 2], [[32, 32], 0]] as const)('refuses %p halved %i times', (inputShape, depth) => {
    expect(() => buildUNet({ inputShape, depth })).toThrow(expect.objectContaining({ code: 'model/graph' }));
  });
});
