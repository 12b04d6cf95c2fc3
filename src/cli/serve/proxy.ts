/** A PACS behind our own origin: what the viewer asks of `/dicom-web` is asked of it. */
import http, { type IncomingMessage, type OutgoingHttpHeaders, type ServerResponse } from 'node:http';
import https from 'node:https';
import { pipeline } from 'node:stream/promises';
import { OverreadError } from '../../errors.ts';
import { sendText } from './static-files.ts';

export interface Pacs {
  /** Root of its DICOMweb services, without a trailing slash. */
  readonly url: URL;
  /** `Basic …`; what the viewer sends itself goes first. */
  readonly authorization?: string;
}

const TIMEOUT_MS = 5000;
/** Headers of one connection, and cookies of another origin, are not passed on (RFC 9110 7.6.1). */
const NOT_PASSED = new Set(['connection', 'keep-alive', 'proxy-authenticate', 'proxy-authorization', 'te', 'trailer', 'transfer-encoding',
  'upgrade', 'host', 'origin', 'referer', 'cookie', 'set-cookie', 'accept-encoding']);

/**
 * @param text `http://host:8042/dicom-web`
 * @param auth `user:password`
 * @throws OverreadError `cli/usage`
 */
export function parsePacs(text: string, auth?: string): Pacs {
  let url: URL | undefined;
  try {
    url = new URL(text);
  } catch {
    // said below
  }
  if (!url || !/^https?:$/.test(url.protocol)) {
    throw new OverreadError('cli/usage', `Expected --dicomweb to be an http or https address such as http://localhost:8042/dicom-web, got '${text}'.`, { got: text });
  }
  const credentials = auth ?? (url.username ? `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}` : undefined);
  if (credentials !== undefined && !credentials.includes(':')) {
    throw new OverreadError('cli/usage', 'Expected --dicomweb-auth to be user:password, got no colon in it.');
  }
  url.username = '';
  url.password = '';
  url.search = '';
  url.hash = '';
  url.pathname = url.pathname.replace(/\/+$/, '');
  return { url, ...(credentials !== undefined && { authorization: `Basic ${Buffer.from(credentials).toString('base64')}` }) };
}

const pathOf = ({ url }: Pacs): string => url.pathname.replace(/\/+$/, '');
const addressOf = (pacs: Pacs): string => `${pacs.url.origin}${pathOf(pacs)}`;

/**
 * Asks it for one study.
 * @returns a line to tell the user, where it wants a password that we were not given: the viewer may have one
 * @throws OverreadError `network/unreachable`, `network/status`
 */
export async function checkPacs(pacs: Pacs): Promise<string | undefined> {
  const address = addressOf(pacs);
  const status = await new Promise<number>((resolve, reject) => {
    const fail = (why: string, cause?: unknown) => reject(new OverreadError('network/unreachable',
      `The PACS at ${address} cannot be reached: ${why}. Check the address, and that it runs and lets this machine in.`, { got: why }, cause));
    const headers = { accept: 'application/dicom+json', ...(pacs.authorization && { authorization: pacs.authorization }) };
    const request = clientOf(pacs).request(`${address}/studies?limit=1`, { headers }, (answer) => {
      answer.resume();
      resolve(answer.statusCode ?? 0);
    });
    const timer = setTimeout(() => {
      fail(`no answer in ${TIMEOUT_MS / 1000} s`);
      request.destroy();
    }, TIMEOUT_MS);
    request.on('close', () => clearTimeout(timer));
    request.on('error', (error: NodeJS.ErrnoException) => fail(error.message || (error.code ?? 'connection failed'), error));
    request.end();
  });
  if (status === 200 || status === 204) return undefined;
  if ((status === 401 || status === 403) && !pacs.authorization) return `The PACS at ${address} asks for a password (status ${status}); give it with --dicomweb-auth USER:PASSWORD.`;
  const why = status === 401 || status === 403 ? 'it refuses the user and password of --dicomweb-auth' : 'it is not a QIDO-RS service';
  throw new OverreadError('network/status', `Expected a list of studies from ${address}/studies, got status ${status}: ${why}.`, { got: status });
}

function clientOf({ url }: Pacs): typeof http | typeof https {
  return url.protocol === 'https:' ? https : http;
}

/**
 * @param rest of the request's path and query below `/dicom-web`, as it was sent
 * @param root address of `/dicom-web` as the viewer sees it: addresses of the PACS in its answers become addresses here
 */
export async function handleProxy(pacs: Pacs, request: IncomingMessage, response: ServerResponse, rest: string, root: string): Promise<void> {
  const headers: OutgoingHttpHeaders = Object.fromEntries(Object.entries(request.headers).filter(([name]) => !NOT_PASSED.has(name)));
  if (pacs.authorization && headers.authorization === undefined) headers.authorization = pacs.authorization;
  const upstream = clientOf(pacs).request(`${addressOf(pacs)}${rest}`, { method: request.method, headers });
  response.on('close', () => upstream.destroy());
  const answered = new Promise<IncomingMessage>((resolve, reject) => upstream.on('response', resolve).on('error', reject));
  try {
    const [answer] = await Promise.all([answered, pipeline(request, upstream).catch(() => undefined)]);
    const passed = Object.fromEntries(Object.entries(answer.headers).filter(([name]) => !NOT_PASSED.has(name) && !name.startsWith('access-control-')));
    // OHIF would have the browser ask for a password that this server is there to hold back.
    delete passed['www-authenticate'];
    if (!/json|xml/.test(answer.headers['content-type'] ?? '') || /multipart/.test(answer.headers['content-type'] ?? '')) {
      response.writeHead(answer.statusCode ?? 502, passed);
      await pipeline(answer, response);
      return;
    }
    const chunks: Buffer[] = [];
    for await (const chunk of answer as AsyncIterable<Buffer>) chunks.push(chunk);
    const body = Buffer.from(rewriteAddresses(Buffer.concat(chunks).toString('utf8'), pathOf(pacs), root));
    response.writeHead(answer.statusCode ?? 502, { ...passed, 'content-length': body.length });
    response.end(body);
  } catch (error) {
    if (response.headersSent || response.destroyed) response.destroy();
    else sendText(response, 502, `The PACS at ${addressOf(pacs)} cannot be reached: ${error instanceof Error ? error.message : String(error)}\n`);
  }
}

/** Retrieve URLs and BulkDataURIs carry whatever host the PACS believes to have; only its path is sure. */
export function rewriteAddresses(text: string, path: string, root: string): string {
  const escaped = path.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  return text.replace(new RegExp(`(["'>])(?:https?:\\\\?/\\\\?/[^"'/\\\\\\s]+)?${escaped}/(?=studies/)`, 'g'), `$1${root}/`);
}
