import type { InputFile } from '../../image/group-series.ts';

/** A study of the cohort: known by its UID, read only when its turn comes. */
export interface CohortStudy {
  /** StudyInstanceUID; of a file that names none, its path. */
  readonly id: string;
  /** Of a study in files. */
  readonly paths?: readonly string[];
  /** @throws OverreadError `network/*`, `input/unreadable` */
  files(): Promise<readonly InputFile[]>;
}
