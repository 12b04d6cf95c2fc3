import type { Count } from '../../src/results/points.ts';

const whole = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });
const tenth = new Intl.NumberFormat('en-US', { maximumFractionDigits: 1 });

/** '1,240', and below 100 what a sum of densities has after the point: '12.4'. */
export function formatCount(count: number): string {
  return (count < 100 ? tenth : whole).format(count);
}

/** '90 %: 298 – 331' */
export function formatInterval({ interval }: Pick<Count, 'interval'>): string {
  return interval ? `${whole.format(100 * interval.level)} %: ${whole.format(interval.low)} – ${whole.format(interval.high)}` : '';
}
