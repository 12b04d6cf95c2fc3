import { isInstanceReference } from '../../image/image.ts';
import { isRefusal } from '../infer-files.ts';
import type { InferEntry, ResultJson } from '../infer-json.ts';
import type { StudyRecord } from './journal.ts';

/** One number of one result, or one refusal: a line of the cohort's table. */
export interface CohortRow {
  readonly study: string;
  /** First instance and frame of the result, or its file. */
  readonly picture: string;
  readonly model: string;
  readonly version: string;
  readonly sha256: string;
  readonly backend: string;
  readonly kind: string;
  readonly label: string;
  /** What `value` is: probability, pixels, areaMm2, volumeMm3, objects, cells. */
  readonly measure: string;
  readonly value?: number;
  readonly operatingPoint?: number;
  readonly positive?: boolean;
  /** Code and reason, of what was refused or failed. */
  readonly error?: string;
  readonly reason?: string;
}

export function rowsOf({ study, entries }: StudyRecord): CohortRow[] {
  return entries.flatMap((entry): CohortRow[] => {
    const { id, version, sha256 } = entry.model;
    const common = { study, picture: pictureOf(entry), model: id, version, sha256, backend: entry.backend };
    if (!entry.result) return [{ ...common, kind: '', label: '', measure: '', error: entry.error?.code ?? 'internal', reason: entry.error?.message ?? '' }];
    const { kind } = entry.result;
    return measuresOf(entry.result).map(measured => ({ ...common, kind, ...measured }));
  });
}

/** The numbers of a model, without studies in which it failed on a picture: the highest of a study is not known there. */
export function numbersBy(model: string, rows: readonly CohortRow[]): readonly CohortRow[] {
  const own = rows.filter(row => row.model === model);
  const partly = new Set(own.filter(({ error }) => error !== undefined && !isRefusal(error)).map(({ study }) => study));
  return own.filter(({ study, error }) => error === undefined && !partly.has(study));
}

type Measured = Pick<CohortRow, 'label' | 'measure' | 'value' | 'operatingPoint' | 'positive'>;

function measuresOf(result: ResultJson): Measured[] {
  switch (result.kind) {
    case 'scores':
      return result.scores.map(({ label, probability, operatingPoint, positive }) => ({ label, measure: 'probability', value: probability, positive, ...(operatingPoint !== undefined && { operatingPoint }) }));
    case 'labelmap':
      return [
        ...result.segments.map(({ label, pixels, areaMm2, volumeMm3 }) =>
          volumeMm3 !== undefined ? { label, measure: 'volumeMm3', value: volumeMm3 } : areaMm2 !== undefined ? { label, measure: 'areaMm2', value: areaMm2 } : { label, measure: 'pixels', value: pixels }),
        ...(result.objects ? [{ label: 'objects', measure: 'objects', value: result.objects.count }] : []),
      ];
    case 'points':
      return [
        { label: 'all cells', measure: 'cells', value: result.count },
        ...Object.entries(result.classes).map(([label, count]) => ({ label, measure: 'cells', value: count })),
      ];
    case 'heatmap':
      return [{ label: result.label, measure: 'highest', value: result.range[1] }];
  }
}

function pictureOf({ sources: [first] }: InferEntry): string {
  if (!first) return '';
  return isInstanceReference(first) ? `${first.sopInstanceUID}#${first.frame}` : first.file;
}
