/** The HeMIS U-Net against a PyTorch twin with the same random weights, for every subset of its modalities. */
import { dispose, io, memory, mul, tensor2d, zerosLike, type Tensor } from '@tensorflow/tfjs-core';
import { loadLayersModel, type LayersModel } from '@tensorflow/tfjs-layers';
import { assignStateDict } from '../../src/architectures/assign.ts';
import { buildHemisUNet } from '../../src/architectures/hemis-unet.ts';
import { readCheckpoint } from '../../src/runtime/checkpoints/read.ts';
import { BACKENDS, decode, type Encoded, goldenBytes, goldenJson, useBackend } from './torch-golden.ts';

interface Golden {
  readonly options: { readonly inputShape: [number, number]; readonly modalities: readonly string[]; readonly classes: number; readonly widths: readonly number[] };
  readonly images: Readonly<Record<string, Encoded>>;
  readonly subsets: readonly { readonly present: readonly string[]; readonly logits: Encoded }[];
}
const golden = goldenJson<Golden>('hemis/golden.json');
const { options: { modalities } } = golden;

function twin(): LayersModel {
  const net = buildHemisUNet({ ...golden.options, weights: 'zeros' });
  assignStateDict(net, readCheckpoint(goldenBytes('hemis/state.safetensors'), 'state.safetensors'));
  return net;
}

/** The largest difference from PyTorch's logits; `others` makes what the absent modalities are given. */
async function difference(net: LayersModel, { present, logits }: Golden['subsets'][number], others: (x: Tensor) => Tensor = zerosLike): Promise<number> {
  const images = modalities.map(name => decode(golden.images[name]!));
  const given = images.map((x, i) => (present.includes(modalities[i]!) ? x.clone() : others(x)));
  const has = tensor2d([modalities.map(name => Number(present.includes(name)))]);
  const output = net.predict([...given, has]) as Tensor;
  const wanted = decode(logits);
  expect(output.shape).toEqual(wanted.shape);
  const [a, b] = [await output.data(), await wanted.data()];
  dispose([images, given, has, output, wanted]);
  return Math.max(...a.map((v, i) => Math.abs(v - b[i]!)));
}

describe.each(BACKENDS)('HeMIS U-Net on %s', backend => {
  let net: LayersModel;
  beforeAll(async () => {
    await useBackend(backend);
    net = twin();
  });
  afterAll(() => net.dispose());

  test('the twin has all 15 subsets, and they differ', () => {
    expect(golden.subsets.length).toBe(15);
    expect(new Set(golden.subsets.map(({ logits }) => logits.base64)).size).toBe(15);
  });

  test.each(golden.subsets.map(subset => [subset.present.join('+'), subset] as const))('gives its PyTorch twin\'s logits of %s within 1e-4', async (_, subset) => {
    const before = memory().numTensors;
    expect(await difference(net, subset)).toBeLessThan(1e-4);
    expect(memory().numTensors).toBe(before);
  });

  test('what stands in the place of an absent modality is not heeded', async () => {
    expect(await difference(net, golden.subsets[0]!, x => mul(x, 50))).toBeLessThan(1e-4);
  });
});

test('is the same after saving and loading', async () => {
  await useBackend('cpu');
  const net = twin();
  let saved!: io.ModelArtifacts;
  await net.save(io.withSaveHandler(async artifacts => {
    saved = artifacts;
    return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } };
  }));
  net.dispose();
  const loaded = await loadLayersModel(io.fromMemory({ ...saved, modelTopology: JSON.parse(JSON.stringify(saved.modelTopology)) as object }));
  expect(await difference(loaded, golden.subsets[7]!)).toBeLessThan(1e-4);
  loaded.dispose();
});

test('refuses an input that cannot be halved between its levels', () => {
  expect(() => buildHemisUNet({ inputShape: [20, 24], modalities: ['T1', 'T2'] })).toThrow(/multiples of 8; got 20 × 24/);
});
