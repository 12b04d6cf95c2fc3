import { keep, tensor4d, tidy, type Tensor4D } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { activationOf } from './kernels/activation.ts';
import type { Layer } from './layer-graph.ts';
import { outputSize, windowsOf, type Window } from './layer-windows.ts';
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

/** A layer of a network of volumes in its place. */
export interface VolumeStep {
  readonly layer: Layer;
  /** Of slices, rows and columns. */
  readonly windows: readonly Window[];
  readonly inputs: readonly VolumeShape[];
  readonly made: VolumeShape;
}

type Stage<L> = StageOrder & { readonly by: L };

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
  readonly #stages: readonly Stage<SliceLayer>[];
  readonly #within: readonly { readonly name: string; readonly shape: readonly number[] }[];

  /**
   * @param inputShape of the volume
   * @throws OverreadError `model/graph`, naming the layer, for a network whose output is no window on its input
   */
  constructor(model: LayersModel, inputShape: VolumeShape) {
    const { volumes, stages } = stagesOf<SliceLayer>(model, inputShape, {
      make: ({ layer, windows: [window, ...rest], inputs, made: [, rows, columns] }) =>
        sliceLayer(layer, window!, inputs.map(([n, r, c, channels]) => ({ slices: n, plane: [r, c], channels })), [rows, columns], rest),
      takesOver(by, { layer }) {
        const activation = layer.getClassName() === 'Activation' ? activationOf(layer.getConfig().activation) : undefined;
        return activation !== undefined && by.takesOver?.(activation) === true;
      },
    });
    this.#stages = stages;
    // Twice: a layer without a kernel of ours keeps its weights in another order, too.
    this.#weights = 2 * 4 * model.countParams();
    this.#volumes = volumes;
    this.#within = stages.flatMap(({ by, output }) => (by.within ? [{ name: volumes[output]!.name, shape: by.within }] : []));
    this.outputShape = volumes.at(-1)!.shape;
  }

  /** The largest tensors that a run makes. */
  get tensors(): readonly { readonly name: string; readonly shape: readonly number[] }[] {
    return [...this.#volumes.map(({ name, shape: [, ...plane] }) => ({ name, shape: [1, ...plane] })), ...this.#within];
  }

  /**
   * @param read the input's slice, rows · columns · channels values
   */
  start(read: (slice: number) => Float32Array): SliceSchedule<Tensor4D> {
    const [, ...plane] = this.#volumes[0]!.shape;
    return new SliceSchedule<Tensor4D>(this.#volumes.map(({ shape }) => shape), this.#stages, {
      read: slice => keep(tensor4d(read(slice), [1, ...plane])),
      make: ({ stage, given, slice }) => keep(tidy(() => {
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

/**
 * The layers of a network of volumes in the order in which a slice goes through them.
 * @param how `make` makes what computes a layer; `takesOver` is asked whether that of a layer computes the next one, too, where no other reads it
 * @throws OverreadError `model/graph`, naming the layer, for a network whose output is no window on its input
 */
export function stagesOf<L>(
  model: LayersModel, inputShape: VolumeShape, how: { make(step: VolumeStep): L; takesOver(by: L, step: VolumeStep): boolean },
): { readonly volumes: readonly Made[]; readonly stages: readonly Stage<L>[] } {
  const image = model.inputs[0]!;
  const volumes: Made[] = [{ name: image.name, shape: inputShape }];
  const stages: Stage<L>[] = [];
  const index = new Map<number, number>([[image.id, 0]]);
  const steps = stepsTo(model.outputs.at(-1)!, image);
  const readers = (of: { readonly id: number }) => steps.filter(({ inputs }) => inputs.some(({ id }) => id === of.id)).length;
  for (const { layer, inputs: read, output } of steps) {
    const inputs = read.map(({ id }) => index.get(id)!);
    const shapes = inputs.map(i => volumes[i]!.shape);
    const sides = shapes[0]!.slice(0, 3);
    const windows = windowsOf(layer, sides, read[0]!.shape.length);
    const [slices, rows, columns] = windows.map((window, axis) => outputSize(window, sides[axis]!)) as [number, number, number];
    const step: VolumeStep = { layer, windows, inputs: shapes, made: [slices, rows, columns, output.shape.at(-1)!] };
    const before = stages.find(stage => stage.output === inputs[0]);
    if (before && inputs.length === 1 && readers(read[0]!) === 1 && how.takesOver(before.by, step)) {
      index.set(output.id, inputs[0]!);
      continue;
    }
    index.set(output.id, volumes.length);
    stages.push({ by: how.make(step), window: windows[0]!, inputs, output: volumes.length });
    volumes.push({ name: layer.name, shape: step.made });
  }
  return { volumes, stages };
}

/** A volume on its way through the network; each slice of the output, [1, rows, columns, channels], is the caller's to dispose. */
export interface SliceRun {
  /** How much of all layers' slices is made, 0..1. */
  readonly fraction: number;
  /** As of {@link SliceSchedule}, at once or later. */
  next(pause?: () => boolean): Slice | 'paused' | undefined | Promise<Slice | 'paused' | undefined>;
  dispose(): void;
}

/** Its values, and the end of it. */
export interface Slice {
  data(): Promise<unknown>;
  dispose(): void;
}
