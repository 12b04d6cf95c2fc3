import { keep, tensor4d, tidy, type Tensor4D } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { activationOf } from './kernels/activation.ts';
import { outputSize, windowsOf } from './layer-windows.ts';
import { stepsTo } from './receptive-field.ts';
import { sliceLayer, type SliceLayer } from './slice-layers.ts';
import { predictedBytes, sliceBytes, SliceSchedule, type StageOrder, type VolumeShape } from './slice-schedule.ts';

/** Slices of the output that a run holds at most before they are read back. */
export const MOST_READ_AT_ONCE = 8;
/** Dispatches that tfjs gathers before it submits them: what they read and wrote is kept until then, freed or not. */
const GATHERED = 15;
/** Uniforms of dispatches that are under way: an allowance, far above what small planes need. */
export const UNIFORMS = 2 ** 20;

interface Made {
  readonly name: string;
  readonly shape: VolumeShape;
}

interface Stage extends StageOrder {
  readonly by: SliceLayer;
}

/** What a run will take of its device at most, in bytes. */
export interface SliceMemory {
  readonly weights: number;
  /** Slices of all layers that stand at once. */
  readonly slices: number;
  /** What tfjs holds a little longer: freed slices whose dispatches are not submitted yet, slices on their way in and out. */
  readonly passing: number;
  readonly total: number;
}

/**
 * A network of volumes, run slice by slice: each layer gives a slice as soon as those that its kernel meets are there,
 * and a slice is freed when no layer needs it any more. It is the same arithmetic as of the whole volume at once, nothing is
 * computed twice, and a layer's map is never in memory as a whole: of a 3 × 3 × 3 convolution with dilation d, 2d + 1
 * slices are. So a volume needs as much memory as its planes, however many of them there are.
 *
 * 'same' padding is Keras's: where a stride is larger than its kernel, tfjs's own 3D layers start a voxel later.
 */
export class SliceNetwork {
  readonly outputShape: VolumeShape;
  readonly #weights: number;
  readonly #volumes: readonly Made[];
  readonly #stages: Stage[];
  readonly #within: readonly { readonly name: string; readonly shape: readonly number[] }[];

  /**
   * @param inputShape of the volume
   * @throws OverreadError `model/graph`, naming the layer, for a network whose output is no window on its input
   */
  constructor(model: LayersModel, inputShape: VolumeShape) {
    const image = model.inputs[0]!;
    const output = model.outputs.at(-1)!;
    const volumes: Made[] = [{ name: image.name, shape: inputShape }];
    const index = new Map<number, number>([[image.id, 0]]);
    const within: { name: string; shape: readonly number[] }[] = [];
    const steps = stepsTo(output, image);
    const readers = (of: { readonly id: number }) => steps.filter(({ inputs }) => inputs.some(({ id }) => id === of.id)).length;
    this.#stages = [];
    for (const step of steps) {
      const inputs = step.inputs.map(({ id }) => index.get(id)!);
      const shapes = inputs.map(i => volumes[i]!.shape);
      const sides = shapes[0]!.slice(0, 3);
      const windows = windowsOf(step.layer, sides, step.inputs[0]!.shape.length);
      const [slices, rows, columns] = windows.map((window, axis) => outputSize(window, sides[axis]!)) as [number, number, number];
      const name = step.layer.name;
      const before = this.#stages.find(stage => stage.output === inputs[0]);
      const activation = step.layer.getClassName() === 'Activation' && readers(step.inputs[0]!) === 1 ? activationOf(step.layer.getConfig().activation) : undefined;
      if (activation && before?.by.takesOver?.(activation)) {
        index.set(step.output.id, inputs[0]!);
        continue;
      }
      index.set(step.output.id, volumes.length);
      volumes.push({ name, shape: [slices, rows, columns, step.output.shape.at(-1)!] });
      const by = sliceLayer(step.layer, windows[0]!, shapes.map(([n, r, c, channels]) => ({ slices: n, plane: [r, c], channels })), [rows, columns], windows.slice(1));
      if (by.within) within.push({ name, shape: by.within });
      this.#stages.push({ by, window: windows[0]!, inputs, output: volumes.length - 1 });
    }
    // Twice: a layer without a kernel of ours keeps its weights in another order, too.
    this.#weights = 2 * 4 * model.countParams();
    this.#volumes = volumes;
    this.#within = within;
    this.outputShape = volumes.at(-1)!.shape;
  }

  /** The largest tensors that a run makes. */
  get tensors(): readonly { readonly name: string; readonly shape: readonly number[] }[] {
    return [...this.#volumes.map(({ name, shape: [, ...plane] }) => ({ name, shape: [1, ...plane] })), ...this.#within];
  }

  /**
   * @param read the input's slice, rows · columns · channels values
   */
  start(read: (slice: number) => Float32Array): SliceRun {
    const [, ...plane] = this.#volumes[0]!.shape;
    return new SliceSchedule<Tensor4D>(this.#volumes.map(({ shape }) => shape), this.#stages, {
      read: slice => keep(tensor4d(read(slice), [1, ...plane])),
      make: (stage, given, slice) => keep(tidy(() => {
        const x = this.#stages[stage]!.by.slice((input, at) => given[input]!.get(at), slice);
        // A layer that does nothing at inference gives back what it was given.
        return given.some(slices => slices.get(slice) === x) ? x.clone() : x;
      })),
      free: slice => slice.dispose(),
    });
  }

  /** Counted by going through the run without computing it. */
  memory(): SliceMemory {
    const shapes = this.#volumes.map(({ shape }) => shape);
    const elements = (of: readonly number[]) => of.reduce((product, side) => product * side, 4);
    const largest = Math.max(...shapes.map(sliceBytes), ...this.#within.map(({ shape }) => elements(shape)));
    const slices = predictedBytes(shapes, this.#stages);
    const passing = GATHERED * (largest + sliceBytes(shapes[0]!)) + 2 * MOST_READ_AT_ONCE * sliceBytes(this.outputShape) + UNIFORMS;
    return { weights: this.#weights, slices, passing, total: this.#weights + slices + passing };
  }

  dispose(): void {
    for (const { by } of this.#stages) by.dispose();
  }
}

/** A volume on its way through the network; each slice of the output, [1, rows, columns, channels], is the caller's to dispose. */
export type SliceRun = SliceSchedule<Tensor4D>;
