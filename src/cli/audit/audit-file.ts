import type { AttributionAudit } from '../../evaluation/attribution/audit.ts';
import type { SiteAudit } from '../../evaluation/site-audit/audit.ts';
import type { Change } from '../../evaluation/site-audit/repair.ts';
import type { GroupOutcome } from '../../evaluation/site-audit/outcomes.ts';
import { csv, type CsvCell } from '../../export/csv.ts';
import type { ModelIdentity } from '../../results/result.ts';
import type { Refused } from './collect.ts';

/** What a repair did to the same pictures. */
export interface RepairReport {
  readonly kind: 'range' | 'subspace';
  /** Of subspaces: the site that the others were aligned with, and their dimensions. */
  readonly reference?: string;
  readonly dimensions?: number;
  readonly pictures: number;
  readonly patients: number;
  readonly changes: readonly Change[];
}

/** `audit.json`: what was found, and from what. */
export interface AuditFile {
  readonly overread: 'audit';
  readonly source: string;
  readonly madeAt: string;
  /** Whose scores and features they are. */
  readonly model?: Pick<ModelIdentity, 'id' | 'version' | 'sha256'>;
  readonly audit: SiteAudit;
  /** Where the maps of a score lie, where it was asked. */
  readonly attribution?: AttributionAudit;
  readonly repair?: RepairReport;
  readonly refused: readonly Refused[];
}

type Bounds = { readonly value: number; readonly low?: number; readonly high?: number } | undefined;
const cells = (of: Bounds): CsvCell[] => [of?.value, of?.low, of?.high];
const heads = (name: string) => [name, `${name} low`, `${name} high`];

/** A line a group and classifier. */
export function factorsCsv({ factors }: SiteAudit): string {
  const lines = factors.flatMap(({ name, kind, groups, pixels, fromPicture, fromFeatures }) => groups.map((group, i): CsvCell[] => [
    name, kind, group.name, group.pictures, group.patients, pixels?.p, pixels?.adjusted, group.significant.length,
    ...cells(fromPicture?.groups[i]), fromPicture?.p, fromPicture?.adjusted, ...cells(fromFeatures?.groups[i]), fromFeatures?.p, fromFeatures?.adjusted,
  ]));
  return csv([['factor', 'kind', 'group', 'pictures', 'patients', 'pixels p', 'pixels adjusted p', 'cells', ...heads('picture auc'), 'picture p', 'picture adjusted p', ...heads('features auc'), 'features p', 'features adjusted p'], ...lines]);
}

export function outcomesCsv(outcomes: readonly GroupOutcome[]): string {
  return csv([
    ['factor', 'group', 'label', 'pictures', 'patients', 'known', 'positives', ...heads('score'), ...heads('called positive'), ...heads('auc'), ...heads('sensitivity'), ...heads('specificity')],
    ...outcomes.map((o): CsvCell[] => [o.factor, o.group, o.label, o.pictures, o.patients, o.known, o.positives, ...cells(o.score), ...cells(o.called), ...cells(o.auc), ...cells(o.sensitivity), ...cells(o.specificity)]),
  ]);
}

/** A line a pair and cell of its table. */
export function confoundingCsv({ confounding }: SiteAudit): string {
  const lines = confounding.flatMap(({ rows, columns, table, v, oddsRatio, p, adjusted }) => rows.groups.flatMap((row, i) => columns.groups.map((column, j): CsvCell[] =>
    [rows.factor, row, columns.factor, column, table[i]![j]!, ...cells(v), ...cells(oddsRatio), p, adjusted])));
  return csv([['row factor', 'row', 'column factor', 'column', 'pictures', ...heads('v'), ...heads('odds ratio'), 'p', 'adjusted p'], ...lines]);
}

export function attributionCsv({ shares, label, method }: AttributionAudit): string {
  return csv([
    ['label', 'method', 'region', 'factor', 'group', 'pictures', ...heads('share'), 'area'],
    ...shares.map((of): CsvCell[] => [label, method, of.region, of.factor, of.group, of.pictures, ...cells(of.share), of.area]),
  ]);
}
