import type { ErrorCode } from '../errors.ts';
import type { Image } from '../image/image.ts';
import type { Result } from '../results/result.ts';
import type { DatasetItem } from '../training/dataset.ts';

/** A number over the items, with its 95 % interval where the patients suffice for one. */
export interface Measured {
  readonly value: number;
  readonly low?: number;
  readonly high?: number;
}

/** What `overread eval --json` prints. */
export interface EvalReport {
  readonly model: { readonly id: string; readonly version: string; readonly sha256: string };
  readonly dataset: string;
  /** Items that were scored. */
  readonly n: number;
  /** `dice` or `auc` and their like are means over classes or labels; `auc:NAME` is one. */
  readonly metrics: Readonly<Record<string, Measured>>;
  /** Of masks: in how many of the items a metric has no value, since the truth or the prediction is empty. They are not in its mean. */
  readonly leftOut?: Readonly<Record<string, number>>;
  /** Of counts. */
  readonly counts?: CountsReport;
  /** Of scores: each label of the model. */
  readonly labels?: Readonly<Record<string, LabelReport>>;
  readonly perItem: readonly ItemReport[];
}

export interface CountsReport {
  /** True ones, over all items. */
  readonly cells: number;
  /** Within which a marker is a cell's: the median over the items. */
  readonly medianMatchRadiusPixels: number;
  /** With which probability an interval is to hold the true count. */
  readonly level?: number;
  /** Where the set names classes: `matched` [true class][found class], `missed` by true class, `spurious` by found class. */
  readonly confusion?: { readonly classes: readonly string[]; readonly matched: readonly (readonly number[])[]; readonly missed: readonly number[]; readonly spurious: readonly number[] };
}

export interface LabelReport {
  /** Scored items that say whether they have it. */
  readonly n: number;
  readonly positives: number;
  /** Patients behind `n`, and behind `positives`. */
  readonly patients: number;
  readonly positivePatients: number;
  /** Metrics that have no value or no interval for this label, and why. */
  readonly notComputable?: Readonly<Record<string, string>>;
}

/** What was measured of an item, or why nothing was. */
export type ItemReport = { readonly id: string; readonly patientId: string; readonly error?: { readonly code: ErrorCode; readonly message: string } } & {
  readonly [metric: string]: unknown;
};

/** Sets results of one kind against their truth, an item after the other. */
export interface Yardstick {
  /** What an item must have to be measured, for a message: 'a mask'. */
  readonly wants: string;
  /** Whether the truth lies on the pixels of one image, so that an item of several will not do. */
  readonly ofPixels: boolean;
  has(item: DatasetItem): boolean;
  /**
   * Checks the truth, runs the model and notes what it gave.
   * @returns the item's part of the report, and a word for the person who waits
   * @throws OverreadError `dataset/invalid` for a truth that cannot be
   */
  judge(item: DatasetItem, image: Image, run: () => Promise<Result>): Promise<{ readonly report: Readonly<Record<string, unknown>>; readonly said: string }>;
  /** Over all that was judged. */
  summary(): Pick<EvalReport, 'metrics' | 'labels' | 'leftOut' | 'counts'>;
}
