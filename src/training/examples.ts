import { OverreadError } from '../errors.ts';
import type { Image } from '../image/image.ts';
import type { ModelManifest } from '../manifest.ts';
import { borderWeights } from '../losses/border-weights.ts';
import { edgeTargets } from '../losses/edge-targets.ts';
import { encodePlaneValues } from '../tensor/encode.ts';
import type { DatasetItem } from './dataset.ts';
import type { LabelledPicture } from './samplers/sampler.ts';

/** A labelled picture as the network reads it. */
export interface Example {
  readonly id: string;
  readonly patientId: string;
  readonly columns: number;
  readonly rows: number;
  readonly channels: number;
  /** rows · columns · channels, normalised. */
  readonly picture: Float32Array;
  /** Of masks: rows · columns · output channels, 0 or 1. */
  readonly truth?: Uint8Array;
  /** Of masks: rows · columns, what a pixel counts in the loss. */
  readonly weights?: Float32Array;
  /** Of masks, for samplers: rows · columns, 0 background, else a target's number. Of pictures with a guiding mask: 1 inside. */
  readonly classes?: Uint8Array;
  /** Of scores: one an output channel; NaN where it is not known. */
  readonly labels?: Float32Array;
  readonly site?: string;
}

/** What of an item's truth is read: the opened images of `mask` and `instances`. */
export interface Truth {
  readonly mask?: Image | undefined;
  readonly instances?: Image | undefined;
}

/** Channels of the network's output: softmax of masks has a background before its targets. */
export function outputChannels({ task, output: { activation, targets } }: ModelManifest): number {
  return targets.length + Number(task === 'segment' && activation === 'softmax');
}

/**
 * @param maskClasses names of the mask's values, background first
 * @param borderWeight see the recipe
 * @throws OverreadError `dataset/invalid` for labels that do not lie on the image's grid, or values that are none;
 *   `input/*` for an image that the model does not read
 */
export function exampleOf(item: DatasetItem, image: Image, truth: Truth, manifest: ModelManifest, { maskClasses, borderWeight }: { readonly maskClasses?: readonly string[] | undefined; readonly borderWeight?: number | undefined } = {}): Example {
  const { id, patientId } = item;
  const { input, task } = manifest;
  const [columns, rows] = image.shape;
  const spec = input.tiling ? { ...input, shape: [rows, columns, input.shape[2]!], fit: 'stretch' as const } : input;
  const { values: picture, placement } = encodePlaneValues(image, spec);
  const [inputColumns, inputRows] = placement.inputSize;
  const base = { id, patientId, columns: inputColumns, rows: inputRows, channels: input.shape[2]!, picture, ...(item.site !== undefined && { site: item.site }) };
  const objects = truth.instances && gridOf(truth.instances, image, `instances of item '${id}'`);
  const mask = truth.mask && gridOf(truth.mask, image, `mask of item '${id}'`);
  const placed = <T extends Uint8Array | Float32Array>(from: T, into: T) => placedLabels(from, into, placement);

  if (task === 'classify') {
    return { ...base, labels: labelsOf(item, manifest), ...(mask && { classes: placed(Uint8Array.from(mask, v => Number(v > 0)), new Uint8Array(inputRows * inputColumns)) }) };
  }
  const classes = classesOf(id, mask, objects, [columns, rows], manifest, maskClasses);
  const weights = borderWeight !== undefined && objects ? borderWeights(objects, columns, rows, { height: borderWeight }) : undefined;
  const laid = placed(classes.inside, new Uint8Array(inputRows * inputColumns));
  const edges = classes.edges && placed(classes.edges, new Uint8Array(inputRows * inputColumns));
  return {
    ...base,
    classes: laid,
    truth: truthPlanes(laid, edges, manifest),
    ...(weights && { weights: placed(weights, new Float32Array(inputRows * inputColumns)) }),
  };
}

/** @throws OverreadError `dataset/invalid` */
function gridOf(labels: Image, { shape: [columns, rows] }: Image, where: string): Float32Array {
  const [width, height, slices] = labels.shape;
  if (width === columns && height === rows && slices === 1 && labels.channels === 1) return labels.pixels;
  throw new OverreadError('dataset/invalid', `Expected the ${where} on the image's grid, ${columns} × ${rows}, got ${labels.shape.join(' × ')} with ${labels.channels} channel(s). Draw the labels on the image itself.`, { expected: [columns, rows], got: labels.shape });
}

function labelsOf({ id, labels = {} }: DatasetItem, { output: { targets, activation } }: ModelManifest): Float32Array {
  const values = Float32Array.from(targets, ({ label }) => labels[label] ?? NaN);
  const bad = values.find(value => !Number.isNaN(value) && value !== 0 && value !== 1);
  if (bad !== undefined) throw new OverreadError('dataset/invalid', `Expected labels of 0 or 1 for item '${id}', got ${bad}. Mend the data set.`, { expected: [0, 1], got: bad });
  if (activation === 'softmax' && values.reduce((sum, v) => sum + v, 0) !== 1) throw new OverreadError('dataset/invalid', `Expected one of ${targets.map(({ label }) => label).join(', ')} to be 1 for item '${id}' and the others 0, got ${values.join(', ')}. Mend the data set.`, { got: [...values] });
  return values;
}

/** Each pixel's target (0: background), and the edges of objects where the model has an output for them. */
function classesOf(id: string, mask: Float32Array | undefined, objects: Float32Array | undefined, [columns, rows]: readonly [number, number], { output }: ModelManifest, names?: readonly string[]): { inside: Uint8Array; edges?: Uint8Array } {
  const edge = output.instances?.edge;
  const plain = output.targets.filter(({ label }) => label !== edge);
  if (edge !== undefined && !objects) throw new OverreadError('dataset/invalid', `Expected instances for item '${id}', since the model learns the edges of objects, got a mask. Number the objects.`, { expected: 'instances' });
  if (objects && plain.length === 1) {
    return { inside: Uint8Array.from(objects, v => Number(v > 0)), ...(edge !== undefined && { edges: edgeTargets(objects, columns, rows) }) };
  }
  const numbers = plain.map(({ label }, i) => {
    const named = names?.findIndex(name => name.toLowerCase() === label.toLowerCase()) ?? -1;
    return named > 0 ? named : i + 1;
  });
  const two = names === undefined || names.length === 2;
  const inside = Uint8Array.from(mask ?? objects!, value => (plain.length === 1 && two ? Number(value > 0) : value === 0 ? 0 : numbers.indexOf(value) + 1));
  return { inside };
}

function truthPlanes(classes: Uint8Array, edges: Uint8Array | undefined, manifest: ModelManifest): Uint8Array {
  const { output: { targets, activation, instances } } = manifest;
  const channels = outputChannels(manifest);
  const truth = new Uint8Array(classes.length * channels);
  const softmax = activation === 'softmax';
  const plain = targets.map(({ label }, i) => [label, i] as const).filter(([label]) => label !== instances?.edge).map(([, i]) => i);
  const edge = targets.findIndex(({ label }) => label === instances?.edge);
  for (let i = 0; i < classes.length; i++) {
    const label = classes[i]!;
    if (softmax) truth[i * channels + label] = 1;
    else if (label > 0) truth[i * channels + plain[label - 1]!] = 1;
    if (edges?.[i]) truth[i * channels + edge] = 1;
  }
  return truth;
}

/** Labels of the source, laid where the picture lies in the network's input: the nearest pixel's; 0 around. */
function placedLabels<T extends Uint8Array | Float32Array>(from: T, into: T, { scale, offset, sourceSize: [columns, rows], inputSize: [inputColumns, inputRows] }: ReturnType<typeof encodePlaneValues>['placement']): T {
  for (let y = 0, i = 0; y < inputRows; y++) {
    const row = Math.floor((y + 0.5 - offset[1]) / scale[1]);
    for (let x = 0; x < inputColumns; x++, i++) {
      const column = Math.floor((x + 0.5 - offset[0]) / scale[0]);
      if (row >= 0 && row < rows && column >= 0 && column < columns) into[i] = from[row * columns + column]!;
    }
  }
  return into;
}

/** What samplers ask of an example. */
export function labelledPicture({ id, columns, rows, classes }: Example): LabelledPicture {
  if (!classes) throw new OverreadError('internal', `Expected the example '${id}' to have a mask. Please report this.`);
  return { columns, rows, labels: classes };
}

/**
 * The sites that a head is to tell apart, in the order of their names.
 * @throws OverreadError `dataset/invalid` for fewer than two, or an item that names none
 */
export function sitesOf(examples: readonly Example[]): readonly string[] {
  const nameless = examples.find(({ site }) => site === undefined);
  const sites = [...new Set(examples.flatMap(({ site }) => site ?? []))].sort();
  if (!nameless && sites.length > 1) return sites;
  const got = nameless ? `item '${nameless.id}' without one` : `only ${sites[0]}`;
  throw new OverreadError('dataset/invalid', `Expected the \`site\` of every item, of two sites at least, to learn by gradient reversal, got ${got}. Add the sites, or choose another guidance.`, { got });
}

/**
 * Refuses truth that nothing can be learnt from.
 * @throws OverreadError `dataset/invalid` for one class only
 */
export function checkClasses(examples: readonly Example[], { task, output: { targets } }: ModelManifest): void {
  const only = (what: string): never => {
    throw new OverreadError('dataset/invalid', `Expected examples of both classes to train on, got ${what}. Collect the other class too.`, { got: what });
  };
  if (task === 'segment') {
    if (examples.every(({ classes }) => classes!.every(label => label === 0))) only('background only');
    if (examples.every(({ classes }) => classes!.every(label => label !== 0))) only('no background');
    return;
  }
  const known = targets.filter((_, t) => [0, 1].every(value => examples.some(({ labels }) => labels![t] === value)));
  if (known.length > 0) return;
  only(targets.map(({ label }, t) => `${label} ${[...new Set(examples.map(({ labels }) => labels![t]!).filter(value => !Number.isNaN(value)))].join(' and ') || 'unknown'} only`).join(', '));
}
