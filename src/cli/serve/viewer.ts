/** The stock OHIF viewer, its files untouched on disk; what is changed is changed as it is served. */
import fs from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import path from 'node:path';
import { pagePolicy, workerPolicy } from './policy.ts';
import { cachingOf, fileBelow, mediaTypeOf, sendFile, sendText } from './static-files.ts';
import { withoutEval } from './without-eval.ts';

export interface Viewer {
  /** @param name below the base path, decoded, without a leading slash */
  handle(request: IncomingMessage, response: ServerResponse, name: string): Promise<void>;
}

/**
 * @param dist OHIF's `dist/`
 * @param basePath `/`, or `/sub/path/`
 */
export function stockViewer(dist: string, basePath: string): Viewer {
  /** Files that are served otherwise than they are. */
  const rewritten = new Map<string, string>();
  const asTheyAre = new Set<string>();
  const textOf = async (file: string): Promise<string | undefined> => {
    if (asTheyAre.has(file)) return undefined;
    const known = rewritten.get(file);
    if (known !== undefined) return known;
    const stored = await fs.readFile(file, 'utf8');
    const extension = path.extname(file);
    const text = rebase(extension === '.js' ? withoutEval(stored) : stored, extension, basePath);
    if (text === stored) {
      asTheyAre.add(file);
      return undefined;
    }
    rewritten.set(file, text);
    return text;
  };
  const page = async (response: ServerResponse): Promise<void> => {
    const index = path.join(dist, 'index.html');
    const html = (await textOf(index)) ?? (await fs.readFile(index, 'utf8'));
    sendText(response, 200, html, { 'Content-Type': mediaTypeOf('index.html'), 'Content-Security-Policy': pagePolicy(html) });
  };
  return {
    async handle(request, response, name) {
      const file = name === '' ? undefined : await fileBelow(dist, name);
      if (!file) {
        // A route of the single-page application has no extension (its identifiers have dots); a missing file has one.
        if (/\.(js|mjs|css|json|jsonc|wasm|map|png|jpe?g|svg|ico|woff2?|html|xml|txt|md)$/i.test(name)) return sendText(response, 404, 'Not found\n');
        return page(response);
      }
      if (path.basename(file) === 'index.html') return page(response);
      const script = /\.m?js$/.test(file);
      const headers: Record<string, string> = script ? { 'Content-Security-Policy': workerPolicy('viewer') } : {};
      const text = script || file.endsWith('.css') ? await textOf(file) : undefined;
      if (text === undefined) return sendFile(request, response, file, headers);
      sendText(response, 200, text, { 'Content-Type': mediaTypeOf(file), 'Cache-Control': cachingOf(file), ...headers });
    },
  };
}

/** The prebuilt viewer is built for the root of a host: the places where it says so, said for a sub-path. */
export function rebase(text: string, extension: string, basePath: string): string {
  if (basePath === '/') return text;
  switch (extension) {
    case '.html':
      return text.replace(/\b(href|src|content)="\/(?!\/)/g, `$1="${basePath}`).replaceAll('window.PUBLIC_URL="/"', `window.PUBLIC_URL="${basePath}"`);
    case '.css':
      return text.replace(/url\((["']?)\/(?!\/)/g, `url($1${basePath}`);
    case '.js':
      return text.replaceAll('__webpack_require__.p = "/"', `__webpack_require__.p = "${basePath}"`)
        .replaceAll("browserImportFunction('/", `browserImportFunction('${basePath}`);
    default:
      return text;
  }
}
