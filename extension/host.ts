import { OverreadError } from '../src/errors.ts';
import type { Cornerstone, CornerstoneTools, HostContext } from './types/ohif.ts';

export function startWorker(): Worker {
  return new Worker(new URL('./engine-worker.ts', import.meta.url), { type: 'module', name: 'overread' });
}

/** The host's own Cornerstone: through its extension, or by the names that it sets on the window. */
export function librariesOf(extensionManager: HostContext['extensionManager']): { cornerstone: Cornerstone; cornerstoneTools: CornerstoneTools } {
  const entry = extensionManager.getModuleEntry('@ohif/extension-cornerstone.utilityModule.common');
  const libraries = entry?.exports?.getCornerstoneLibraries?.();
  if (libraries) return libraries;
  throw new OverreadError(
    'config/invalid',
    "Expected OHIF's Cornerstone extension with getCornerstoneLibraries (OHIF 3.11 or later), got none. Load Overread in a viewer that has it.",
    { expected: '@ohif/extension-cornerstone' },
  );
}

/** In a source build the host's bundler turns import.meta.url into a file's address: then it is `overread/` beside the viewer. */
export function pluginUrl(): string {
  // webpackIgnore keeps it from being bundled.
  const here = new URL(/* webpackIgnore: true */ './', import.meta.url);
  if (here.protocol !== 'file:') return here.href;
  const { PUBLIC_URL = '/' } = globalThis as { PUBLIC_URL?: string };
  return new URL('overread/', new URL(PUBLIC_URL, location.href)).href;
}
