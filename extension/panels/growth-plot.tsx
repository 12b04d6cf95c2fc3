import type { GrowthSeries } from '../../src/results/growth.ts';
import { plainColor } from '../overlays/colors.ts';

const WIDTH = 300;
const HEIGHT = 170;
const LEFT = 40;
const BOTTOM = 28;
const TOP = 8;
const RIGHT = 8;

/** Counts by hours on a logarithmic axis, where steady growth is a straight line; with intervals, and the line that was fitted. */
export function GrowthPlot({ series }: { series: readonly GrowthSeries[] }) {
  const points = series.flatMap(({ points: of }) => of);
  const positive = points.filter(({ count }) => count > 0);
  if (positive.length === 0) return null;
  const most = Math.max(...positive.map(({ count, interval }) => Math.max(count, interval?.high ?? 0)));
  const least = Math.max(0.5, Math.min(...positive.map(({ count, interval }) => Math.min(count, interval && interval.low > 0 ? interval.low : count))));
  const ticks = logTicks(least, most);
  const [low, high] = [Math.min(least, ticks[0]!), Math.max(most, ticks.at(-1)!)];
  const end = Math.max(...points.map(({ hours }) => hours), 1e-9);
  const x = (hours: number) => LEFT + ((WIDTH - LEFT - RIGHT) * hours) / end;
  const y = (count: number) => TOP + ((HEIGHT - TOP - BOTTOM) * Math.log(high / Math.min(high, Math.max(low, count)))) / Math.log(high / low || 1);
  return (
    <svg className="ovr-plot" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={`Cells against hours: ${points.length} counts in ${series.length} series`} data-overread="growth-plot">
      {ticks.map(tick => (
        <g key={tick}>
          <line x1={LEFT} x2={WIDTH - RIGHT} y1={y(tick)} y2={y(tick)} stroke="hsl(215 30% 30% / 0.6)" />
          <text x={LEFT - 5} y={y(tick) + 3.5} textAnchor="end">{tick >= 10_000 ? `${tick / 1000}k` : tick}</text>
        </g>
      ))}
      {linearTicks(end).map(tick => <text key={tick} x={x(tick)} y={HEIGHT - BOTTOM + 13} textAnchor="middle">{Number(tick.toPrecision(4))}</text>)}
      <text x={(LEFT + WIDTH - RIGHT) / 2} y={HEIGHT - 3} textAnchor="middle">hours</text>
      {series.map(({ name, points: of, growth }, i) => (
        <g key={name} stroke={plainColor(i)} fill={plainColor(i)}>
          {growth.kind === 'growing' && (
            <line
              x1={x(of[0]!.hours)} x2={x(of.at(-1)!.hours)} y1={y(Math.exp(growth.fit.intercept + growth.fit.slope * of[0]!.hours))} y2={y(Math.exp(growth.fit.intercept + growth.fit.slope * of.at(-1)!.hours))}
              strokeWidth={1.5} strokeDasharray="5 3"
            />
          )}
          {of.filter(({ count }) => count > 0).map(({ hours, count, interval, subject }, k) => (
            <g key={k} data-overread="growth-point">
              {interval && <line x1={x(hours)} x2={x(hours)} y1={y(Math.max(low, interval.low))} y2={y(interval.high)} strokeWidth={1.5} />}
              <circle cx={x(hours)} cy={y(count)} r={3} strokeWidth={0}>
                <title>{`${subject}, ${hours.toFixed(1)} h: ${Number(count.toFixed(1))} cells`}</title>
              </circle>
            </g>
          ))}
        </g>
      ))}
    </svg>
  );
}

/** 1, 2 and 5 times powers of ten within, and the ones around a range that has fewer than two. */
export function logTicks(low: number, high: number): readonly number[] {
  const all = Array.from({ length: 14 }, (_, i) => [1, 2, 5].map(digit => digit * 10 ** (i - 1))).flat();
  const [from, to] = [all.findLastIndex(tick => tick <= low), all.findIndex(tick => tick >= high)];
  const around = all.slice(Math.max(0, from), (to < 0 ? all.length : to) + 1);
  const decades = around.filter(tick => Number.isInteger(Number(Math.log10(tick).toFixed(9))));
  return around.length > 6 && decades.length > 1 ? decades : around;
}

function linearTicks(end: number): readonly number[] {
  const rough = end / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map(digit => digit * power).find(size => size >= rough)!;
  return Array.from({ length: Math.floor(end / step + 1e-9) + 1 }, (_, i) => i * step);
}
