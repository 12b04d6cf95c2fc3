/**
 * Gives Node a `navigator.gpu` by the npm package `webgpu` (Dawn), once a process; where the platform has none, nothing
 * happens and the runtime goes on to wasm. Without a GPU, `VK_DRIVER_FILES` may name a software driver such as
 * Chromium's SwiftShader; it has to be set before the process starts its first device. A process that used a device
 * does not end by itself: call `process.exit()`.
 */
export async function installWebGPU(): Promise<void> {
  const scope = globalThis as unknown as { navigator?: { gpu?: unknown } };
  if (scope.navigator?.gpu) return;
  let gpu: GPU;
  try {
    const { create, globals } = await import('webgpu');
    Object.assign(globalThis, globals);
    gpu = create([]);
  } catch {
    return;
  }
  // Node 21 and later have a navigator of their own, which can be replaced but not extended.
  const navigator = Object.create(scope.navigator ?? null, { gpu: { value: gpu, enumerable: true } }) as unknown;
  Object.defineProperty(globalThis, 'navigator', { value: navigator, configurable: true, writable: true });
}
