import type { Dialect, Kernel } from '../kernels/kernel.ts';

/** Networks share kernels, so pipelines are kept for the time of their device. */
const kept = new WeakMap<GPUDevice, Map<string, GPUComputePipeline>>();

function of(device: GPUDevice): Map<string, GPUComputePipeline> {
  let pipelines = kept.get(device);
  if (!pipelines) kept.set(device, (pipelines = new Map()));
  return pipelines;
}

function keyIn({ precision, subgroups }: Dialect, { key }: Kernel): string {
  return [key, ...(precision === 'float16' ? [precision] : []), ...(subgroups ? ['subgroups'] : [])].join(' ');
}

/**
 * Compiles the kernels that are not there yet, all at once.
 * @throws Error with the compiler's message
 */
export async function compile(device: GPUDevice, kernels: Iterable<Kernel>, dialect: Dialect): Promise<void> {
  const pipelines = of(device);
  const missing = new Map(Array.from(kernels, kernel => [keyIn(dialect, kernel), kernel] as const).filter(([key]) => !pipelines.has(key)));
  await Promise.all(Array.from(missing, async ([key, { code }]) => {
    const module = device.createShaderModule({ label: key, code: code(dialect) });
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
export function pipelineOf(device: GPUDevice, kernel: Kernel, dialect: Dialect): GPUComputePipeline {
  const pipelines = of(device);
  const key = keyIn(dialect, kernel);
  let pipeline = pipelines.get(key);
  if (!pipeline) {
    pipeline = device.createComputePipeline({ label: key, layout: 'auto', compute: { module: device.createShaderModule({ label: key, code: kernel.code(dialect) }), entryPoint: 'main' } });
    pipelines.set(key, pipeline);
  }
  return pipeline;
}
