import { keepLargestComponents } from './components.ts';
import { splitInstances } from './instances.ts';
import { segmentsOf } from './measure.ts';
import { middleOf, nearestStop, stopsOf } from './probability-planes.ts';
import type { LabelmapResult } from './result.ts';

/** What a segment's mask is decided at now; undefined where the result keeps no probabilities. */
export function thresholdsOf({ segments, probabilities }: LabelmapResult): readonly number[] | undefined {
  return probabilities?.operatingPoints.map((point, i) => segments[i]?.threshold ?? point);
}

/**
 * The result as it would have come out at other thresholds: exactly that for one target. Where several targets reach
 * theirs at a pixel, the one further above its own has it, in logits, to the half percent that is kept. At the operating
 * points the mask is the network's own. The edge of objects is drawn over the others, and objects are made again.
 * @param thresholds one a target, of its {@link stopsOf}; another is taken as the nearest of them
 * @returns the result itself where it keeps no probabilities
 */
export function rethreshold(result: LabelmapResult, thresholds: readonly number[]): LabelmapResult {
  const { probabilities, source } = result;
  if (!probabilities) return result;
  const { values, operatingPoints, keepLargestComponents: kept, instances } = probabilities;
  const chosen = operatingPoints.map((point, i) => nearestStop(stopsOf(point), thresholds[i] ?? point));
  const labels = chosen.every((threshold, i) => threshold === operatingPoints[i]) ? probabilities.labels : decide(values, operatingPoints, chosen, instances?.rule.edge);
  if (kept !== undefined && labels !== probabilities.labels) {
    const [columns, rows] = source.shape;
    chosen.forEach((_, i) => keepLargestComponents(labels, columns, i + 1, kept, rows));
  }
  const objects = instances && (labels === probabilities.labels ? instances : splitInstances(labels, source.shape[0], instances.rule));
  const counts = new Float64Array(256);
  for (let i = 0; i < labels.length; i++) counts[labels[i]!]!++;
  const targets = result.segments.slice(0, chosen.length).map(segment => segment.target);
  const segments = segmentsOf(counts, targets, source).map((segment, i) => ({ ...segment, threshold: chosen[i]! }));
  return { ...result, labels, segments, ...(objects && { instances: objects }) };
}

function decide(values: Uint8Array, operatingPoints: readonly number[], thresholds: readonly number[], edge?: number): Uint8Array {
  const pixels = values.length / thresholds.length;
  // How far above its threshold a target's code lies, in logits; below it, nowhere.
  const margins = thresholds.map((threshold, i) => {
    const stops = stopsOf(operatingPoints[i]!);
    const needed = stops.indexOf(threshold) + 1;
    return Float64Array.from({ length: stops.length + 1 }, (_, code) => (code < needed ? -Infinity : logit(middleOf(stops, code)) - logit(threshold)));
  });
  const labels = new Uint8Array(pixels);
  const best = new Float64Array(pixels).fill(-Infinity);
  margins.forEach((margin, target) => {
    const start = target * pixels;
    if (target + 1 === edge) return;
    for (let i = 0; i < pixels; i++) {
      const above = margin[values[start + i]!]!;
      if (above > best[i]!) {
        best[i] = above;
        labels[i] = target + 1;
      }
    }
  });
  if (edge === undefined) return labels;
  const over = values.subarray((edge - 1) * pixels, edge * pixels);
  for (let i = 0; i < pixels; i++) if (labels[i] !== 0 && margins[edge - 1]![over[i]!]! >= 0) labels[i] = edge;
  return labels;
}

function logit(p: number): number {
  return Math.log(p / (1 - p));
}
