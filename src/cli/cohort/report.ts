import { estimate, pageHtml, studyHtml, tableHtml, text } from '../io/html.ts';
import type { Agreement, LabelAgreement } from './agreement.ts';
import type { StudyRecord } from './journal.ts';
import { blandAltmanPlot, rocPlot, scatterPlot } from './plots.ts';
import type { CohortRow } from './rows.ts';

export interface ReportParts {
  readonly title: string;
  readonly records: readonly StudyRecord[];
  readonly rows: readonly CohortRow[];
  readonly agreements: readonly Agreement[];
  /** Root of the viewer that opens a case: 'https://pacs/viewer'. */
  readonly viewer?: string;
  readonly madeAt: string;
}

/** One HTML file with its plots: nothing is fetched. */
export function reportHtml(parts: ReportParts): string {
  const { title, records, rows, agreements, madeAt } = parts;
  const count = (outcome: StudyRecord['outcome']) => records.filter(r => r.outcome === outcome).length;
  return pageHtml(title, `<p>${records.length} studies: ${count('done')} with results, ${count('refused')} refused, ${count('failed')} failed. Made ${text(madeAt)}.</p>
${models(rows)}${agreements.map(agreement => agreementHtml(agreement, parts)).join('')}${refusals(rows, parts)}`);
}

function models(rows: readonly CohortRow[]): string {
  const seen = new Map(rows.map(row => [`${row.model} ${row.version} ${row.sha256} ${row.backend}`, row]));
  return tableHtml(['Model', 'Version', 'SHA-256', 'Device'], [...seen.values()].map(row => [text(row.model), text(row.version), `<code>${text(row.sha256)}</code>`, text(row.backend)]));
}

function agreementHtml({ models: pair, labels, onlyA, onlyB }: Agreement, parts: ReportParts): string {
  const lacking = [onlyA.length && `only ${pair[0]}: ${onlyA.join('; ')}`, onlyB.length && `only ${pair[1]}: ${onlyB.join('; ')}`].filter(Boolean).join('. ');
  return `<h2>${text(pair[0])} and ${text(pair[1])}</h2>${lacking ? `<p>Not compared, ${text(lacking)}.</p>` : ''}${labels.length ? '' : '<p>The two models have no label in common.</p>'}
${labels.map(label => labelHtml(label, pair, parts)).join('')}`;
}

function labelHtml(label: LabelAgreement, pair: readonly [string, string], parts: ReportParts): string {
  const { limits, kappa, auc, calibration, dice, remarks, values } = label;
  const rows = [
    ...(limits ? [['Bias (a − b)', estimate(limits.bias)], ['Lower limit of agreement', estimate(limits.lower)], ['Upper limit of agreement', estimate(limits.upper)]] : []),
    ...(kappa ? [["Cohen's kappa of decisions", estimate(kappa)]] : []),
    ...(dice ? [['Dice of the one mask with the other', estimate(dice)]] : []),
    ...(auc ? [[`AUC, ${pair[0]}`, estimate(auc.a)], [`AUC, ${pair[1]}`, estimate(auc.b)], ['Difference of AUC (DeLong)', `${estimate(auc.difference)}${auc.p === undefined ? '' : `, p = ${auc.p.toPrecision(2)}`}`]] : []),
    ...(calibration ? (['a', 'b'] as const).map((of, i) => [`Brier score; calibration error, ${pair[i]}`, `${calibration[of].brier.toFixed(3)}; ${calibration[of].calibrationError.toFixed(3)}`]) : []),
  ];
  const apart = [...values].sort((x, y) => Math.abs(y.a - y.b) - Math.abs(x.a - x.b)).slice(0, 10);
  const plots = limits ? [blandAltmanPlot(label, pair), scatterPlot(label, pair), rocPlot(label, pair)].filter(Boolean) : [];
  return `<h3>${text(label.label)} <small>(${text(label.measure)}, ${values.length} studies)</small></h3>${remarks.map(remark => `<p>${text(remark)}.</p>`).join('')}
${tableHtml(['', '95 % interval in brackets'], rows.map(([name, value]) => [text(name!), text(value!)]))}${plots.map(plot => `<figure>${plot}</figure>`).join('')}
${apart.length ? `<details><summary>Furthest apart</summary>${tableHtml(['Study', pair[0], pair[1]], apart.map(v => [studyHtml(v.study, parts.viewer), v.a.toPrecision(4), v.b.toPrecision(4)]))}</details>` : ''}`;
}

/** What was refused, by reason, with a few cases each. */
function refusals(rows: readonly CohortRow[], parts: ReportParts): string {
  const byReason = new Map<string, CohortRow[]>();
  for (const row of rows) {
    if (row.error === undefined) continue;
    const name = `${row.model}\0${row.error}`;
    byReason.set(name, [...(byReason.get(name) ?? []), row]);
  }
  if (byReason.size === 0) return '';
  const lines = [...byReason.values()].sort((x, y) => y.length - x.length).map(of => {
    const [{ model, error, reason }] = of as [CohortRow];
    return [text(model), text(error!), `${of.length}`, text(reason ?? ''), of.slice(0, 5).map(row => studyHtml(row.study, parts.viewer)).join('<br>')];
  });
  return `<h2>Refused and failed</h2>${tableHtml(['Model', 'Code', 'Pictures', 'The first one’s reason', 'Cases'], lines)}`;
}
