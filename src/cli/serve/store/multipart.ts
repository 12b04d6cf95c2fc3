/** multipart/related (RFC 2387), as STOW-RS receives and WADO-RS sends it. */
import { randomBytes } from 'node:crypto';
import { OverreadError } from '../../../errors.ts';

export interface Part {
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** A media type and its parameters: `multipart/related; type="application/dicom"; boundary=x`. */
export interface MediaType {
  /** Lower case. */
  readonly type: string;
  /** Names in lower case, values without quotes. */
  readonly parameters: Readonly<Record<string, string>>;
}

export function parseMediaType(text: string): MediaType {
  const [type = '', ...rest] = splitOutsideQuotes(text, ';');
  const parameters = rest.flatMap((parameter) => {
    const at = parameter.indexOf('=');
    if (at < 0) return [];
    return [[parameter.slice(0, at).trim().toLowerCase(), parameter.slice(at + 1).trim().replace(/^"|"$/g, '')] as const];
  });
  return { type: type.trim().toLowerCase(), parameters: Object.fromEntries(parameters) };
}

/** The alternatives of an Accept header, in the order in which they stand; one of any type when there is none. */
export function parseAccept(header: string | undefined): MediaType[] {
  const all = splitOutsideQuotes(header ?? '', ',').filter((t) => t.trim()).map(parseMediaType);
  return all.length ? all : [{ type: '*/*', parameters: {} }];
}

function splitOutsideQuotes(text: string, separator: string): string[] {
  const parts = [''];
  let quoted = false;
  for (const c of text) {
    if (c === '"') quoted = !quoted;
    if (c === separator && !quoted) parts.push('');
    else parts[parts.length - 1] += c;
  }
  return parts;
}

/** @throws OverreadError `store/invalid` when the body is not what its boundary says */
export function parseMultipart(body: Uint8Array, boundary: string): Part[] {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const line = Buffer.from(`--${boundary}`);
  const next = Buffer.from(`\r\n--${boundary}`);
  const parts: Part[] = [];
  let at = bytes.subarray(0, line.length).equals(line) ? line.length : bytes.indexOf(next) < 0 ? -1 : bytes.indexOf(next) + next.length;
  for (;;) {
    if (at < 0) throw broken(`a part that starts with --${boundary}`, parts.length ? 'the end of the body' : 'a body without it');
    if (bytes.toString('latin1', at, at + 2) === '--') return parts;
    const headersEnd = bytes.indexOf('\r\n\r\n', at);
    const end = headersEnd < 0 ? -1 : bytes.indexOf(next, headersEnd + 2);
    if (end < 0) throw broken(`a closing --${boundary}--`, 'a body that ends before it');
    parts.push({ headers: parseHeaders(bytes.toString('latin1', at, headersEnd)), body: bytes.subarray(headersEnd + 4, end) });
    at = end + next.length;
  }
}

function parseHeaders(text: string): Record<string, string> {
  return Object.fromEntries(text.split('\r\n').flatMap((row) => {
    const at = row.indexOf(':');
    return at < 0 ? [] : [[row.slice(0, at).trim().toLowerCase(), row.slice(at + 1).trim()]];
  }));
}

function broken(expected: string, got: string): OverreadError {
  return new OverreadError('store/invalid', `The multipart body is broken: expected ${expected}, got ${got}.`, { expected, got });
}

export interface MultipartWriter {
  readonly contentType: string;
  part(contentType: string, location?: string): Uint8Array;
  readonly end: Uint8Array;
}

/** @param type media type of the parts */
export function multipartWriter(type: string): MultipartWriter {
  const boundary = `overread-${randomBytes(12).toString('hex')}`;
  let first = true;
  return {
    contentType: `multipart/related; type="${type}"; boundary=${boundary}`,
    part(contentType, location) {
      const lead = first ? '' : '\r\n';
      first = false;
      return Buffer.from(`${lead}--${boundary}\r\nContent-Type: ${contentType}\r\n${location ? `Content-Location: ${location}\r\n` : ''}\r\n`);
    },
    end: Buffer.from(`\r\n--${boundary}--\r\n`),
  };
}
