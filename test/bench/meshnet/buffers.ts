/** Bytes of GPU buffers that stand at once, by whoever makes them: counted where they are created and destroyed. */

/** What WebGPU grants everywhere: an adapter that is asked for these gives no more. */
export const DEFAULT_LIMITS = {
  maxBufferSize: 2 ** 28, maxStorageBufferBindingSize: 2 ** 27, maxStorageBuffersPerShaderStage: 8, maxComputeWorkgroupStorageSize: 16_384,
  maxComputeWorkgroupsPerDimension: 65_535, maxComputeWorkgroupSizeX: 256, maxComputeInvocationsPerWorkgroup: 256,
} as const;

export interface BufferCount {
  readonly now: number;
  readonly peak: number;
  /** The largest single one. */
  readonly largest: number;
  /** Begins the peak anew. @returns what stands now */
  reset(): number;
}

/** Counts from now on. Where there is no WebGPU all stay 0. */
export function countBuffers(): BufferCount {
  const count = { now: 0, peak: 0, largest: 0, reset: () => (count.peak = count.now) };
  const scope = globalThis as unknown as { GPUDevice?: { prototype: GPUDevice }; GPUBuffer?: { prototype: GPUBuffer } };
  if (!scope.GPUDevice || !scope.GPUBuffer) return count;
  const standing = new WeakMap<GPUBuffer, number>();
  const { createBuffer } = scope.GPUDevice.prototype;
  scope.GPUDevice.prototype.createBuffer = function (this: GPUDevice, descriptor: GPUBufferDescriptor): GPUBuffer {
    const buffer = createBuffer.call(this, descriptor);
    standing.set(buffer, descriptor.size);
    count.now += descriptor.size;
    count.peak = Math.max(count.peak, count.now);
    count.largest = Math.max(count.largest, descriptor.size);
    return buffer;
  };
  const { destroy } = scope.GPUBuffer.prototype;
  scope.GPUBuffer.prototype.destroy = function (this: GPUBuffer): undefined {
    count.now -= standing.get(this) ?? 0;
    standing.delete(this);
    return destroy.call(this);
  };
  return count;
}
