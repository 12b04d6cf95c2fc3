import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';

/** Where the packages of Chromium and Chrome keep SwiftShader, a WebGPU device without a GPU. */
const SWIFTSHADER = [
  '/usr/lib/chromium/vk_swiftshader_icd.json',
  '/usr/lib/chromium-browser/vk_swiftshader_icd.json',
  '/opt/google/chrome/vk_swiftshader_icd.json',
];

/**
 * Gives Node a `navigator.gpu` by the npm package `webgpu` (Dawn), once a process; where the platform has none, nothing
 * happens and the runtime goes on to wasm. Dawn's threads keep the process alive: end it with `process.exit()`.
 * @param software also look for SwiftShader where there is no other adapter and `VK_DRIVER_FILES` names none
 */
export async function installWebGPU(software = false): Promise<void> {
  const scope = globalThis as unknown as { navigator?: { gpu?: unknown } };
  if (scope.navigator?.gpu) return;
  let dawn: typeof import('webgpu');
  try {
    dawn = await import('webgpu');
  } catch {
    return;
  }
  // Mesa's Vulkan drivers complain on stderr without it; nothing is drawn on a screen here.
  process.env['XDG_RUNTIME_DIR'] ??= tmpdir();
  Object.assign(globalThis, dawn.globals);
  let gpu = dawn.create([]);
  if (software && !process.env['VK_DRIVER_FILES'] && !(await gpu.requestAdapter())) {
    const driver = SWIFTSHADER.find(file => existsSync(file));
    if (driver !== undefined) {
      // The Vulkan loader reads this when Dawn makes its next instance.
      process.env['VK_DRIVER_FILES'] = driver;
      gpu = dawn.create([]);
    }
  }
  // Node 21 and later have a navigator of their own, which can be replaced but not extended.
  const navigator = Object.create(scope.navigator ?? null, { gpu: { value: gpu, enumerable: true } }) as unknown;
  Object.defineProperty(globalThis, 'navigator', { value: navigator, configurable: true, writable: true });
}
