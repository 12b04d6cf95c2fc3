import type { Outcome } from './journal.ts';

/** How far a cohort is: a bar, the pace and what is left, by the studies of this run. */
export class CohortProgress {
  readonly #start = performance.now();
  readonly #counts: Record<Outcome, number> = { done: 0, refused: 0, failed: 0 };

  /** @param total undefined while pages of a PACS are still being read */
  constructor(private readonly before: number, private total?: number) {}

  add(outcome: Outcome): void {
    this.#counts[outcome]++;
  }

  /** '[#####-----] 412 of 2000 · 3.1 studies/s · 8 min left · 12 refused' */
  line(): string {
    const { done, refused, failed } = this.#counts;
    const run = done + refused + failed;
    const finished = this.before + run;
    const pace = run / ((performance.now() - this.#start) / 1000);
    const left = this.total === undefined || pace === 0 ? undefined : (this.total - finished) / pace;
    const bar = this.total ? `[${'#'.repeat(Math.round((20 * finished) / this.total)).padEnd(20, '-')}] ` : '';
    const parts = [`${bar}${finished}${this.total === undefined ? '' : ` of ${this.total}`}`, `${pace.toFixed(pace < 10 ? 2 : 0)} studies/s`, left !== undefined && `${duration(left)} left`, refused && `${refused} refused`, failed && `${failed} failed`];
    return parts.filter(Boolean).join(' · ');
  }
}

function duration(seconds: number): string {
  if (seconds < 90) return `${Math.ceil(seconds)} s`;
  return seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;
}
