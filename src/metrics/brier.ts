/**
 * The Brier score's share of one item: (probability − truth)². Its mean over items is the score: 0 is best, 0.25 is a
 * coin's.
 *
 * G. W. Brier, "Verification of forecasts expressed in terms of probability", Monthly Weather Review 78(1), 1950.
 *
 * @param probability of the positive class, 0..1
 */
export function brier(probability: number, truth: boolean): number {
  return (probability - Number(truth)) ** 2;
}
