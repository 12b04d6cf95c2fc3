import { OverreadError } from '../errors.ts';
import { splitInstances } from './instances.ts';
import { segmentsOf } from './measure.ts';
import type { LabelmapResult, Segment } from './result.ts';

/** What a segment is of that a reader drew beside the model's: nothing more is known of it. */
const TISSUE = { codeValue: '85756007', codingSchemeDesignator: 'SCT', codeMeaning: 'Tissue' };

/**
 * The result after a reader changed its mask by hand: measured again, and marked. Segments that the model does not know
 * follow its own, with the names that the reader gave.
 * @param labels as of the result
 * @param nameOf what the reader calls a segment number
 * @param at ISO 8601, UTC
 * @throws OverreadError `internal` when `labels` is not of the result's size
 */
export function editedLabelmap(result: LabelmapResult, labels: Uint8Array, nameOf: (segmentNumber: number) => string | undefined, at: string): LabelmapResult {
  if (labels.length !== result.labels.length) {
    throw new OverreadError('internal', `Expected a mask of ${result.labels.length} pixels, got ${labels.length}. Please report this.`, { expected: result.labels.length, got: labels.length });
  }
  const counts = new Float64Array(256);
  for (let i = 0; i < labels.length; i++) counts[labels[i]!]!++;
  const last = counts.findLastIndex((count, label) => label > 0 && count > 0);
  const targets = Array.from({ length: Math.max(result.segments.length, last) }, (_, i) => result.segments[i]?.target ?? { label: nameOf(i + 1) ?? `Segment ${i + 1}`, concept: TISSUE });
  const segments = segmentsOf(counts, targets, result.source)
    .map((segment, i): Segment => ({ ...segment, ...(result.segments[i]?.threshold !== undefined && { threshold: result.segments[i].threshold }) }))
    .filter(({ pixels }, i) => pixels > 0 || i < result.segments.length);
  // Of a copy: what the reader drew stays as it was drawn.
  const instances = result.instances && splitInstances(labels.slice(), result.source.shape[0], result.instances.rule);
  return { ...result, labels, segments, ...(instances && { instances }), editedAt: at };
}
