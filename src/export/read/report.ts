import { OverreadError } from '../../errors.ts';
import type { ImageReference } from '../../image/image.ts';
import type { View } from '../../image/view.ts';
import type { Target } from '../../manifest.ts';
import type { CountedClass, PointsResult } from '../../results/points.ts';
import type { OutOfDistribution, Score, ScoresResult } from '../../results/result.ts';
import type { Code } from '../content.ts';
import type { Verdict } from '../derived.ts';
import { Concept, Own } from '../report.ts';
import { items, numbers, text, type Naturalized, type SourceInstance } from '../source.ts';
import type { ReadFile } from './data-set.ts';
import { gridOf, referenced, type SourceFrame } from './grid.ts';
import { conceptIn, parametersIn, provenanceOf, targetOf, type Provenance } from './provenance.ts';

export interface ReadReport {
  /** Absent of a report of measurements: its segmentation has them. */
  readonly result?: ScoresResult | PointsResult;
  readonly provenance: Provenance;
  /** What a reader said of the result. */
  readonly verdict?: Pick<Verdict, 'decision' | 'reason'>;
  /** Of a report of measurements: whose they are, and what the model's gate said of the picture. */
  readonly measured?: { readonly sopInstanceUID: string; readonly outOfDistribution?: OutOfDistribution };
}

const childrenOf = (item: Naturalized): readonly Naturalized[] => items(item.ContentSequence);
const named = (item: Naturalized, [value, scheme]: Code): boolean => {
  const concept = conceptIn(item.ConceptNameCodeSequence);
  return concept?.codeValue === value && concept.codingSchemeDesignator === scheme;
};
const all = (item: Naturalized | undefined, name: Code): readonly Naturalized[] => (item ? childrenOf(item).filter(child => named(child, name)) : []);
const one = (item: Naturalized | undefined, name: Code): Naturalized | undefined => all(item, name)[0];
const textIn = (item: Naturalized | undefined, name: Code): string | undefined => text(one(item, name)?.TextValue);

function numberIn(item: Naturalized | undefined, name: Code): number | undefined {
  const [value] = items(one(item, name)?.MeasuredValueSequence);
  return numbers(value?.FloatingPointValue)?.[0] ?? numbers(value?.NumericValue)?.[0];
}

/**
 * Scores and counts of a measurement report (TID 1500) of ours.
 * @param sources of the study
 * @throws OverreadError `input/refused` for a report of others, `input/inconsistent` when its images are not among `sources`
 */
export function readReport({ set }: ReadFile, sources: readonly SourceInstance[]): ReadReport {
  const groups = all(one(set, Concept.measurements), Concept.group);
  const how = groups.flatMap(childrenOf).find(({ ValueType }) => text(ValueType) === 'NUM');
  const parameters = parametersIn(all(how, Concept.algorithmParameters).map(item => text(item.TextValue) ?? '').join('; '));
  const provenance = provenanceOf(set, parameters);
  if (!named(set, Concept.report) || !provenance.ours) {
    throw new OverreadError('input/refused', 'Expected a measurement report of Overread, got one of others. It is left to the viewer.', { expected: 'Overread', got: provenance.model.name });
  }
  const evaluations = one(set, Concept.evaluations);
  const said = conceptIn(one(evaluations, Own.readerVerdict)?.ConceptCodeSequence)?.codeValue;
  const decision = (['accepted', 'corrected', 'rejected'] as const).find(known => known === said);
  const reason = textIn(evaluations, Own.readerReason);
  const { ours: _, ...made } = provenance;
  const notice = textIn(evaluations, Own.notice);
  const base = { ...made, model: { ...made.model, ...(notice && { notice }) }, ...gateOf(evaluations) };
  const frames = libraryOf(set, sources);
  const more = { provenance, ...(decision && { verdict: { decision, ...(reason && { reason }) } }) };
  if (groups.some(group => one(group, Concept.certainty))) return { ...more, result: scoresOf(base, groups, evaluations, frames) };
  if (groups.some(group => one(group, Own.markers))) return { ...more, result: countsOf(base, groups, evaluations, frames, parameters.get('editedAt')) };
  const segment = groups.flatMap(group => all(group, Concept.referencedSegment)).flatMap(item => items(item.ReferencedSOPSequence))[0];
  const sopInstanceUID = text(segment?.ReferencedSOPInstanceUID);
  return { ...more, ...(sopInstanceUID !== undefined && { measured: { sopInstanceUID, ...gateOf(evaluations) } }) };
}

function libraryOf(set: Naturalized, sources: readonly SourceInstance[]): SourceFrame[] {
  const images = all(one(set, ['111028', 'DCM', 'Image Library']), ['126200', 'DCM', 'Image Library Group']).flatMap(childrenOf).flatMap(item => items(item.ReferencedSOPSequence));
  return images.map(item => ({ ...referenced([text(item.ReferencedSOPInstanceUID) ?? ''], sources)[0]!, frame: numbers(item.ReferencedFrameNumber)?.[0] ?? 1 }));
}

type Base = Omit<ScoresResult, 'kind' | 'source' | 'scores' | 'viewsUsed' | 'viewsMissing' | 'viewsFrom'>;

function scoresOf(base: Base, groups: readonly Naturalized[], evaluations: Naturalized | undefined, frames: readonly SourceFrame[]): ScoresResult {
  const used = [...(textIn(evaluations, Own.viewsUsed) ?? '').matchAll(/(PA|L) \((\w+)\) of ([\d.]+)/g)].map(([, view, from, uid]) => ({ view: view as View, from, uid }));
  const missing = (textIn(evaluations, Own.viewsMissing) ?? '').split(/;\s*/).filter((view): view is View => view === 'PA' || view === 'L');
  const substitute = textIn(evaluations, Own.substitute);
  const gridsOf = (uid: string | undefined): ImageReference => gridOf(frames.filter(({ sopInstanceUID }) => sopInstanceUID === uid));
  const views = used.length > 1 ? Object.fromEntries(used.map(({ view, uid }) => [view, gridsOf(uid)])) : undefined;
  return {
    ...base,
    kind: 'scores',
    source: views ? Object.values(views)[0]! : gridOf(frames),
    scores: groups.map(scoreOf),
    viewsUsed: used.map(({ view }) => view),
    viewsMissing: missing,
    viewsFrom: Object.fromEntries(used.map(({ view, from }) => [view, from])),
    ...(substitute !== undefined && { substitute }),
    ...(views && { viewSources: views }),
  };
}

function scoreOf(group: Naturalized): Score {
  const share = (name: Code): number | undefined => {
    const percent = numberIn(group, name);
    return percent === undefined ? undefined : percent / 100;
  };
  const operatingPoint = share(Own.operatingPoint);
  const views = { PA: share(Own.byPa), L: share(Own.byLateral), fused: share(Own.byBoth) };
  return {
    target: { ...targetIn(group), ...(operatingPoint !== undefined && { operatingPoint }) },
    logit: numberIn(group, Own.logit) ?? NaN,
    probability: share(Concept.certainty) ?? NaN,
    ...(operatingPoint !== undefined && { operatingPoint }),
    positive: conceptIn(one(group, Own.atOrAbove)?.ConceptCodeSequence)?.codeValue === Concept.yes[0],
    views: Object.fromEntries(Object.entries(views).filter(([, value]) => value !== undefined)),
  };
}

function targetIn(group: Naturalized): Target {
  return targetOf(textIn(group, Concept.trackingId) ?? '', conceptIn(one(group, Concept.finding)?.ConceptCodeSequence));
}

function countsOf(base: Base, groups: readonly Naturalized[], evaluations: Naturalized | undefined, frames: readonly SourceFrame[], editedAt: string | undefined): PointsResult {
  const source = gridOf(frames);
  const markers = groups.map(group => markersIn(one(group, Concept.count), source));
  const classes = groups.map((group, i): CountedClass => {
    const [low, high, level] = [numberIn(group, Own.intervalLow), numberIn(group, Own.intervalHigh), numberIn(group, Own.intervalLevel)];
    const cellsPerMm2 = numberIn(group, Own.density);
    return {
      target: targetIn(group), count: numberIn(group, Concept.count) ?? NaN, markers: markers[i]!.length / 2,
      ...(low !== undefined && high !== undefined && level !== undefined && { interval: { low, high, level: level / 100 } }),
      ...(cellsPerMm2 !== undefined && { cellsPerMm2 }),
    };
  });
  const coordinates = Float32Array.from(markers.flat());
  const remarks = all(evaluations, Own.remark).flatMap(item => text(item.TextValue) ?? []);
  const sum = (of: (counted: CountedClass) => number): number => classes.reduce((total, counted) => total + of(counted), 0);
  const density = classes.every(({ cellsPerMm2 }) => cellsPerMm2 !== undefined);
  const [, low, high, percent] = /^(\S+) to (\S+) \((\S+) %\)$/.exec(textIn(evaluations, Own.totalInterval) ?? '') ?? [];
  return {
    ...base, kind: 'points', source, coordinates, classes,
    classOf: Uint8Array.from(markers.flatMap((of, i) => Array<number>(of.length / 2).fill(i))),
    confidences: new Float32Array(coordinates.length / 2).fill(NaN),
    total: { count: sum(({ count }) => count), markers: sum(({ markers: m }) => m), ...(density && { cellsPerMm2: sum(({ cellsPerMm2 }) => cellsPerMm2!) }), ...(low && high && percent && { interval: { low: Number(low), high: Number(high), level: Number(percent) / 100 } }) },
    ...(editedAt && { editedAt }),
    ...(remarks.length > 0 && { remarks }),
  };
}

/** Pixel indices of a count's points, on its picture or in space. */
function markersIn(count: Naturalized | undefined, { indexToPatient: m }: ImageReference): number[] {
  return (count ? childrenOf(count) : []).flatMap(item => {
    const data = numbers(item.GraphicData) ?? [];
    if (text(item.ValueType) === 'SCOORD') return data.map(v => v - 0.5);
    if (text(item.ValueType) !== 'SCOORD3D' || !m) return [];
    return Array.from({ length: data.length / 3 }, (_, i) => data.slice(3 * i, 3 * i + 3)).flatMap(([x, y, z]) => {
      const offset = [x! - m[3]!, y! - m[7]!, z! - m[11]!];
      return [0, 1].map(axis => {
        const along = [m[axis]!, m[4 + axis]!, m[8 + axis]!];
        return offset.reduce((dot, v, k) => dot + v * along[k]!, 0) / along.reduce((length, v) => length + v * v, 0);
      });
    });
  });
}

function gateOf(evaluations: Naturalized | undefined): { outOfDistribution?: OutOfDistribution } {
  const refused = conceptIn(one(evaluations, Own.gate)?.ConceptCodeSequence)?.codeValue;
  if (refused === undefined) return {};
  const reason = textIn(evaluations, Own.gateReason);
  return { outOfDistribution: { score: Number(textIn(evaluations, Own.gateScore)), threshold: Number(textIn(evaluations, Own.gateThreshold)), refused: refused === Concept.yes[0], ...(reason && { reason }) } };
}
