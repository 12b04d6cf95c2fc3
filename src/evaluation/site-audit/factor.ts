import { pixelDifferences } from '../../metrics/pixel-differences.ts';
import { ridgeSeparation, type Separation } from '../../metrics/ridge-separation.ts';
import { AUDIT_SIDE, type AuditedPicture, type Factor, type FactorKind } from './audited.ts';
import { atMost, grouped, type Group } from './groups.ts';

/** A p-value, and the same adjusted (Holm) for all tests of this kind of factor in the audit. */
export interface Tested {
  readonly p: number;
  readonly adjusted: number;
}

export interface GroupPicture extends Group {
  /** Side² values in shares of what stored values could be, row by row. */
  readonly mean: readonly number[];
  /** The group's mean less that of all others. */
  readonly difference: readonly number[];
  /** Cells of a grid half as fine that differ by more than chance, by their index. */
  readonly significant: readonly number[];
  /** Where it differs most; coordinates are shares of the picture's width and height. */
  readonly strongest: { readonly x: number; readonly y: number; readonly difference: number; readonly p: number };
}

export interface SeparationReport extends Tested, Pick<Separation, 'mean'> {
  readonly groups: readonly (Separation['groups'][number] & { readonly name: string })[];
  readonly pictures: number;
  readonly features: number;
}

export interface FactorAudit {
  readonly name: string;
  readonly kind: FactorKind;
  readonly side: number;
  readonly groups: readonly GroupPicture[];
  readonly leftOut: readonly Group[];
  readonly unknown: number;
  /** That the mean pictures differ anywhere. */
  readonly pixels?: Tested;
  /** How well a classifier tells the groups from the picture, and from what the model's last layer reads. */
  readonly fromPicture?: SeparationReport;
  readonly fromFeatures?: SeparationReport;
  /** Why something is absent. */
  readonly remarks: readonly string[];
}

export interface TestOptions {
  /** Only these factors, by their names. */
  readonly factors?: readonly string[];
  readonly permutations?: number;
  readonly seed?: number;
}

/** A classifier's cost grows with the cube of the pictures; by so many an area under the curve is known to a few hundredths. */
const MOST_PICTURES = 800;
const SIGNIFICANT = 0.05;

/** Audits one factor; p-values are adjusted later, when all are known. */
export function auditFactor(pictures: readonly AuditedPicture[], factor: Factor, options: TestOptions): FactorAudit {
  const of = grouped(pictures, factor);
  const common = { name: factor.name, kind: factor.kind, side: AUDIT_SIDE, leftOut: of.leftOut, unknown: of.unknown };
  if (of.groups.length < 2) {
    const why = of.groups.length === 1 ? `all of them are of one group, ${of.groups[0]!.name}` : 'no group has five patients';
    return { ...common, groups: [], remarks: [of.unknown === pictures.length ? `No picture says its ${factor.name}` : `Nothing to compare: ${why}`] };
  }
  const cells = of.members.map(({ thumbnail }) => halved(thumbnail));
  const differences = pixelDifferences(cells, of.labels, of.patients, options);
  const groups = of.groups.map((group, i): GroupPicture => {
    const { difference, p } = differences.groups[i]!;
    const at = p.reduce((best, value, cell) => (value < p[best]! || (value === p[best] && Math.abs(difference[cell]!) > Math.abs(difference[best]!)) ? cell : best), 0);
    const [own, others] = [true, false].map(inside => meanOf(of.members.filter((_, k) => (of.labels[k] === i) === inside).map(({ thumbnail }) => thumbnail)));
    return {
      ...group, mean: rounded(own!), difference: rounded(own!.map((value, pixel) => value - others![pixel]!)),
      significant: [...p.keys()].filter(cell => p[cell]! < SIGNIFICANT),
      strongest: { x: ((at % HALF) + 0.5) / HALF, y: (Math.floor(at / HALF) + 0.5) / HALF, difference: difference[at]!, p: p[at]! },
    };
  });
  const some = atMost(of, MOST_PICTURES);
  const remarks: string[] = [];
  if (some.members.length < of.members.length) remarks.push(`The classifiers learn from ${some.members.length} of the ${of.members.length} pictures, whole patients drawn by a hash`);
  const separated = (features: readonly Float32Array[], standardise: boolean): SeparationReport => {
    const { groups: areas, mean, p } = ridgeSeparation(features, some.labels, some.patients, { ...options, standardise });
    return { groups: areas.map((area, i) => ({ name: of.groups[i]!.name, ...area })), mean, p, adjusted: p, pictures: features.length, features: features[0]!.length };
  };
  const features = some.members.flatMap(member => (member.features ? [member.features] : []));
  return {
    ...common, groups, remarks,
    pixels: { p: differences.p, adjusted: differences.p },
    fromPicture: separated(some.members.map(({ thumbnail }) => halved(thumbnail)), false),
    ...(features.length === some.members.length && { fromFeatures: separated(features, true) }),
  };
}

const HALF = AUDIT_SIDE / 2;

/** Half of the columns and rows, each the mean of four: what is tested and learnt from. */
function halved(of: Float32Array): Float32Array {
  return Float32Array.from({ length: HALF * HALF }, (_, i) => {
    const at = 2 * Math.floor(i / HALF) * AUDIT_SIDE + 2 * (i % HALF);
    return (of[at]! + of[at + 1]! + of[at + AUDIT_SIDE]! + of[at + AUDIT_SIDE + 1]!) / 4;
  });
}

function meanOf(pictures: readonly Float32Array[]): Float64Array {
  const sum = new Float64Array(AUDIT_SIDE ** 2);
  for (const picture of pictures) for (let i = 0; i < sum.length; i++) sum[i]! += picture[i]! / pictures.length;
  return sum;
}

function rounded(of: Float64Array): number[] {
  return Array.from(of, value => Math.round(value * 1e5) / 1e5);
}
