import { OverBudget } from './ops.ts';
import type { Plan } from './plan.ts';
import { remember, remembered } from './remembered.ts';
import { noisyFeeds, selfTest } from './self-test.ts';
import { hasPassed, keepPassed } from './tested.ts';

/** Of the largest output, and in each layer of the largest value that is summed up. */
export const HALF_TOLERANCE = 1e-2;

/** How far a plan in float16 is from the same in float32, of the largest output; or what is wrong with it. */
export type HalfOutcome = { readonly difference: number } | { readonly fault: string };

/**
 * Holds a network in float16 to the same in float32, on this device: each layer to float64, as {@link selfTest} does, then the outputs of
 * both, on noise within the range of its pictures. One plan stands at a time. As often as {@link hasPassed} says.
 * @param name what it is remembered by
 * @param make the plan
 * @throws NoPlan, OverBudget as `make` for float16; of what float32 alone cannot be made, nothing is compared and the difference is NaN
 */
export async function testHalf(name: string, range: readonly [number, number], make: (precision: 'float32' | 'float16') => Promise<Plan>): Promise<HalfOutcome> {
  const key = `float16 ${name}`;
  const known = (await hasPassed(key)) ? await remembered(key) : undefined;
  if (known !== undefined) return JSON.parse(known) as HalfOutcome;
  const outcome = await compared(range, make);
  if ('difference' in outcome && Number.isNaN(outcome.difference)) return outcome;
  await remember(key, JSON.stringify(outcome));
  await keepPassed(key);
  return outcome;
}

async function compared(range: readonly [number, number], make: (precision: 'float32' | 'float16') => Promise<Plan>): Promise<HalfOutcome> {
  const half = await run(await make('float16'), async plan => {
    const fault = await selfTest(plan, HALF_TOLERANCE);
    return fault ?? plan.values(noisyFeeds(plan.program, range));
  });
  if ('layer' in half) return { fault: `the layer ${half.layer} gave ${half.got} in place of ${half.expected} in it` };
  if (half.some(values => values.some(value => !Number.isFinite(value)))) return { fault: 'values are beyond it' };
  let full: Plan;
  try {
    full = await make('float32');
  } catch (error) {
    if (error instanceof OverBudget) return { difference: NaN };
    throw error;
  }
  const wanted = await run(full, plan => plan.values(noisyFeeds(plan.program, range)));
  const difference = Math.max(...wanted.map((values, i) => differenceOf(half[i]!, values)));
  return difference <= HALF_TOLERANCE ? { difference } : { fault: `its outputs differ from float32's by ${difference.toPrecision(2)} of the largest` };
}

async function run<T>(plan: Plan, work: (plan: Plan) => Promise<T>): Promise<T> {
  try {
    return await work(plan);
  } finally {
    plan.dispose();
  }
}

/** Of the largest wanted. */
export function differenceOf(got: Float32Array, wanted: Float32Array): number {
  const most = wanted.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
  const difference = wanted.reduce((largest, value, i) => Math.max(largest, Math.abs(value - got[i]!)), 0);
  return difference === 0 ? 0 : difference / most;
}
