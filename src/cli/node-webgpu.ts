import fs from 'node:fs';
import os from 'node:os';

/** Where Debian's and Google's packages keep Chromium's own SwiftShader, a WebGPU device without a GPU. */
const SWIFTSHADER = [
  '/usr/lib/chromium/vk_swiftshader_icd.json',
  '/usr/lib/chromium-browser/vk_swiftshader_icd.json',
  '/opt/google/chrome/vk_swiftshader_icd.json',
];

/**
 * Puts WebGPU into Node as browsers have it, by Dawn (the package `webgpu`); where that package has no binary for this
 * machine there is no `navigator.gpu`, as in a browser without WebGPU. Dawn's threads keep the process alive: end it
 * with process.exit().
 * @param software also look for SwiftShader when there is no real adapter
 */
export async function offerWebGPU(software: boolean): Promise<void> {
  let dawn: typeof import('webgpu');
  try {
    dawn = await import('webgpu');
  } catch {
    return;
  }
  // Vulkan's Mesa drivers complain on stderr without it; nothing is drawn on a screen here.
  process.env.XDG_RUNTIME_DIR ??= os.tmpdir();
  Object.assign(globalThis, dawn.globals);
  let gpu = dawn.create([]);
  if (software && !process.env.VK_DRIVER_FILES && !(await gpu.requestAdapter())) {
    const driver = SWIFTSHADER.find(file => fs.existsSync(file));
    if (driver) {
      // The Vulkan loader reads this when Dawn makes its next instance.
      process.env.VK_DRIVER_FILES = driver;
      gpu = dawn.create([]);
    }
  }
  const known = globalThis.navigator as Navigator | undefined;
  const navigator = Object.create(known ?? { userAgent: 'Node.js' }, { gpu: { value: gpu } }) as Navigator;
  Object.defineProperty(globalThis, 'navigator', { value: navigator, configurable: true, writable: true });
}
