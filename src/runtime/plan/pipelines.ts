import type { Kernel } from '../kernels/kernel.ts';

/** Networks share kernels, so pipelines are kept for the time of their device. */
const kept = new WeakMap<GPUDevice, Map<string, GPUComputePipeline>>();

function of(device: GPUDevice): Map<string, GPUComputePipeline> {
  let pipelines = kept.get(device);
  if (!pipelines) kept.set(device, (pipelines = new Map()));
  return pipelines;
}

/**
 * Compiles the kernels that are not there yet, all at once.
 * @throws Error with the compiler's message
 */
export async function compile(device: GPUDevice, kernels: Iterable<Kernel>): Promise<void> {
  const pipelines = of(device);
  const missing = new Map(Array.from(kernels, kernel => [kernel.key, kernel] as const).filter(([key]) => !pipelines.has(key)));
  await Promise.all(Array.from(missing.values(), async ({ key, code }) => {
    const module = device.createShaderModule({ label: key, code });
    try {
      pipelines.set(key, await device.createComputePipelineAsync({ label: key, layout: 'auto', compute: { module, entryPoint: 'main' } }));
    } catch (error) {
      const { messages } = await module.getCompilationInfo();
      const told = messages.find(({ type }) => type === 'error');
      throw told ? new Error(`${key}: ${told.message} (line ${told.lineNum})`, { cause: error }) : error;
    }
  }));
}

/** A kernel's pipeline; one that was not compiled ahead, as another batch may want another tile, is now. */
export function pipelineOf(device: GPUDevice, { key, code }: Kernel): GPUComputePipeline {
  const pipelines = of(device);
  let pipeline = pipelines.get(key);
  if (!pipeline) {
    pipeline = device.createComputePipeline({ label: key, layout: 'auto', compute: { module: device.createShaderModule({ label: key, code }), entryPoint: 'main' } });
    pipelines.set(key, pipeline);
  }
  return pipeline;
}
