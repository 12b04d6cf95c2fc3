import { bootstrapMean } from '../../metrics/bootstrap.ts';
import type { SaliencyMethodId } from '../../results/saliency.ts';
import { ATTRIBUTES, type AuditedPicture } from '../site-audit/audited.ts';
import type { Bounded } from '../site-audit/outcomes.ts';
import { curveArea, STEPS, type PerturbationCurves } from './curves.ts';
import type { RegionShare } from './shares.ts';

/** One picture's saliency map, as numbers. */
export interface AttributedPicture extends Pick<AuditedPicture, 'id' | 'patient' | 'groups'> {
  readonly probability: number;
  /** Of the label that is explained, where it is known. */
  readonly truth?: boolean;
  /** By region; a region that the picture does not have is absent. */
  readonly shares: Readonly<Record<string, RegionShare>>;
  /** How alike the map is that a random top layer makes; absent where it could not be asked. */
  readonly randomisation?: { readonly similarity: number; readonly suspicious: boolean };
  readonly curves?: PerturbationCurves;
}

export interface ShareOfGroup {
  readonly region: string;
  readonly factor: string;
  readonly group: string;
  readonly pictures: number;
  readonly share: Bounded;
  readonly area: number;
}

/** What the maps of one label look at. No validation: a map that lies in the lungs does not say that the score is right. */
export interface AttributionAudit {
  readonly label: string;
  readonly method: SaliencyMethodId;
  readonly pictures: number;
  /** Maps that are nowhere above 0. */
  readonly empty: number;
  readonly regions: readonly string[];
  readonly shares: readonly ShareOfGroup[];
  /** The pictures whose maps look furthest from where one wants, the worst first. */
  readonly worst: readonly { readonly id: string; readonly region: string; readonly share: number; readonly area: number; readonly probability: number; readonly truth?: boolean; readonly site?: string }[];
  readonly randomisation: { readonly checked: number; readonly suspicious: number };
  /** Means over the pictures that were perturbed. */
  readonly curves?: PerturbationCurves & { readonly pictures: number; readonly areas: Readonly<Record<keyof PerturbationCurves, Bounded>> };
}

/** Where much is wrong, and where little is. */
export const UNWANTED: ReadonlySet<string> = new Set(['corners', 'outside the body', 'marks outside the body']);
const WORST = 20;

/** @param empty pictures whose maps were nowhere above 0 */
export function auditAttribution(pictures: readonly AttributedPicture[], label: string, method: SaliencyMethodId, empty: number): AttributionAudit {
  const regions = [...new Set(pictures.flatMap(({ shares }) => Object.keys(shares)))].sort();
  const factors: (readonly [string, (picture: AttributedPicture) => string | undefined])[] = [
    ['all', () => 'all pictures'], ['label', ({ truth }) => (truth === undefined ? undefined : truth ? `with ${label}` : `without ${label}`)],
    ...ATTRIBUTES.map(name => [name, ({ groups }: AttributedPicture) => groups[name]] as const),
  ];
  const shares = regions.flatMap(region => factors.flatMap(([factor, of]) => {
    const having = pictures.filter(picture => picture.shares[region]);
    return [...new Set(having.flatMap(picture => of(picture) ?? []))].sort().map((group): ShareOfGroup => {
      const members = having.filter(picture => of(picture) === group);
      return {
        region, factor, group, pictures: members.length, share: meanOf(members, picture => picture.shares[region]!.share),
        area: members.reduce((sum, picture) => sum + picture.shares[region]!.area, 0) / members.length,
      };
    });
  }));
  const checked = pictures.flatMap(({ randomisation }) => randomisation ?? []);
  const perturbed = pictures.filter(({ curves }) => curves);
  return {
    label, method, pictures: pictures.length, empty, regions, shares, worst: worstOf(pictures, regions),
    randomisation: { checked: checked.length, suspicious: checked.filter(({ suspicious }) => suspicious).length },
    ...(perturbed.length && { curves: curvesOf(perturbed) }),
  };
}

/** By how much more of the map than of the picture lies where it should not, or less where it should. */
function worstOf(pictures: readonly AttributedPicture[], regions: readonly string[]): AttributionAudit['worst'] {
  const all = pictures.flatMap(({ id, shares, probability, truth, groups: { site } }) => regions.flatMap(region => {
    const of = shares[region];
    if (!of) return [];
    const off = (UNWANTED.has(region) ? 1 : -1) * (of.share - of.area);
    return off > 0 ? [{ off, id, region, ...of, probability, ...(truth !== undefined && { truth }), ...(site !== undefined && { site }) }] : [];
  }));
  return all.sort((a, b) => b.off - a.off).slice(0, WORST).map(({ off: _, ...rest }) => rest);
}

function curvesOf(pictures: readonly AttributedPicture[]): NonNullable<AttributionAudit['curves']> {
  const names = ['deletion', 'insertion', 'randomDeletion', 'randomInsertion'] as const;
  const mean = (name: (typeof names)[number]) => Array.from({ length: STEPS + 1 }, (_, step) => pictures.reduce((sum, { curves }) => sum + curves![name][step]!, 0) / pictures.length);
  const of = <T>(value: (name: (typeof names)[number]) => T) => Object.fromEntries(names.map(name => [name, value(name)])) as Record<(typeof names)[number], T>;
  return { pictures: pictures.length, ...of(mean), areas: of(name => meanOf(pictures, ({ curves }) => curveArea(curves![name]))) };
}

/** With an interval over patients, where there are several. */
function meanOf(pictures: readonly AttributedPicture[], value: (picture: AttributedPicture) => number): Bounded {
  const patients = pictures.map(({ patient }) => patient);
  const { value: mean, low, high } = bootstrapMean(pictures.map(value), patients, { resamples: 1000 });
  return new Set(patients).size > 1 ? { value: mean, low, high } : { value: mean };
}
