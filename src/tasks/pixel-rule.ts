import { OverreadError } from '../errors.ts';
import type { ModelManifest } from '../manifest.ts';
import { instanceRuleOf } from '../results/instances.ts';

/** Where the manifest states none. */
export const DEFAULT_OPERATING_POINT = 0.5;

/** The label (0: background) of the pixel whose channels begin at `at`. */
export type PixelRule = (values: Float32Array, at: number) => number;

/**
 * How a manifest's output becomes a label. Sigmoid: each target against its operating point, in logits where the
 * network gives logits; of several, the one furthest above its own, but the edge of `output.instances` over them all and
 * never alone. Softmax: the largest channel, and where its target
 * states an operating point, only if its probability reaches it.
 * @throws OverreadError `model/manifest` for an output that is no segmentation
 */
export function pixelRule({ id, output }: Pick<ModelManifest, 'id' | 'output'>): PixelRule {
  const points = output.targets.map(target => target.operatingPoint);
  if (output.activation === 'sigmoid') {
    const thresholds = points.map((p = DEFAULT_OPERATING_POINT) => (output.gives === 'logits' ? Math.log(p / (1 - p)) : p));
    const edge = instanceRuleOf({ output })?.edge;
    if (edge !== undefined) return edged(thresholds, edge);
    return thresholds.length === 1 ? (values, at) => (values[at]! >= thresholds[0]! ? 1 : 0) : surest(thresholds);
  }
  if (output.activation === 'softmax') return largest(points, output.gives);
  throw new OverreadError(
    'model/manifest',
    `The manifest of ${id} has task segment with activation none; expected sigmoid or softmax, since a threshold needs probabilities. Mend output.activation.`,
    { expected: ['sigmoid', 'softmax'], got: output.activation },
  );
}

function edged(thresholds: readonly number[], edge: number): PixelRule {
  const inside = surest(thresholds.map((threshold, c) => (c === edge - 1 ? Infinity : threshold)));
  const threshold = thresholds[edge - 1]!;
  return (values, at) => {
    const label = inside(values, at);
    return label !== 0 && values[at + edge - 1]! >= threshold ? edge : label;
  };
}

function surest(thresholds: readonly number[]): PixelRule {
  return (values, at) => {
    let label = 0;
    let best = -Infinity;
    for (let c = 0; c < thresholds.length; c++) {
      const margin = values[at + c]! - thresholds[c]!;
      if (margin >= 0 && margin > best) {
        best = margin;
        label = c + 1;
      }
    }
    return label;
  };
}

function largest(points: readonly (number | undefined)[], gives: ModelManifest['output']['gives']): PixelRule {
  const channels = points.length + 1;
  return (values, at) => {
    let label = 0;
    for (let c = 1; c < channels; c++) if (values[at + c]! > values[at + label]!) label = c;
    const point = label > 0 ? points[label - 1] : undefined;
    if (point === undefined) return label;
    return probability(values, at, channels, label, gives) >= point ? label : 0;
  };
}

function probability(values: Float32Array, at: number, channels: number, label: number, gives: ModelManifest['output']['gives']): number {
  if (gives === 'probability') return values[at + label]!;
  let sum = 0;
  for (let c = 0; c < channels; c++) sum += Math.exp(values[at + c]! - values[at + label]!);
  return 1 / sum;
}
