/** STOW-RS (PS3.18 10.5): what is sent as application/dicom is stored, and what is not is said, instance by instance. */
import type { IncomingMessage } from 'node:http';
import { readInstance, type DicomJson, type DicomJsonElement } from '../../../dicom/dicomjson.ts';
import { OverreadError, toOverreadError } from '../../../errors.ts';
import type { InstanceStore } from './instance-store.ts';
import { parseMediaType, parseMultipart } from './multipart.ts';

/** A request is taken into memory before its instances are written. */
export const REQUEST_LIMIT = 2 ** 31 - 1 - 2 ** 20;

/** Failure Reason (0008,1197), PS3.4 table B.2-1 and PS3.7 annex C. */
const FAILURE = { duplicate: 0x0111, otherStudy: 0xa900, unreadable: 0xc000, resources: 0xa700 } as const;

export interface StowAnswer {
  readonly status: 200 | 202 | 409;
  readonly dataset: DicomJson;
  /** One line for each instance that was not stored. */
  readonly failures: readonly string[];
}

/** @throws OverreadError `store/invalid` with a `status` field for a request that cannot be taken at all */
export async function storeRequest(store: InstanceStore, request: IncomingMessage, study: string | undefined,
  retrieveURL: (path: string) => string): Promise<StowAnswer> {
  const { type, parameters } = parseMediaType(request.headers['content-type'] ?? '');
  if (type !== 'multipart/related' || !parameters.boundary || (parameters.type && parameters.type !== 'application/dicom')) {
    throw refused(415, `Expected multipart/related; type="application/dicom" with a boundary, got ${request.headers['content-type'] ?? 'no Content-Type'}.`);
  }
  const parts = parseMultipart(await bodyOf(request), parameters.boundary);
  if (parts.length === 0) throw refused(400, 'Expected at least one instance, got an empty body.');
  const stored: DicomJson[] = [];
  const failed: DicomJson[] = [];
  const failures: string[] = [];
  for (const [i, { headers, body }] of parts.entries()) {
    try {
      const partType = parseMediaType(headers['content-type'] ?? 'application/dicom').type;
      if (partType !== 'application/dicom') throw refused(415, `Expected application/dicom, got ${partType}.`);
      const { instance } = await store.add(body, study);
      const { studyInstanceUID, seriesInstanceUID, sopInstanceUID, sopClassUID } = instance;
      const path = `studies/${studyInstanceUID}/series/${seriesInstanceUID}/instances/${sopInstanceUID}`;
      stored.push({ '00081150': uid(sopClassUID), '00081155': uid(sopInstanceUID), '00081190': { vr: 'UR', Value: [retrieveURL(path)] } });
    } catch (error) {
      const known = toOverreadError(error);
      failures.push(`instance ${i + 1} of ${parts.length} was not stored: ${known.message}`);
      failed.push({
        ...identityOf(body),
        '00081197': { vr: 'US', Value: [failureReason(known)] },
        // The place where PS3.18 lets a server say which attribute was at fault; the comment is for people.
        '00741048': { vr: 'SQ', Value: [{ '00000902': { vr: 'LO', Value: [known.message] } }] },
      });
    }
  }
  const dataset: DicomJson = {};
  if (study !== undefined || stored.length) {
    const first = study ?? /studies\/([\d.]+)\//.exec(String(stored[0]!['00081190']!.Value![0]))![1]!;
    dataset['00081190'] = { vr: 'UR', Value: [retrieveURL(`studies/${first}`)] };
  }
  if (failed.length) dataset['00081198'] = { vr: 'SQ', Value: failed };
  if (stored.length) dataset['00081199'] = { vr: 'SQ', Value: stored };
  return { status: failed.length === 0 ? 200 : stored.length ? 202 : 409, dataset, failures };
}

const uid = (value: string): DicomJsonElement => ({ vr: 'UI', Value: [value] });

function failureReason(error: OverreadError): number {
  if (error.fields.duplicate) return FAILURE.duplicate;
  if (error.code === 'store/invalid') return FAILURE.otherStudy;
  return error.code === 'internal' ? FAILURE.resources : FAILURE.unreadable;
}

/** What can be said of a refused instance: its UIDs, where they can be read at all. */
function identityOf(body: Uint8Array): DicomJson {
  try {
    const { sopClassUID, sopInstanceUID } = readInstance(body);
    return { '00081150': uid(sopClassUID), '00081155': uid(sopInstanceUID) };
  } catch {
    return {};
  }
}

async function bodyOf(request: IncomingMessage): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > REQUEST_LIMIT) throw refused(413, `Expected at most ${REQUEST_LIMIT} bytes in a request, got more. Send fewer instances at a time.`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function refused(status: number, message: string): OverreadError {
  return new OverreadError('store/invalid', message, { status });
}
