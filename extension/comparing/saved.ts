import { z } from '../../src/zod.ts';
import { OverreadError } from '../../src/errors.ts';
import { thresholdsOf } from '../../src/results/rethreshold.ts';
import { methodName } from '../panels/saliency.ts';
import type { KeptResult } from '../results-store.ts';
import type { ComparisonView } from './comparer.ts';
import { wasEdited } from './sets.ts';

/** What is chosen, without anything of a patient: which model's result, at which thresholds. */
const set = z.strictObject({
  kind: z.enum(['labelmap', 'points', 'scores', 'heatmap']),
  /** Absent of a mask that was drawn or loaded in the viewer: whoever opens the comparison chooses one of theirs. */
  model: z.strictObject({ id: z.string().max(200), version: z.string().max(100), sha256: z.string().max(200) }).optional(),
  thresholds: z.array(z.number().gt(0).lt(1)).max(254).optional(),
  /** Of heat maps: which score's, and by which method. */
  target: z.string().max(200).optional(),
  method: z.string().max(50).optional(),
  /** Which radiograph of the study, by its view: one model reads several of them. */
  view: z.string().max(16).optional(),
  /** It was edited by hand: the edit itself is not saved. */
  edited: z.boolean().optional(),
});

const savedSchema = z.strictObject({
  overreadComparison: z.literal(1),
  a: set,
  b: set,
  view: z.enum(['difference', 'wipe', 'side-by-side', 'apart']),
  divider: z.number().min(0).max(1),
  withinPixels: z.number().positive().max(1e4),
});

export type SavedSet = z.infer<typeof set>;
export type SavedComparison = z.infer<typeof savedSchema>;

/** More than any comparison is long. */
const LONGEST = 8192;
/** Before it in a link's fragment, which no browser sends to a server. */
const FRAGMENT = 'overread-compare=';

/** View Position's defined terms. What else stands there may be anything, and is not saved. */
const VIEW_POSITIONS: ReadonlySet<string> = new Set(['AP', 'PA', 'LL', 'RL', 'RLD', 'LLD', 'RLO', 'LLO', 'L', 'R', 'LATERAL', 'CC', 'MLO', 'ML', 'LM']);

interface Chosen {
  readonly a: KeptResult;
  readonly b: KeptResult;
  readonly view: ComparisonView;
  readonly divider: number;
  readonly withinPixels: number;
}

/** A comparison as it is saved. */
export function saveComparison({ a, b, view, divider, withinPixels }: Chosen): SavedComparison {
  return { overreadComparison: 1, a: savedSet(a), b: savedSet(b), view, divider, withinPixels };
}

export function savedSet({ result }: KeptResult): SavedSet {
  const { model: { id, version, sha256 }, kind } = result;
  if (id === 'overread-viewer') return { kind };
  const thresholds = result.kind === 'labelmap' ? thresholdsOf(result) : undefined;
  const { viewPosition } = result.source.attributes;
  return {
    kind, model: { id, version, sha256 },
    ...(thresholds && { thresholds: [...thresholds] }),
    ...(result.kind === 'heatmap' && { target: result.target.label, ...(result.saliency && { method: result.saliency.method }) }),
    // Scores are of all views together.
    ...(result.kind !== 'scores' && viewPosition !== undefined && VIEW_POSITIONS.has(viewPosition) && { view: viewPosition }),
    ...(wasEdited(result) && { edited: true }),
  };
}

/** @throws OverreadError `config/invalid` for what is no saved comparison */
export function parseComparison(text: string, from: string): SavedComparison {
  let value: unknown;
  try {
    value = text.length <= LONGEST ? JSON.parse(text) : undefined;
  } catch {
    value = undefined;
  }
  const parsed = savedSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new OverreadError('config/invalid', `Expected a comparison as Overread saves it, got ${from} with ${issue?.path.join('.') || 'no such thing'}: ${issue?.message ?? 'not readable'}. Save it again, or choose A and B by hand.`, { got: issue?.path });
}

/**
 * An address of this viewer that offers the comparison.
 * @param study its StudyInstanceUID, where whoever makes the link wants it in there; else the link is for any study
 */
export function linkTo(saved: SavedComparison, here: string, study: string | undefined): string {
  const address = new URL(here);
  address.search = study === undefined ? '' : `StudyInstanceUIDs=${encodeURIComponent(study)}`;
  const bytes = new TextEncoder().encode(JSON.stringify(saved));
  address.hash = FRAGMENT + btoa(String.fromCharCode(...bytes)).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
  return address.href;
}

/**
 * The comparison that an address names; undefined where it names none.
 * @throws OverreadError `config/invalid` for one that cannot be read
 */
export function comparisonOf(address: string): SavedComparison | undefined {
  const { hash } = new URL(address);
  if (!hash.startsWith(`#${FRAGMENT}`)) return undefined;
  const code = hash.slice(FRAGMENT.length + 1).replaceAll('-', '+').replaceAll('_', '/');
  let text = '';
  try {
    text = code.length <= 2 * LONGEST ? new TextDecoder().decode(Uint8Array.from(atob(code), c => c.charCodeAt(0))) : '';
  } catch {
    // No base64: refused below.
  }
  return parseComparison(text, 'an address');
}

/** Whether a result is the one that was meant: the same weights; the version alone is not enough. */
export function isSet(saved: SavedSet, { result }: KeptResult): boolean {
  const is = savedSet({ result } as KeptResult);
  return is.kind === saved.kind && is.model?.id === saved.model?.id && is.model?.version === saved.model?.version && is.model?.sha256 === saved.model?.sha256 && is.target === saved.target && is.method === saved.method && (saved.view === undefined || is.view === saved.view);
}

/** 'lung-unet 1.0.0 at 90 %' */
export function describeSet({ model, thresholds, target, method, view, edited }: SavedSet): string {
  if (!model) return 'a mask of the viewer';
  const at = thresholds ? ` at ${thresholds.map(threshold => `${Number((100 * threshold).toFixed(1))} %`).join(' / ')}` : '';
  return `${model.id} ${model.version}${target === undefined ? '' : ` of ${target}`}${method === undefined ? '' : ` by ${methodName(method)}`}${view === undefined ? '' : ` on ${view}`}${at}${edited ? ', edited' : ''}`;
}
