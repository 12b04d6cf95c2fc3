/** The DICOMweb services of the embedded store: QIDO-RS, WADO-RS and STOW-RS over HTTP. */
import { createReadStream } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { OverreadError, toOverreadError } from '../../../errors.ts';
import { numberOfFrames, readFrame } from './frames.ts';
import type { InstanceStore, StoredInstance } from './instance-store.ts';
import { frameTypeOf } from './media-types.ts';
import { multipartWriter, parseAccept } from './multipart.ts';
import { parseQuery, search, type Level } from './query.ts';
import { renderFrame } from './rendered.ts';
import { storeRequest } from './stow.ts';

export interface DicomWebRequest {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Below the service's root, without a leading slash: `studies/1.2/metadata`. */
  readonly path: string;
  readonly parameters: URLSearchParams;
  /** Address of the service's root as the client sees it, without a trailing slash. */
  readonly root: string;
}

const JSON_TYPE = 'application/dicom+json';
const UID = '[0-9.]+';
const STUDY = `studies/(?<study>${UID})`;
const SERIES = `${STUDY}/series/(?<series>${UID})`;
const INSTANCE = `${SERIES}/instances/(?<sop>${UID})`;

type Target = { readonly study?: string; readonly series?: string; readonly sop?: string; readonly rest?: string; readonly size?: string };
type Handler = (store: InstanceStore, call: DicomWebRequest, target: Target) => Promise<void> | void;

const query = (level: Level): Handler => (store, { response, parameters, root }, { study, series }) => {
  const asked = parseQuery(parameters);
  if (asked.unknown.length) response.setHeader('Warning', `299 overread "not attributes, so not matched: ${asked.unknown.join(', ').replace(/[^\x20-\x7e]|"/g, '?')}"`);
  const found = search(store, level, asked, { ...(study !== undefined && { study }), ...(series !== undefined && { series }) }, (path) => `${root}/${path}`);
  sendJson(response, 200, JSON.stringify(found));
};

const ROUTES: readonly (readonly [method: 'GET' | 'POST', path: RegExp, handler: Handler])[] = ([
  ['GET', 'studies', query('studies')],
  ['GET', 'series', query('series')],
  ['GET', 'instances', query('instances')],
  ['GET', `${STUDY}/series`, query('series')],
  ['GET', `${STUDY}/instances`, query('instances')],
  ['GET', `${SERIES}/instances`, query('instances')],
  ['GET', `(?:${INSTANCE}|${SERIES}|${STUDY})/metadata`, metadata],
  ['GET', `(?:${INSTANCE}|${SERIES}|${STUDY})`, retrieve],
  ['GET', `${INSTANCE}/frames/(?<rest>[0-9,]+)`, frames],
  ['GET', `${INSTANCE}/frames/(?<rest>\\d+)/(?<size>rendered|thumbnail)`, rendered],
  ['GET', `(?:${INSTANCE}|${SERIES}|${STUDY})/(?<size>rendered|thumbnail)`, rendered],
  ['GET', `${INSTANCE}/bulkdata/(?<rest>[0-9A-Fa-f/]+)`, bulkdata],
  ['POST', 'studies', stow],
  ['POST', STUDY, stow],
] as const).map(([method, path, handler]) => [method, alternativeNames(path), handler] as const);

/** Group names must be unique in an expression: the shorter alternatives get theirs by number. */
function alternativeNames(path: string): RegExp {
  const seen = new Map<string, number>();
  const source = path.replace(/\(\?<(\w+)>/g, (_, name: string) => {
    const n = seen.get(name) ?? 0;
    seen.set(name, n + 1);
    return `(?<${name}${n || ''}>`;
  });
  return new RegExp(`^${source}$`);
}

function targetOf(groups: Readonly<Record<string, string | undefined>> = {}): Target {
  const entries = Object.entries(groups).flatMap(([name, value]) => (value === undefined ? [] : [[name.replace(/\d+$/, ''), value]]));
  return Object.fromEntries(entries) as Target;
}

/** Answers a request; every refusal is a status and a JSON body that says what was expected. */
export async function handleDicomWeb(store: InstanceStore, call: DicomWebRequest, note: (line: string) => void): Promise<void> {
  const { request, response, path } = call;
  const method = request.method === 'HEAD' ? 'GET' : request.method;
  try {
    const routes = ROUTES.flatMap(([m, pattern, handler]) => {
      const match = pattern.exec(path);
      return match ? [{ m, handler, target: targetOf(match.groups) }] : [];
    });
    const route = routes.find((r) => r.m === method);
    if (!route) {
      const status = routes.length ? 405 : 404;
      if (status === 405) response.setHeader('Allow', routes.map((r) => r.m).join(', '));
      throw refusal(status, routes.length ? `${request.method} is not possible here.` : `There is no such service: ${path}.`);
    }
    await route.handler(store, call, route.target);
  } catch (error) {
    const known = toOverreadError(error);
    const status = typeof known.fields.status === 'number' ? known.fields.status : known.code === 'internal' ? 500 : 400;
    if (status >= 500) note(`${request.method} ${path}: ${known.message}`);
    if (response.headersSent) response.destroy();
    else sendJson(response, status, JSON.stringify({ error: { code: known.code, message: known.message } }), 'application/json');
  }
}

function refusal(status: number, message: string): OverreadError {
  return new OverreadError('store/invalid', message, { status });
}

function sendJson(response: ServerResponse, status: number, body: string, type = JSON_TYPE): void {
  response.writeHead(status, { 'Content-Type': type, 'Content-Length': Buffer.byteLength(body) });
  response.end(body);
}

/** @throws OverreadError with status 404 */
function instancesOf(store: InstanceStore, { study, series, sop }: Target): StoredInstance[] {
  const found = sop === undefined ? store.instances(study!, series) : [store.instance(study!, series!, sop)].filter((i) => i !== undefined);
  if (found.length === 0) throw refusal(404, `There is no such ${sop ? 'instance' : series ? 'series' : 'study'} in the store: ${sop ?? series ?? study}.`);
  return found;
}

const addressOf = (root: string, i: StoredInstance): string =>
  `${root}/studies/${i.studyInstanceUID}/series/${i.seriesInstanceUID}/instances/${i.sopInstanceUID}`;

function metadata(store: InstanceStore, { response, root }: DicomWebRequest, target: Target): void {
  const all = instancesOf(store, target).map((i) => i.metadata.replaceAll('"BulkDataURI":"', `"BulkDataURI":"${addressOf(root, i)}/`));
  sendJson(response, 200, `[${all.join(',')}]`);
}

/** Whole Part 10 files, as they are stored: nothing is transcoded. */
async function retrieve(store: InstanceStore, { request, response, root }: DicomWebRequest, target: Target): Promise<void> {
  const instances = instancesOf(store, target);
  const accept = parseAccept(request.headers.accept);
  const asked = accept.flatMap(({ parameters }) => parameters['transfer-syntax'] ?? []);
  for (const { transferSyntaxUID } of instances) refuseTranscoding(asked, transferSyntaxUID);
  const single = accept[0]!.type === 'application/dicom' && instances.length === 1;
  if (single) {
    response.writeHead(200, { 'Content-Type': 'application/dicom', 'Content-Length': instances[0]!.size });
    return pipeline(createReadStream(store.path(instances[0]!)), response);
  }
  const writer = multipartWriter('application/dicom');
  response.writeHead(200, { 'Content-Type': writer.contentType });
  await pipeline(Readable.from((async function* () {
    for (const instance of instances) {
      yield writer.part(`application/dicom; transfer-syntax=${instance.transferSyntaxUID}`, addressOf(root, instance));
      yield* createReadStream(store.path(instance)) as AsyncIterable<Buffer>;
    }
    yield writer.end;
  })()), response);
}

function refuseTranscoding(asked: readonly string[], stored: string): void {
  if (asked.length && !asked.includes('*') && !asked.includes(stored)) {
    throw refusal(406, `It is stored in transfer syntax ${stored}, and nothing is transcoded here; asked for ${asked.join(', ')}. Accept it or *.`);
  }
}

async function frames(store: InstanceStore, { request, response, root }: DicomWebRequest, target: Target): Promise<void> {
  const [instance] = instancesOf(store, target);
  const numbers = target.rest!.split(',').map(Number);
  const { type, transferSyntaxUID } = frameTypeOf(instance!.transferSyntaxUID);
  const accept = parseAccept(request.headers.accept);
  refuseTranscoding(accept.flatMap(({ parameters }) => parameters['transfer-syntax'] ?? []), transferSyntaxUID);
  const count = numberOfFrames(instance!);
  if (numbers.some((n) => !(n >= 1 && n <= count))) throw refusal(404, `Expected frames from 1 to ${count}, got ${target.rest}.`);
  const contentType = `${type}; transfer-syntax=${transferSyntaxUID}`;
  if (numbers.length === 1 && !accept.some((a) => a.type === 'multipart/related' || a.type === '*/*')) {
    const frame = await readFrame(store, instance!, numbers[0]!);
    response.writeHead(200, { 'Content-Type': contentType, 'Content-Length': frame.length });
    return void response.end(frame);
  }
  const writer = multipartWriter(type);
  response.writeHead(200, { 'Content-Type': writer.contentType });
  await pipeline(Readable.from((async function* () {
    for (const n of numbers) {
      yield writer.part(contentType, `${addressOf(root, instance!)}/frames/${n}`);
      yield await readFrame(store, instance!, n);
    }
    yield writer.end;
  })()), response);
}

async function bulkdata(store: InstanceStore, call: DicomWebRequest, target: Target): Promise<void> {
  const [instance] = instancesOf(store, target);
  const path = target.rest!.toUpperCase();
  const range = instance!.bulk[path];
  if (!range) throw refusal(404, `There is no bulk data ${path} in ${target.sop}.`);
  // Fragments are not a value: compressed pixel data goes out frame by frame.
  if (instance!.pixels?.kind === 'encapsulated' && /^7FE000(10|08|09)$/.test(path)) {
    return frames(store, call, { ...target, rest: Array.from({ length: numberOfFrames(instance!) }, (_, i) => i + 1).join(',') });
  }
  const { request, response, root } = call;
  const value = await store.read(instance!, range);
  const type = 'application/octet-stream';
  if (!parseAccept(request.headers.accept).some((a) => a.type === 'multipart/related')) {
    response.writeHead(200, { 'Content-Type': type, 'Content-Length': value.length });
    return void response.end(value);
  }
  const writer = multipartWriter(type);
  response.writeHead(200, { 'Content-Type': writer.contentType });
  response.end(Buffer.concat([writer.part(type, `${addressOf(root, instance!)}/bulkdata/${path}`), value, writer.end]));
}

/** A picture of one frame: the one asked for, else the middle one of the middle instance. */
async function rendered(store: InstanceStore, { response, parameters }: DicomWebRequest, target: Target): Promise<void> {
  const instances = instancesOf(store, target).filter((i) => i.pixels);
  if (instances.length === 0) throw refusal(404, 'There is no image here to render.');
  const instance = instances[instances.length >> 1]!;
  const frame = target.rest ? Number(target.rest) : (numberOfFrames(instance) + 1) >> 1;
  const viewport = parameters.get('viewport')?.split(',').map(Number);
  const longest = target.size === 'thumbnail' ? 256 : viewport?.length && viewport.every((v) => v > 0) ? Math.max(...viewport) : undefined;
  const picture = await renderFrame(store, instance, frame, longest);
  response.writeHead(200, { 'Content-Type': picture.type, 'Content-Length': picture.bytes.length });
  response.end(picture.bytes);
}

async function stow(store: InstanceStore, { request, response, root }: DicomWebRequest, { study }: Target): Promise<void> {
  const { status, dataset, failures } = await storeRequest(store, request, study, (path) => `${root}/${path}`);
  for (const failure of failures) response.appendHeader('Warning', `299 overread "${failure.replace(/[^\x20-\x7e]|"/g, '?').slice(0, 300)}"`);
  sendJson(response, status, JSON.stringify(dataset));
}
