/**
 * p-values adjusted for their number, so that at most one set of tests in twenty has any that is below 0.05 by chance.
 *
 * S. Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of Statistics 6(2), 1979.
 */
export function holm(p: readonly number[]): number[] {
  const order = p.map((_, i) => i).sort((a, b) => p[a]! - p[b]!);
  const adjusted = new Array<number>(p.length);
  let highest = 0;
  order.forEach((test, rank) => {
    highest = Math.max(highest, Math.min(1, (p.length - rank) * p[test]!));
    adjusted[test] = highest;
  });
  return adjusted;
}
