import { OverreadError, toOverreadError, type OverreadError as Refusal } from '../../src/errors.ts';
import type { AuditedEvent } from '../../src/audit/record.ts';
import type { InstanceReference } from '../../src/image/image.ts';
import type { Comparer } from '../comparing/comparer.ts';
import type { ResultSet } from '../comparing/sets.ts';
import { save } from '../counting/dot-files.ts';
import { sourcesOf } from '../identity.ts';
import { Observable } from '../state.ts';
import { readingCsv, readingJson, type StudyNames } from './export.ts';
import { answered, currentCase, ended, shownNow, startReading, type Choice, type Confidence, type Question, type Reading, type ReadingCase } from './reading.ts';
import { browserReadings, forCase, type ReadingStore } from './store.ts';

export interface BlindedState {
  /** What is collected for the next reading. */
  readonly question: Question;
  readonly cases: readonly ReadingCase[];
  /** The one that is on, or at its end. */
  readonly reading?: Reading;
  /** Whether the study of the case that is to be read is open; only while a reading is on. */
  readonly isOpen: boolean;
  /** Whether it is known if a reading is on: until then no result may be seen. */
  readonly isKnown: boolean;
  readonly error?: Refusal;
}

interface Parts {
  readonly comparer: Comparer;
  readonly openStudies: () => ReadonlySet<string>;
  /** Brings an image of an open study on screen. @returns whether it is open */
  readonly showImage: (source: InstanceReference) => boolean;
  readonly audit: (event: AuditedEvent) => unknown;
  readonly store?: ReadingStore;
  readonly now?: () => Date;
}

/**
 * Results read without knowing whose they are: cases are collected, shuffled, shown one by one as A and B, and judged. While a reading is
 * on, the panel shows nothing else, nothing else is drawn, and its key cannot be had.
 */
export class BlindedReadings {
  readonly state = new Observable<BlindedState>({ question: 'preference', cases: [], isOpen: false, isKnown: false });
  readonly #parts: Parts;
  readonly #store: ReadingStore;
  readonly #now: () => Date;
  #looked: Promise<void> | undefined;
  #adding: Promise<void> = Promise.resolve();
  /** Which case is on screen, and since when. */
  #onScreen: { readonly case: string; readonly since: number } | undefined;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#store = parts.store ?? browserReadings();
    this.#now = parts.now ?? (() => new Date());
  }

  /** Reads what is kept, once, and goes on with a reading that a reload broke off. */
  look(): Promise<void> {
    return (this.#looked ??= this.#reported(async () => {
      const kept = await this.#store.get();
      if (kept) this.state.set({ question: kept.question, cases: kept.cases, reading: kept.reading });
    }).finally(() => this.state.set({ isKnown: true })));
  }

  /** What the viewer shows has changed: the case comes on screen when its study is open. */
  async follow(): Promise<void> {
    const { comparer, openStudies } = this.#parts;
    // A page that was left in the middle of a reading shows no name on its way back to it.
    if (!this.state.get().isKnown) comparer.setBlinded(true);
    await this.look();
    const { reading } = this.state.get();
    const current = reading && currentCase(reading);
    comparer.setBlinded(current !== undefined);
    if (!current) return this.state.set({ isOpen: false });
    const isOpen = openStudies().has(current.of.studyInstanceUID);
    this.state.set({ isOpen });
    if (!isOpen) {
      if (this.#onScreen) comparer.end();
      this.#onScreen = undefined;
      return;
    }
    const name = `${reading.id} ${current.place}`;
    if (this.#onScreen?.case === name) return;
    this.#onScreen = { case: name, since: this.#now().getTime() };
    await this.#reported(() => this.#show(current.of));
  }

  /** The mode is left. */
  leave(): void {
    this.#onScreen = undefined;
    this.#parts.comparer.setBlinded(false);
  }

  setQuestion(question: Question): void {
    void this.#keep({ question });
  }

  /** Keeps what is being compared as a case of the next reading, as it is now. */
  async add(): Promise<void> {
    const { phase } = this.#parts.comparer.state.get();
    if (phase.kind !== 'shown' || this.#isOn) return;
    const { a, b } = phase;
    const added: ReadingCase = { studyInstanceUID: a.kept.studyInstanceUID, sets: [forCase(a), forCase(b)] };
    // What is listed is kept: whoever sees it may leave the page.
    await (this.#adding = this.#adding.then(async () => {
      const { question, cases, reading } = this.state.get();
      await this.#reported(() => this.#store.put({ question, cases: [...cases, added], ...(reading && { reading }) }));
      this.state.set({ cases: [...cases, added] });
    }));
  }

  async remove(place: number): Promise<void> {
    if (!this.#isOn) await this.#keep({ cases: this.state.get().cases.filter((_, i) => i !== place) });
  }

  /** @param seed decides on the order and on what is called A */
  async start(seed: number): Promise<void> {
    const { cases, question } = this.state.get();
    if (this.#isOn || cases.length === 0) return;
    if (!Number.isInteger(seed)) {
      return this.state.set({ error: new OverreadError('config/invalid', `Expected a seed that is a whole number, got ${seed}.`, { got: seed }) });
    }
    this.#parts.comparer.end();
    await this.#keep({ reading: startReading(cases, { id: crypto.randomUUID(), question, seed, at: this.#now().toISOString() }), error: undefined });
    await this.follow();
  }

  /** What the reader says of the case on screen. */
  async answer(choice: Choice, confidence: Confidence): Promise<void> {
    const { reading } = this.state.get();
    if (!reading || !this.#onScreen) return;
    const at = this.#now();
    const seconds = Math.round((at.getTime() - this.#onScreen.since) / 100) / 10;
    const now = answered(reading, { choice, confidence, at: at.toISOString(), seconds });
    if (now === reading) return;
    this.#onScreen = undefined;
    this.#parts.comparer.end();
    await this.#keep({ reading: now });
    await this.follow();
  }

  /** Ends the reading before its last case, and opens its key. */
  async end(): Promise<void> {
    const { reading } = this.state.get();
    if (!reading) return;
    this.#onScreen = undefined;
    this.#parts.comparer.end();
    await this.#keep({ reading: ended(reading, this.#now().toISOString()) });
    await this.follow();
  }

  /** Throws away a reading that is at its end. @param cases whether those that it was made of are kept for another */
  async clear(cases: 'keep' | 'remove'): Promise<void> {
    if (!this.#isOn) await this.#keep({ reading: undefined, ...(cases === 'remove' && { cases: [] }) });
  }

  async export(format: 'csv' | 'json', studies: StudyNames): Promise<void> {
    const { reading } = this.state.get();
    if (!reading) return;
    await this.#reported(async () => {
      const text = await (format === 'csv' ? readingCsv : readingJson)(reading, studies);
      save(`overread-reading-${reading.id.slice(0, 8)}.${format}`, new Blob([text], { type: format === 'csv' ? 'text/csv' : 'application/json' }));
      this.#parts.audit({ action: 'export', outcome: 'success', details: { format: `blinded-reading-${format}` } });
    });
  }

  get #isOn(): boolean {
    const { reading } = this.state.get();
    return reading !== undefined && reading.endedAt === undefined;
  }

  async #show({ sets }: ReadingCase): Promise<void> {
    const [a, b] = sets as readonly [ResultSet, ResultSet | undefined];
    const { comparer, showImage } = this.#parts;
    const source = sourceToShow(sets);
    if (source) showImage(source);
    await comparer.compareBlinded(a, b);
    const { phase } = comparer.state.get();
    if (phase.kind === 'error') throw phase.error;
    this.#onScreen = this.#onScreen && { ...this.#onScreen, since: this.#now().getTime() };
    const { reading } = this.state.get();
    if (reading) await this.#keep({ reading: shownNow(reading, this.#now().toISOString()) });
  }

  async #keep(change: Partial<BlindedState>): Promise<void> {
    this.state.set(change);
    const { question, cases, reading } = this.state.get();
    await this.#reported(() => this.#store.put({ question, cases, ...(reading && { reading }) }));
  }

  async #reported(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.state.set({ error: toOverreadError(error) });
    }
  }
}

/** The slice on which the results have most to show. */
function sourceToShow(sets: readonly ResultSet[]): InstanceReference | undefined {
  const [first] = sets;
  if (!first) return undefined;
  const sources = sourcesOf(first.kept.result);
  const { result } = first.kept;
  if (result.kind !== 'labelmap' || sources.length < 2) return sources[0];
  const [columns, rows] = result.source.shape;
  const counts = sources.map((_, slice) => {
    const from = slice * columns * rows;
    let n = 0;
    for (let i = from; i < from + columns * rows; i++) if (result.labels[i]) n++;
    return n;
  });
  return sources[counts.indexOf(Math.max(...counts))];
}
