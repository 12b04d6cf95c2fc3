import { auditSites } from '../../evaluation/site-audit/audit.ts';
import type { AuditedPicture } from '../../evaluation/site-audit/audited.ts';
import type { TestOptions } from '../../evaluation/site-audit/factor.ts';
import { firstHalf } from '../../evaluation/site-audit/groups.ts';
import { changesOf, COMPARED, subspaceRepair } from '../../evaluation/site-audit/repair.ts';
import { rangeNormalised } from '../../image/range-normalisation.ts';
import type { ExplainingRunner } from '../model-runner.ts';
import type { RepairReport } from './audit-file.ts';
import { collect } from './collect.ts';
import type { SourcePicture } from './sources.ts';

export interface RepairOptions {
  readonly kind: RepairReport['kind'];
  readonly reference: string | undefined;
  readonly dimensions: number;
  readonly tests: TestOptions;
  readonly runner?: ExplainingRunner;
  readonly note: (line: string) => void;
}

/**
 * Reads the pictures again, each repaired before anything looks at it, and audits them as before. What a repair learns from
 * pictures, it learns from other patients than those that are compared.
 * @throws OverreadError as {@link collect}, {@link auditSites} and {@link subspaceRepair}
 */
export async function repaired(before: readonly AuditedPicture[], sources: readonly SourcePicture[] | AsyncIterable<SourcePicture>, { kind, reference, dimensions, tests, runner, note }: RepairOptions): Promise<RepairReport> {
  const learnt = firstHalf(before);
  const aligned = kind === 'subspace' ? subspaceRepair(before.filter(({ patient }) => learnt.has(patient)), reference, dimensions) : undefined;
  const measured = ({ patient }: AuditedPicture) => !aligned || !learnt.has(patient);
  note(`Reading the pictures again, repaired by ${kind === 'range' ? 'range normalisation' : `subspace alignment with ${aligned!.reference}`}.`);
  const { pictures } = await collect(sources, {
    note, ...(runner && { runner }),
    repair: ({ image, groups }) => (aligned ? aligned.repair(image, groups.site) : rangeNormalised(image)),
  });
  const [then, now] = [before, pictures].map(of => auditSites(of.filter(measured), { ...tests, factors: COMPARED })) as [ReturnType<typeof auditSites>, ReturnType<typeof auditSites>];
  return { kind, ...(aligned && { reference: aligned.reference, dimensions }), pictures: then.pictures, patients: then.patients, changes: changesOf(then, now) };
}
