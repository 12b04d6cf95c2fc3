import { OverreadError } from '../errors.ts';
import type { ModelManifest } from '../manifest.ts';
import type { Score } from '../results/result.ts';

const DEFAULT_OPERATING_POINT = 0.5;
/** Half a step of a float below 1: a probability that a network rounded to 0 or 1 still has a logit. */
const LEAST_PROBABILITY = 2 ** -25;
/** What a float32 softmax or sigmoid may be off. */
const ROUNDING = 1e-5;

/** What a network says of one target, whichever view it saw. */
export type TargetScore = Omit<Score, 'views'>;

/**
 * The network's values → scores, in the order of the targets: logits, calibrated, activated, set against the operating
 * point, and where the manifest says so shown with that point at 0.5.
 * @param values one a target; with softmax a background may stand before them
 * @throws OverreadError `model/manifest` for activation none, `model/output` for a probability that is none
 */
export function scoresOf(values: ArrayLike<number>, manifest: ModelManifest): TargetScore[] {
  const { output } = manifest;
  const background = values.length - output.targets.length;
  const likely = probabilities(values, manifest);
  const largest = likely.indexOf(Math.max(...likely));
  return output.targets.map((target, i) => {
    const at = background + i;
    const logit = output.gives === 'logits' ? values[at]! : logitOf(likely[at]!, output.activation);
    const probability = likely[at]!;
    const { operatingPoint } = target;
    const base = { target, logit };
    if (operatingPoint !== undefined) {
      const positive = probability >= operatingPoint;
      if (!output.operatingPointNormalisation) return { ...base, probability, operatingPoint, positive };
      return { ...base, probability: normalised(probability, operatingPoint), operatingPoint: 0.5, positive };
    }
    if (output.operatingPointNormalisation) return { ...base, probability, positive: false };
    return { ...base, probability, positive: output.activation === 'softmax' ? at === largest : probability >= DEFAULT_OPERATING_POINT };
  });
}

function probabilities(values: ArrayLike<number>, manifest: ModelManifest): number[] {
  const { id, output } = manifest;
  const given = Array.from(values);
  if (output.activation === 'none') {
    throw new OverreadError(
      'model/manifest',
      `The manifest of ${id} has task classify with activation none; expected sigmoid or softmax, since a score is a probability. Mend output.activation.`,
      { expected: ['sigmoid', 'softmax'], got: output.activation },
    );
  }
  if (output.gives === 'probability') return given.map(value => checked(value, id));
  const calibrated = given.map((logit, i) => calibrate(logit, i, output.calibration));
  return output.activation === 'sigmoid' ? calibrated.map(sigmoid) : softmax(calibrated);
}

function calibrate(logit: number, index: number, calibration: ModelManifest['output']['calibration']): number {
  if (!calibration) return logit;
  if (calibration.kind === 'temperature') return logit / calibration.value;
  // Sigmoid only, so there is no background and the index is the target's.
  const { a, b } = calibration.targets[index]!;
  return a * logit + b;
}

/** torchxrayvision's `op_norm`. */
function normalised(probability: number, point: number): number {
  return probability < point ? probability / (2 * point) : 1 - (1 - probability) / (2 * (1 - point));
}

function checked(probability: number, id: string): number {
  if (probability >= -ROUNDING && probability <= 1 + ROUNDING) return Math.min(1, Math.max(0, probability));
  throw new OverreadError('model/output', `Expected ${id} to give probabilities, 0 to 1, as its manifest says, got ${probability}. Mend output.gives of its manifest.`, {
    expected: [0, 1],
    got: probability,
  });
}

/** Of a softmax's probability: its logarithm, a logit but for a constant that all classes share. */
function logitOf(probability: number, activation: string): number {
  const inside = Math.min(1 - LEAST_PROBABILITY, Math.max(LEAST_PROBABILITY, probability));
  return activation === 'softmax' ? Math.log(inside) : Math.log(inside / (1 - inside));
}

function sigmoid(x: number): number {
  if (x >= 0) return 1 / (1 + Math.exp(-x));
  const e = Math.exp(x);
  return e / (1 + e);
}

function softmax(logits: readonly number[]): number[] {
  const largest = Math.max(...logits);
  const powers = logits.map(x => Math.exp(x - largest));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map(p => p / sum);
}
