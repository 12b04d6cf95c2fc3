import { seededRandom } from '../../src/phantoms/random.ts';
import type { ResultSet } from '../comparing/sets.ts';

/** What is asked of each case: which of two is better, or whether one is good enough. */
export type Question = 'preference' | 'verdict';

export const CHOICES = {
  preference: ['first', 'neither', 'second'],
  verdict: ['acceptable', 'unsure', 'unacceptable'],
} as const satisfies Record<Question, readonly string[]>;

export type Choice = (typeof CHOICES)[Question][number];

/** From a guess to certain. */
export const CONFIDENCES = [1, 2, 3, 4, 5] as const;
export type Confidence = (typeof CONFIDENCES)[number];

/** Two results of one study, as they were when the case was added; or one, of which a verdict is asked. */
export interface ReadingCase {
  readonly studyInstanceUID: string;
  readonly sets: readonly ResultSet[];
}

export interface Answer {
  readonly choice: Choice;
  readonly confidence: Confidence;
  /** When the case was first seen and when it was answered, ISO 8601, UTC. */
  readonly shownAt: string;
  readonly answeredAt: string;
  /** From when it was last put on screen to the answer. */
  readonly seconds: number;
  /** How often it was put on screen: more than once where the page was reloaded or the study left. */
  readonly timesShown: number;
}

/** A blinded reading: cases in the order in which they are read, and what the reader said. Never a patient's name. */
export interface Reading {
  readonly id: string;
  readonly question: Question;
  readonly seed: number;
  readonly startedAt: string;
  readonly endedAt?: string;
  /** In reading order; of a pair, the first is the one that is called A. */
  readonly cases: readonly ReadingCase[];
  /** Of the cases in turn; as many as were answered. */
  readonly answers: readonly Answer[];
  /** Of the case that is to be read now. */
  readonly shown?: { readonly firstAt: string; readonly times: number };
}

/**
 * Cases in an order, and each pair in one, that the seed alone decides. Of verdicts, each result is a case of its own.
 * @param cases in the order in which they were added
 */
export function startReading(cases: readonly ReadingCase[], { id, question, seed, at }: { readonly id: string; readonly question: Question; readonly seed: number; readonly at: string }): Reading {
  const random = seededRandom(seed);
  const asked = question === 'verdict' ? cases.flatMap(({ sets, ...of }) => sets.map(set => ({ ...of, sets: [set] }))) : cases;
  const shuffled = [...asked];
  for (let i = shuffled.length - 1; i > 0; i--) {
    const j = random.integer(i + 1);
    [shuffled[i], shuffled[j]] = [shuffled[j]!, shuffled[i]!];
  }
  return { id, question, seed, startedAt: at, answers: [], cases: shuffled.map(one => (random.chance(0.5) ? { ...one, sets: [...one.sets].reverse() } : one)) };
}

/** The case that is to be read, and its place from 0; undefined at the end. */
export function currentCase({ cases, answers, endedAt }: Reading): { readonly place: number; readonly of: ReadingCase } | undefined {
  const of = cases[answers.length];
  return of && endedAt === undefined ? { place: answers.length, of } : undefined;
}

/** The case was put on screen. */
export function shownNow(reading: Reading, at: string): Reading {
  return currentCase(reading) ? { ...reading, shown: { firstAt: reading.shown?.firstAt ?? at, times: (reading.shown?.times ?? 0) + 1 } } : reading;
}

/** What the reader says of the case that is on screen; the last answer ends the reading. Nothing can be said of one that was not shown. */
export function answered(reading: Reading, { choice, confidence, at, seconds }: { readonly choice: Choice; readonly confidence: Confidence; readonly at: string; readonly seconds: number }): Reading {
  const { shown, ...rest } = reading;
  const fits = (CHOICES[reading.question] as readonly Choice[]).includes(choice);
  if (!currentCase(reading) || !shown || !fits) return reading;
  const answers = [...reading.answers, { choice, confidence, shownAt: shown.firstAt, answeredAt: at, seconds, timesShown: shown.times }];
  return { ...rest, answers, ...(answers.length === reading.cases.length && { endedAt: at }) };
}

/** Ends it before its last case: what was not read stays so, since the key is open from now on. */
export function ended(reading: Reading, at: string): Reading {
  const { shown: _, ...rest } = reading;
  return reading.endedAt === undefined ? { ...rest, endedAt: at } : reading;
}
