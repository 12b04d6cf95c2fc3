import { OverreadError, throwIfAborted } from '../../errors.ts';
import { referenceOf, type Image } from '../../image/image.ts';
import type { ModelManifest } from '../../manifest.ts';
import type { HeatmapResult } from '../../results/result.ts';
import type { SaliencyMethodId } from '../../results/saliency.ts';
import type { LoadedModel, OnProgress, Runtime } from '../../runtime/types.ts';
import { encodePlane } from '../../tensor/encode.ts';
import { acceptPlane } from '../accept.ts';
import { gradCam, type GradCamParameters } from './grad-cam.ts';
import { inputGradient } from './input-gradient.ts';
import { integratedGradients, type IntegratedGradientsParameters } from './integrated-gradients.ts';
import type { Parameters, SaliencyContext, SaliencyMap, SaliencyMethod } from './method.ts';
import { occlusion, type OcclusionParameters } from './occlusion.ts';
import { randomisationCheck } from './randomisation.ts';
import { smoothGrad, type SmoothGradParameters } from './smooth-grad.ts';
import { toSourceGrid } from './source-grid.ts';

/** Every method, the cheapest first. Those but occlusion need derivatives, which wasm lacks. */
export const SALIENCY_METHODS: readonly SaliencyMethodId[] = ['grad-cam', 'input-gradient', 'smooth-grad', 'integrated-gradients', 'occlusion'];

/** Which score to explain, and how. Parameters that are left out have their method's defaults. */
export type SaliencyRequest = {
  /** A label of the manifest's targets. */
  readonly target: string;
  /** Of the randomised top layer; 0 when left out. */
  readonly checkSeed?: number;
} & (
  | { readonly method: 'input-gradient' }
  | ({ readonly method: 'smooth-grad' } & Partial<SmoothGradParameters>)
  | ({ readonly method: 'integrated-gradients' } & Partial<IntegratedGradientsParameters>)
  | ({ readonly method: 'grad-cam' } & Partial<GradCamParameters>)
  | ({ readonly method: 'occlusion' } & Partial<OcclusionParameters>)
);

export type SaliencyResult = HeatmapResult & Required<Pick<HeatmapResult, 'saliency'>>;

export interface ExplainOptions {
  /** The map's steps; the randomisation check that follows takes about as long and reports nothing. */
  readonly onProgress?: OnProgress;
  readonly signal?: AbortSignal;
  /** What loading the model took, for the result's timing; 0 when it was in memory. */
  readonly loadMs?: number;
}

/**
 * Where a classifier's score came from, as a heat map on the source grid, stamped with a randomisation check. Works on
 * single planes; between steps it can be cancelled, and other runs get their turn.
 * @throws OverreadError `config/invalid` for a target or parameter that there is not; `input/refused`; `model/graph` for a
 *   model that gives no scores, or a derivative of a graph model; `device/unavailable` for a derivative on wasm;
 *   `device/*`; `job/cancelled`
 */
export async function explain(runtime: Runtime, model: LoadedModel, image: Image, request: SaliencyRequest, options: ExplainOptions = {}): Promise<SaliencyResult> {
  const { method } = request;
  switch (method) {
    case 'input-gradient':
      return explainBy(inputGradient, {});
    case 'smooth-grad':
      return explainBy(smoothGrad, request);
    case 'integrated-gradients':
      return explainBy(integratedGradients, request);
    case 'grad-cam':
      return explainBy(gradCam, request);
    case 'occlusion':
      return explainBy(occlusion, request);
    default:
      throw new OverreadError('config/invalid', `Expected one of ${SALIENCY_METHODS.join(', ')}, got ${String(method)}. Choose one of them.`, { expected: SALIENCY_METHODS, got: method });
  }

  async function explainBy<P extends Parameters>(by: SaliencyMethod<P>, given: Partial<P>): Promise<SaliencyResult> {
    const { onProgress, signal, loadMs = 0 } = options;
    const { manifest } = model;
    const target = targetIndex(manifest, request.target);
    if (manifest.input.layout !== 'NHWC') {
      throw new OverreadError('model/graph', `Expected a model of single planes, got ${manifest.id}, which reads volumes. Choose another model.`, { expected: 'NHWC', got: manifest.input.layout });
    }
    acceptPlane(image, manifest);
    await runtime.ready();
    throwIfAborted(signal);

    onProgress?.({ stage: 'encode' });
    const started = performance.now();
    const { input, placement } = await encode(image, manifest);
    const encoded = performance.now();
    const onStep = (fraction: number) => onProgress?.({ stage: 'infer', fraction });
    const shape = manifest.input.shape as unknown as SaliencyContext['shape'];
    const context: SaliencyContext = { model: model.gradients, input, shape, valueRange: manifest.input.valueRange, target, signal };
    onProgress?.({ stage: 'infer' });
    const map = await by.map({ ...context, onStep }, by.parameters(given, context));
    const mapped = performance.now();
    const randomisation = await randomisationCheck(by, map, context, request.checkSeed ?? 0);
    throwIfAborted(signal);

    onProgress?.({ stage: 'decode' });
    const checked = performance.now();
    const values = toSourceGrid(map.values, map.rows, map.columns, placement);
    return {
      kind: 'heatmap',
      source: referenceOf(image),
      values,
      range: rangeOf(map),
      target: manifest.output.targets[target]!,
      saliency: {
        method: by.id, parameters: map.parameters, score: map.score, signed: map.signed, mapSize: [map.rows, map.columns], randomisation,
        scoreIs: manifest.output.gives === 'logits' ? 'logit' : 'probability',
        ...(map.completeness && { completeness: map.completeness }),
      },
      model: model.identity,
      device: runtime.device,
      timingMs: { load: loadMs, encode: encoded - started, predict: mapped - encoded, decode: performance.now() - checked },
      createdAt: new Date().toISOString(),
    };
  }
}

async function encode(image: Image, manifest: ModelManifest) {
  const { tensor, placement } = encodePlane(image, manifest.input);
  try {
    return { input: (await tensor.data()).slice() as Float32Array, placement };
  } finally {
    tensor.dispose();
  }
}

function targetIndex({ id, output }: ModelManifest, label: string): number {
  const labels = output.targets.map(target => target.label);
  const index = labels.indexOf(label);
  if (index >= 0) return index;
  throw new OverreadError('config/invalid', `Expected a target of ${id}, got ${label}. Choose one of ${labels.join(', ')}.`, { expected: labels, got: label });
}

/** From 0 to the largest value, or as far below 0 as above; [0, 1] or [−1, 1] for a map that is 0 everywhere. */
function rangeOf({ values, signed }: SaliencyMap<Parameters>): [number, number] {
  const largest = values.reduce((max, value) => Math.max(max, Math.abs(value)), 0) || 1;
  return [signed ? -largest : 0, largest];
}
