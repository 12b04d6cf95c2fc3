import path from 'node:path';
import { OverreadError } from '../../errors.ts';
import type { AuditedScore } from '../../evaluation/site-audit/audited.ts';
import type { ModelIdentity } from '../../results/result.ts';
import { readJournal } from '../cohort/journal.ts';
import { numbersBy, rowsOf } from '../cohort/rows.ts';

export interface CohortScores {
  readonly model: Pick<ModelIdentity, 'id' | 'version' | 'sha256'>;
  readonly labels: readonly string[];
  /** By study; of several pictures of a study the highest. */
  readonly scores: ReadonlyMap<string, Readonly<Record<string, AuditedScore>>>;
}

/**
 * The scores that a cohort's folder holds.
 * @param of whose, where there are several models'
 * @throws OverreadError `config/invalid` for a folder that is none of a cohort; `cli/usage` for a model that it does not have
 */
export function cohortScores(folder: string, of: string | undefined): CohortScores {
  const { models, records } = readJournal(path.join(folder, 'journal.jsonl'));
  const model = of === undefined ? models[0] : models.find(({ id }) => id === of);
  if (!model || (of === undefined && models.length > 1)) {
    throw new OverreadError('cli/usage', `Expected one of the models of the cohort in ${folder} (${models.map(({ id }) => id).join(', ')}), got ${of ?? 'none'}. Name one with --of.`, { expected: models.map(({ id }) => id), got: of });
  }
  const scores = new Map<string, Record<string, AuditedScore>>();
  for (const { study, label, measure, value, positive } of numbersBy(model.id, records.flatMap(rowsOf))) {
    if (measure !== 'probability' || value === undefined) continue;
    const known = scores.get(study) ?? {};
    scores.set(study, known);
    if (!known[label] || value > known[label].probability) known[label] = { probability: value, positive: positive === true || known[label]?.positive === true };
  }
  if (scores.size === 0) throw new OverreadError('cli/usage', `Expected scores of ${model.id} in ${folder}, got none. Choose a cohort of a model that gives scores.`, { got: 0 });
  return { model, labels: [...new Set([...scores.values()].flatMap(Object.keys))], scores };
}
