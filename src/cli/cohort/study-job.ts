import type { ModelIdentity } from '../../results/result.ts';

/** One study as it waits in the queue: where it is, and what is to read it. No pixels, and nothing of the patient. */
export interface StudyJob {
  /** As {@link CohortStudy.id}. */
  readonly study: string;
  /** Root of the DICOMweb service; files are read by paths that all workers share. */
  readonly dicomweb?: string;
  readonly files?: readonly string[];
  /** The weights that are asked for: a worker with others refuses. */
  readonly models: readonly Pick<ModelIdentity, 'id' | 'version' | 'sha256'>[];
}
