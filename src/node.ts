/** The engine's door in Node: what index.ts offers, and what needs a disk. */
import { Engine, type EngineOptions } from './engine.ts';
import { httpFiles } from './runtime/http-files.ts';
import { diskFiles } from './runtime/node-files.ts';
import { wasmFolder } from './runtime/node-wasm.ts';
import { installWebGPU } from './runtime/node-webgpu.ts';

export * from './index.ts';
export { diskFiles } from './runtime/node-files.ts';
export { installWebGPU } from './runtime/node-webgpu.ts';

/**
 * An engine in Node: models from folders or http addresses, WebGPU through Dawn where there is a GPU, else wasm.
 * A process that used WebGPU does not end by itself: call `process.exit()`.
 */
export async function createNodeEngine(options: EngineOptions = {}): Promise<Engine> {
  if (options.backend === undefined || options.backend === 'webgpu') await installWebGPU(options.allowSoftware);
  return new Engine({
    wasmPath: wasmFolder(import.meta.url),
    fetchModel: location => (/^https?:/.test(location) ? httpFiles(location) : diskFiles(location)),
    ...options,
  });
}
