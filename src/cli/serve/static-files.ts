import { createReadStream } from 'node:fs';
import fs from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8', '.js': 'text/javascript; charset=utf-8', '.mjs': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8', '.json': 'application/json', '.jsonc': 'application/json', '.map': 'application/json',
  '.wasm': 'application/wasm', '.svg': 'image/svg+xml', '.png': 'image/png', '.jpg': 'image/jpeg', '.jpeg': 'image/jpeg',
  '.gif': 'image/gif', '.ico': 'image/x-icon', '.webp': 'image/webp', '.woff': 'font/woff', '.woff2': 'font/woff2', '.ttf': 'font/ttf',
  '.xml': 'application/xml', '.txt': 'text/plain; charset=utf-8', '.md': 'text/markdown; charset=utf-8', '.dcm': 'application/dicom',
  '.onnx': 'application/octet-stream', '.bin': 'application/octet-stream',
};

export function mediaTypeOf(file: string): string {
  return TYPES[path.extname(file).toLowerCase()] ?? 'application/octet-stream';
}

/** Names that carry a hash of their content never change; all else is asked for again. */
export function cachingOf(file: string): string {
  const name = path.basename(file);
  const hashed = /[.-][0-9a-f]{10,}\.(js|css|wasm|woff2?|svg|png)$/.test(name) || /^[0-9a-f]{16,}\.(wasm|woff2?|svg|png)$/.test(name);
  return hashed ? 'public, max-age=31536000, immutable' : 'no-cache';
}

/**
 * The file that a request path names below a folder; undefined where it names none, leaves the folder (also by a link),
 * or is hidden.
 * @param name decoded, with forward slashes
 */
export async function fileBelow(folder: string, name: string): Promise<string | undefined> {
  if (name.includes('\0') || name.split(/[\\/]/).some((part) => part.startsWith('.'))) return undefined;
  const file = path.join(folder, name);
  try {
    const [real, root] = await Promise.all([fs.realpath(file), fs.realpath(folder)]);
    if (!real.startsWith(root + path.sep)) return undefined;
    return (await fs.stat(real)).isFile() ? real : undefined;
  } catch {
    return undefined;
  }
}

export type Headers = Readonly<Record<string, string>>;

/** Sends a file, or 304 when the client has it. */
export async function sendFile(request: IncomingMessage, response: ServerResponse, file: string, headers: Headers = {}): Promise<void> {
  const { size, mtimeMs } = await fs.stat(file);
  const etag = `"${size.toString(36)}-${Math.round(mtimeMs).toString(36)}"`;
  const all = { 'Content-Type': mediaTypeOf(file), 'Cache-Control': cachingOf(file), ETag: etag, ...headers };
  if (request.headers['if-none-match'] === etag) {
    response.writeHead(304, all);
    response.end();
    return;
  }
  response.writeHead(200, { ...all, 'Content-Length': size });
  if (request.method === 'HEAD') response.end();
  else await pipeline(createReadStream(file), response);
}

export function sendText(response: ServerResponse, status: number, text: string | Uint8Array, headers: Headers = {}): void {
  response.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8', 'Cache-Control': 'no-cache', 'Content-Length': Buffer.byteLength(text), ...headers });
  response.end(text);
}
