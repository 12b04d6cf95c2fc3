import { OverreadError } from '../errors.ts';
import { parseManifest, type ModelManifest, type RecalibrationRecord } from '../manifest.ts';
import { bootstrapIntervals } from '../metrics/bootstrap.ts';
import { reliability, type ReliabilityBin } from '../metrics/reliability.ts';
import { chooseOperatingPoint, rocPoints, type OperatingGoal, type RocPoint } from '../metrics/roc.ts';
import type { ScoredItem } from './scores.ts';

/** Fewer positives or negatives than these make a point that means little. */
export const FEW_ITEMS = 20;

/** A label's operating point that was chosen anew, and the curves that it was chosen by. */
export interface ChosenPoint {
  readonly label: string;
  readonly record: RecalibrationRecord['points'][string];
  readonly roc: readonly RocPoint[];
  readonly reliability: readonly ReliabilityBin[];
}

/**
 * Operating points that reach a goal on a site's own labelled pictures; nothing is trained. Intervals: 95 %, bootstrap over patients.
 * @param items what the model said, as it shows it, and what is true
 * @param labels only these; those with positive and negative items when left out
 * @throws OverreadError `dataset/invalid` where no label has both, or none of its points reaches the goal; `config/invalid` for a label that
 *   the model does not have
 */
export function chosenPoints(items: readonly ScoredItem[], manifest: ModelManifest, goal: OperatingGoal, labels?: readonly string[]): readonly ChosenPoint[] {
  const both = (label: string) => new Set(items.map(({ truths }) => truths[label]).filter(truth => truth !== undefined)).size === 2;
  const wanted = labels ?? manifest.output.targets.map(({ label }) => label).filter(both);
  if (wanted.length === 0) throw new OverreadError('dataset/invalid', 'Expected a label with positive and negative items, got none. Collect both.');
  return wanted.map(label => chosenPoint(label, items, manifest, goal));
}

function chosenPoint(label: string, items: readonly ScoredItem[], manifest: ModelManifest, goal: OperatingGoal): ChosenPoint {
  const target = manifest.output.targets.find(of => of.label === label);
  if (!target) throw new OverreadError('config/invalid', `Expected labels of ${manifest.id} (${manifest.output.targets.map(of => of.label).join(', ')}), got ${label}. Choose another one.`, { got: label });
  const known = items.filter(({ truths }) => truths[label] !== undefined);
  const truths = known.map(item => item.truths[label]!);
  const normalised = manifest.output.operatingPointNormalisation !== undefined && target.operatingPoint !== undefined;
  const scores = known.map(({ probabilities }) => (normalised ? plain(probabilities[label]!, target.operatingPoint!) : probabilities[label]!));
  const roc = rocPoints(scores, truths);
  const point = chooseOperatingPoint(roc, goal);
  const missed = (best: number) => new OverreadError('dataset/invalid', `Expected a point of ${label} with a ${goal.by} of at least ${goal.least}, got none; the best is ${best.toFixed(3)}. Ask for less.`, { expected: goal, got: label });
  if (!point) throw missed(Math.max(...roc.map(of => of[goal.by] ?? 0)));
  // A manifest has no 0 and no 1. What is said of the point is counted at the value that is written.
  const value = Math.min(1 - 1e-6, Math.max(1e-6, point.threshold));
  const groups = known.map(({ patientId }) => patientId);
  const rates = (weights: ArrayLike<number>) => {
    let [tp, fp, p, n] = [0, 0, 0, 0];
    truths.forEach((truth, i) => {
      const called = scores[i]! >= value;
      if (truth) p += weights[i]!;
      else n += weights[i]!;
      if (called && truth) tp += weights[i]!;
      if (called && !truth) fp += weights[i]!;
    });
    return [p > 0 ? tp / p : undefined, n > 0 ? 1 - fp / n : undefined, tp + fp > 0 ? tp / (tp + fp) : undefined] as const;
  };
  const [sensitivity, specificity, ppv] = bootstrapIntervals(groups, rates);
  const [atSensitivity, atSpecificity, atPpv] = rates(truths.map(() => 1));
  const reached = { sensitivity: atSensitivity, specificity: atSpecificity, ppv: atPpv }[goal.by] ?? 0;
  if (reached < goal.least) throw missed(reached);
  const positives = truths.filter(Boolean).length;
  const several = new Set(groups).size > 1;
  return {
    label, roc, reliability: reliability(scores, truths),
    record: {
      by: goal.by, least: goal.least, value, ...(target.operatingPoint !== undefined && { before: target.operatingPoint }), positives, negatives: truths.length - positives,
      sensitivity: { value: atSensitivity!, ...(several && sensitivity) }, specificity: { value: atSpecificity!, ...(several && specificity) },
      ...(atPpv !== undefined && { ppv: { value: atPpv, ...(several && ppv) } }),
    },
  };
}

/** A probability before the old operating point was put at 0.5. */
function plain(shown: number, point: number): number {
  return shown < 0.5 ? 2 * point * shown : 1 - 2 * (1 - point) * (1 - shown);
}

/**
 * The model's manifest with other operating points and where they came from; its weights stay the same files.
 * @param name the model's own when left out
 */
export function recalibratedManifest(manifest: ModelManifest, id: string, record: RecalibrationRecord, name = manifest.name): ModelManifest {
  const [major, minor, patch] = manifest.version.split('.').map(Number) as [number, number, number];
  const targets = manifest.output.targets.map(target => (record.points[target.label] ? { ...target, operatingPoint: record.points[target.label]!.value } : target));
  return parseManifest({
    ...manifest, id, name, version: `${major}.${minor}.${patch + 1}`, output: { ...manifest.output, targets }, recalibration: record,
    notice: `Operating points chosen on ${record.dataset.patients} patients of '${record.dataset.name}'. ${manifest.notice.replace(/^Operating points chosen on \d+ patients of '.*?'\. /, '')}`,
  }, `of ${id}`);
}

/** The points as cells of a table, its heading first. */
export function pointRows({ points }: RecalibrationRecord): string[][] {
  const share = (of: { value: number; low?: number | undefined; high?: number | undefined } | undefined) => (of ? `${of.value.toFixed(3)}${of.low === undefined ? '' : ` (${of.low.toFixed(3)} to ${of.high!.toFixed(3)})`}` : '');
  return [['LABEL', 'POINT', 'BEFORE', 'SENSITIVITY', 'SPECIFICITY', 'PPV', 'POSITIVE', 'NEGATIVE'],
    ...Object.entries(points).map(([label, p]) => [label, p.value.toFixed(4), p.before?.toFixed(4) ?? '', share(p.sensitivity), share(p.specificity), share(p.ppv), String(p.positives), String(p.negatives)])];
}

/** The card of a model whose points were chosen anew, in Markdown. */
export function recalibrationCard({ name }: ModelManifest, record: RecalibrationRecord): string {
  const [heading, ...rows] = pointRows(record);
  return [
    `# ${name}, recalibrated`, '',
    `The weights of ${record.parent.id} ${record.parent.version} (SHA-256 ${record.parent.sha256}) with operating points chosen on ${record.dataset.items} items of ${record.dataset.patients} patients of '${record.dataset.name}' (${record.dataset.licence}).`,
    '**The figures are of the patients that the points were chosen on: they are too good. Research use only. Not for diagnosis.**', '',
    `| ${heading!.map(cell => cell.toLowerCase()).join(' | ')} |`, `|${' --- |'.repeat(heading!.length)}`, ...rows.map(cells => `| ${cells.join(' | ')} |`), '',
  ].join('\n');
}
