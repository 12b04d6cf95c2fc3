/** QIDO-RS (PS3.18 10.6): which studies, series and instances match, and what is said of them. */
import { tagOfKeyword, vrOfTag, type DicomJson, type DicomJsonElement } from '../../../dicom/dicomjson.ts';
import { matches } from './matching.ts';
import type { InstanceStore, StoredInstance } from './instance-store.ts';

export type Level = 'studies' | 'series' | 'instances';

export interface Query {
  /** Tag, or a path of tags through sequences, and the value asked for. */
  readonly filters: readonly { readonly tags: readonly string[]; readonly value: string }[];
  readonly include: readonly string[];
  readonly includeAll: boolean;
  readonly fuzzy: boolean;
  readonly limit: number;
  readonly offset: number;
  /** Parameters that name no attribute. */
  readonly unknown: readonly string[];
}

const STUDY = ['00080005', '00080020', '00080030', '00080050', '00080090', '00080201', '00081030', '00100010', '00100020', '00100030', '00100040',
  '0020000D', '00200010'];
const SERIES = ['00080060', '00080021', '00080031', '0008103E', '00180015', '0020000E', '00200011', '00400244', '00400245'];
const INSTANCE = ['00080008', '00080016', '00080018', '00083002', '00200013', '00280008', '00280010', '00280011', '00280100'];
const MODALITIES = '00080061';
const STUDY_UID = '0020000D';
const SERIES_UID = '0020000E';

export function parseQuery(parameters: URLSearchParams): Query {
  const filters: { tags: string[]; value: string }[] = [];
  const include: string[] = [];
  const unknown: string[] = [];
  let includeAll = false;
  for (const [name, value] of parameters) {
    if (['limit', 'offset', 'fuzzymatching', 'accept'].includes(name.toLowerCase())) continue;
    if (name.toLowerCase() === 'includefield') {
      for (const field of value.split(',').filter(Boolean)) {
        const tag = tagOfKeyword(field);
        if (field === 'all') includeAll = true;
        else if (tag) include.push(tag);
      }
      continue;
    }
    const tags = name.split('.').map(tagOfKeyword);
    if (tags.some((tag) => tag === undefined)) unknown.push(name);
    // An empty value matches everything.
    else if (value !== '' && value !== '*') filters.push({ tags: tags as string[], value });
  }
  const count = (name: string, fallback: number) => {
    const text = parameters.get(name);
    return text !== null && /^\d+$/.test(text) ? Number(text) : fallback;
  };
  return { filters, include, includeAll, unknown, fuzzy: parameters.get('fuzzymatching') === 'true', limit: count('limit', Infinity), offset: count('offset', 0) };
}

/**
 * @param within a study, or a study and a series
 * @param retrieveURL of a path below the service's root
 * @returns data sets of the matching entities: studies with the newest first, series and instances by their number
 */
export function search(store: InstanceStore, level: Level, query: Query, within: { study?: string; series?: string },
  retrieveURL: (path: string) => string): DicomJson[] {
  const studies = within.study === undefined ? store.studies() : [within.study];
  const found: DicomJson[] = [];
  for (const study of studies) {
    const series = seriesOf(store, study).filter((s) => within.series === undefined || s.uid === within.series);
    if (series.length === 0) continue;
    if (level === 'studies') found.push(...studyEntry(study, series, query, retrieveURL));
    else if (level === 'series') found.push(...series.flatMap((s) => seriesEntry(study, s, series, query, within, retrieveURL)));
    else found.push(...series.flatMap((s) => instanceEntries(store, study, s, series, query, within, retrieveURL)));
  }
  const key = level === 'studies' ? newestFirst : level === 'series' ? byNumber('00200011') : byNumber('00200013');
  return found.sort(key).slice(query.offset, query.offset + query.limit);
}

interface SeriesSummary {
  readonly uid: string;
  readonly instances: readonly StoredInstance[];
  /** Of its first instance: what is the same for all of a series. */
  readonly dataset: DicomJson;
}

function seriesOf(store: InstanceStore, study: string): SeriesSummary[] {
  return store.series(study).map((uid) => {
    const instances = store.instances(study, uid);
    return { uid, instances, dataset: store.dataset(instances[0]!) };
  });
}

const element = (vr: string, ...values: unknown[]): DicomJsonElement => ({ vr, Value: values });

function modalities(series: readonly SeriesSummary[]): DicomJsonElement {
  const all = new Set(series.flatMap((s) => s.dataset['00080060']?.Value ?? []));
  return element('CS', ...[...all].sort());
}

/** What is asked of the study is answered by its series: one that matches is enough. */
function studyMatches(series: readonly SeriesSummary[], query: Query): boolean {
  return query.filters.every(({ tags, value }) => {
    if (tags[0] === MODALITIES) return matches(modalities(series), value, { fuzzy: query.fuzzy });
    return series.some((s) => filterMatches(s.dataset, tags, value, query.fuzzy));
  });
}

function filterMatches(dataset: DicomJson, [tag, ...rest]: readonly string[], value: string, fuzzy: boolean): boolean {
  const found = dataset[tag!];
  if (rest.length) return (found?.Value as DicomJson[] | undefined)?.some((item) => filterMatches(item, rest, value, fuzzy)) ?? false;
  return matches(found ?? { vr: vrOfTag(tag!) }, value, { fuzzy });
}

function studyEntry(study: string, series: readonly SeriesSummary[], query: Query, retrieveURL: (path: string) => string): DicomJson[] {
  if (!studyMatches(series, query)) return [];
  return [{
    ...pick(series[0]!.dataset, STUDY, query),
    ...studyCounts(series),
    '00081190': element('UR', retrieveURL(`studies/${study}`)),
  }];
}

function studyCounts(series: readonly SeriesSummary[]): DicomJson {
  return {
    '00080056': element('CS', 'ONLINE'),
    [MODALITIES]: modalities(series),
    '00201206': element('IS', series.length),
    '00201208': element('IS', series.reduce((n, s) => n + s.instances.length, 0)),
  };
}

function seriesEntry(study: string, series: SeriesSummary, all: readonly SeriesSummary[], query: Query,
  within: { study?: string }, retrieveURL: (path: string) => string): DicomJson[] {
  const ok = query.filters.every(({ tags, value }) => (tags[0] === MODALITIES
    ? matches(modalities(all), value, { fuzzy: query.fuzzy }) : filterMatches(series.dataset, tags, value, query.fuzzy)));
  if (!ok) return [];
  return [{
    ...(within.study === undefined ? { ...pick(series.dataset, STUDY, query), ...studyCounts(all) } : {}),
    ...pick(series.dataset, [STUDY_UID, ...SERIES], query),
    '00201209': element('IS', series.instances.length),
    '00081190': element('UR', retrieveURL(`studies/${study}/series/${series.uid}`)),
  }];
}

function instanceEntries(store: InstanceStore, study: string, series: SeriesSummary, all: readonly SeriesSummary[], query: Query,
  within: { study?: string; series?: string }, retrieveURL: (path: string) => string): DicomJson[] {
  return series.instances.flatMap((instance) => {
    const dataset = store.dataset(instance);
    const ok = query.filters.every(({ tags, value }) => (tags[0] === MODALITIES
      ? matches(modalities(all), value, { fuzzy: query.fuzzy }) : filterMatches(dataset, tags, value, query.fuzzy)));
    if (!ok) return [];
    const path = `studies/${study}/series/${series.uid}/instances/${instance.sopInstanceUID}`;
    return [{
      ...(within.study === undefined ? { ...pick(dataset, STUDY, query), ...studyCounts(all) } : {}),
      ...(within.series === undefined ? pick(dataset, SERIES, query) : {}),
      ...pick(dataset, [STUDY_UID, SERIES_UID, ...INSTANCE], query),
      '00080056': element('CS', 'ONLINE'),
      '00081190': element('UR', retrieveURL(path)),
    }];
  });
}

function pick(dataset: DicomJson, tags: readonly string[], query: Query): DicomJson {
  const wanted = query.includeAll ? Object.keys(dataset) : [...tags, ...query.include];
  const chosen = wanted.flatMap((tag) => {
    const value = dataset[tag];
    // Large values have their address in the metadata, not here.
    return value && value.BulkDataURI === undefined ? [[tag, value] as const] : [];
  });
  return Object.fromEntries(chosen.sort(([a], [b]) => (a < b ? -1 : 1)));
}

const text = (dataset: DicomJson, tag: string): string => String(dataset[tag]?.Value?.[0] ?? '');

function newestFirst(a: DicomJson, b: DicomJson): number {
  const key = (d: DicomJson) => `${text(d, '00080020').padEnd(8)}${text(d, '00080030')}`;
  return key(b).localeCompare(key(a)) || text(a, STUDY_UID).localeCompare(text(b, STUDY_UID));
}

function byNumber(tag: string): (a: DicomJson, b: DicomJson) => number {
  return (a, b) => Number(text(a, tag)) - Number(text(b, tag)) || 0;
}
