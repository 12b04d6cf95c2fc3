import { OverreadError } from '../errors.ts';
import { referenceOf, type ImageReference } from '../image/image.ts';
import type { ModelManifest } from '../manifest.ts';
import { keepLargestComponents } from '../results/components.ts';
import { instanceRuleOf, splitInstances } from '../results/instances.ts';
import { measureSegments } from '../results/measure.ts';
import { axisSamples, sampleRow } from '../results/source-samples.ts';
import { encodePlane } from '../tensor/encode.ts';
import { acceptOnePlane, acceptVolume } from './accept.ts';
import { knownSeries, readsModalities } from './modalities.ts';
import { pixelRule } from './pixel-rule.ts';
import { planesOf, probabilityCoder, type ProbabilityCoder } from './probability-code.ts';
import type { FindingOf, Placement, WholeTask } from './task.ts';

/**
 * Segmentation of one plane (of volumes: `segment-volume.ts`). The network gives [1, rows, columns, channels]: with sigmoid one channel a target (they
 * may overlap; the surer one has the pixel), with softmax a background channel and one a target. Its output is
 * sampled bilinearly at the centres of the source's pixels and decided there, so that outlines are as fine as the
 * source's grid; pixels that the network did not see are background.
 */
export const segment: WholeTask<FindingOf<'labelmap'>> = {
  id: 'segment',
  kind: 'labelmap',

  accept(images, manifest) {
    if (readsModalities(manifest)) knownSeries(images, manifest);
    else (manifest.input.layout === 'NDHWC' ? acceptVolume : acceptOnePlane)(images, manifest);
  },

  encode(pictures, manifest) {
    const { tensor, placement } = encodePlane(pictures[0]!.image, manifest.input);
    return { inputs: [tensor], placement };
  },

  async decode(outputs, { placement }, pictures, manifest) {
    const output = outputs[0]!;
    const { image } = pictures[0]!;
    const { rows, columns, channels } = checkChannels(output.shape, manifest);
    const pixels = image.shape[0] * image.shape[1];
    const coder = probabilityCoder(manifest, pixels);
    const coded = coder && { coder, values: new Uint8Array(pixels * coder.operatingPoints.length) };
    const labels = labelSource((await output.data()) as Float32Array, { rows, columns, channels }, placement, manifest, coded);
    return labelmapOf(labels, image, manifest, coded);
  },
};

/**
 * @param shape of the network's output
 * @throws OverreadError `model/output` when it is not one plane with a channel for each target
 */
export function checkChannels(shape: readonly number[], manifest: ModelManifest): { rows: number; columns: number; channels: number } {
  const [batch, rows, columns, channels] = shape;
  const wanted = manifest.output.targets.length + (manifest.output.activation === 'softmax' ? 1 : 0);
  if (shape.length !== 4 || batch !== 1 || channels !== wanted || !rows || !columns) {
    throw new OverreadError(
      'model/output',
      `Expected ${manifest.id} to give [1, rows, columns, ${wanted}], got [${shape}]. Mend output.targets or output.activation of its manifest.`,
      { expected: [1, null, null, wanted], got: shape },
    );
  }
  return { rows, columns, channels };
}

/** Probabilities on the source grid, beside the labels. */
export interface Coded {
  readonly coder: ProbabilityCoder;
  /** A plane a target, one after the other. */
  readonly values: Uint8Array;
}

/**
 * The finding of a mask as the network gave it, after the manifest's rules for the whole mask; `labels` is changed.
 * @param coded the probabilities that it was decided by, where they are to be kept
 * @throws OverreadError `input/refused` for a mask that is smaller than the manifest holds possible
 */
export function labelmapOf(labels: Uint8Array, source: ImageReference, manifest: ModelManifest, coded?: Coded): FindingOf<'labelmap'> {
  const { keepLargestComponents: kept, targets } = manifest.output;
  const [columns, rows] = source.shape;
  if (kept !== undefined) targets.forEach((_, i) => keepLargestComponents(labels, columns, i + 1, kept, rows));
  const rule = instanceRuleOf(manifest);
  const instances = rule && splitInstances(labels, columns, rule);
  refuseImplausible(labels, manifest);
  const segments = measureSegments(labels, targets, source);
  const finding = { kind: 'labelmap', source: referenceOf(source), labels, segments, ...(instances && { instances }) } as const;
  if (!coded) return finding;
  const { operatingPoints } = coded.coder;
  return { ...finding, segments: segments.map((segment, i) => ({ ...segment, threshold: operatingPoints[i]! })), probabilities: planesOf(coded.values, labels, coded.coder, manifest, instances) };
}

/**
 * A mask far smaller than the structure can be is a picture that the model cannot read (inverted, another body part).
 * @throws OverreadError `input/refused`
 */
function refuseImplausible(labels: Uint8Array, { name, output: { minimumFraction, targets } }: ModelManifest): void {
  if (minimumFraction === undefined) return;
  let found = 0;
  for (const label of labels) if (label > 0) found++;
  const fraction = found / labels.length;
  if (fraction >= minimumFraction) return;
  const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
  throw new OverreadError(
    'input/refused',
    `${name} expects ${targets.map(t => t.label).join(', ')} to cover at least ${percent(minimumFraction)} of the picture, but found ${percent(fraction)}. ` +
      'Check that the picture is what the model reads and that its grey scale is not inverted.',
    { expected: minimumFraction, got: fraction },
  );
}

/**
 * The network's output, decided at every pixel of the source.
 * @param coded where the probabilities of these pixels are written, if they are wanted
 */
export function labelSource(
  values: Float32Array,
  { rows, columns, channels }: { rows: number; columns: number; channels: number },
  { scale, offset, sourceSize, inputSize }: Placement,
  manifest: ModelManifest,
  coded?: Coded,
): Uint8Array {
  const decide = pixelRule(manifest);
  const across = axisSamples({ scale: scale[0], offset: offset[0], sourceSize: sourceSize[0], inputSize: inputSize[0] }, columns);
  const down = axisSamples({ scale: scale[1], offset: offset[1], sourceSize: sourceSize[1], inputSize: inputSize[1] }, rows);
  const labels = new Uint8Array(sourceSize[0] * sourceSize[1]);
  const width = across.end - across.begin;
  const line = new Float32Array(width * channels);
  for (let y = down.begin; y < down.end; y++) {
    sampleRow(values, columns, channels, across, down, y - down.begin, line);
    const start = y * sourceSize[0] + across.begin;
    for (let x = 0; x < width; x++) labels[start + x] = decide(line, x * channels);
    if (coded) writeRow(coded, line, channels, start, width, labels.length);
  }
  return labels;
}

function writeRow({ coder, values }: Coded, line: Float32Array, channels: number, start: number, width: number, pixels: number): void {
  coder.operatingPoints.forEach((_, target) => {
    for (let x = 0; x < width; x++) values[target * pixels + start + x] = coder.code(line, x * channels, target);
  });
}
