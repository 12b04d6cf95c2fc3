import { dispose, tensor, tensor2d, type Tensor } from '@tensorflow/tfjs-core';
import { OverreadError, throwIfAborted } from '../errors.ts';
import { axialOrder, axialSlice, axialTriple, putAxialSlice, type AxialOrder } from '../image/axial.ts';
import type { Image } from '../image/image.ts';
import type { ModelManifest } from '../manifest.ts';
import type { LoadedModel, OnProgress } from '../runtime/types.ts';
import { normaliser } from '../tensor/normalise.ts';
import { fitPlane, padPlane } from '../tensor/place.ts';
import { resize } from '../tensor/resize.ts';
import { knownSeries, modalitiesReport, placeSeries, type PlacedSeries } from './modalities.ts';
import { checkChannels, labelmapOf, labelSource } from './segment.ts';
import { probabilityCoder } from './probability-code.ts';
import type { FindingOf, Placement } from './task.ts';

/** Slices that go through the network at once. */
const BATCH = 4;

export interface ModalitiesOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: OnProgress;
  /** Register every series with the first, whatever frame of reference it states. */
  readonly register?: boolean;
}

/**
 * Segments a volume from those MR series of one study that are there: each is brought to the grid of the first, and its
 * axial slices go through a network with an input for each modality (`architectures/hemis-unet`).
 * @param images as of {@link knownSeries}
 * @throws OverreadError as {@link knownSeries} and {@link placeSeries}; `input/unsupported-pixels` for values that are not
 *   finite; `model/output` for an output that is not one plane a slice; `device/*`, `job/cancelled`
 */
export async function segmentModalities(model: LoadedModel, images: readonly Image[], { signal, onProgress, register }: ModalitiesOptions = {}): Promise<FindingOf<'labelmap'>> {
  const { manifest } = model;
  const series = knownSeries(images, manifest);
  // Before anything is resampled or registered: a value that is not finite is refused where it stands.
  const slicers = new Map(series.map(({ image, known }) => [known.modality, normaliser(image, manifest.input)]));
  onProgress?.({ stage: 'encode' });
  const placed = await placeSeries(series, { register, signal });
  const { image: reference } = placed[0]!;
  const encoder = new SliceEncoder(placed, slicers, manifest);
  const labels = new Uint8Array(reference.pixels.length);
  const coder = probabilityCoder(manifest, labels.length);
  const coded = coder && { coder, values: new Uint8Array(labels.length * coder.operatingPoints.length) };
  for (let slice = 0; slice < encoder.slices; slice += BATCH) {
    throwIfAborted(signal);
    onProgress?.({ stage: 'infer', fraction: slice / encoder.slices });
    const count = Math.min(BATCH, encoder.slices - slice);
    const inputs = encoder.encode(slice, count);
    try {
      const outputs = await model.predict(inputs, signal);
      try {
        const output = outputs.at(-1)!;
        const shape = shapeOf(output, count, manifest);
        const values = (await output.data()) as Float32Array;
        const size = shape.rows * shape.columns * shape.channels;
        for (let i = 0; i < count; i++) {
          const { sourceSize: [columns, rows] } = encoder.placement;
          const sliceCoded = coded && { coder: coded.coder, values: new Uint8Array(columns * rows * coded.coder.operatingPoints.length) };
          const plane = labelSource(values.subarray(i * size, (i + 1) * size), shape, encoder.placement, manifest, sliceCoded);
          const put = (from: Uint8Array, into: Uint8Array) => putAxialSlice(from, into, reference.shape, encoder.order, slice + i);
          put(plane, labels);
          coded?.coder.operatingPoints.forEach((_, target) => put(sliceCoded!.values.subarray(target * columns * rows), coded.values.subarray(target * labels.length)));
        }
      } finally {
        dispose([...outputs]);
      }
    } finally {
      dispose(inputs);
    }
  }
  onProgress?.({ stage: 'decode' });
  return { ...labelmapOf(labels, reference, manifest, coded), modalities: modalitiesReport(placed, manifest) };
}

function shapeOf({ shape }: Tensor, count: number, manifest: ModelManifest) {
  if (shape[0] !== count) throw new OverreadError('model/output', `Expected ${manifest.id} to give ${count} planes for ${count} slices, got ${shape[0]}. Convert the model again.`, { expected: count, got: shape });
  return checkChannels([1, ...shape.slice(1)], manifest);
}

/** Axial slices of the placed series as the network's inputs: laid into its size in mm, without signal around them. */
export class SliceEncoder {
  readonly order: AxialOrder;
  readonly slices: number;
  readonly placement: Placement;
  readonly #size: { readonly columns: number; readonly rows: number };
  readonly #at: { readonly x: number; readonly y: number };
  readonly #placed: readonly PlacedSeries[];
  readonly #normalise: ReadonlyMap<string, (pixels: Float32Array) => Float32Array>;
  readonly #manifest: ModelManifest;

  constructor(placed: readonly PlacedSeries[], normalise: ReadonlyMap<string, (pixels: Float32Array) => Float32Array>, manifest: ModelManifest) {
    this.#placed = placed;
    this.#normalise = normalise;
    this.#manifest = manifest;
    const { shape, indexToPatient: m } = placed[0]!.image;
    this.order = axialOrder(m);
    const [columns, rows, slices] = axialTriple(shape, this.order);
    this.slices = slices;
    const spacing = axialTriple([0, 1, 2].map(axis => Math.hypot(m[axis]!, m[4 + axis]!, m[8 + axis]!)) as unknown as readonly [number, number, number], this.order);
    const [inputRows, inputColumns] = manifest.input.shape as [number, number, number];
    const unit = Math.min(spacing[0], spacing[1]);
    // Pixels that are not square become so.
    const { size, at } = fitPlane('letterbox', [(columns * spacing[0]) / unit, (rows * spacing[1]) / unit], [inputColumns, inputRows]);
    this.#size = size;
    this.#at = at;
    this.placement = { scale: [size.columns / columns, size.rows / rows], offset: [at.x, at.y], inputSize: [inputColumns, inputRows], sourceSize: [columns, rows] };
  }

  /** [count, rows, columns, 1] for each modality of the manifest, zeros for one that is missing, and which are present. */
  encode(slice: number, count: number): Tensor[] {
    const { input: { modalities = [], shape } } = this.#manifest;
    const [rows, columns] = shape as [number, number, number];
    const inputs = modalities.map(modality => {
      const series = this.#placed.find(({ known }) => known.modality === modality);
      const values = new Float32Array(count * rows * columns);
      if (series) for (let i = 0; i < count; i++) values.set(this.#plane(series, slice + i), i * rows * columns);
      return tensor(values, [count, rows, columns, 1]);
    });
    const present = modalities.map(modality => Number(this.#placed.some(({ known }) => known.modality === modality)));
    return [...inputs, tensor2d(Array.from({ length: count }, () => present))];
  }

  #plane({ image, known, pixels }: PlacedSeries, slice: number): Float32Array {
    const { shape } = this.#placed[0]!.image;
    const normalise = this.#normalise.get(known.modality)!;
    const [columns, rows] = axialTriple(shape, this.order);
    const values = normalise(axialSlice(pixels, shape, this.order, slice));
    const none = normalise(new Float32Array(1))[0]!;
    const fitted = resize({ values, columns, rows, channels: image.channels }, this.#size);
    return padPlane(fitted, this.placement.inputSize, this.#at, none).values;
  }
}
