import type { DicomJson } from '../../dicom/dicomjson.ts';
import { OverreadError, throwIfAborted } from '../../errors.ts';
import type { EncodedFrame, FrameReader } from './frames.ts';
import { firstPart } from './multipart.ts';

/** Sent with every request, such as `Authorization`. Asked anew for each where a token may run out. */
export type RequestHeaders = Readonly<Record<string, string>> | (() => Readonly<Record<string, string>> | Promise<Readonly<Record<string, string>>>);

/** A series on a DICOMweb server. */
export interface DicomWebSeries {
  /** `…/studies/UID/series/UID` */
  readonly url: string;
  readonly headers?: RequestHeaders;
}

/** What a server may send back of a frame: the stored syntax, whatever it is. */
const FRAME = 'multipart/related; type="application/octet-stream"; transfer-syntax=*';
/** A frame is asked for so often, with these pauses between, ms. */
const PAUSES = [200, 1000];

/** Reads frames by `GET {series}/instances/{uid}/frames/{n}` (PS3.18 10.4.1.6), one a request, as they are stored. */
export function dicomWebFrames(series: DicomWebSeries): FrameReader {
  return {
    async frame(sopInstanceUID, frameNumber, signal): Promise<EncodedFrame> {
      const url = `${trimmed(series.url)}/instances/${sopInstanceUID}/frames/${frameNumber}`;
      const { bytes, contentType } = await get(url, series.headers, FRAME, signal);
      const part = firstPart(bytes, contentType);
      const transferSyntaxUID = syntaxOf(part.contentType);
      return { bytes: part.bytes, ...(transferSyntaxUID !== undefined && { transferSyntaxUID }) };
    },
  };
}

/**
 * The headers of a series' instances.
 * @throws OverreadError `network/*`, `job/cancelled`
 */
export async function dicomWebInstances({ url, headers }: DicomWebSeries, signal?: AbortSignal): Promise<DicomJson[]> {
  const { bytes } = await get(`${trimmed(url)}/metadata`, headers, 'application/dicom+json', signal);
  try {
    const json: unknown = JSON.parse(new TextDecoder().decode(bytes));
    if (Array.isArray(json)) return json as DicomJson[];
    throw new Error('no array');
  } catch (cause) {
    throw new OverreadError('network/status', `Expected DICOM JSON from ${url}/metadata, got something else. Check the address: it ends with /studies/UID/series/UID.`, { expected: 'application/dicom+json', url }, cause);
  }
}

const trimmed = (url: string): string => url.replace(/\/+$/, '');

/** Of a frame's media type: stated, or what the type stands for (PS3.18 table 8.7.3-5). */
function syntaxOf(contentType: string): string | undefined {
  const stated = /;\s*transfer-syntax="?([0-9.]+)"?/i.exec(contentType)?.[1];
  if (stated !== undefined) return stated;
  const type = contentType.split(';')[0]!.trim().toLowerCase();
  return { 'image/dicom-rle': '1.2.840.10008.1.2.5', 'image/jls': '1.2.840.10008.1.2.4.80', 'image/jpeg': '1.2.840.10008.1.2.4.50', 'image/jp2': '1.2.840.10008.1.2.4.90', 'image/jphc': '1.2.840.10008.1.2.4.201' }[type];
}

async function get(url: string, headers: RequestHeaders | undefined, accept: string, signal?: AbortSignal): Promise<{ bytes: Uint8Array; contentType: string }> {
  for (let attempt = 0; ; attempt++) {
    throwIfAborted(signal);
    try {
      const own = typeof headers === 'function' ? await headers() : headers;
      const response = await fetch(url, { headers: { ...own, Accept: accept }, ...(signal && { signal }) });
      if (response.ok) return { bytes: new Uint8Array(await response.arrayBuffer()), contentType: response.headers.get('content-type') ?? '' };
      throw new OverreadError('network/status', `Expected ${url}, got HTTP status ${response.status}. Check that the server has it and that you may read it.`, { expected: 200, got: response.status, url });
    } catch (error) {
      throwIfAborted(signal);
      const pause = PAUSES[attempt];
      if (pause === undefined || !passing(error)) throw known(error, url);
      await new Promise(resolve => setTimeout(resolve, pause));
    }
  }
}

/** What may be otherwise in a moment: no answer, a server that is busy or fails. */
function passing(error: unknown): boolean {
  return !(error instanceof OverreadError) || error.fields.got === 429 || Number(error.fields.got) >= 500;
}

function known(error: unknown, url: string): OverreadError {
  return error instanceof OverreadError ? error : new OverreadError('network/unreachable', `Expected ${url}, got no answer. Check the network and the address.`, { expected: url }, error);
}
