import { JsonSet } from '../../dicom/json-set.ts';
import type { DicomJson } from '../../dicom/dicomjson.ts';
import { isOverreadError, OverreadError } from '../../errors.ts';
import { getFrom, type RequestHeaders } from '../../image/dicomweb-get.ts';
import type { InputFile } from '../../image/group-series.ts';
import { firstPart } from '../../image/slide/multipart.ts';
import type { CohortStudy } from './study.ts';

export interface StudyQuery {
  /** Root of the DICOMweb service. */
  readonly url: string;
  readonly headers?: RequestHeaders;
  /** QIDO-RS parameters: 'ModalitiesInStudy=DX&StudyDate=20260101-'. */
  readonly query?: string;
  /** Studies a request. */
  readonly page?: number;
  /** Instances of other modalities are not fetched; all are, when left out. */
  readonly modalities?: ReadonlySet<string>;
}

const INSTANCE = 'multipart/related; type="application/dicom"; transfer-syntax=*';
const OWN_PARAMETERS = /^(limit|offset|includefield)$/i;

/**
 * The studies of a PACS that match (QIDO-RS, PS3.18 10.6), page by page, each once, in the order of the server. A study that
 * arrives while pages are read may shift the others: one that is seen twice is handed out once. A second page that says that there
 * is nothing more is not believed: Orthanc 1.10.1 (Debian 12), asked for ModalitiesInStudy, skips `offset` studies of those that `limit` left, so
 * that its second page is always empty. From such a server the first studies are asked for again, twice as many each time.
 * @throws OverreadError `cli/usage` for a query that sets the paging; `network/*`
 */
export async function* dicomwebStudies({ url, headers, query = '', page = 100, modalities }: StudyQuery): AsyncGenerator<CohortStudy, void> {
  const root = url.replace(/\/+$/, '');
  const asked = new URLSearchParams(query);
  const own = [...asked.keys()].find(key => OWN_PARAMETERS.test(key));
  if (own) throw new OverreadError('cli/usage', `Expected attributes in --query, got ${own}: pages are asked for by the command itself. Leave it away.`, { got: own });
  const seen = new Set<string>();
  const ask = async (limit: number, offset: number) => {
    const parameters = new URLSearchParams(asked);
    parameters.set('limit', `${limit}`);
    if (offset > 0) parameters.set('offset', `${offset}`);
    const found = (await json(`${root}/studies?${parameters}`, headers)).flatMap(study => new JsonSet(study).string('0020000D') ?? []);
    const fresh = [...new Set(found)].filter(id => !seen.has(id));
    fresh.forEach(id => seen.add(id));
    return { fresh, count: found.length };
  };
  const studies = (ids: readonly string[]) => ids.map(id => dicomwebStudy(id, { url, ...(headers && { headers }), ...(modalities && { modalities }) }));
  let pages = 0;
  for (let offset = 0; ; pages++) {
    const { fresh, count } = await ask(page, offset);
    yield* studies(fresh);
    // A server may give fewer than it was asked for, and still have more (PS3.18 8.3.4.4.1): only nothing new is the end.
    if (fresh.length === 0) break;
    offset += count;
  }
  if (pages !== 1 || seen.size < page) return;
  for (let limit = 2 * page; ; limit *= 2) {
    const { fresh, count } = await ask(limit, 0);
    yield* studies(fresh);
    if (count < limit || fresh.length === 0) return;
  }
}

export function dicomwebStudy(id: string, { url, headers, modalities }: Omit<StudyQuery, 'query' | 'page'>): CohortStudy {
  return { id, files: () => studyFiles(`${url.replace(/\/+$/, '')}/studies/${id}`, headers, modalities) };
}

/** The study's instances, by their metadata; each is fetched when it is first read, and kept as long as the study is. */
async function studyFiles(url: string, headers: RequestHeaders | undefined, modalities: ReadonlySet<string> | undefined): Promise<InputFile[]> {
  const instances = (await gone(url, json(`${url}/metadata`, headers))).map(instance => new JsonSet(instance));
  return instances.filter(set => !modalities || modalities.has(set.string('00080060') ?? '')).map(set => {
    const [series, sop] = [set.string('0020000E'), set.string('00080018')];
    let bytes: Promise<Uint8Array> | undefined;
    return { name: sop ?? url, read: () => (bytes ??= gone(url, fetchInstance(`${url}/series/${series}/instances/${sop}`, headers))) };
  });
}

/** A study that was listed and is there no more is refused by name; asking again would not bring it back. */
async function gone<T>(url: string, asked: Promise<T>): Promise<T> {
  try {
    return await asked;
  } catch (error) {
    if (!isOverreadError(error, 'network/status') || (error.fields.got !== 404 && error.fields.got !== 410)) throw error;
    throw new OverreadError('input/unreadable', `Expected the study ${url.split('/').at(-1)}, which the server listed, but it is there no more (HTTP status ${error.fields.got}). Look for it in the PACS.`, { expected: 'a study', got: error.fields.got }, error);
  }
}

async function fetchInstance(url: string, headers: RequestHeaders | undefined): Promise<Uint8Array> {
  const { bytes, contentType } = await getFrom(url, headers, INSTANCE);
  return firstPart(bytes, contentType).bytes;
}

async function json(url: string, headers: RequestHeaders | undefined): Promise<DicomJson[]> {
  const { bytes } = await getFrom(url, headers, 'application/dicom+json');
  // QIDO-RS answers 204 without a body where nothing matches.
  if (bytes.length === 0) return [];
  try {
    const parsed: unknown = JSON.parse(new TextDecoder().decode(bytes));
    if (Array.isArray(parsed)) return parsed as DicomJson[];
    throw new Error('no array');
  } catch (cause) {
    throw new OverreadError('network/status', `Expected DICOM JSON from ${url}, got something else. Check the address of the DICOMweb service.`, { expected: 'application/dicom+json', url }, cause);
  }
}
