import type { DicomJson } from '../../dicom/dicomjson.ts';
import { OverreadError } from '../../errors.ts';
import { getFrom, type RequestHeaders } from '../dicomweb-get.ts';
import type { EncodedFrame, FrameReader } from './frames.ts';
import { firstPart } from './multipart.ts';

/** A series on a DICOMweb server. */
export interface DicomWebSeries {
  /** `…/studies/UID/series/UID` */
  readonly url: string;
  readonly headers?: RequestHeaders;
}

/** What a server may send back of a frame: the stored syntax, whatever it is. */
const FRAME = 'multipart/related; type="application/octet-stream"; transfer-syntax=*';

/** Reads frames by `GET {series}/instances/{uid}/frames/{n}` (PS3.18 10.4.1.6), one a request, as they are stored. */
export function dicomWebFrames(series: DicomWebSeries): FrameReader {
  return {
    async frame(sopInstanceUID, frameNumber, signal): Promise<EncodedFrame> {
      const url = `${trimmed(series.url)}/instances/${sopInstanceUID}/frames/${frameNumber}`;
      const { bytes, contentType } = await getFrom(url, series.headers, FRAME, signal);
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
  const { bytes } = await getFrom(`${trimmed(url)}/metadata`, headers, 'application/dicom+json', signal);
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
