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

/** Cornerstone of the OHIF versions that the browser tests are run with. */
const TRIED: Readonly<Record<string, string>> = { '4.5': '3.11.1', '4.15': '3.12.10', '5.6': '3.13.2' };

/** What to tell the user of a viewer that Overread was never tried with; OHIF does not say its own version, its Cornerstone does. */
export function untriedViewer({ version }: Pick<Cornerstone, 'version'>): string | undefined {
  if (version !== undefined && TRIED[version.split('.').slice(0, 2).join('.')]) return undefined;
  return `Overread was not tried with this version of the viewer (Cornerstone ${version ?? 'of no stated version'}). It was with OHIF ${Object.values(TRIED).join(', ')}. Check what you see before you rely on it.`;
}
