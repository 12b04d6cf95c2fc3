import type { Change } from '../../evaluation/site-audit/repair.ts';
import { estimate, tableHtml, text } from '../io/html.ts';
import type { RepairReport } from './audit-file.ts';

const NAMES: Readonly<Record<RepairReport['kind'], string>> = {
  range: "Range normalisation: each picture's 1st and 99th percentile at the ends of its range",
  subspace: 'Subspace alignment (Fernando 2013), of pictures of the other sites with those of',
};

export function repairHtml({ kind, reference, dimensions, pictures, patients, changes }: RepairReport): string {
  const how = kind === 'range' ? '' : ` <b>${text(reference ?? '')}</b>, ${dimensions} dimensions, learnt from the pictures of half of the patients without any label. Before and after are of the other half`;
  return `<h2>A repair before inference</h2><p>${NAMES[kind]}${how}: ${pictures} pictures of ${patients} patients.</p><p>${verdict(changes)}</p>
${tableHtml(['', 'Before', 'After', 'Wanted', ''], changes.map(({ what, before, after, wanted, moved }) => [text(what), estimate(before), estimate(after), wanted, moved === 'not clearly' ? 'not clearly moved' : `<b>${moved}</b>`]))}
<p>A number counts as better or worse only where the 95 % intervals of before and after do not meet.</p>`;
}

function verdict(changes: readonly Change[]): string {
  if (changes.length === 0) return 'Nothing could be compared: there are too few patients of two sites or devices, and no label with a score.';
  const told = changes.filter(({ wanted }) => wanted === 'lower');
  const [better, worse] = (['better', 'worse'] as const).map(moved => changes.filter(of => of.moved === moved).map(({ what }) => text(what))) as [string[], string[]];
  const left = told.filter(({ after }) => after.low !== undefined && after.low > 0.5).map(({ what }) => text(what));
  return [
    better.length ? `Better: ${better.join('; ')}.` : '<b>It does not help here</b>: nothing is clearly better.',
    worse.length ? `<b>Worse</b>: ${worse.join('; ')}.` : '',
    left.length ? `Still above chance after it: ${left.join('; ')}.` : '',
  ].filter(Boolean).join(' ');
}
