import { OverreadError, throwIfAborted } from '../../errors.ts';
import { referenceOf, type Image } from '../../image/image.ts';
import type { View } from '../../image/view.ts';
import type { ModelManifest } from '../../manifest.ts';
import type { HeatmapResult } from '../../results/result.ts';
import type { SaliencyMethodId } from '../../results/saliency.ts';
import type { GradientModel, LoadedModel } from '../../runtime/types.ts';
import { encodePlane } from '../../tensor/encode.ts';
import { VIEWS } from '../fusion.ts';
import type { Picture } from '../picture.ts';
import type { FindingOf, Placement } from '../task.ts';
import { checkTwoViews } from '../views.ts';
import { fusedScoreBy } from './fused-score.ts';
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

export interface SaliencyOptions {
  /** The map's steps; the randomisation check that follows takes about as long and reports nothing. */
  readonly onStep?: (fraction: number) => void;
  readonly signal?: AbortSignal;
}

/** What a score is asked of: one encoded picture, and the network as a function of it. */
export interface AskedPicture {
  readonly image: Image;
  readonly view?: View;
  /** Laid out as the manifest's `input.shape`. */
  readonly input: Float32Array;
  readonly placement: Placement;
  readonly gradients: GradientModel;
}

/** A map as a task makes it, before the engine adds where it came from, and the milliseconds that it took. */
export interface TimedFinding {
  readonly finding: FindingOf<'heatmap'> & Required<Pick<HeatmapResult, 'saliency'>>;
  /** Without the randomisation check, which has its own. */
  readonly predictMs: number;
  readonly decodeMs: number;
}

/**
 * The pictures of one study that a classifier reads, each with the score as a function of it: of a model of two views
 * the fused score, the other picture staying as it is.
 * @throws OverreadError `model/graph` for a model of volumes; `input/*`
 */
export async function askedPictures({ manifest, gradients }: LoadedModel, pictures: readonly Picture[]): Promise<readonly AskedPicture[]> {
  const { fusion } = manifest.input;
  if (fusion) checkTwoViews(pictures, manifest.name);
  const encoded: Omit<AskedPicture, 'gradients'>[] = [];
  for (const { image, view } of pictures) encoded.push({ image, ...(fusion && { view: view! }), ...(await encode(image, manifest)) });
  if (!fusion) return encoded.map(of => ({ ...of, gradients }));
  const planes = Object.fromEntries(encoded.map(({ view, input }) => [view, input]));
  return VIEWS.flatMap(view => encoded.filter(of => of.view === view)).map(of => ({ ...of, gradients: gradients.of(fusedScoreBy(of.view!, fusion, planes)) }));
}

/**
 * Where a classifier's score came from, as a heat map on the picture's own grid, stamped with a randomisation check.
 * Between steps it can be cancelled, and other runs get their turn.
 * @throws OverreadError `config/invalid` for a target or parameter that there is not; `model/graph` for a model that
 *   gives no scores, or a derivative of a graph model; `device/unavailable` for a derivative on wasm; `device/*`;
 *   `job/cancelled`
 */
export async function saliencyOf(asked: AskedPicture, manifest: ModelManifest, request: SaliencyRequest, options: SaliencyOptions = {}): Promise<TimedFinding> {
  switch (request.method) {
    case 'input-gradient':
      return mapBy(inputGradient, {});
    case 'smooth-grad':
      return mapBy(smoothGrad, request);
    case 'integrated-gradients':
      return mapBy(integratedGradients, request);
    case 'grad-cam':
      return mapBy(gradCam, request);
    case 'occlusion':
      return mapBy(occlusion, request);
  }

  async function mapBy<P extends Parameters>(by: SaliencyMethod<P>, given: Partial<P>): Promise<TimedFinding> {
    const { signal, onStep } = options;
    const { image, view, input, placement, gradients } = asked;
    const target = targetIndex(manifest, request.target);
    const shape = manifest.input.shape as unknown as SaliencyContext['shape'];
    const context: SaliencyContext = { model: gradients, input, shape, valueRange: manifest.input.valueRange, target, signal };
    const start = performance.now();
    const map = await by.map({ ...context, onStep }, by.parameters(given, context));
    const predictMs = performance.now() - start;
    const randomisation = await randomisationCheck(by, map, context, request.checkSeed ?? 0);
    throwIfAborted(signal);
    const checked = performance.now();
    const finding: TimedFinding['finding'] = {
      kind: 'heatmap',
      source: referenceOf(image),
      values: toSourceGrid(map.values, map.rows, map.columns, placement),
      range: rangeOf(map),
      target: manifest.output.targets[target]!,
      ...(view && { view }),
      saliency: {
        method: by.id, parameters: map.parameters, score: map.score, signed: map.signed, mapSize: [map.rows, map.columns], randomisation,
        scoreIs: manifest.output.gives === 'logits' ? 'logit' : 'probability',
        ...(map.completeness && { completeness: map.completeness }),
      },
    };
    return { finding, predictMs, decodeMs: performance.now() - checked };
  }
}

/**
 * Refuses what cannot be asked of a model, before anything is computed.
 * @throws OverreadError `config/invalid` for an unknown target or method; `model/graph` for a model of volumes
 */
export function checkRequest({ method, target }: SaliencyRequest, manifest: ModelManifest): void {
  if (!SALIENCY_METHODS.includes(method)) {
    throw new OverreadError('config/invalid', `Expected one of ${SALIENCY_METHODS.join(', ')}, got ${String(method)}. Choose one of them.`, { expected: SALIENCY_METHODS, got: method });
  }
  targetIndex(manifest, target);
  if (manifest.input.layout !== 'NHWC') {
    throw new OverreadError('model/graph', `Expected a model of single planes, got ${manifest.id}, which reads volumes. Choose another model.`, { expected: 'NHWC', got: manifest.input.layout });
  }
}

async function encode(image: Image, { input }: ModelManifest) {
  const { tensor, placement } = encodePlane(image, input);
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
