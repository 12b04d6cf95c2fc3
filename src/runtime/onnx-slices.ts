import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { InferenceSession, Tensor as OnnxTensor } from 'onnxruntime-web';
import { isOverreadError } from '../errors.ts';
import type { Device } from './device.ts';
import { LINEAR } from './kernels/activation.ts';
import { perAxis, type Window } from './layer-windows.ts';
import type { NetworkPlan } from './network.ts';
import { channelsFirst, channelsLast } from './onnx-layout.ts';
import { openOnnx, type OnnxPlace, type OnnxSession } from './onnx-session.ts';
import { activationIn, JOINS, madeBy, NOTHING, weightsOf, type Read } from './plan/from-layers.ts';
import { fused } from './plan/fuse.ts';
import { NoPlan, type Node, type Pair, type PlaneShape } from './plan/ops.ts';
import { toOnnx } from './plan/to-onnx.ts';
import { areVolumesQuickerOnTfjs } from './plan/wasm-choice.ts';
import { stagesOf, type SliceRun, type VolumeStep } from './slice-network.ts';
import { SliceSchedule, type Making, type StageOrder, type VolumeShape } from './slice-schedule.ts';
import { transposedValues } from './strided.ts';

/** One slice of a layer from slices of what it reads: a network of planes, which reads each of them as an input. */
interface Layered {
  readonly nodes: Node[];
  /** Slices of the first input that are laid side by side as channels, from which on and how far apart. */
  readonly met: { readonly first: (slice: number) => number; readonly count: number; readonly rate: number };
  /** Of one slice of each input. */
  readonly planes: readonly PlaneShape[];
}

/** Values that go into a run at most, where that is more than one slice's: what a run costs beside them, it costs once for all. */
const MOST_VALUES = 2 ** 22;
const MOST_SLICES = 16;

interface Stage extends StageOrder {
  readonly by: Layered;
  readonly opened: OnnxSession;
}

/**
 * A network of volumes on WebAssembly by onnxruntime's kernels, slice by slice as `SliceNetwork` goes, so that it needs as little memory: a 3D
 * convolution is a 2D one over the slices that its kernel meets, side by side as channels. Slices lie in memory channel by channel, as
 * onnxruntime has them, and to lay them side by side is to copy them one after the other. What has no counterpart, and what tfjs computes quicker, runs
 * on tfjs, and {@link kernels} says so.
 */
export class OnnxSlices implements NetworkPlan {
  #stages: readonly Stage[] = [];
  #volumes: readonly VolumeShape[] = [];
  #kernels = 'not compiled yet';
  #bytes = 0;

  constructor(private readonly model: LayersModel, private readonly shape: VolumeShape, private readonly name: string, private readonly place: OnnxPlace) {}

  get kernels(): string {
    return this.#kernels;
  }

  get made(): boolean {
    return this.#stages.length > 0;
  }

  /** What the weights take beside tfjs's own. */
  get bytes(): number {
    return this.made ? this.#bytes : 0;
  }

  async make({ description }: Device): Promise<void> {
    const opened: OnnxSession[] = [];
    try {
      const read = await weightsOf(this.model.layers);
      const { volumes, stages } = stagesOf<Layered>(this.model, this.shape, {
        make: step => layered(step, read),
        takesOver(by, { layer, windows, made }) {
          // Else it is a stage of its own, and is refused there where it has no counterpart.
          if (layer.getClassName() === 'Conv3D' || !windows.every(isPointwise)) return false;
          added(by.nodes, layer, [by.nodes.length - 1], planeOf(made), read);
          return true;
        },
      });
      let bytes = 0;
      const networks = stages.map(({ by }) => fused({ nodes: by.nodes, outputs: [by.nodes.length - 1] }));
      if (areVolumesQuickerOnTfjs(networks)) {
        this.#kernels = 'computed by tfjs, whose kernels suit its many channels better than onnxruntime\'s';
        return;
      }
      for (const [i, { by }] of stages.entries()) {
        const network = networks[i]!;
        const file = toOnnx(network, { inputs: by.planes.map(() => 4), outputs: [4], channelsFirst: true });
        opened.push(await openOnnx(file, new Map(), this.name, { ...this.place, on: description }));
        bytes += file.byteLength;
      }
      this.#stages = stages.map((stage, i) => ({ ...stage, opened: opened[i]! }));
      this.#volumes = volumes.map(({ shape }) => shape);
      this.#bytes = bytes;
      this.#kernels = `computed slice by slice by ${opened[0]!.device.adapter}`;
    } catch (error) {
      for (const { session } of opened) void session.release().catch(() => {});
      // Where it does not start, tfjs, which has, computes the same.
      if (!(error instanceof NoPlan) && !isOverreadError(error, 'device/unavailable')) throw error;
      this.#kernels = `computed by tfjs, since ${(error as Error).message}`;
    }
  }

  run(): undefined {
    return undefined;
  }

  start(read: (slice: number) => Float32Array): SliceRun | undefined {
    if (!this.made) return undefined;
    const [, ...plane] = this.shape;
    const [, rows, columns, channels] = this.#volumes.at(-1)!;
    const stages = this.#stages;
    const values = Math.max(...stages.map(({ by: { planes, met } }) => met.count * sizeOf(planes[0]!)));
    const group = Math.max(1, Math.min(MOST_SLICES, Math.floor(MOST_VALUES / values)));
    const fed = new Float32Array(group * values);
    const schedule = new SliceSchedule<Float32Array>(this.#volumes, stages, { read: slice => channelsFirst(read(slice), [1, ...plane]).values, free: () => {} }, group);
    return {
      get fraction() {
        return schedule.fraction;
      },
      async next(pause) {
        const steps = schedule.steps(pause);
        let step = steps.next();
        while (!step.done) step = steps.next(await computed(stages[step.value.stage]!, step.value, fed));
        if (step.value === undefined || step.value === 'paused') return step.value;
        const { values } = channelsLast(step.value, [1, channels, rows, columns]);
        return { data: () => Promise.resolve(values), dispose: () => {} };
      },
      dispose: () => schedule.dispose(),
    };
  }

  dispose(): void {
    for (const { opened: { session } } of this.#stages) void (session as InferenceSession).release().catch(() => {});
    this.#stages = [];
  }
}

/** @param room for what the first input is laid out in */
async function computed({ by: { met, planes }, opened: { ort, session } }: Stage, { given, slice, count }: Making<Float32Array>, room: Float32Array): Promise<readonly Float32Array[]> {
  const fed = given.map((slices, i) => {
    const { rows, columns, channels } = planes[i]!;
    const size = sizeOf(planes[i]!);
    const taps = i === 0 ? met.count : 1;
    const values = i === 0 ? room.subarray(0, count * taps * size) : new Float32Array(count * size);
    for (let at = 0; at < count * taps; at++) {
      const tap = at % taps;
      const there = slices.get(met.first(slice + (at - tap) / taps) + tap * met.rate);
      if (there) values.set(there, at * size);
      // Beyond the ends there are zeros.
      else values.fill(0, at * size, (at + 1) * size);
    }
    return new ort.Tensor('float32', values, [count, taps * channels, rows, columns]);
  });
  const { y0 } = (await session.run(Object.fromEntries(fed.map((of, i) => [`x${i}`, of])))) as { y0: OnnxTensor };
  const values = y0.data as Float32Array;
  const size = values.length / count;
  return Array.from({ length: count }, (_, i) => values.slice(i * size, (i + 1) * size));
}

/** @throws NoPlan for a layer that has no counterpart */
function layered({ layer, windows, inputs, made }: VolumeStep, read: Read): Layered {
  const planes = inputs.map(planeOf);
  const [window] = windows as [Window];
  const nodes: Node[] = [];
  const input = (shape: PlaneShape, index: number) => nodes.push({ name: layer.name, op: { kind: 'input', index }, inputs: [], shape }) - 1;
  if (layer.getClassName() !== 'Conv3D') {
    if (!windows.every(isPointwise)) throw new NoPlan(`${layer.name} is of the class ${layer.getClassName()}`);
    const given = planes.map(input);
    const last = added(nodes, layer, given, planeOf(made), read);
    // A layer that does nothing still hands its slice on.
    if (last !== nodes.length - 1 || given.includes(last)) nodes.push({ name: layer.name, op: { kind: 'pointwise', activation: LINEAR }, inputs: [last], shape: planeOf(made) });
    return { nodes, met: { first: slice => slice, count: 1, rate: 1 }, planes };
  }
  const config = layer.getConfig() as unknown as { readonly kernelSize: unknown; readonly strides: unknown; readonly dilationRate: unknown; readonly useBias?: boolean; readonly activation?: unknown };
  const [depth, ...size] = perAxis(config.kernelSize, 3) as [number, number, number];
  const [rate, ...rates] = perAxis(config.dilationRate ?? 1, 3) as [number, number, number];
  const [, ...strides] = perAxis(config.strides, 3) as [number, number, number];
  if (window.kind !== 'slide') throw new NoPlan(`${layer.name} does not slide`);
  const [plane] = planes as [PlaneShape];
  const kernel = read(layer, 0);
  const filters = made[3];
  if (kernel.length !== depth * size[0]! * size[1]! * plane.channels * filters) throw new NoPlan(`${layer.name} has groups`);
  const x = input({ ...plane, channels: depth * plane.channels }, 0);
  nodes.push({
    name: layer.name, inputs: [x], shape: planeOf(made),
    op: {
      kind: 'convolution', size: size as unknown as Pair, strides: strides as unknown as Pair, rates: rates as unknown as Pair, before: windows.slice(1).map(axis => (axis.kind === 'slide' ? axis.before : 0)) as unknown as Pair,
      // [slices, rows, columns, in, out] → [rows, columns, slices · in, out]
      kernel: transposedValues(kernel, [depth, size[0]! * size[1]!, plane.channels * filters], [1, 0, 2]),
      bias: config.useBias === false ? undefined : read(layer, 1), activation: LINEAR,
    },
  });
  activatedBy(nodes, layer, config.activation);
  return { nodes, met: { first: slice => slice * window.stride - window.before, count: depth, rate }, planes };
}

/** Adds what a layer that goes voxel by voxel does. @returns the node that gives it */
function added(nodes: Node[], layer: VolumeStep['layer'], given: readonly number[], shape: PlaneShape, read: Read): number {
  const type = layer.getClassName();
  const { name } = layer;
  if (NOTHING.has(type)) return given[0]!;
  const join = JOINS[type];
  if (join) {
    if (join === 'average' && given.length !== 2) throw new NoPlan(`${name} averages ${given.length} maps`);
    return given.slice(1).reduce((a, b) => nodes.push({ name, op: { kind: 'combination', join, activation: LINEAR }, inputs: [a, b], shape }) - 1, given[0]!);
  }
  const config = layer.getConfig() as Readonly<Record<string, unknown>>;
  const { op } = madeBy(layer, config, given.map(i => nodes[i]!.shape), read, 5);
  nodes.push({ name, op, inputs: given, shape });
  if (type !== 'Activation') activatedBy(nodes, layer, config['activation']);
  return nodes.length - 1;
}

function activatedBy(nodes: Node[], layer: VolumeStep['layer'], given: unknown): void {
  const activation = activationIn(layer, given);
  if (activation === LINEAR) return;
  const { shape } = nodes.at(-1)!;
  nodes.push({ name: layer.name, op: activation === 'softmax' ? { kind: 'softmax' } : { kind: 'pointwise', activation }, inputs: [nodes.length - 1], shape });
}

function isPointwise(window: Window): boolean {
  return window.kind === 'slide' && window.size === 1 && window.stride === 1 && window.before === 0 && window.after === 0;
}

function sizeOf({ rows, columns, channels }: PlaneShape): number {
  return rows * columns * channels;
}

function planeOf([, rows, columns, channels]: VolumeShape): PlaneShape {
  return { rows, columns, channels };
}
