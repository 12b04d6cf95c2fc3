import fs from 'node:fs';
import path from 'node:path';
import { OverreadError } from '../../errors.ts';
import type { ModelIdentity } from '../../results/result.ts';
import type { InferEntry } from '../infer-json.ts';
import type { MaskPair } from './mask-pairs.ts';

/**
 * How a study ended: `done`, with a result at least; `refused`, since no model reads it; `failed`, which is tried again, up
 * to {@link MOST_TRIES} times in all.
 */
export type Outcome = 'done' | 'refused' | 'failed';

export interface StudyRecord {
  readonly study: string;
  readonly outcome: Outcome;
  readonly entries: readonly InferEntry[];
  /** How masks of two models agree, where both drew on one picture. */
  readonly pairs?: readonly MaskPair[];
  /** How often it was tried in all, where others than this process did; each line counts once, when left out. */
  readonly tries?: number;
  readonly ms: number;
  /** ISO 8601, UTC */
  readonly at: string;
}

type Identity = Pick<ModelIdentity, 'id' | 'version' | 'sha256'>;

interface Header {
  readonly overread: 'cohort';
  readonly models: readonly Identity[];
}

export const MOST_TRIES = 3;
const NAME = 'journal.jsonl';

/**
 * What has been done, a line a study, on disk before the next begins: a process that is killed loses the study that it was
 * at, and nothing else. The last line of a study counts.
 */
export class Journal {
  readonly #file: number;
  readonly #records = new Map<string, StudyRecord>();
  readonly #tries = new Map<string, number>();

  /**
   * Opens or begins the journal of a folder.
   * @throws OverreadError `config/invalid` when the folder holds results of other models, or a journal that is none
   */
  constructor(folder: string, models: readonly Identity[]) {
    fs.mkdirSync(folder, { recursive: true });
    const name = path.join(folder, NAME);
    const header: Header = { overread: 'cohort', models: models.map(({ id, version, sha256 }) => ({ id, version, sha256 })) };
    const text = fs.existsSync(name) ? fs.readFileSync(name, 'utf8') : '';
    // A line that a kill cut short has no end: it is cut off, and its study done again.
    const whole = text.slice(0, text.lastIndexOf('\n') + 1);
    const [first, ...lines] = whole.split('\n').slice(0, -1);
    if (first !== undefined) checkHeader(first, header, name);
    for (const line of lines) this.#remember(JSON.parse(line) as StudyRecord);
    this.#file = fs.openSync(name, 'a');
    fs.ftruncateSync(this.#file, Buffer.byteLength(whole));
    if (first === undefined) this.#append(header);
  }

  /** In the order in which studies were first written. */
  records(): readonly StudyRecord[] {
    return [...this.#records.values()];
  }

  /** True where nothing is left to do for a study: done, refused, or set aside. */
  settled(study: string): boolean {
    const outcome = this.#records.get(study)?.outcome;
    return outcome === 'done' || outcome === 'refused' || this.setAside(study);
  }

  /** True for a study that failed as often as it is tried. */
  setAside(study: string): boolean {
    return this.#records.get(study)?.outcome === 'failed' && (this.#tries.get(study) ?? 0) >= MOST_TRIES;
  }

  /** On disk when it returns. */
  write(record: StudyRecord): void {
    this.#append(record);
    this.#remember(record);
  }

  close(): void {
    fs.closeSync(this.#file);
  }

  #remember(record: StudyRecord): void {
    this.#records.set(record.study, record);
    this.#tries.set(record.study, (this.#tries.get(record.study) ?? 0) + (record.tries ?? 1));
  }

  #append(line: Header | StudyRecord): void {
    fs.writeSync(this.#file, `${JSON.stringify(line)}\n`);
    fs.fsyncSync(this.#file);
  }
}

/**
 * What a journal holds, of each study its last line.
 * @throws OverreadError `config/invalid` when there is none
 */
export function readJournal(name: string): { readonly models: readonly Identity[]; readonly records: readonly StudyRecord[] } {
  const [first = '', ...lines] = fs.existsSync(name) ? wholeLines(fs.readFileSync(name, 'utf8')) : [];
  const { models } = headerOf(first, name);
  return { models, records: [...new Map(lines.map(line => JSON.parse(line) as StudyRecord).map(record => [record.study, record])).values()] };
}

/** Without a last line that a kill cut short. */
function wholeLines(text: string): string[] {
  return text.slice(0, text.lastIndexOf('\n') + 1).split('\n').slice(0, -1);
}

function headerOf(line: string, name: string): Header {
  let found: Partial<Header> = {};
  try {
    found = JSON.parse(line) as Partial<Header>;
  } catch {
    // Said below.
  }
  if (found.overread === 'cohort' && Array.isArray(found.models)) return found as Header;
  throw new OverreadError('config/invalid', `Expected a journal of 'overread cohort' in ${name}, got something else. Name another folder.`, { got: name });
}

function checkHeader(line: string, expected: Header, name: string): void {
  const found = headerOf(line, name);
  const said = (models: readonly Identity[]) => models.map(({ id, version, sha256 }) => `${id} ${version} (${sha256.slice(0, 8)})`).join(', ');
  if (JSON.stringify(found.models) === JSON.stringify(expected.models)) return;
  throw new OverreadError('config/invalid', `Expected in ${name} results of ${said(expected.models)}, got those of ${said(found.models)}. Give --out another folder, or the same models in the same order.`, { expected: expected.models, got: found.models });
}
