import { OverreadError } from '../../errors.ts';
import type { HeatmapResult } from '../../results/result.ts';
import type { SaliencyDetails, SaliencyMethodId } from '../../results/saliency.ts';
import { items, numbers, text, type SourceInstance } from '../source.ts';
import { bytesOf, floatsOf, type ReadFile } from './data-set.ts';
import { framesOf, gridOf, referenced } from './grid.ts';
import { parametersIn, provenanceOf, targetOf, type Provenance } from './provenance.ts';

/** A Secondary Capture of ours: a picture to look at, whose values are not in it. */
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
  return { provenance, result: { ...made, kind: 'heatmap', source, values, range: [low, high], target: targetOf(parameters.get('target') ?? '', undefined), ...(saliency && { saliency }) } };
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

/** @throws OverreadError `input/refused` for a capture of others */
export function readCapture({ set }: ReadFile): ReadCapture {
  const parameters = parametersIn(text(set.DerivationDescription));
  const provenance = provenanceOf(set, parameters);
  if (!provenance.ours) throw new OverreadError('input/refused', 'Expected a Secondary Capture of Overread, got one of others. It is left to the viewer.', { expected: 'Overread', got: provenance.model.name });
  const method = parameters.get('method');
  const sourceUID = text(items(set.SourceImageSequence)[0]?.ReferencedSOPInstanceUID);
  return { provenance, target: parameters.get('target') ?? '', ...(method && { method }), ...(sourceUID && { sourceUID }) };
}
