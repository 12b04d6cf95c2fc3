import { OverreadError } from '../../errors.ts';
import type { Image } from '../../image/image.ts';
import { alignSubspaces, type SubspaceAlignment } from '../../image/subspace-alignment.ts';
import { enlarged, thumbnail } from '../../image/thumbnail.ts';
import { AUDIT_SIDE, type AuditedPicture } from './audited.ts';
import type { SiteAudit } from './audit.ts';
import type { Bounded } from './outcomes.ts';

/** A number before a repair and after it, on the same pictures. */
export interface Change {
  readonly what: string;
  readonly before: Bounded;
  readonly after: Bounded;
  readonly wanted: 'lower' | 'higher';
  /** `better` and `worse` only where the two intervals do not meet. */
  readonly moved: 'better' | 'worse' | 'not clearly';
}

/** What {@link changesOf} looks at. */
export const COMPARED: readonly string[] = ['site', 'scanner'];

/** Side of the pictures whose subspaces are aligned. */
const SIDE = AUDIT_SIDE / 2;
const ROUNDS = 6;

/**
 * Brings the pictures of all sites into the subspace of one. What is aligned is the picture at {@link SIDE}² cells, of which only what lies in the subspace is
 * left, of the reference's own pictures too: outside of it they would be told apart by the errors of the means. Detail finer than a cell stays as it is.
 * @param pictures to align by: of other patients than those whose pictures are repaired
 * @param reference the site that the model knows; the one with most pictures when left out
 * @throws OverreadError `dataset/invalid` for a reference that there is not, or a site of one picture
 */
export function subspaceRepair(pictures: readonly AuditedPicture[], reference: string | undefined, dimensions: number): { readonly reference: string; repair(image: Image, site: string | undefined): Image } {
  const bySite = new Map<string, Float32Array[]>();
  for (const { groups: { site }, thumbnail: picture } of pictures) if (site !== undefined) bySite.set(site, [...(bySite.get(site) ?? []), coarser(picture)]);
  const sites = [...bySite].sort((a, b) => b[1].length - a[1].length).map(([site]) => site);
  const chosen = reference ?? sites[0];
  const source = chosen === undefined ? undefined : bySite.get(chosen);
  if (chosen === undefined || !source || sites.length < 2) {
    throw new OverreadError('dataset/invalid', `Expected pictures of the site ${reference ?? ''} and of another one to align, got those of ${sites.join(', ') || 'no site'}. Name one of them with --reference.`, { expected: reference, got: sites });
  }
  const alignments = new Map<string, SubspaceAlignment>(sites.filter(site => site !== chosen).map(site => [site, alignSubspaces(source, bySite.get(site)!, dimensions)]));
  // The source's own subspace is the same in each.
  const [first] = [...alignments.values()] as [SubspaceAlignment];
  return {
    reference: chosen,
    repair(image, site) {
      const alignment = site === undefined ? undefined : alignments.get(site);
      if ((!alignment && site !== chosen) || image.channels !== 1) return image;
      const { shape: [columns, rows], representableRange: [min, max] } = image;
      const cells = thumbnail(image, SIDE);
      const wanted = alignment ? alignment.toSource(cells) : first.inSource(cells);
      let repaired = image;
      // A smooth change does not meet the cells' means at once.
      for (let round = 0; round < ROUNDS; round++) {
        const now = round === 0 ? cells : thumbnail(repaired, SIDE);
        const missing = enlarged(wanted.map((value, i) => value - now[i]!), SIDE, columns, rows);
        repaired = { ...image, pixels: repaired.pixels.map((value, i) => Math.min(max, Math.max(min, value + missing[i]! * (max - min)))) };
      }
      return repaired;
    },
  };
}

function coarser(of: Float32Array): Float32Array {
  return thumbnail({ pixels: of, shape: [AUDIT_SIDE, AUDIT_SIDE, 1], channels: 1, representableRange: [0, 1] }, SIDE);
}

/** How well sites and devices are told apart, and how well the labels are, before and after. */
export function changesOf(before: SiteAudit, after: SiteAudit): Change[] {
  const told = before.factors.filter(({ name }) => COMPARED.includes(name)).flatMap(factor => {
    const then = after.factors.find(({ name }) => name === factor.name);
    return ([['the picture', 'fromPicture'], ["the model's features", 'fromFeatures']] as const).flatMap(([from, key]) => {
      const [a, b] = [factor[key], then?.[key]];
      return a && b ? [change(`${factor.name} told from ${from}, AUC`, a.mean, b.mean, 'lower')] : [];
    });
  });
  const labels = before.outcomes.filter(({ factor }) => factor === 'all' || factor === 'site').flatMap(outcome => {
    const then = after.outcomes.find(({ factor, group, label }) => factor === outcome.factor && group === outcome.group && label === outcome.label);
    return outcome.auc && then?.auc ? [change(`${outcome.label}, ${outcome.factor === 'all' ? 'all pictures' : outcome.group}, AUC`, outcome.auc, then.auc, 'higher')] : [];
  });
  return [...told, ...labels];
}

function change(what: string, before: Bounded, after: Bounded, wanted: Change['wanted']): Change {
  const apart = (low: Bounded, high: Bounded) => low.high !== undefined && high.low !== undefined && low.high < high.low;
  const fell = apart(after, before);
  const rose = apart(before, after);
  return { what, before, after, wanted, moved: !fell && !rose ? 'not clearly' : fell === (wanted === 'lower') ? 'better' : 'worse' };
}
