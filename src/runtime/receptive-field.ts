import type { LayersModel, SymbolicTensor } from '@tensorflow/tfjs-layers';
import { OverreadError } from '../errors.ts';
import type { Layer } from './layer-graph.ts';
import { noWindow, outputSize, readBy, windowsOf, type Span, type Window } from './layer-windows.ts';

/** One axis of a network: what an output index reads of its input, and what of that depends on the image's borders. */
export interface AxisField {
  /** Sizes that were asked about. An input larger by m · alignment has an output larger by m · alignment / stride. */
  readonly input: number;
  readonly output: number;
  /** Input pixels between neighbouring outputs; below 1 where the output is finer than the input. */
  readonly stride: number;
  /** Moving the input by a multiple of this moves every map within by whole pixels: the total stride. */
  readonly alignment: number;
  /** Input pixels that the output which sees most of them reads, borders aside. */
  readonly size: number;
  /** First input that output 0 reads; negative where that is padding. */
  readonly offset: number;
  /**
   * Outputs at either end that would be others if the image went on there: they, or what they are made from, read
   * padding. All outputs between read input pixels only.
   */
  readonly lost: { readonly before: number; readonly after: number };
  /** First and last input that an output reads, on an axis without ends. Inputs between may be left out (dilation). */
  reads(output: number): Span;
}

export interface ReceptiveField {
  /** Of networks of volumes. */
  readonly slices?: AxisField;
  readonly rows: AxisField;
  readonly columns: AxisField;
}

/** One use of a layer in the graph. */
export interface Step {
  readonly layer: Layer;
  readonly inputs: readonly SymbolicTensor[];
  readonly output: SymbolicTensor;
}

/** A map along one axis: its size, its step in input pixels as a fraction, and how much of either end depends on the border. */
interface Extent {
  readonly size: number;
  readonly step: readonly [over: number, under: number];
  readonly before: number;
  readonly after: number;
}

/**
 * The receptive field, stride and offset of a network's last output, from its layers alone (Araujo, Norris, Sim 2019,
 * "Computing receptive fields of convolutional neural networks", Distill, doi 10.23915/distill.00021), for graphs with
 * branches, transposed convolutions and up-sampling too, where it differs between neighbouring outputs.
 * @param model one input [n, rows, columns, channels], or [n, slices, rows, columns, channels]; channels last
 * @param inputSize [rows, columns] or [slices, rows, columns]; where left out, the size that the network was built for
 * @throws OverreadError `model/graph`, naming the layer, where an output is no window on the input (global pooling,
 *   dense layers) or a layer is not known; when the input is too small for the network
 */
export function receptiveField(model: Pick<LayersModel, 'inputs' | 'outputs'>, inputSize?: readonly number[]): ReceptiveField {
  const image = model.inputs[0]!;
  const output = model.outputs.at(-1)!;
  const axes = image.shape.length - 2;
  if (model.inputs.length !== 1 || (axes !== 2 && axes !== 3)) {
    throw new OverreadError('model/graph', `Expected a network of one input [n, rows, columns, channels], or with slices before the rows, got ${model.inputs.length} of shape ${model.inputs.map(({ shape }) => `[${shape}]`).join(', ')}. Leave out input.tiling.`, {
      expected: '[n, rows, columns, channels]', got: model.inputs.map(({ shape }) => shape),
    });
  }
  const names = ['slices', 'rows', 'columns'].slice(-axes);
  const sides = inputSize ?? image.shape.slice(1, -1);
  if (sides.length !== axes || sides.some(side => side == null)) {
    throw new OverreadError('model/graph', `Expected the size of the input of a network that takes any. Give inputSize as [${names.join(', ')}].`, { expected: names, got: sides });
  }
  const sizes = new Map<number, readonly number[]>([[image.id, sides as number[]]]);
  const walks = (sides as number[]).map(side => new AxisWalk(image, side));
  for (const step of stepsTo(output, image)) {
    const windows = windowsOf(step.layer, sizes.get(step.inputs[0]!.id)!, step.inputs[0]!.shape.length);
    sizes.set(step.output.id, walks.map((walk, axis) => walk.add(step, windows[axis]!)));
  }
  const fields = walks.map(walk => walk.field(output));
  const [rows, columns] = fields.slice(-2);
  return { ...(axes === 3 && { slices: fields[0]! }), rows: rows!, columns: columns! };
}

/** The graph from the input to the output, each step after those that it needs. */
export function stepsTo(output: SymbolicTensor, image: SymbolicTensor): readonly Step[] {
  const steps: Step[] = [];
  const seen = new Set([image.id]);
  const visit = (tensor: SymbolicTensor): void => {
    if (seen.has(tensor.id)) return;
    seen.add(tensor.id);
    const layer = tensor.sourceLayer;
    const node = layer.inboundNodes[tensor.nodeIndex];
    if (!node || node.inputTensors.length === 0) throw noWindow(layer, 'is an input of its own');
    if (node.outputTensors.length !== 1) throw noWindow(layer, 'gives several tensors');
    node.inputTensors.forEach(visit);
    steps.push({ layer, inputs: node.inputTensors, output: tensor });
  };
  visit(output);
  return steps;
}

/** One axis, walked from the input to the output. */
class AxisWalk {
  readonly #extents = new Map<number, Extent>();
  readonly #steps: { readonly inputs: readonly number[]; readonly output: number; readonly window: Window }[] = [];
  #alignment = 1;

  constructor(private readonly image: SymbolicTensor, private readonly input: number) {
    this.#extents.set(image.id, { size: input, step: [1, 1], before: 0, after: 0 });
  }

  /** @returns the size of what the step makes */
  add({ layer, inputs, output }: Step, window: Window): number {
    const [first, ...others] = inputs.map(({ id }) => this.#extents.get(id)!);
    const { size, step } = first!;
    if (others.some(other => other.size !== size || other.step.join() !== step.join())) throw noWindow(layer, 'joins maps of different strides');
    const before = Math.max(first!.before, ...others.map(other => other.before));
    const end = size - Math.max(first!.after, ...others.map(other => other.after));
    const made = outputSize(window, size);
    if (made < 1) {
      throw new OverreadError('model/graph', `Expected an input that ${layer.name} leaves something of, got one of ${this.input} pixels, of which it gets ${size}. Give the network a larger input.`, { got: this.input, layer: layer.name });
    }
    const clean = cleanOutputs(window, before, end);
    const extent: Extent = {
      size: made,
      step: stepAfter(window, step),
      before: Math.min(made, Math.max(0, clean.from)),
      after: made - Math.max(0, Math.min(made, clean.to)),
    };
    this.#extents.set(output.id, extent);
    this.#alignment = leastMultiple(this.#alignment, extent.step[0]);
    this.#steps.push({ inputs: inputs.map(({ id }) => id), output: output.id, window });
    return made;
  }

  field(output: SymbolicTensor): AxisField {
    const { size: outputs, step: [over, under], before, after } = this.#extents.get(output.id)!;
    const reads = (index: number) => this.#reads(output.id, index);
    let size = 0;
    // Which pixels are read repeats after this many outputs.
    for (let phase = 0; phase < (this.#alignment * under) / over; phase++) {
      const [first, last] = reads(phase);
      size = Math.max(size, last - first + 1);
    }
    return {
      input: this.input, output: outputs, stride: over / under, alignment: this.#alignment, size,
      offset: reads(0)[0], lost: { before, after }, reads,
    };
  }

  /** Back to the input; where branches meet, what either of them reads. */
  #reads(output: number, index: number): Span {
    const spans = new Map<number, Span>([[output, [index, index]]]);
    for (let i = this.#steps.length - 1; i >= 0; i--) {
      const { inputs, output: made, window } = this.#steps[i]!;
      const wanted = spans.get(made);
      if (!wanted) continue;
      const [first, last] = readBy(window, wanted);
      for (const id of inputs) {
        const there = spans.get(id);
        spans.set(id, there ? [Math.min(there[0], first), Math.max(there[1], last)] : [first, last]);
      }
    }
    const [first, last] = spans.get(this.image.id)!;
    return [first + 0, last + 0]; // Rounding up leaves −0.
  }
}

/**
 * The outputs, `from` up to but without `to`, that read nothing but inputs of the same kind of stretch. Padding counts
 * as outside of it, as do the positions that an up-sampling repeats at its end for want of a next one.
 */
function cleanOutputs(window: Window, from: number, to: number): { readonly from: number; readonly to: number } {
  switch (window.kind) {
    case 'slide':
      return { from: Math.ceil((from + window.before) / window.stride), to: Math.floor((to - window.size + window.before) / window.stride) + 1 };
    case 'repeat':
      return { from: from * window.factor, to: window.blend ? (to - 1) * window.factor + 1 : to * window.factor };
    case 'spread':
      return {
        from: Math.max(from * window.stride + window.size - window.stride, from * window.stride) - window.before,
        to: to * window.stride - window.before,
      };
  }
}

function stepAfter(window: Window, [over, under]: readonly [number, number]): readonly [number, number] {
  const factor = window.kind === 'repeat' ? window.factor : window.kind === 'spread' ? window.stride : 1;
  const [a, b] = [over * (window.kind === 'slide' ? window.stride : 1), under * factor];
  const common = greatestDivisor(a, b);
  return [a / common, b / common];
}

function greatestDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestDivisor(b, a % b);
}

function leastMultiple(a: number, b: number): number {
  return (a / greatestDivisor(a, b)) * b;
}
