/** What pictures are told apart by that has nothing to do with what they show: by where and how they were taken, and of whom. */
export const ATTRIBUTES = ['site', 'scanner', 'view', 'sex', 'age'] as const;
export type Attribute = (typeof ATTRIBUTES)[number];

/** Side of the pictures that are averaged and compared. */
export const AUDIT_SIDE = 64;

/** A model's word on a label of a picture. */
export interface AuditedScore {
  readonly probability: number;
  /** At the model's operating point. */
  readonly positive: boolean;
}

/** One picture as an audit sees it: no pixels but a thumbnail, and nothing of the patient but a key. */
export interface AuditedPicture {
  /** Item of a data set, StudyInstanceUID, or path. */
  readonly id: string;
  readonly patient: string;
  readonly groups: Readonly<Partial<Record<Attribute, string>>>;
  /** Only labels that are known. */
  readonly truths: Readonly<Record<string, boolean>>;
  /** AUDIT_SIDE² values; see `image/thumbnail.ts`. */
  readonly thumbnail: Float32Array;
  readonly scores?: Readonly<Record<string, AuditedScore>>;
  /** What the model's last layer reads. */
  readonly features?: Float32Array;
}

/** `acquisition`: an {@link Attribute}, in which one wants no difference. `label`: a finding, of which a difference may be what is looked for. */
export type FactorKind = 'acquisition' | 'label';

/** Something that splits the pictures into groups. */
export interface Factor {
  readonly name: string;
  readonly kind: FactorKind;
  of(picture: AuditedPicture): string | undefined;
}

export function factorsOf(pictures: readonly AuditedPicture[]): Factor[] {
  const labels = [...new Set(pictures.flatMap(({ truths }) => Object.keys(truths)))].sort();
  return [
    ...ATTRIBUTES.map((name): Factor => ({ name, kind: 'acquisition', of: ({ groups }) => groups[name] })),
    ...labels.map((name): Factor => ({ name, kind: 'label', of: ({ truths }) => (truths[name] === undefined ? undefined : truths[name] ? 'with' : 'without') })),
  ];
}

/** Bands of age, as one would tell a child's film from an old patient's. */
export function ageBand(years: number): string {
  const starts = [0, 18, 40, 60, 80];
  const at = starts.findLastIndex(start => years >= start);
  return at === starts.length - 1 ? '80 and older' : `${starts[at]} to ${starts[at + 1]! - 1}`;
}
