import type { Association } from '../../evaluation/site-audit/confounding.ts';
import type { FactorAudit, SeparationReport, Tested } from '../../evaluation/site-audit/factor.ts';
import type { GroupOutcome } from '../../evaluation/site-audit/outcomes.ts';
import { estimate, pageHtml, tableHtml, text } from '../io/html.ts';
import { attributionHtml } from './attribution-html.ts';
import type { AuditFile } from './audit-file.ts';
import { differenceSvg, meanSvg, rangesOf } from './drawn.ts';
import { repairHtml } from './repair-html.ts';

const SIGNIFICANT = 0.05;

/** The audit as one HTML file. @param viewer root of the one that opens a case */
export function auditHtml(file: AuditFile, viewer?: string): string {
  const { audit, attribution, repair, model, source, madeAt, refused } = file;
  const byModel = model ? ` Scores and features of <b>${text(model.id)}</b> ${text(model.version)} (<code>${text(model.sha256)}</code>).` : '';
  return pageHtml('What tells the pictures apart', `<p>${audit.pictures} pictures of ${audit.patients} patients, ${text(source)}.${byModel} Made ${text(madeAt)}.</p>
${verdict(audit.factors)}${attribution ? attributionHtml(attribution, audit.outcomes, viewer) : ''}${repair ? repairHtml(repair) : ''}
<h2>Groups of pictures</h2><p>Mean pictures and their differences from all other groups: red is brighter, blue is darker. Outlined cells differ by more than chance; p is corrected for the number of cells
(largest statistic over ${audit.permutations} orders of the patients), and then, as that of the classifiers, for the number of tests (Holm). A difference says that groups can be told apart, not why: look at the tables below for what comes with them.</p>
${audit.factors.map(factorHtml).join('')}
${outcomesHtml(audit.outcomes)}${confoundingHtml(audit.confounding)}${refusedHtml(refused)}`);
}

function verdict(factors: readonly FactorAudit[]): string {
  const found = factors.filter(({ kind }) => kind === 'acquisition').flatMap(factor => {
    const by = [factor.pixels && ['the mean picture', factor.pixels], factor.fromPicture && ['a classifier of the picture', factor.fromPicture], factor.fromFeatures && ["a classifier of the model's features", factor.fromFeatures]] as (readonly [string, Tested] | undefined)[];
    const told = by.flatMap(test => (test && test[1].adjusted < SIGNIFICANT ? [test[0]] : []));
    return told.length ? [`<b>${text(factor.name)}</b> by ${told.join(', ')}`] : [];
  });
  const tested = factors.filter(({ kind, pixels }) => kind === 'acquisition' && pixels).map(({ name }) => name);
  if (tested.length === 0) return '<p>Nothing of how the pictures were taken could be compared: they do not say it, or are of one group.</p>';
  return found.length ? `<p>Told apart by more than chance: ${found.join('; ')}.</p>` : `<p>Of ${tested.map(text).join(', ')} nothing tells the groups apart by more than chance. With more pictures something might.</p>`;
}

function factorHtml(factor: FactorAudit): string {
  const { name, kind, side, groups, leftOut, unknown, remarks, pixels, fromPicture, fromFeatures } = factor;
  const { grey, largest } = rangesOf(factor);
  const figures = groups.map(group => {
    const { strongest: { x, y, difference, p }, significant } = group;
    const where = `largest ${difference.toPrecision(2)} at ${Math.round(100 * x)} % across, ${Math.round(100 * y)} % down, p ${p < 0.001 ? '&lt; 0.001' : `= ${p.toPrecision(2)}`}`;
    return `<figure>${meanSvg(group, side, grey)} ${differenceSvg(group, side, largest)}<figcaption><b>${text(group.name)}</b>, ${group.pictures} pictures of ${group.patients} patients; ${significant.length} of ${(side / 2) ** 2} cells differ; ${where}</figcaption></figure>`;
  });
  const rows = [
    ...(pixels ? [['Mean pictures differ anywhere', '', '', pValues(pixels)]] : []),
    ...separationRows('picture', fromPicture), ...separationRows("model's features", fromFeatures),
  ];
  const left = leftOut.length ? `<p>Too few patients: ${leftOut.map(group => `${text(group.name)} (${group.patients})`).join(', ')}.</p>` : '';
  return `<h3>${text(name)}${kind === 'label' ? ' <small>(a label: a difference may be what is looked for)</small>' : ''}</h3>${remarks.map(remark => `<p>${text(remark)}.</p>`).join('')}${left}
${unknown && groups.length ? `<p>Unknown of ${unknown} pictures.</p>` : ''}${tableHtml(['Told from', 'Group', `AUC (0.5 is ${kind === 'label' ? 'chance' : 'what one wants'})`, 'p, adjusted'], rows)}${figures.join('')}`;
}

function separationRows(from: string, report: SeparationReport | undefined): string[][] {
  if (!report) return [];
  const { groups, mean, pictures, features } = report;
  const of = `the ${from} (${features} numbers, ${pictures} pictures)`;
  if (groups.length === 2) return [[text(of), text(groups.map(({ name }) => name).join(' or ')), estimate(mean), pValues(report)]];
  return [[text(of), 'mean of all', estimate(mean), pValues(report)], ...groups.map(group => ['', text(group.name), estimate(group), ''])];
}

function pValues({ p, adjusted }: Tested): string {
  return `${p.toPrecision(2)}, ${adjusted.toPrecision(2)}${adjusted < SIGNIFICANT ? ' <b>more than chance</b>' : ''}`;
}

function outcomesHtml(outcomes: readonly GroupOutcome[]): string {
  if (outcomes.length === 0) return '';
  const of = (value: GroupOutcome['auc']) => (value ? estimate(value) : '');
  const labels = [...new Set(outcomes.map(({ label }) => label))];
  return `<h2>What the model gives, by group</h2><p>95 % intervals over patients, of each group by itself.</p>${labels.map(label => `<h3>${text(label)}</h3>${tableHtml(
    ['', 'Group', 'Pictures', 'With', 'Mean score', 'Called positive', 'AUC', 'Sensitivity', 'Specificity'],
    outcomes.filter(outcome => outcome.label === label).map(o => [text(o.factor), text(o.group), `${o.pictures}`, o.known ? `${o.positives} of ${o.known}` : '', estimate(o.score), estimate(o.called), of(o.auc), of(o.sensitivity), of(o.specificity)]),
  )}`).join('')}`;
}

/** So many pairs are shown whole; the CSV has all. */
const MOST_PAIRS = 40;

function confoundingHtml(pairs: readonly Association[]): string {
  if (pairs.length === 0) return '';
  const counts = ({ rows, columns, table }: Association) => tableHtml(['', ...columns.groups], rows.groups.map((group, i) => [text(group), ...table[i]!.map(String)]));
  const lines = pairs.slice(0, MOST_PAIRS).map(pair => [
    text(pair.rows.factor), text(pair.columns.factor), estimate(pair.v), pair.oddsRatio ? estimate(pair.oddsRatio) : '', pValues(pair), `<details><summary>counts</summary>${counts(pair)}</details>`,
  ]);
  return `<h2>What comes with what</h2><p>Cramér's V: 0 where two have nothing to do with each other, 1 where one tells the other. A label that comes with a site can be learnt from the site's pictures.
Intervals over patients; V is never below 0, so that whether it is chance is said by p.${pairs.length > MOST_PAIRS ? ` The first ${MOST_PAIRS} of ${pairs.length} pairs; confounding.csv has all.` : ''}</p>${tableHtml(['', '', "Cramér's V", 'Odds ratio', 'p, adjusted', ''], lines)}`;
}

function refusedHtml(refused: AuditFile['refused']): string {
  if (refused.length === 0) return '';
  const byCode = new Map<string, AuditFile['refused'][number][]>();
  for (const one of refused) byCode.set(one.code, [...(byCode.get(one.code) ?? []), one]);
  return `<h2>Left out</h2>${tableHtml(['Code', 'Pictures', 'The first one’s reason'], [...byCode.values()].map(of => [text(of[0]!.code), `${of.length}`, text(of[0]!.message)]))}`;
}
