import type { View } from '../image/view.ts';
import { isInstanceReference, type ImageReference } from '../image/image.ts';
import { sourcesOf, type OutOfDistribution, type Score, type ScoresResult } from '../results/result.ts';
import { codeItem, container, imageItem, numberItem, textItem, uidItem, type Code, type Content } from './content.ts';
import { referencedImage, sourceOf, sourcesIn, type ExportContext } from './derived.ts';
import type { DicomObject } from './part10.ts';
import { algorithm, closing, Concept, measurementReport, Own, Unit } from './report.ts';
import { groupName, labelPlace } from './report-places.ts';
import { freshUid } from './uid.ts';

const BY_VIEW: Readonly<Record<View | 'fused', Code>> = { PA: Own.byPa, L: Own.byLateral, fused: Own.byBoth };

/**
 * Scores as a structured report (TID 1500): a measurement group for each target with its probability, its operating
 * point and on which side it lies, what each view says; then the views used and the verdict of the model's gate.
 * @throws OverreadError as `sourceOf`
 */
export function scoresReport(result: ScoresResult, context: ExportContext): DicomObject {
  const { scores, viewsUsed, viewsMissing, viewsFrom, viewSources, substitute, outOfDistribution, model } = result;
  const references = sourcesOf(result);
  sourcesIn(references, context);
  const sources = references.filter(isInstanceReference).map(reference => sourceOf(reference, context));
  return measurementReport({
    made: result, context, sources,
    spatial: false,
    description: `${model.name} ${model.version}: scores`,
    groups: scores.map((score, index) => scoreGroup(score, result, context, sources.flatMap(source => pictureOf(source, labelPlace(index, scores.length, source))))),
    evaluations: [
      ...(viewsUsed.length > 0 ? [textItem('CONTAINS', Own.viewsUsed, viewsUsed.map(view => `${view} (${viewsFrom[view] ?? 'unknown'}) of ${uidOf(viewSources?.[view] ?? result.source)}`).join('; '))] : []),
      ...(viewsMissing.length > 0 ? [textItem('CONTAINS', Own.viewsMissing, viewsMissing.join('; '))] : []),
      ...(substitute === undefined ? [] : [textItem('CONTAINS', Own.substitute, substitute)]),
      ...gateVerdict(outOfDistribution),
      ...closing(result, context),
    ],
  });
}

/** A number is inferred from images or from coordinates on them, never from both (TID 320). */
const pictureOf = (source: Parameters<typeof referencedImage>[0], place: readonly Content[]): readonly Content[] => (place.length > 0 ? place : [imageItem('INFERRED FROM', undefined, referencedImage(source))]);

const uidOf = ({ sources: [first] }: ImageReference): string => (first && isInstanceReference(first) ? first.sopInstanceUID : '');

function scoreGroup({ target, logit, probability, operatingPoint, positive, views }: Score, result: ScoresResult, context: ExportContext, pictures: readonly Content[]): Content {
  const how = algorithm(result, context);
  const number = (name: Code, value: number, unit: Code): Content => numberItem(name, value, unit, how);
  return container('CONTAINS', Concept.group, [
    textItem('HAS OBS CONTEXT', Concept.trackingId, target.label),
    uidItem('HAS OBS CONTEXT', Concept.trackingUid, freshUid()),
    codeItem('CONTAINS', Concept.finding, target.concept),
    groupName(target.label, operatingPoint === undefined ? undefined : `${positive ? 'at or above' : 'below'} its operating point`),
    numberItem(Concept.certainty, 100 * probability, Unit.percent, [...how, ...pictures]),
    number(Own.logit, logit, Unit.none),
    ...(operatingPoint === undefined ? [] : [number(Own.operatingPoint, 100 * operatingPoint, Unit.percent)]),
    ...(Object.entries(views) as [View | 'fused', number | undefined][]).flatMap(([view, value]) => (value === undefined ? [] : [number(BY_VIEW[view], 100 * value, Unit.percent)])),
    codeItem('CONTAINS', Own.atOrAbove, positive ? Concept.yes : Concept.no),
  ], '1501');
}

/** What the model's gate said of the pictures; nothing where it has none. */
export function gateVerdict(verdict: OutOfDistribution | undefined): Content[] {
  if (!verdict) return [];
  return [
    codeItem('CONTAINS', Own.gate, verdict.refused ? Concept.yes : Concept.no),
    textItem('CONTAINS', Own.gateScore, String(verdict.score)),
    textItem('CONTAINS', Own.gateThreshold, String(verdict.threshold)),
    ...(verdict.reason === undefined ? [] : [textItem('CONTAINS', Own.gateReason, verdict.reason)]),
  ];
}
