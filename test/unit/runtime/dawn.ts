import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { runInThisContext } from 'node:vm';

/** Where Debian's chromium keeps the driver of its software GPU. */
const SWIFTSHADER = '/usr/lib/chromium/vk_swiftshader_icd.json';
const real = createRequire(__filename);

/** The native half of the npm package `webgpu` (Dawn), whose own wrapper is an ES module that jest cannot load. */
interface Dawn {
  create(flags: string[]): GPU;
  readonly globals: object;
}

function binary(): string | undefined {
  const dist = join(dirname(real.resolve('webgpu')), 'dist');
  const folder = readdirSync(dist).find(name => name === `${process.platform}-${process.arch}` || name === `${process.platform}-universal`);
  return folder && join(dist, folder, 'dawn.node');
}

/** Why Dawn cannot run here; undefined when it can. */
export function dawnMissing(): string | undefined {
  if (!process.env['VK_DRIVER_FILES'] && !existsSync(SWIFTSHADER)) return `no ${SWIFTSHADER} (apt-get install chromium)`;
  if (process.platform === 'linux' && !hasVulkanLoader()) return 'no libvulkan.so.1 (apt-get install libvulkan1)';
  try {
    return binary() === undefined ? `the package webgpu has no binary for ${process.platform}-${process.arch}` : undefined;
  } catch {
    return 'the package webgpu is not installed';
  }
}

function hasVulkanLoader(): boolean {
  const { stdout } = spawnSync('/sbin/ldconfig', ['-p'], { encoding: 'utf8' });
  // Where there is no ldconfig to ask, the tests themselves will tell.
  return !stdout || stdout.includes('libvulkan.so.1');
}

/** A module for `jest.mock('webgpu', …)`. */
export function dawn(): Dawn {
  // The Vulkan loader reads the process's own environment, of which jest gives tests a copy.
  const { env } = runInThisContext('process') as NodeJS.Process;
  env['VK_DRIVER_FILES'] ??= SWIFTSHADER;
  return real(binary()!) as Dawn;
}
