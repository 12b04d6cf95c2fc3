/** The shipped network, and the engine's way into it, against the PyTorch that it was trained in. */
import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import '../../src/runtime/modality-moments.ts';
import type { Image } from '../../src/image/image.ts';
import type { Placed } from '../../src/image/resample.ts';
import { SliceEncoder } from '../../src/tasks/modalities-segment.ts';
import { labelSource } from '../../src/tasks/segment.ts';
import { normaliser } from '../../src/tensor/normalise.ts';
import { largestDifference, shippedModel } from './shipped-model.ts';

interface TensorFile {
  readonly file: string;
  readonly shape: [number, number, number, number];
  readonly maxAbsDiff: number;
}
type Subset = 'all' | 'FLAIR';
interface Golden {
  readonly volumes: { readonly file: string; readonly shape: [number, number, number, number]; readonly spacingMm: [number, number] };
  /** The modalities one after the other. */
  readonly input: TensorFile;
  readonly logits: Readonly<Record<Subset, TensorFile>>;
  readonly labels: Readonly<Record<Subset, { readonly pixels: number; readonly dice: number }>>;
  readonly sha256: Readonly<Record<string, string>>;
}

const { manifest, golden, bytesOf, valuesOf, load, expectStatedHashes } = shippedModel<Golden>('mri-hemis');
const modalities = manifest.input.modalities!;
const [ROWS, COLUMNS] = manifest.input.shape as [number, number, number];
const SUBSETS: Readonly<Record<Subset, readonly string[]>> = { all: modalities, FLAIR: ['FLAIR'] };

function images(): (Image & Placed)[] {
  const { shape: [, slices, rows, columns], spacingMm, file } = golden.volumes;
  const bytes = new Uint8Array(bytesOf(`golden/${file}`));
  const values = new Uint16Array(bytes.buffer, 0, bytes.length / 2);
  const size = slices * rows * columns;
  return modalities.map((name, i) => ({
    pixels: Float32Array.from(values.subarray(i * size, (i + 1) * size)), shape: [columns, rows, slices], channels: 1, modality: 'MR', representableRange: [0, 4095],
    sources: [{ file }], attributes: { mrModality: name }, spacingMm, indexToPatient: [spacingMm[0], 0, 0, 0, 0, spacingMm[1], 0, 0, 0, 0, 5, 0, 0, 0, 0, 1],
  }));
}

/** What the engine feeds the network of these modalities. */
function encoded(present: readonly string[]) {
  const placed = images().flatMap((image, i) => (present.includes(modalities[i]!) ? [{ image, pixels: image.pixels, known: { modality: modalities[i]!, from: 'given', guessed: false }, placement: { kind: 'reference' } } as const] : []));
  return new SliceEncoder(placed, new Map(placed.map(({ image, known }) => [known.modality, normaliser(image, manifest.input)])), manifest);
}

describe('mri-hemis', () => {
  let network: LayersModel;
  beforeAll(async () => {
    network = await load();
  });

  test('every file of the graph and of the golden set has its SHA-256, within 3 MB of weights', () => {
    expectStatedHashes();
    expect(network.countParams() * 4).toBe(bytesOf('weights.bin').length);
    expect(bytesOf('weights.bin').length).toBeLessThanOrEqual(3e6);
  });

  test('reads four modalities and says which are there', () => {
    expect(network.inputNames).toEqual(['T1', 'T1c', 'T2', 'FLAIR', 'present']);
    expect(network.outputs[0]!.shape).toEqual([null, ROWS, COLUMNS, 1]);
  });

  test('the engine lays and normalises a slice as the recipe does', async () => {
    const inputs = encoded(modalities).encode(0, 1);
    const values = new Float32Array((await Promise.all(inputs.slice(0, -1).map(async x => [...(await x.data())]))).flat());
    expect(largestDifference(values, valuesOf(golden.input))).toBeLessThan(golden.input.maxAbsDiff);
    tf.dispose(inputs);
  });

  test.each(Object.keys(SUBSETS) as Subset[])('logits and labels of %s agree with PyTorch', async subset => {
    const encoder = encoded(SUBSETS[subset]);
    const inputs = encoder.encode(0, 1);
    const output = network.predict(inputs) as tf.Tensor;
    const values = (await output.data()) as Float32Array;
    expect(largestDifference(values, valuesOf(golden.logits[subset]))).toBeLessThan(golden.logits[subset].maxAbsDiff);
    const labels = labelSource(values, { rows: ROWS, columns: COLUMNS, channels: 1 }, encoder.placement, manifest);
    const { pixels, dice } = golden.labels[subset];
    // A reference that finds nothing, or another thing, would prove nothing.
    expect(dice).toBeGreaterThan(0.7);
    expect(Math.abs(labels.reduce((sum, v) => sum + v, 0) - pixels)).toBeLessThanOrEqual(2);
    tf.dispose([inputs, output]);
  });

  test('any of the 15 subsets gives finite logits', async () => {
    for (let bits = 1; bits < 16; bits++) {
      const inputs = encoded(modalities.filter((_, i) => (bits >> i) & 1)).encode(0, 1);
      const output = network.predict(inputs) as tf.Tensor;
      expect((await output.data()).every(Number.isFinite)).toBe(true);
      tf.dispose([inputs, output]);
    }
  });
});
