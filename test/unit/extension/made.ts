import { Observable, type State } from '../../../extension/state.ts';
import type { Target as RunTarget } from '../../../extension/identity.ts';
import { parseManifest, type ModelManifest } from '../../../src/manifest.ts';
import type { Image, InstanceReference } from '../../../src/image/image.ts';
import { referenceOf } from '../../../src/image/image.ts';
import type { LabelmapResult, Score, ScoresResult } from '../../../src/results/result.ts';

const LUNG = { codeValue: '39607008', codingSchemeDesignator: 'SCT', codeMeaning: 'Lung' };

export function source(sop = '1.2.3', frame = 1, study = '1', series = '1.2'): InstanceReference {
  return { studyInstanceUID: study, seriesInstanceUID: series, sopInstanceUID: sop, frame };
}

export function image(of: InstanceReference = source(), [columns, rows] = [2, 2]): Image {
  return {
    sources: [of], modality: 'CR', shape: [columns!, rows!, 1], channels: 1, attributes: { viewPosition: 'PA' },
    pixels: new Float32Array(columns! * rows!), representableRange: [0, 255],
  };
}

export function result(of: Image = image(), { labels, version = '1.0.0', sha256 = 'a' }: { labels?: Uint8Array; version?: string; sha256?: string } = {}): LabelmapResult {
  const drawn = labels ?? new Uint8Array(of.pixels.length).fill(1);
  const target = { label: 'Lung', concept: LUNG };
  return {
    kind: 'labelmap', labels: drawn, source: referenceOf(of),
    segments: [{ target, segmentNumber: 1, pixels: drawn.filter(v => v === 1).length }],
    model: { id: 'lung-unet', version, name: 'Lung U-Net', sha256, notice: 'Research use only. Not for diagnosis.' },
    device: { backend: 'wasm', adapter: 'simd', software: false, reason: 'WebGPU: no adapter' },
    timingMs: { load: 0, encode: 1, predict: 2, decode: 3 },
    createdAt: '2026-01-02T03:04:05.000Z',
  };
}

export function score(label: string, probability: number, change: Partial<Score> = {}): Score {
  const operatingPoint = 0.5;
  return {
    target: { label, concept: LUNG }, probability, logit: Math.log(probability / (1 - probability)), operatingPoint, positive: probability >= operatingPoint,
    views: { PA: probability }, ...change,
  };
}

/** Of two views, where both are given. */
export function scoresResult(scores: readonly Score[] = [score('Effusion', 0.7)], change: Partial<ScoresResult> = {}): ScoresResult {
  const { labels: _, segments: __, ...base } = result();
  return { ...base, kind: 'scores', scores, viewsUsed: ['PA'], viewsMissing: [], viewsFrom: { PA: 'ViewPosition' }, ...change };
}

/** A scores result of a frontal and a lateral in series of their own. */
export function twoViews(pa = image(source('pa', 1, '1', 's1')), lateral = image(source('l', 1, '1', 's2'))): ScoresResult {
  return scoresResult([score('Effusion', 0.7, { views: { PA: 0.6, L: 0.4, fused: 0.7 } })], {
    source: referenceOf(pa), viewsUsed: ['PA', 'L'], viewsFrom: { PA: 'ViewPosition', L: 'ViewPosition' }, viewSources: { PA: referenceOf(pa), L: referenceOf(lateral) },
  });
}

export function manifest(change: object = {}): ModelManifest {
  return parseManifest({
    schemaVersion: 1, id: 'lung-unet', version: '1.0.0', name: 'Lung U-Net', task: 'segment',
    graph: { url: 'model.json', format: 'layers', sha256: { 'model.json': 'a'.repeat(64) } },
    input: { modality: ['CR'], shape: [4, 4, 1], layout: 'NHWC', valueRange: [0, 1], channels: ['grey'], normalisation: { kind: 'representable' }, fit: 'letterbox' },
    output: { activation: 'sigmoid', gives: 'logits', targets: [{ label: 'Lung', concept: LUNG }] },
    algorithm: { family: LUNG, name: 'U-Net' },
    license: 'MIT', citation: 'none', intendedUse: 'tests', notice: 'Research use only.',
    ...change,
  }, 'made');
}

/** Of a model that scores a frontal and a lateral together. */
export function fusionManifest(input: object = {}): ModelManifest {
  const { input: of, output } = manifest();
  return manifest({
    id: 'fusion', name: 'Fusion', task: 'classify',
    input: { ...of, modality: ['DX', 'CR'], fusion: 'hemis', ...input },
    output: { ...output, targets: [{ label: 'Effusion', concept: LUNG, operatingPoint: 0.5 }] },
  });
}

export function state(change: Partial<State> = {}): Observable<State> {
  return new Observable<State>({
    catalogue: { entries: [{ location: 'https://x/lung-unet/', manifest: manifest() }], problems: [] },
    overlay: { opacity: 0.8, style: 'outline' }, overlaysShown: true, openStudies: new Set(['1']), hasImage: true, hasSlide: false,
    ...change,
  });
}

export function target(of: InstanceReference = source()): RunTarget {
  return { viewportId: 'v', displaySetInstanceUID: 'd', imageId: `image:${of.sopInstanceUID}`, source: of };
}
