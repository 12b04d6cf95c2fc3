import type { AttributionAudit } from '../../evaluation/attribution/audit.ts';
import type { GroupOutcome } from '../../evaluation/site-audit/outcomes.ts';
import { lineChart } from '../cohort/plots.ts';
import { estimate, studyHtml, tableHtml, text } from '../io/html.ts';

/** @param outcomes of the same pictures: no share stands without the AUC beside it */
export function attributionHtml({ label, method, pictures, empty, shares, worst, randomisation, curves }: AttributionAudit, outcomes: readonly GroupOutcome[], viewer?: string): string {
  const of = (factor: string, group: string) => {
    if (factor === 'label') return '';
    const { auc } = outcomes.find(outcome => outcome.factor === factor && outcome.group === group && outcome.label === label) ?? {};
    return auc ? estimate(auc) : 'not known';
  };
  const rows = shares.map(share => [text(share.region), text(share.factor), text(share.group), `${share.pictures}`, estimate(share.share), share.area.toPrecision(3), of(share.factor, share.group)]);
  const check = randomisation.checked ? ` Of ${randomisation.checked} maps, ${randomisation.suspicious} hardly change when the network's last layer is random: those show the picture's edges and not what was learnt.` : '';
  return `<h2>Where the maps of ${text(label)} lie</h2><p class="notice">This does not show that the model is right, nor for the right reasons: a map in the right place is a hint where to look, and models that
rest on a shortcut can have one (Viviano 2019). What it can show is a map in a wrong place. Read each share beside the AUC, and beside the share of the picture that the region takes.</p>
<p>${pictures} maps by ${text(method)}${empty ? `, ${empty} more are nowhere above 0` : ''}.${check}</p>
${tableHtml(['Region', '', 'Group', 'Pictures', 'Share of the map', 'Share of the picture', 'AUC of the score'], rows)}
${worst.length ? `<h3>Worst cases</h3>${tableHtml(['Picture', 'Site', 'Region', 'Share of the map', 'Of the picture', 'Score', 'Truth'], worst.map(one => [
    studyHtml(one.id, viewer), text(one.site ?? ''), text(one.region), one.share.toFixed(3), one.area.toFixed(3), one.probability.toFixed(3), one.truth === undefined ? 'not known' : one.truth ? 'with' : 'without',
  ]))}` : ''}${curves ? curvesHtml(curves) : ''}`;
}

const NAMES = { deletion: 'deleted by the map', randomDeletion: 'deleted by chance', insertion: 'inserted by the map', randomInsertion: 'inserted by chance' } as const;

function curvesHtml(curves: NonNullable<AttributionAudit['curves']>): string {
  const names = Object.keys(NAMES) as (keyof typeof NAMES)[];
  const line = (name: keyof typeof NAMES, dashed = false) => ({ name: NAMES[name], dashed, points: curves[name].map((score, i, all) => [i / (all.length - 1), score] as const) });
  return `<h3>Insertion and deletion</h3><p>The mean score of ${curves.pictures} pictures as pixels are deleted, or come back into the blurred picture, where the map is highest first (Petsiuk 2018), and in an order of chance: what moves the score, not what should.</p>
${tableHtml(['', 'Area under the curve'], names.map(name => [NAMES[name], estimate(curves.areas[name])]))}
<figure>${lineChart('Deletion', 'share of the pixels', 'score', [line('deletion'), line('randomDeletion', true)])}</figure><figure>${lineChart('Insertion', 'share of the pixels', 'score', [line('insertion'), line('randomInsertion', true)])}</figure>`;
}
