import { dispose, keep, tensor4d, tidy, type Tensor4D } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { activationOf } from './kernels/activation.ts';
import { outputSize, readBy, windowsOf, type Window } from './layer-windows.ts';
import { stepsTo } from './receptive-field.ts';
import { sliceLayer, type SliceLayer } from './slice-layers.ts';

/** [slices, rows, columns, channels] */
export type VolumeShape = readonly [slices: number, rows: number, columns: number, channels: number];

interface Made {
  readonly name: string;
  readonly shape: VolumeShape;
}

interface Stage {
  readonly by: SliceLayer;
  /** Of the axis of slices. */
  readonly window: Window;
  /** Index into the volumes: 0 is the network's input. */
  readonly inputs: readonly number[];
  /** Index into the volumes. */
  readonly output: number;
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
    return new SliceRun(this.#volumes.map(({ shape }) => shape), this.#stages, read);
  }

  dispose(): void {
    for (const { by } of this.#stages) by.dispose();
  }
}

/** A volume on its way through the network. */
export class SliceRun {
  /** Of each volume: the slices that are there. */
  readonly #slices: Map<number, Tensor4D>[];
  /** Of each volume: how many slices were made so far. */
  readonly #done: number[];
  #given = 0;
  #mostBytes = 0;

  constructor(
    private readonly shapes: readonly VolumeShape[],
    private readonly stages: readonly Stage[],
    private readonly read: (slice: number) => Float32Array,
  ) {
    this.#slices = shapes.map(() => new Map());
    this.#done = shapes.map(() => 0);
  }

  /** The most that slices of all layers together held at once, in bytes of float32; their making needs a little more. */
  get mostBytes(): number {
    return this.#mostBytes;
  }

  /** How much of all layers' slices is made, 0..1. */
  get fraction(): number {
    const sum = (of: (stage: Stage) => number) => this.stages.reduce((total, stage) => total + of(stage), 0);
    return sum(({ output }) => this.#done[output]!) / sum(({ output }) => this.shapes[output]![0]);
  }

  /**
   * Goes on until the next slice of the output is there, [1, rows, columns, channels], to be disposed by the caller.
   * @param pause asked after each slice of a layer; where it says so, the next call goes on from there
   * @returns undefined after the last slice
   */
  next(pause: () => boolean = () => false): Tensor4D | 'paused' | undefined {
    const last = this.shapes.length - 1;
    if (this.#given === this.shapes[last]![0]) return undefined;
    const wanted = this.shapes.map(() => -1);
    wanted[last] = this.#given;
    for (const { window, inputs, output } of [...this.stages].reverse()) {
      if (wanted[output]! < 0) continue;
      const upTo = readBy(window, [0, wanted[output]!])[1];
      for (const input of inputs) wanted[input] = Math.max(wanted[input]!, Math.min(upTo, this.shapes[input]![0] - 1));
    }
    this.#readInput(wanted[0]!);
    for (const stage of this.stages) if (!this.#make(stage, wanted[stage.output]!, pause)) return 'paused';
    const slice = this.#slices[last]!.get(this.#given)!;
    this.#slices[last]!.delete(this.#given++);
    return slice;
  }

  dispose(): void {
    for (const slices of this.#slices) {
      dispose([...slices.values()]);
      slices.clear();
    }
  }

  #readInput(upTo: number): void {
    const [, ...plane] = this.shapes[0]!;
    for (let slice = this.#done[0]!; slice <= upTo; slice++) {
      this.#slices[0]!.set(slice, keep(tensor4d(this.read(slice), [1, ...plane])));
      this.#done[0] = slice + 1;
    }
  }

  /** @returns false where it paused */
  #make({ by, inputs, output }: Stage, upTo: number, pause: () => boolean): boolean {
    for (let slice = this.#done[output]!; slice <= upTo; slice++) {
      const given = inputs.map(input => this.#slices[input]!);
      const made = tidy(() => {
        const x = by.slice((input, at) => given[input]!.get(at), slice);
        // A layer that does nothing at inference gives back what it was given.
        return given.some(slices => slices.get(slice) === x) ? x.clone() : x;
      });
      this.#slices[output]!.set(slice, keep(made));
      this.#done[output] = slice + 1;
      this.#count();
      this.#free(inputs);
      if (slice < upTo && pause()) return false;
    }
    return true;
  }

  /** What no layer will read again. */
  #free(volumes: readonly number[]): void {
    for (const volume of volumes) {
      const readers = this.stages.filter(({ inputs }) => inputs.includes(volume));
      const needed = Math.min(...readers.map(({ window, output }) => (this.#done[output]! === this.shapes[output]![0] ? Infinity : readBy(window, [this.#done[output]!, this.#done[output]!])[0])));
      for (const [slice, tensor] of this.#slices[volume]!) {
        if (slice >= needed) continue;
        tensor.dispose();
        this.#slices[volume]!.delete(slice);
      }
    }
  }

  #count(): void {
    let bytes = 0;
    this.#slices.forEach((slices, i) => (bytes += slices.size * 4 * this.shapes[i]!.slice(1).reduce((product, side) => product * side, 1)));
    this.#mostBytes = Math.max(this.#mostBytes, bytes);
  }
}
