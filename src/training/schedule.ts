import type { ScheduleRecipe } from './recipe.ts';

/**
 * The learning rate of a step, as a share of the recipe's.
 * @param step from 0
 * @param falls how often the validation has stood still, for `plateau`
 */
export function rateShare({ kind, warmUpSteps, factor }: ScheduleRecipe, step: number, steps: number, falls: number): number {
  if (step < warmUpSteps) return (step + 1) / warmUpSteps;
  switch (kind) {
    case 'constant':
      return 1;
    case 'cosine':
      return 0.5 + 0.5 * Math.cos((Math.PI * (step - warmUpSteps)) / Math.max(1, steps - warmUpSteps));
    case 'plateau':
      return factor ** falls;
  }
}

/** How validation went so far: what plateau and early stopping need. */
export interface Progress {
  readonly best: number;
  readonly bestStep: number;
  /** Validations since the best one. */
  readonly waited: number;
  /** Since the rate fell last. */
  readonly waitedForRate: number;
  readonly falls: number;
}

export const START: Progress = { best: -Infinity, bestStep: 0, waited: 0, waitedForRate: 0, falls: 0 };

/** @param metric the higher the better */
export function afterValidation(before: Progress, metric: number, step: number, { kind, patience }: ScheduleRecipe): Progress {
  if (metric > before.best) return { ...before, best: metric, bestStep: step, waited: 0, waitedForRate: 0 };
  const waitedForRate = before.waitedForRate + 1;
  const falls = kind === 'plateau' && waitedForRate >= patience;
  return { ...before, waited: before.waited + 1, waitedForRate: falls ? 0 : waitedForRate, falls: before.falls + Number(falls) };
}
