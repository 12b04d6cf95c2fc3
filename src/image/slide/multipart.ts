import { OverreadError } from '../../errors.ts';

export interface BodyPart {
  /** Of the part, as its header says. */
  readonly contentType: string;
  readonly bytes: Uint8Array;
}

/**
 * The first part of a multipart/related body (RFC 2387), or the body itself where it is no multipart.
 * @throws OverreadError `network/status` when the body is not what its boundary says
 */
export function firstPart(body: Uint8Array, contentType: string): BodyPart {
  if (!/^multipart\//i.test(contentType.trim())) return { contentType, bytes: body };
  const boundary = /;\s*boundary=(?:"([^"]+)"|([^;\s]+))/i.exec(contentType);
  const line = boundary && ascii(`--${boundary[1] ?? boundary[2]}`);
  const from = line ? indexOf(body, line, 0) : -1;
  const headersEnd = from < 0 ? -1 : indexOf(body, ascii('\r\n\r\n'), from);
  const begin = headersEnd + 4;
  const lengthHeader = headersEnd < 0 ? undefined : header(body.subarray(from, headersEnd), 'content-length');
  // Coded pixels may hold anything, the boundary's first bytes too: what states its length is not searched.
  const end = headersEnd < 0 ? -1 : lengthHeader !== undefined && begin + Number(lengthHeader) <= body.length ? begin + Number(lengthHeader) : indexOf(body, ascii(`\r\n--${boundary![1] ?? boundary![2]}`), begin);
  if (end < 0) {
    throw new OverreadError('network/status', `Expected a multipart body with one frame, got ${body.length} bytes that do not follow their boundary. Try again.`, { expected: contentType, got: body.length });
  }
  return { contentType: header(body.subarray(from, headersEnd), 'content-type') ?? 'application/octet-stream', bytes: body.subarray(begin, end) };
}

function ascii(text: string): Uint8Array {
  return Uint8Array.from(text, c => c.charCodeAt(0));
}

function header(bytes: Uint8Array, name: string): string | undefined {
  const lines = String.fromCharCode(...bytes).split('\r\n');
  return lines.find(line => line.toLowerCase().startsWith(`${name}:`))?.slice(name.length + 1).trim();
}

function indexOf(bytes: Uint8Array, wanted: Uint8Array, from: number): number {
  for (let at = bytes.indexOf(wanted[0]!, from); at >= 0; at = bytes.indexOf(wanted[0]!, at + 1)) {
    if (wanted.every((byte, i) => bytes[at + i] === byte)) return at;
  }
  return -1;
}
