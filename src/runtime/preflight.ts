import { OverreadError } from '../errors.ts';
import type { Device } from './device.ts';
import type { Network } from './network.ts';

const FLOAT_BYTES = 4;

/**
 * Refuses a network with a tensor that the device cannot bind whole. WebGPU itself would not throw: the tensor would
 * come back with whatever its buffer held before. And a network of volumes whose slices would take more than the budget: a smaller
 * part of it at once there is not.
 * @throws OverreadError `device/limit`, naming the tensor and the limit, or what the budget would have to be
 */
export function checkLimits(network: Network, modelId: string, device: Device, batch = 1): void {
  const { budget } = device;
  const memory = budget === undefined ? undefined : network.sliced?.memory();
  if (memory && memory.total > budget!) {
    const [needed, given] = [memory.total, budget!];
    throw new OverreadError(
      'device/limit',
      `The model ${modelId} needs ${mebibytes(needed)} of the device at once (weights ${mebibytes(memory.weights)}, slices of its layers ${mebibytes(memory.slices)}, slices on their way ` +
        `${mebibytes(memory.passing)}), but its budget is ${mebibytes(given)}. Raise the budget, choose the wasm backend, or a model of fewer channels.`,
      { expected: given, got: needed, ...memory },
    );
  }
  const { bytes: allowed, limit } = device.maxTensor;
  for (const { name, shape } of network.tensors) {
    // Weights have no batch: what they are taken to need is too much by that, on the safe side.
    const bytes = batch * shape.reduce((product, size) => product * size, FLOAT_BYTES);
    if (bytes <= allowed) continue;
    const { backend, adapter } = device.description;
    throw new OverreadError(
      'device/limit',
      `The model ${modelId} needs ${mebibytes(bytes)} for one tensor (${name}, [${shape}]), but ${backend} on ${adapter} ` +
        `takes at most ${mebibytes(allowed)} (${limit}). Choose the wasm backend or a machine with a larger GPU.`,
      { expected: allowed, got: bytes, tensor: name, limit },
    );
  }
}

function mebibytes(bytes: number): string {
  const value = bytes / 2 ** 20;
  return `${value >= 10 ? Math.round(value) : value.toFixed(1)} MiB`;
}
