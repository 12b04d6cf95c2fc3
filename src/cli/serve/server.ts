import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { OverreadError } from '../../errors.ts';
import { appConfig } from './app-config.ts';
import { handleModels } from './models.ts';
import { workerPolicy } from './policy.ts';
import { handleProxy, type Pacs } from './proxy.ts';
import { fileBelow, sendFile, sendText } from './static-files.ts';
import { handleDicomWeb } from './store/dicomweb.ts';
import type { InstanceStore } from './store/instance-store.ts';
import { stockViewer } from './viewer.ts';

export interface ServerOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** `/`, or `/sub/path/`. */
  readonly basePath: string;
  /** Stock OHIF's `dist/`. */
  readonly viewer: string;
  /** Our `dist/overread`. */
  readonly plugin: string;
  readonly models: string;
  readonly source: InstanceStore | Pacs;
  readonly allowSoftwareAdapter: boolean;
  /** Host names by which the server may be reached beside the loopback ones, when it listens on loopback. */
  readonly allowedHosts?: readonly string[];
  readonly note?: (line: string) => void;
}

export interface RunningServer {
  readonly port: number;
  /** With the base path, without a trailing slash at the root. */
  readonly url: string;
  close(): Promise<void>;
}

/** Cross-origin isolation, for threads and exact timers; and no sniffing of media types. */
const COMMON = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
} as const;

/**
 * The viewer, our plugin, models and DICOMweb on one origin.
 * @throws OverreadError `config/invalid` when the port is taken or the host is not ours
 */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { host, port, basePath } = options;
  const handle = requestHandler(options);
  const server = http.createServer((request, response) => {
    handle(request, response).catch((error: unknown) => {
      // The client went away, or something of ours broke: either way this answer is over, and the server goes on.
      if (!request.destroyed) options.note?.(`${request.method} ${request.url}: ${error instanceof Error ? error.message : String(error)}`);
      if (response.headersSent) response.destroy();
      else sendText(response, 500, 'Overread failed to answer this request.\n');
    });
  });
  // Large uploads take their time.
  server.requestTimeout = 0;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(listenError(error, host, port)));
    server.listen(port, host, resolve);
  });
  const taken = (server.address() as AddressInfo).port;
  const name = host === '127.0.0.1' || host === '0.0.0.0' || host === '::' || host === '::1' ? 'localhost' : host;
  return {
    port: taken,
    url: `http://${name}:${taken}${basePath === '/' ? '' : basePath}`,
    close: () => new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    }),
  };
}

function listenError(error: NodeJS.ErrnoException, host: string, port: number): OverreadError {
  const why: Record<string, string> = {
    EADDRINUSE: `Port ${port} on ${host} is taken by another program. Stop it, or choose another port with --port.`,
    EACCES: `Port ${port} needs rights that this user does not have. Choose one over 1023 with --port.`,
    EADDRNOTAVAIL: `${host} is no address of this machine. Leave out --host, or give 0.0.0.0 for all of them.`,
    ENOTFOUND: `There is no host ${host}. Leave out --host, or give 0.0.0.0 for all addresses of this machine.`,
  };
  return new OverreadError('config/invalid', why[error.code ?? ''] ?? `Cannot listen on ${host}:${port}: ${error.message}.`, { got: error.code }, error);
}

function requestHandler(options: ServerOptions): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  const { basePath, models, plugin, source } = options;
  const isPacs = (s: InstanceStore | Pacs): s is Pacs => 'url' in s;
  const viewer = stockViewer(options.viewer, basePath);
  const config = appConfig({ basePath, allowSoftwareAdapter: options.allowSoftwareAdapter, source: isPacs(source) ? 'pacs' : 'store' });

  return async (request, response) => {
    for (const [name, value] of Object.entries(COMMON)) response.setHeader(name, value);
    if (!hostIsOurs(request.headers.host, options)) return sendText(response, 403, 'This name is not one of this server\'s. Name it with --allow-host.\n');
    const target = request.url ?? '/';
    const url = new URL(target.startsWith('/') ? `http://localhost${target.replace(/^\/+/, '/')}` : target);
    let pathname: string;
    try {
      pathname = decodeURIComponent(url.pathname);
    } catch {
      return sendText(response, 400, 'The address is not well-formed.\n');
    }
    if (!pathname.startsWith(basePath)) {
      if (pathname !== '/' && `${pathname}/` !== basePath) return sendText(response, 404, `Not found. The viewer is at ${basePath}.\n`);
      response.writeHead(302, { Location: basePath });
      return void response.end();
    }
    const name = pathname.slice(basePath.length);
    const dicomWeb = /^dicom-web(?:\/(.*))?$/.exec(name);
    if (dicomWeb) {
      const root = `${originOf(request)}${basePath}dicom-web`;
      response.setHeader('Cache-Control', 'no-cache');
      if (isPacs(source)) return handleProxy(source, request, response, url.pathname.slice(`${basePath}dicom-web`.length) + url.search, root);
      const call = { request, response, path: (dicomWeb[1] ?? '').replace(/\/+$/, ''), parameters: url.searchParams, root };
      return handleDicomWeb(source, call, (line) => options.note?.(line));
    }
    if (request.method !== 'GET' && request.method !== 'HEAD') return sendText(response, 405, 'Only GET is possible here.\n', { Allow: 'GET, HEAD' });
    if (name === 'app-config.js') return sendText(response, 200, config, { 'Content-Type': 'text/javascript; charset=utf-8' });
    if (name.startsWith('overread/models/')) return handleModels(models, request, response, name.slice('overread/models/'.length));
    if (/^overread\/(?=.*\.\w+$)/.test(name)) {
      const file = await fileBelow(plugin, name.slice('overread/'.length));
      if (!file) return sendText(response, 404, 'Not found\n');
      return sendFile(request, response, file, /\.m?js$/.test(file) ? { 'Content-Security-Policy': workerPolicy('plugin') } : {});
    }
    return viewer.handle(request, response, name);
  };
}

/**
 * A server on loopback answers to loopback names only, so that a page elsewhere cannot reach it by pointing its own
 * name here (DNS rebinding). One that was opened to a network answers to any.
 */
function hostIsOurs(header: string | undefined, { host, allowedHosts = [] }: ServerOptions): boolean {
  if (!/^(127\.|::1$|localhost$)/.test(host)) return true;
  const name = (header ?? '').replace(/:\d+$/, '').toLowerCase();
  return /^(localhost|.+\.localhost|127(\.\d+){3}|\[::1\])$/.test(name) || allowedHosts.some((allowed) => allowed.toLowerCase() === name);
}

function originOf(request: IncomingMessage): string {
  const forwarded = String(request.headers['x-forwarded-proto'] ?? '').split(',')[0]!.trim();
  return `${forwarded === 'https' ? 'https' : 'http'}://${request.headers.host ?? 'localhost'}`;
}
