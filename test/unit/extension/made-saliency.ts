import type { KeptResult } from '../../../extension/results-store.ts';
import { sourcesOf } from '../../../extension/identity.ts';
import type { Image } from '../../../src/image/image.ts';
import { referenceOf } from '../../../src/image/image.ts';
import type { ScoresResult } from '../../../src/results/result.ts';
import type { SaliencyDetails, SaliencyMethodId } from '../../../src/results/saliency.ts';
import type { SaliencyResult } from '../../../src/tasks/saliency/index.ts';
import { image, result, source } from './made.ts';

const base = () => {
  const { model, device, timingMs, createdAt, segments } = result();
  return { model, device: { ...device, backend: 'webgpu' as const }, timingMs, createdAt, target: segments[0]!.target };
};

export function scores(change: Partial<ScoresResult> = {}): ScoresResult {
  const { target, ...of } = base();
  const score = { logit: 1, probability: 0.7, positive: true, views: {} };
  return {
    kind: 'scores', ...of, source: referenceOf(image()), viewsUsed: ['PA'], viewsMissing: [], viewsFrom: { PA: 'ViewPosition' },
    scores: ['Lung', 'Effusion'].map(label => ({ ...score, target: { ...target, label } })), ...change,
  };
}

/** Of a frontal picture 'pa' and a lateral one 'l', each of its series. */
export function scoresOfTwo(): ScoresResult {
  const [pa, l] = [image(source('pa', 1, '1', '1.2')), image(source('l', 1, '1', '1.3'))].map(referenceOf);
  return scores({ source: pa!, viewsUsed: ['PA', 'L'], viewsFrom: { PA: 'ViewPosition', L: 'ViewPosition' }, viewSources: { PA: pa!, L: l! } });
}

export function kept(of: ScoresResult = scores(), key = 'k'): KeptResult {
  const [first] = sourcesOf(of);
  return { key, studyInstanceUID: first!.studyInstanceUID, seriesInstanceUID: first!.seriesInstanceUID, result: of, visible: true };
}

interface MapChange extends Partial<SaliencyResult> {
  readonly label?: string;
  readonly method?: SaliencyMethodId;
  readonly details?: Partial<SaliencyDetails>;
}

export function saliencyMap(of: Image = image(), { label = 'Lung', method = 'grad-cam', details, ...change }: MapChange = {}): SaliencyResult {
  const { target, ...rest } = base();
  return {
    kind: 'heatmap', ...rest, source: referenceOf(of), target: { ...target, label }, values: Float32Array.from(of.pixels, (_, i) => i), range: [0, 3],
    saliency: {
      method, parameters: {}, score: 1, scoreIs: 'logit', signed: false, mapSize: [2, 2],
      randomisation: { similarity: 0.1, threshold: 0.5, suspicious: false, layer: 'top', seed: 0, ms: 1 }, ...details,
    },
    ...change,
  };
}
