import { OverreadError } from '../../errors.ts';
import type { HeatmapResult } from '../../results/result.ts';
import type { SaliencyDetails, SaliencyMethodId } from '../../results/saliency.ts';
import { items, numbers, text, type SourceInstance } from '../source.ts';
import { PRIVATE_ELEMENTS } from '../part10.ts';
import { MAP_LEVELS } from '../saliency-capture.ts';
import { bytesOf, floatsOf, type ReadFile } from './data-set.ts';
import { framesOf, gridOf, referenced } from './grid.ts';
import { parametersIn, provenanceOf, targetOf, type Provenance } from './provenance.ts';

/** A Secondary Capture of ours: a picture to look at. */
export interface ReadCapture {
  readonly provenance: Provenance;
  readonly target: string;
  readonly method?: string;
  readonly sourceUID?: string;
}

/**
 * A Parametric Map of ours as a heat map on its source's grid.
 * @throws OverreadError `input/refused` for one of others, `input/inconsistent` when its images are not among `sources`, `input/truncated`
 */
export function readMap(read: ReadFile, sources: readonly SourceInstance[]): { readonly result: HeatmapResult; readonly provenance: Provenance } {
  const { set } = read;
  const parameters = parametersIn(text(set.DerivationDescription));
  const provenance = provenanceOf(set, parameters);
  const bytes = bytesOf(read, read.elements, '7FE00008');
  if (!provenance.ours || !bytes) throw new OverreadError('input/refused', 'Expected a Parametric Map of Overread, got one of others. It is left to the viewer.', { expected: 'Overread', got: provenance.model.name });
  const uids = items(set.ReferencedSeriesSequence).flatMap(series => items(series.ReferencedInstanceSequence)).flatMap(item => text(item.ReferencedSOPInstanceUID) ?? []);
  const frames = items(set.PerFrameFunctionalGroupsSequence);
  const spacing = numbers(items(items(set.SharedFunctionalGroupsSequence)[0]?.PixelMeasuresSequence)[0]?.PixelSpacing);
  const numbered = frames.flatMap(frame => numbers(items(items(frame.DerivationImageSequence)[0]?.SourceImageSequence)[0]?.ReferencedFrameNumber)?.[0] ?? []);
  const candidates = framesOf(referenced(uids, sources));
  const source = gridOf(numbered.length === frames.length ? candidates.filter(({ frame }) => numbered.includes(frame)) : candidates, spacing);
  const values = floatsOf(bytes);
  const expected = source.shape[0] * source.shape[1] * source.shape[2];
  if (values.length !== expected) throw new OverreadError('input/truncated', `The map has ${values.length} values, its images ${expected}. It is not shown.`, { expected, got: values.length });
  const { ours: _, ...made } = provenance;
  const number = (name: string): number | undefined => (parameters.has(name) ? Number(parameters.get(name)) : undefined);
  const [low, high] = [number('low') ?? Math.min(0, ...[values.reduce((a, b) => Math.min(a, b), 0)]), number('high') ?? values.reduce((a, b) => Math.max(a, b), 0)];
  const saliency = saliencyIn(parameters, source.shape);
  return { provenance, result: { ...made, kind: 'heatmap', source, values, range: [low, high], target: targetOf(parameters.get('target') ?? '', undefined), ...viewIn(parameters), ...(saliency && { saliency }) } };
}

function saliencyIn(parameters: ReadonlyMap<string, string>, [columns, rows]: readonly number[]): SaliencyDetails | undefined {
  const method = parameters.get('method');
  if (method === undefined) return undefined;
  return {
    method: method as SaliencyMethodId,
    parameters: Object.fromEntries([...parameters].filter(([name]) => name.startsWith('parameter.')).map(([name, value]) => [name.slice('parameter.'.length), value])),
    score: Number(parameters.get('score')),
    scoreIs: parameters.get('scoreIs') === 'logit' ? 'logit' : 'probability',
    signed: parameters.get('signed') === 'true',
    mapSize: [rows!, columns!],
    randomisation: { unavailable: 'not kept in the stored map' },
  };
}

/**
 * A Secondary Capture of ours, and the map in it as an overlay on the picture that it was made from. Captures that a
 * store has robbed of their private elements stay pictures.
 * @throws OverreadError `input/refused` for a capture of others, `input/inconsistent` when its image is not among `sources`, `input/truncated`
 */
export function readCapture(read: ReadFile, sources: readonly SourceInstance[]): { readonly provenance: Provenance; readonly capture: ReadCapture; readonly result?: HeatmapResult } {
  const { set } = read;
  const parameters = parametersIn(text(set.DerivationDescription));
  const provenance = provenanceOf(set, parameters);
  if (!provenance.ours) throw new OverreadError('input/refused', 'Expected a Secondary Capture of Overread, got one of others. It is left to the viewer.', { expected: 'Overread', got: provenance.model.name });
  const method = parameters.get('method');
  const item = items(set.SourceImageSequence)[0];
  const sourceUID = text(item?.ReferencedSOPInstanceUID);
  const capture: ReadCapture = { provenance, target: parameters.get('target') ?? '', ...(method && { method }), ...(sourceUID && { sourceUID }) };
  const levels = bytesOf(read, read.elements, PRIVATE_ELEMENTS.OverreadMapLevels!.tag);
  const [low, high] = [Number(parameters.get('low')), Number(parameters.get('high'))];
  if (!levels || !sourceUID || !Number.isFinite(low) || !Number.isFinite(high)) return { provenance, capture };
  const frame = numbers(item?.ReferencedFrameNumber)?.[0] ?? 1;
  const source = gridOf(framesOf(referenced([sourceUID], sources)).filter(of => of.frame === frame));
  const expected = source.shape[0] * source.shape[1];
  if (levels.length !== expected + (expected % 2)) throw new OverreadError('input/truncated', `The map has ${levels.length} values, its image ${expected}. It is not shown.`, { expected, got: levels.length });
  const values = Float32Array.from(levels.subarray(0, expected), level => low + (level * (high - low)) / MAP_LEVELS);
  const { ours: _, ...made } = provenance;
  const saliency = saliencyIn(parameters, source.shape);
  return { provenance, capture, result: { ...made, kind: 'heatmap', source, values, range: [low, high], target: targetOf(capture.target, undefined), ...viewIn(parameters), ...(saliency && { saliency }) } };
}

function viewIn(parameters: ReadonlyMap<string, string>): Pick<HeatmapResult, 'view'> {
  const view = parameters.get('view');
  return view === 'PA' || view === 'L' ? { view } : {};
}
