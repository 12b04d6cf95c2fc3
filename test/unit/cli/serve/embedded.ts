import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { startServer, type RunningServer, type ServerOptions } from '../../../../src/cli/serve/server.ts';
import { InstanceStore } from '../../../../src/cli/serve/store/instance-store.ts';

const folders: string[] = [];

export function temporaryFolder(): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'overread-serve-'));
  folders.push(folder);
  return folder;
}

export function removeFolders(): void {
  for (const folder of folders.splice(0)) fs.rmSync(folder, { recursive: true, force: true });
}

export function write(folder: string, name: string, content: string | Uint8Array): string {
  const file = path.join(folder, name);
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, content);
  return file;
}

/** What an OHIF build looks like, where we touch it. */
export function fakeViewer(): string {
  const dist = temporaryFolder();
  write(dist, 'index.html', '<!doctype html><meta content="/assets/tile.png"><link href="/app.css"><script>window.PUBLIC_URL="/"</script><script src="/app-config.js"></script>');
  write(dist, 'app.css', '@font-face{src:url(/a.woff2)}');
  write(dist, 'app.bundle.0f6159c501addfe9.js', '__webpack_require__.p = "/";import("https://example.com/");');
  write(dist, 'app-config.js', 'window.config = "OHIF\'s own"');
  return dist;
}

export interface Embedded extends RunningServer {
  readonly store: InstanceStore;
  readonly dicomWeb: string;
}

/** A server on a free port over a folder. */
export async function embedded(folder = temporaryFolder(), options: Partial<ServerOptions> = {}): Promise<Embedded> {
  const store = await InstanceStore.open(folder);
  const plugin = temporaryFolder();
  write(plugin, 'extension.js', 'export default {}');
  write(plugin, 'chunks/12.0123456789.js', 'export {}');
  const server = await startServer({
    host: '127.0.0.1', port: 0, basePath: '/', viewer: fakeViewer(), plugin, models: temporaryFolder(), source: store, allowSoftwareAdapter: false, ...options,
  });
  const dicomWeb = `http://localhost:${server.port}${options.basePath ?? '/'}dicom-web`;
  return { ...server, store, dicomWeb, close: async () => { await server.close(); await store.close(); } };
}

export function stowBody(files: readonly Uint8Array[], boundary = 'b'): { headers: Record<string, string>; body: Uint8Array<ArrayBuffer>; method: 'POST' } {
  const parts = files.flatMap((file) => [Buffer.from(`--${boundary}\r\nContent-Type: application/dicom\r\n\r\n`), file, Buffer.from('\r\n')]);
  return {
    method: 'POST',
    headers: { 'content-type': `multipart/related; type="application/dicom"; boundary=${boundary}` },
    body: new Uint8Array(Buffer.concat([...parts, Buffer.from(`--${boundary}--\r\n`)])),
  };
}

/** Bodies of a multipart/related answer. */
export async function partsOf(response: Response): Promise<{ headers: string; body: Buffer }[]> {
  const boundary = /boundary="?([^";]+)/.exec(response.headers.get('content-type') ?? '')![1]!;
  const bytes = Buffer.from(await response.arrayBuffer()).toString('latin1');
  return bytes.split(`--${boundary}`).slice(1, -1).map((part) => {
    const at = part.indexOf('\r\n\r\n');
    return { headers: part.slice(2, at), body: Buffer.from(part.slice(at + 4, -2), 'latin1') };
  });
}
