import { toOverreadError } from '../../errors.ts';
import { AUDIT_SIDE, type AuditedPicture, type AuditedScore } from '../../evaluation/site-audit/audited.ts';
import type { Image } from '../../image/image.ts';
import { thumbnail } from '../../image/thumbnail.ts';
import type { ExplainingRunner } from '../model-runner.ts';
import { CohortProgress } from '../cohort/progress.ts';
import type { OpenedPicture, SourcePicture } from './sources.ts';

export interface Refused {
  readonly id: string;
  readonly code: string;
  readonly message: string;
}

export interface CollectOptions {
  readonly runner?: ExplainingRunner;
  /** Scores that are there already, by id. */
  readonly scores?: ReadonlyMap<string, Readonly<Record<string, AuditedScore>>>;
  /** Done to each picture before anything looks at it. */
  readonly repair?: (opened: OpenedPicture, id: string) => Image;
  /** Called with each picture as it is read, and what the audit keeps of it. */
  readonly onPicture?: (opened: OpenedPicture, kept: AuditedPicture) => Promise<void> | void;
  readonly note: (line: string) => void;
}

/**
 * Reads pictures one after the other; of each only a thumbnail, scores and features stay in memory.
 * @throws OverreadError for a fault of the model or the device; what is refused is listed
 */
export async function collect(sources: readonly SourcePicture[] | AsyncIterable<SourcePicture>, { runner, scores, repair, onPicture, note }: CollectOptions): Promise<{ pictures: AuditedPicture[]; refused: Refused[] }> {
  const pictures: AuditedPicture[] = [];
  const refused: Refused[] = [];
  const progress = new CohortProgress(0, 'length' in sources ? sources.length : undefined);
  let done = 0;
  let withoutFeatures = false;
  for await (const source of sources) {
    try {
      const read = await source.open();
      const opened = repair ? { ...read, image: repair(read, source.id) } : read;
      const { image, patient, groups, truths } = opened;
      const [first] = image.sources;
      const id = first && 'studyInstanceUID' in first ? first.studyInstanceUID : source.id;
      const small = thumbnail(image, AUDIT_SIDE);
      const own = scores?.get(id) ?? (runner && (await scoresOf(runner, image)));
      let features: Float32Array | undefined;
      if (runner && !withoutFeatures) {
        try {
          features = await runner.features([image]);
        } catch (error) {
          const { code, message } = toOverreadError(error);
          if (code !== 'model/graph') throw error;
          withoutFeatures = true;
          note(`Without the model's own features: ${message}`);
        }
      }
      const kept: AuditedPicture = { id, patient, groups, truths, thumbnail: small, ...(own && { scores: own }), ...(features && { features }) };
      pictures.push(kept);
      await onPicture?.(opened, kept);
      progress.add('done');
    } catch (error) {
      const { code, message } = toOverreadError(error);
      if (!code.startsWith('input/')) throw error;
      refused.push({ id: source.id, code, message });
      progress.add('refused');
    }
    if (++done % 20 === 0) note(progress.line());
  }
  note(progress.line());
  return { pictures, refused };
}

async function scoresOf(runner: ExplainingRunner, image: Image): Promise<Record<string, AuditedScore> | undefined> {
  const result = await runner.run([image]);
  return result.kind === 'scores' ? Object.fromEntries(result.scores.map(({ target, probability, positive }) => [target.label, { probability, positive }])) : undefined;
}
