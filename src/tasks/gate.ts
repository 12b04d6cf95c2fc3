import { dispose } from '@tensorflow/tfjs-core';
import { OverreadError } from '../errors.ts';
import type { Image } from '../image/image.ts';
import { statedView, type View } from '../image/view.ts';
import type { Gate, ModelManifest } from '../manifest.ts';
import type { OutOfDistribution } from '../results/result.ts';
import type { LoadedModel } from '../runtime/types.ts';
import { encodePlane } from '../tensor/encode.ts';
import { scoresOf } from './score-rule.ts';
import { viewsRead } from './views.ts';

/** What a gate says of a picture. */
export interface Judgement {
  readonly verdict: OutOfDistribution;
  /** The view that it is sure of. */
  readonly view?: View;
}

/**
 * Judges a picture before a model reads it: whether it is a sound picture of a kind that the model reads, by the
 * probability of each fault and by the distance of its features from the training set's (Lee et al. 2018, "A Simple
 * Unified Framework for Detecting Out-of-Distribution Samples", arXiv 1807.03888).
 * @param gate a loaded model whose manifest has `gate`
 * @throws OverreadError `model/manifest` when it has none; `device/*`, `job/cancelled`
 */
export async function judge(gate: LoadedModel, image: Image, manifest: ModelManifest, signal?: AbortSignal): Promise<Judgement> {
  const rules = gate.manifest.gate;
  if (!rules) {
    throw new OverreadError('model/manifest', `${manifest.id} names ${gate.manifest.id} as its gate, but that one's manifest has no field gate. Mend input.gate.`, { expected: 'gate', got: gate.manifest.id });
  }
  const { tensor } = encodePlane(image, gate.manifest.input);
  const outputs = await gate.predict([tensor], signal).finally(() => tensor.dispose());
  try {
    const [distances, values] = await Promise.all(outputs.map(output => output.data()));
    const probabilities = Object.fromEntries(scoresOf(values!, gate.manifest).map(({ target, probability }) => [target.label, probability]));
    const stated = statedView(image.attributes)?.view;
    return verdictOf(rules, probabilities, distances![0]!, stated ? [stated] : viewsRead(manifest));
  } finally {
    dispose([...outputs]);
  }
}

/**
 * @param probabilities of the gate's targets, by label
 * @param expected the views that the picture may show: the stated one, else those that the model reads
 */
export function verdictOf(gate: Gate, probabilities: Readonly<Record<string, number>>, distance: number, expected: readonly View[]): Judgement {
  const { threshold, distanceThreshold } = gate;
  const labels = { PA: gate.frontal, L: gate.lateral };
  const names = { PA: 'frontal', L: 'lateral' };
  const reasons: [label: string, reason: string][] = Object.entries(gate.faults);
  if (expected.length === 1) {
    const [wanted] = expected as [View];
    const other = wanted === 'PA' ? 'L' : 'PA';
    reasons.push([labels[other], `${names[other]} view where a ${names[wanted]} one is read`]);
  }
  const view = (['PA', 'L'] as const).find(v => probabilities[labels[v]]! > threshold);
  const worst = reasons.map(([label, reason]) => ({ probability: probabilities[label]!, reason })).sort((a, b) => b.probability - a.probability)[0];
  if (worst && worst.probability > threshold) {
    return {
      verdict: { score: worst.probability, threshold, refused: true, reason: `${worst.reason}: probability ${worst.probability.toFixed(2)} over ${threshold.toFixed(2)}` },
      ...(view && { view }),
    };
  }
  const refused = distance > distanceThreshold;
  return {
    verdict: {
      score: distance, threshold: distanceThreshold, refused,
      ...(refused && { reason: `not like the chest radiographs that the gate knows: distance ${distance.toFixed(2)} over ${distanceThreshold.toFixed(2)}` }),
    },
    ...(view && { view }),
  };
}

/** Of several verdicts the one that speaks most against reading; undefined of none. */
export function worstVerdict(verdicts: readonly OutOfDistribution[]): OutOfDistribution | undefined {
  const by = ({ score, threshold, refused }: OutOfDistribution) => (refused ? 1e6 : 0) + score / threshold;
  return [...verdicts].sort((a, b) => by(b) - by(a))[0];
}
