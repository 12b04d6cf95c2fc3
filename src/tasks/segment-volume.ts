import { OverreadError } from '../errors.ts';
import { conform, conformedGrid } from '../image/conform.ts';
import type { Image } from '../image/image.ts';
import type { Placed } from '../image/resample.ts';
import type { ModelManifest } from '../manifest.ts';
import { labelsOnGrid } from '../results/volume-labels.ts';
import type { LoadedModel, OnProgress } from '../runtime/types.ts';
import { normaliser } from '../tensor/normalise.ts';
import { pixelRule } from './pixel-rule.ts';
import { labelmapOf } from './segment.ts';
import type { FindingOf } from './task.ts';

export interface VolumeOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: OnProgress | undefined;
}

/** True for a model that reads volumes. */
export function readsVolumes({ task, input }: ModelManifest): boolean {
  return task === 'segment' && input.layout === 'NDHWC';
}

/**
 * Segments a volume: conformed to the network's grid by its geometry, run slice by slice, decided voxel by voxel as the
 * slices come, and brought back to the source's own grid.
 * @param image accepted by `acceptVolume`
 * @throws OverreadError as {@link LoadedModel}'s `predictSlices`; `model/output` for an output of another shape;
 *   `input/unsupported-pixels`, `input/geometry`
 */
export async function segmentVolume(model: LoadedModel, image: Image & Placed, { signal, onProgress }: VolumeOptions = {}): Promise<FindingOf<'labelmap'>> {
  const { manifest } = model;
  const { shape, grid: conformed } = manifest.input;
  const sides = shape.slice(0, 3) as [number, number, number];
  onProgress?.({ stage: 'encode' });
  const grid = conformedGrid(image, sides, conformed!);
  const pixels = conform(image, grid);
  const normalised = normaliser({ pixels, representableRange: image.representableRange }, manifest.input);
  const plane = sides[1] * sides[2];

  const decide = pixelRule(manifest);
  const labels = new Uint8Array(plane * sides[0]);
  let at = 0;
  for await (const part of model.predictSlices(slice => normalised(pixels.subarray(slice * plane, (slice + 1) * plane)), signal)) {
    const channels = checkOutput(part.shape, manifest);
    for (const values of part.slices) for (let i = 0; i < values.length; i += channels) labels[at++] = decide(values, i);
    onProgress?.({ stage: 'infer', fraction: part.fraction });
  }
  onProgress?.({ stage: 'decode' });
  return labelmapOf(labelsOnGrid(labels, grid, image), image, manifest);
}

/**
 * @returns the number of channels
 * @throws OverreadError `model/output`
 */
function checkOutput(shape: readonly number[], { id, input, output }: ModelManifest): number {
  const channels = output.targets.length + (output.activation === 'softmax' ? 1 : 0);
  const wanted = [...input.shape.slice(0, 3), channels];
  if (shape.join() === wanted.join()) return channels;
  throw new OverreadError('model/output', `Expected ${id} to give [1, ${wanted.join(', ')}], a vector for each voxel that it reads, got [1, ${shape.join(', ')}]. Mend output.targets or output.activation of its manifest.`, { expected: wanted, got: shape });
}
