import type { ImageReference } from '../image/image.ts';
import type { Target } from '../manifest.ts';
import type { PointsResult } from './points.ts';
import { countMarkers } from './points-edit.ts';

const MODEL_ID = 'overread-dots';

/** Cell, of SNOMED CT. */
const CELL: Target = { label: 'Cell', concept: { codeValue: '4421005', codingSchemeDesignator: 'SCT', codeMeaning: 'Cell structure' } };

/** A class of a reader's own naming. */
export function dotTarget(label: string, place: number): Target {
  return label === CELL.label ? CELL : { label, concept: { codeValue: `dot-${place + 1}`, codingSchemeDesignator: '99OVERREAD', codeMeaning: label } };
}

/** Where dots come from that no model set. */
export interface DotsOrigin {
  readonly coordinates: Float32Array;
  readonly classOf: Uint8Array;
  readonly labels: readonly string[];
}

const NONE: DotsOrigin = { coordinates: new Float32Array(), classOf: new Uint8Array(), labels: [CELL.label] };

/**
 * Dots that a reader sets on a picture, or brings from a file: a count that no model made, and that says so.
 * @param at when they were begun, ISO 8601, UTC
 */
export function dotsOn(source: ImageReference, at: string, { coordinates, classOf, labels } = NONE): PointsResult {
  const counted = countMarkers(classOf, labels.length, source);
  return {
    kind: 'points', source, createdAt: at, editedAt: at, coordinates, classOf,
    confidences: new Float32Array(classOf.length).fill(1),
    classes: labels.map((label, i) => ({ target: dotTarget(label, i), ...counted.classes[i]! })),
    total: counted.total,
    model: { id: MODEL_ID, version: '1.0.0', name: 'Dots by hand', sha256: '', notice: 'Set by a reader, not by a model.' },
    device: { backend: 'cpu', adapter: 'none', software: false, reason: 'no model ran: a reader set the dots' },
    timingMs: { load: 0, encode: 0, predict: 0, decode: 0 },
  };
}

/** Whether a count is of dots that a reader set, not of a model. */
export function isDots({ model }: Pick<PointsResult, 'model'>): boolean {
  return model.id === MODEL_ID;
}
