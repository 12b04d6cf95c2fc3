import { mulberry32 } from './mulberry32.ts';

/** So many orders of labels give no p below 1 / 1000. */
export const PERMUTATIONS = 999;

/**
 * Labels that would be as likely if they had nothing to do with the pictures: all pictures of one patient that have one label
 * change it together, since pictures of a patient resemble each other. The first that is given out is the labels as they are.
 * @param labels a number an item
 * @param patients of the same length
 */
export function* permutedLabels(labels: ArrayLike<number>, patients: readonly string[], seed: number, permutations = PERMUTATIONS): Generator<Int32Array, void> {
  const blocks = new Map<string, number[]>();
  patients.forEach((patient, i) => {
    const key = `${labels[i]}\0${patient}`;
    const of = blocks.get(key);
    if (of) of.push(i);
    else blocks.set(key, [i]);
  });
  const items = [...blocks.values()];
  const order = items.map(([first]) => labels[first!]!);
  const random = mulberry32(seed);
  const drawn = Int32Array.from(labels);
  yield drawn;
  for (let p = 0; p < permutations; p++) {
    // Fisher and Yates.
    for (let i = order.length - 1; i > 0; i--) {
      const j = Math.floor(random() * (i + 1));
      [order[i], order[j]] = [order[j]!, order[i]!];
    }
    items.forEach((of, block) => of.forEach(item => (drawn[item] = order[block]!)));
    yield drawn;
  }
}

/** How often chance reaches what was seen, which counts as one of the draws: B. Phipson and G. K. Smyth, SAGMB 9(1), 2010. */
export function permutationP(seen: number, drawn: readonly number[]): number {
  // Sums in another order differ in their last digits.
  const atLeast = seen - 1e-9 * Math.max(1, Math.abs(seen));
  return (1 + drawn.filter(value => value >= atLeast).length) / (1 + drawn.length);
}
