import type { LayersModel } from '@tensorflow/tfjs-layers';
import { noWindow } from './layer-windows.ts';
import { stepsTo } from './receptive-field.ts';

type Shape = readonly number[];

/** Where a layer uses each of its kernels' weights once: at every position of what it gives, or of what it reads. */
const AT: Readonly<Record<string, 'output' | 'input'>> = {
  Conv2D: 'output', DepthwiseConv2D: 'output', SeparableConv2D: 'output', Dense: 'output', Conv2DTranspose: 'input',
};
/** Layers whose weights are no kernels: a multiplication a value at most, not counted. */
const NO_KERNEL: ReadonlySet<string> = new Set(['BatchNormalization', 'LayerNormalization', 'PReLU']);

/**
 * Multiplications by the kernels of convolutions and dense layers that one pass needs, padding counted as pixels. Counted
 * from the layers, not measured: what a device really does depends on its algorithm.
 * @param model one input [n, rows, columns, channels]
 * @param inputSize [rows, columns] of one image
 * @throws OverreadError `model/graph` for a layer with weights of another kind
 */
export function multiplications(model: LayersModel, [rows, columns]: readonly [rows: number, columns: number]): number {
  const image = model.inputs[0]!;
  const shapes = new Map<number, Shape>([[image.id, [1, rows, columns, image.shape[3]!]]]);
  let count = 0;
  for (const { layer, inputs, output } of stepsTo(model.outputs.at(-1)!, image)) {
    const given = inputs.map(({ id }) => [...shapes.get(id)!]);
    const made = layer.computeOutputShape(given.length === 1 ? given[0]! : given) as Shape;
    shapes.set(output.id, made);
    const at = AT[layer.getClassName()];
    if (!at && layer.weights.length > 0 && !NO_KERNEL.has(layer.getClassName())) throw noWindow(layer, 'has weights whose multiplications are not known here');
    if (at) count += positions(at === 'output' ? made : given[0]!) * kernelWeights(layer.weights.map(({ shape }) => shape as Shape));
  }
  return count;
}

/** Of a shape [n, …, channels]: how often the channels stand there. */
function positions(shape: Shape): number {
  return shape.slice(1, -1).reduce((product, size) => product * size, 1);
}

/** Biases have one axis, and are added. */
function kernelWeights(shapes: readonly Shape[]): number {
  return shapes.filter(shape => shape.length > 1).reduce((sum, shape) => sum + shape.reduce((product, size) => product * size, 1), 0);
}
