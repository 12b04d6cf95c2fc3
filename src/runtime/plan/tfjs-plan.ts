import { backend, concat, dispose, getBackend, slice, tensor, type Tensor } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { DeviceDescription } from '../../results/result.ts';
import { fused } from './fuse.ts';
import { fromLayers } from './from-layers.ts';
import { dialectOn, type Dialect } from '../kernels/kernel.ts';
import { NoPlan } from './ops.ts';
import { Plan, type Feed } from './plan.ts';
import { Program } from './program.ts';
import { tunedTiles } from './tune.ts';

/** What this file needs of tfjs's WebGPU backend; its type names neither. */
interface Backend {
  readonly device: GPUDevice;
  readonly commandEncoder?: GPUCommandEncoder | null;
  readonly tensorMap: { get(dataId: object): { readonly values?: unknown; readonly resource?: GPUBuffer | null } };
  endComputePassEncoder(): void;
  submitQueue(): void;
}

/** The device that tfjs runs on, where it runs on WebGPU. */
export function deviceOfTfjs(): GPUDevice {
  return (backend() as unknown as Backend).device;
}

export interface PlanOptions {
  /** Bytes that it may take. */
  readonly budget?: number | undefined;
  /** What the device is: convolutions are tuned to it, unless it is software, whose time depends on other things. */
  readonly on?: Pick<DeviceDescription, 'adapter' | 'software'> | undefined;
  /** float32 when left out. */
  readonly precision?: Dialect['precision'] | undefined;
}

/**
 * The plan of a layers model on the device that tfjs runs on, with its weights and pipelines there.
 * @throws NoPlan where tfjs runs on no WebGPU device, the network has no plan, or the device no float16 that is asked for; OverBudget
 */
export async function planOf(model: LayersModel, { budget, on, precision = 'float32' }: PlanOptions = {}): Promise<Plan> {
  if (getBackend() !== 'webgpu') throw new NoPlan(`tfjs runs on ${getBackend()}`);
  const device = deviceOfTfjs();
  if (precision === 'float16' && !device.features.has('shader-f16')) throw new NoPlan('the device has no shader-f16');
  const dialect = dialectOn(device, precision);
  const network = fused(await fromLayers(model));
  const tiles = !on || on.software ? undefined : await tunedTiles(device, on.adapter, dialect);
  return Plan.make(device, new Program(network, tiles, dialect), budget);
}

/**
 * Runs a plan on tensors of tfjs's, on whose queue it stands after what makes them.
 * @param inputs [n, …] each, in the order of the model's inputs
 * @returns a tensor for each output
 */
export function runPlan(plan: Plan, model: LayersModel, inputs: readonly Tensor[]): Tensor[] {
  const batch = inputs[0]!.shape[0]!;
  const most = plan.largestBatch;
  return batch <= most ? runAtOnce(plan, model, inputs, batch) : runInParts(plan, model, inputs, batch, most);
}

/** Bytes that the plan holds at most while {@link runPlan} runs a batch. */
export function mostBytes(plan: Plan, batch: number): number {
  const most = plan.largestBatch;
  return plan.bytesThrough(batch <= most ? [batch] : [most, batch % most || most]);
}

/** A batch whose tensors would be over the device's limits, in parts that are not. */
function runInParts(plan: Plan, model: LayersModel, inputs: readonly Tensor[], batch: number, most: number): Tensor[] {
  const parts: Tensor[][] = [];
  for (let first = 0; first < batch; first += most) {
    const count = Math.min(most, batch - first);
    const some = inputs.map(input => slice(input, first, count));
    parts.push(runAtOnce(plan, model, some, count));
    dispose(some);
  }
  const outputs = model.outputs.map((_, i) => concat(parts.map(part => part[i]!), 0));
  dispose(parts);
  return outputs;
}

function runAtOnce(plan: Plan, model: LayersModel, inputs: readonly Tensor[], batch: number): Tensor[] {
  const tfjs = backend() as unknown as Backend;
  const feeds = inputs.map((input): Feed => {
    const { values, resource } = tfjs.tensorMap.get(input.dataId);
    if (values instanceof Float32Array) return values;
    if (resource) return resource;
    throw new Error(`an input of type ${input.dtype} is neither on the device nor in memory`);
  });
  // What tfjs has recorded and not sent yet may be what makes an input.
  tfjs.endComputePassEncoder();
  if (tfjs.commandEncoder) tfjs.submitQueue();
  // Copies: the next run writes the same buffers.
  return plan.run(feeds, batch).map((buffer, i) => tensor({ buffer }, [batch, ...model.outputs[i]!.shape.slice(1).map(size => size!)], 'float32'));
}
