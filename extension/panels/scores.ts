import type { View, ViewSource } from '../../src/image/view.ts';
import type { ModelManifest } from '../../src/manifest.ts';
import type { ModalitiesReport, Result, Score, ScoresResult } from '../../src/results/result.ts';

/** A short remark on a result, with what is behind it. */
export interface Badge {
  readonly kind: 'modality' | 'missing-view' | 'guessed-view' | 'out-of-distribution';
  readonly text: string;
  readonly detail?: string;
}

const NAMES: { readonly [V in View]: string } = { PA: 'frontal', L: 'lateral' };
const VIEWS: readonly View[] = ['PA', 'L'];

/** Remarks of how a view is known; none where the image itself states it. */
const HOW_KNOWN: { readonly [S in ViewSource]: string | undefined } = {
  ViewPosition: undefined,
  SeriesDescription: 'from the series description',
  classifier: 'guessed by the view classifier',
  assumed: 'assumed, since the model reads no other',
};

/**
 * What the model calls positive first, by falling probability, then the rest by falling probability: operating points
 * differ by finding, so a 0.30 that counts may stand above a 0.40 that does not. Ties keep the model's own order.
 */
export function sortedScores(scores: readonly Score[]): readonly Score[] {
  return [...scores].sort((a, b) => Number(b.positive) - Number(a.positive) || b.probability - a.probability || b.logit - a.logit);
}

/** 'PA' or 'AP' for a frontal, as the image says; 'L'; 'both' for the two together. */
export function viewName(view: View | 'fused', result: ScoresResult): string {
  if (view === 'fused') return 'both';
  const { viewPosition } = (result.viewSources?.[view] ?? result.source).attributes;
  return view === 'PA' && /^AP\b/i.test(viewPosition?.trim() ?? '') ? 'AP' : view;
}

/** Each view's own probability and that of both, where the model gave more than one; the single one stands in the row itself. */
export function viewValues(score: Score, result: ScoresResult): readonly { readonly name: string; readonly value: number }[] {
  const values = ([...VIEWS, 'fused'] as const).flatMap(view => {
    const value = score.views[view];
    return value === undefined ? [] : [{ name: viewName(view, result), value }];
  });
  return values.length > 1 ? values : [];
}

/** '0.71'; with a third decimal where two would hide on which side of the operating point it lies. */
export function formatProbability(value: number, operatingPoint?: number): string {
  const rounded = value.toFixed(2);
  if (operatingPoint !== undefined && value !== operatingPoint && rounded === operatingPoint.toFixed(2)) return value.toFixed(3);
  if (value > 0 && rounded === '0.00') return '<0.01';
  return value < 1 && rounded === '1.00' ? '>0.99' : rounded;
}

/** What a person should know before reading the result: views that are missing or not certain, a picture that was refused. */
export function badgesOf(result: Result): readonly Badge[] {
  const badges: Badge[] = [];
  const { outOfDistribution } = result;
  if (outOfDistribution?.refused) {
    badges.push({ kind: 'out-of-distribution', text: 'outside what the model was made for', ...(outOfDistribution.reason && { detail: outOfDistribution.reason }) });
  }
  if (result.kind === 'labelmap' && result.modalities) badges.push(...modalityBadges(result.modalities));
  if (result.kind !== 'scores') return badges;
  for (const view of result.viewsMissing) badges.push({ kind: 'missing-view', text: `no ${NAMES[view]}`, ...(result.substitute && { detail: result.substitute }) });
  for (const view of VIEWS) {
    const from = result.viewsFrom[view];
    const how = from && HOW_KNOWN[from];
    if (how) badges.push({ kind: 'guessed-view', text: `${NAMES[view]}, ${how}`, detail: 'The image states no ViewPosition.' });
  }
  return badges;
}

/** Which MR series were read, and how each is known and came to the grid of the result; which were not there. */
function modalityBadges({ used, missing }: ModalitiesReport): Badge[] {
  const read = used.map(({ modality, from, guessed, placement, source }): Badge => {
    const registered = placement.kind === 'registered' ? `registered, repeatable to ${placement.registration.repeatabilityMm.toFixed(1)} mm` : undefined;
    const remarks = [guessed && 'guessed', registered].filter(Boolean).join(', ');
    const detail = [source.attributes.seriesDescription, `known by ${from}`].filter(Boolean).join(', ');
    return { kind: guessed ? 'guessed-view' : 'modality', text: remarks ? `${modality}, ${remarks}` : modality, detail };
  });
  return [...read, ...missing.map((modality): Badge => ({ kind: 'missing-view', text: `no ${modality}` }))];
}

/** What a score means, in one sentence. Without the model's manifest it does not say whether it is calibrated. */
export function meaningOf({ scores }: ScoresResult, manifest: ModelManifest | undefined): string {
  const details = [
    manifest && (manifest.output.calibration ? 'calibrated by its authors' : 'not calibrated'),
    manifest?.output.operatingPointNormalisation && 'rescaled so that 0.5 is the operating point',
  ].filter(Boolean).join(', ');
  const ticks = scores.filter(({ operatingPoint }) => operatingPoint !== undefined).length;
  const tick = ticks === 0
    ? 'its authors state no operating point'
    : `the tick${ticks < scores.length ? ', where there is one,' : ''} is the operating point, from which on its authors call the finding positive`;
  return `A score is the model's own probability of a finding${details && ` (${details})`}; ${tick}; it is no diagnosis.`;
}

/** The line of a finding for someone who does not see the bar. */
export function describeScore(score: Score, result: ScoresResult): string {
  const { target, probability, operatingPoint, positive } = score;
  const views = viewValues(score, result).map(({ name, value }) => `${name} ${formatProbability(value)}`).join(', ');
  return [
    `${target.label}: probability ${formatProbability(probability, operatingPoint)}`,
    positive ? 'positive' : 'not positive',
    operatingPoint !== undefined && `operating point ${formatProbability(operatingPoint)}`,
    views,
  ].filter(Boolean).join(', ');
}

/** The scores as text for a report or a sheet: tabs between columns, and nothing that names the patient. */
export function scoresText(result: ScoresResult): string {
  const { model, scores, createdAt, viewsUsed } = result;
  const views = [...VIEWS, 'fused' as const].filter(view => scores.some(score => score.views[view] !== undefined));
  const columns = views.length > 1 ? views : [];
  const used = viewsUsed.map(view => {
    const how = HOW_KNOWN[result.viewsFrom[view] ?? 'ViewPosition'];
    return how ? `${viewName(view, result)} (${how})` : viewName(view, result);
  });
  const missing = badgesOf(result).filter(({ kind }) => kind !== 'guessed-view').map(({ text, detail }) => (detail ? `${text}: ${detail}` : text));
  const rows = sortedScores(scores).map(({ target, probability, operatingPoint, positive, views: own }) => [
    target.label, probability.toFixed(3), operatingPoint?.toFixed(3) ?? '', positive ? 'positive' : '', ...columns.map(view => own[view]?.toFixed(3) ?? ''),
  ]);
  return [
    `${model.name} ${model.version}, ${createdAt.slice(0, 16).replace('T', ' ')} UTC`,
    `Views: ${used.join(', ') || 'not known'}`,
    ...missing,
    ['Finding', 'Probability', 'Operating point', '', ...columns.map(view => viewName(view, result))].join('\t'),
    ...rows.map(cells => cells.join('\t')),
    model.notice,
  ].join('\n');
}

/** 'cxr-findings-20260102-030405.csv': nothing that names the patient. */
export function csvName({ model, createdAt }: ScoresResult): string {
  return `${model.id}-${createdAt.slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '-')}.csv`;
}
