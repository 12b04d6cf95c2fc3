import { reshape, tidy } from '@tensorflow/tfjs-core';
import { initializers, input, layers as tfl, model, type LayersModel, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import type { Layer } from '../runtime/layer-graph.ts';
import { noWindow } from '../runtime/layer-windows.ts';
import { multiplications } from '../runtime/multiplications.ts';
import { receptiveField, stepsTo } from '../runtime/receptive-field.ts';

type Config = Record<string, unknown>;
type LayerClass = new (config: Config) => Layer;

/** Layers that end a map: what follows sees the whole patch. */
const HEADS: ReadonlySet<string> = new Set(['Flatten', 'GlobalAveragePooling2D', 'GlobalMaxPooling2D']);
/** Layers after the map that give each class score from the one at its place. */
const AFTER: ReadonlySet<string> = new Set(['Activation', 'ReLU', 'LeakyReLU', 'ELU', 'ThresholdedReLU', 'Dropout', 'BatchNormalization']);

/**
 * The fully convolutional form of a classifier of patches (Long, Shelhamer, Darrell 2015, arXiv 1411.4038): the first
 * dense layer becomes a convolution as large as the map before it, later ones 1 × 1 convolutions, global pooling
 * becomes pooling of that size; the weights are the same numbers in another shape. The output at (i, j) of an image is
 * what the classifier gives for the patch at (i, j) · stride, where the stride is that of the map before the head.
 *
 * That is exact because the classifier pads nowhere: every value of a patch's maps is made of the patch's pixels
 * alone, by the same weights at the same places of the stride's grid, and so is a value of the image's maps. A
 * classifier with 'same' padding sees zeros at a patch's border where the image goes on, so it is refused.
 * @param classifier input [n, rows, columns, channels] → [n, classes]; stays as it is
 * @param inputSize [rows, columns] of the images; any when left out
 * @param options.covers put (patch − stride) zeros around the image, half of them before, so that there is an output for
 *   each stride × stride pixels and it lies in their middle: what tiles need
 * @returns [n, rows, columns, channels] → [n, ⌊(rows − patch) / stride⌋ + 1 or more, …, classes], to be disposed by the
 *   caller: pixels of a patch that none of its layers reads are not needed in an image either
 * @throws OverreadError `model/graph`, naming the layer, for networks that pad, or whose layers after the map are not
 *   dense, batch normalisation, dropout or an activation
 */
export function toFullyConvolutional(classifier: LayersModel, inputSize?: readonly [rows: number, columns: number], { covers = false }: { readonly covers?: boolean } = {}): LayersModel {
  const patch = classifier.inputs[0]!;
  const steps = stepsTo(classifier.outputs.at(-1)!, patch);
  const heads = steps.filter(({ layer }) => HEADS.has(layer.getClassName()));
  const head = heads[0];
  if (!head || heads.length > 1) throw noWindow(heads[1]?.layer ?? classifier.layers.at(-1)!, heads.length ? 'is a second end of the map of features' : 'ends a network with no flatten layer and no global pooling', 'Give a classifier of patches.');
  const map = head.inputs[0]!;
  const { rows, columns } = receptiveField({ inputs: classifier.inputs, outputs: [map] });
  if ([rows, columns].some(({ lost, stride, alignment }) => lost.before + lost.after > 0 || stride !== alignment)) {
    throw noWindow(map.sourceLayer, 'or a layer before it pads the patch, where an image would go on', 'Build and train the classifier without padding.');
  }

  const image = input({ shape: [...(inputSize ?? [null, null]), patch.shape[3]!], name: patch.name.replace(/\/.*$/, '') });
  const around = covers ? ([patch.shape[1]! - rows.stride, patch.shape[2]! - columns.stride] as const) : undefined;
  if (around?.some(more => more < 0)) throw noWindow(map.sourceLayer, 'leaves out pixels between its patches, which stand further apart than they are large', 'Build the classifier with smaller strides.');
  const known = new Map<number, SymbolicTensor>([[patch.id, around ? padded(image, around) : image]]);
  const made = new Map<Layer, Layer>();
  let afterMap = false;
  /** The size of the map that the next dense layer reads flat. */
  let flat: [number, number] | undefined;
  for (const { layer, inputs, output } of steps) {
    const given = inputs.map(({ id }) => known.get(id)!);
    const name = layer.getClassName();
    if (layer === head.layer) {
      afterMap = true;
      flat = [rows.output, columns.output];
      known.set(output.id, name === 'Flatten' ? given[0]! : (pooled(layer, flat).apply(given[0]!) as SymbolicTensor));
      if (name !== 'Flatten') flat = undefined;
      continue;
    }
    let by = made.get(layer);
    if (!by) {
      if (afterMap && name === 'Dense') by = convolutionOf(layer, flat ?? [1, 1]);
      else if (afterMap && (flat ? name !== 'Dropout' : !AFTER.has(name))) throw noWindow(layer, 'stands between the map of features and the scores', 'Give a classifier whose map is followed by dense layers.');
      else by = copyOf(layer, afterMap);
      made.set(layer, by);
    }
    if (name === 'Dense') flat = undefined;
    known.set(output.id, by.apply(given.length === 1 ? given[0]! : given) as SymbolicTensor);
  }
  const whole = model({ inputs: image, outputs: known.get(classifier.outputs.at(-1)!.id)!, name: `${classifier.name}-fully-convolutional` });
  tidy(() => made.forEach((to, from) => {
    if (from.weights.length) to.setWeights(from.getWeights().map((weight, i) => reshape(weight, to.weights[i]!.shape as number[])));
  }));
  return whole;
}

function padded(image: SymbolicTensor, sides: readonly [rows: number, columns: number]): SymbolicTensor {
  const padding = sides.map(more => [Math.floor(more / 2), Math.ceil(more / 2)]) as [[number, number], [number, number]];
  return tfl.zeroPadding2d({ name: 'around', padding }).apply(image) as SymbolicTensor;
}

/** A map's values lie row by row, channels together: so do a kernel's. */
function convolutionOf(dense: Layer, kernelSize: [number, number]): Layer {
  const { name, units, activation, useBias } = dense.getConfig() as { name: string; units: number; activation: 'relu'; useBias: boolean };
  return tfl.conv2d({ name, filters: units, kernelSize, padding: 'valid', activation, useBias, kernelInitializer: initializers.zeros() });
}

function pooled(layer: Layer, poolSize: [number, number]): Layer {
  const config = { name: layer.name, poolSize, strides: [1, 1] as [number, number], padding: 'valid' as const };
  return layer.getClassName() === 'GlobalMaxPooling2D' ? tfl.maxPooling2d(config) : tfl.averagePooling2d(config);
}

function copyOf(layer: Layer, afterMap: boolean): Layer {
  const { batchInputShape: _, ...config } = layer.getConfig() as Config;
  // 'same' that adds nothing to the patch might add something to an image.
  if (config.padding === 'same') config.padding = 'valid';
  if (afterMap && 'axis' in config) config.axis = -1;
  return new (layer.constructor as unknown as LayerClass)(config);
}

/** Multiplications for one image; see `multiplications` for what is counted. */
export interface FullyConvolutionalSaving {
  /** Patches that the one pass stands for. */
  readonly patches: number;
  readonly patchByPatch: number;
  readonly onePass: number;
  /** How many times fewer in one pass. */
  readonly ratio: number;
}

/**
 * What one pass over an image saves against its patches one by one, at the network's stride.
 * @param image [rows, columns]
 */
export function fullyConvolutionalSaving(classifier: LayersModel, whole: LayersModel, image: readonly [rows: number, columns: number]): FullyConvolutionalSaving {
  const [, rows, columns] = classifier.inputs[0]!.shape as [null, number, number];
  const field = receptiveField(whole, image);
  const patches = field.rows.output * field.columns.output;
  const patchByPatch = patches * multiplications(classifier, [rows, columns]);
  const onePass = multiplications(whole, image);
  return { patches, patchByPatch, onePass, ratio: patchByPatch / onePass };
}
