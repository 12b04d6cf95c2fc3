/** A small server on loopback for the benchmark's pages: cross-origin isolated, so that wasm may use threads. */
import { createReadStream, existsSync } from 'node:fs';
import http from 'node:http';
import path from 'node:path';

const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.mjs': 'text/javascript', '.json': 'application/json', '.wasm': 'application/wasm' };

/**
 * @param folders path prefix → folder on disk
 * What is PUT under /made/ is held in memory and given back.
 */
export function startServer(folders) {
  const made = new Map();
  const server = http.createServer(async (request, response) => {
    const { pathname } = new URL(request.url, 'http://localhost');
    response.setHeader('Cross-Origin-Opener-Policy', 'same-origin');
    response.setHeader('Cross-Origin-Embedder-Policy', 'require-corp');
    response.setHeader('Cache-Control', 'no-store');
    response.setHeader('Content-Type', TYPES[path.extname(pathname)] ?? 'application/octet-stream');
    if (request.method === 'PUT' && pathname.startsWith('/made/')) {
      const chunks = [];
      for await (const chunk of request) chunks.push(chunk);
      made.set(pathname, Buffer.concat(chunks));
      return void response.writeHead(204).end();
    }
    if (made.has(pathname)) return void response.end(made.get(pathname));
    if (pathname.endsWith('.html')) {
      const entry = path.basename(pathname, '.html');
      return void response.end(`<!doctype html><meta charset="utf-8"><title>${entry}</title><script type="module" src="/pages/${entry}.js"></script>`);
    }
    const prefix = Object.keys(folders).find(p => pathname.startsWith(p));
    const file = prefix && path.join(folders[prefix], path.normalize(pathname.slice(prefix.length)));
    if (!file || !file.startsWith(folders[prefix]) || !existsSync(file)) return void response.writeHead(404).end();
    createReadStream(file).pipe(response);
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject).listen(0, '127.0.0.1', () => resolve({ origin: `http://localhost:${server.address().port}`, close: () => server.close() }));
  });
}
