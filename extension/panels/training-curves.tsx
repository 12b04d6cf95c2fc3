import type { CurvePoint } from '../../src/training/checkpoint.ts';

const WIDTH = 300;
const HEIGHT = 96;
const [LEFT, RIGHT, TOP, BOTTOM] = [38, 8, 8, 18];
/** Points of a line; of more, neighbours are averaged. */
const DRAWN = 300;

interface CurvesProps {
  readonly curve: readonly CurvePoint[];
  /** Of the whole training. */
  readonly steps: number;
  readonly metric: string;
}

/** What was learnt so far: the loss, and how well the held-back patients are read, beside the untouched base. */
export function TrainingCurves({ curve, steps, metric }: CurvesProps) {
  const losses = curve.flatMap(({ step, loss }) => (loss === undefined ? [] : [{ step, value: loss }]));
  const validations = curve.flatMap(({ step, validation }) => (validation === undefined ? [] : [{ step, value: validation }]));
  const base = validations.find(({ step }) => step === 0)?.value;
  return (
    <div className="ovr-curves" data-overread="curves" data-steps={losses.length} data-validations={validations.length}>
      <Curve name="Loss" points={thinned(losses)} steps={steps} last={losses.at(-1)?.value} />
      <Curve name={metric} points={validations} steps={steps} last={validations.at(-1)?.value} base={base} dots />
    </div>
  );
}

interface Point {
  readonly step: number;
  readonly value: number;
}

function Curve({ name, points, steps, last, base, dots = false }: { name: string; points: readonly Point[]; steps: number; last: number | undefined; base?: number | undefined; dots?: boolean }) {
  const values = points.map(({ value }) => value).filter(Number.isFinite);
  const [low, high] = values.length ? [Math.min(...values), Math.max(...values)] : [0, 1];
  const room = Math.max((high - low) * 0.08, Math.abs(high) * 1e-3, 1e-6);
  const [bottom, top] = [low - room, high + room];
  const x = (step: number) => LEFT + ((WIDTH - LEFT - RIGHT) * step) / Math.max(1, steps);
  const y = (value: number) => TOP + ((HEIGHT - TOP - BOTTOM) * (top - value)) / (top - bottom);
  const said = last === undefined ? 'nothing yet' : `${last.toFixed(4)}${base === undefined ? '' : `, base ${base.toFixed(4)}`}`;
  return (
    <figure className="ovr-curve">
      <figcaption className="ovr-row"><span className="ovr-muted">{name}</span><span className="ovr-number">{said}</span></figcaption>
      <svg className="ovr-plot" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={`${name} against steps: ${said}`}>
        {[low, high].map((tick, i) => (
          <g key={i}>
            <line x1={LEFT} x2={WIDTH - RIGHT} y1={y(tick)} y2={y(tick)} stroke="hsl(215 30% 30% / 0.6)" />
            <text x={LEFT - 5} y={y(tick) + 3.5} textAnchor="end">{values.length ? tick.toPrecision(3) : ''}</text>
          </g>
        ))}
        <text x={LEFT} y={HEIGHT - 4}>0</text>
        <text x={WIDTH - RIGHT} y={HEIGHT - 4} textAnchor="end">{steps} steps</text>
        {base !== undefined && <line x1={LEFT} x2={WIDTH - RIGHT} y1={y(base)} y2={y(base)} stroke="hsl(40 90% 58%)" strokeDasharray="4 3"><title>{`The untouched base: ${base.toFixed(4)}`}</title></line>}
        <polyline points={points.map(({ step, value }) => `${x(step).toFixed(1)},${y(value).toFixed(1)}`).join(' ')} fill="none" stroke="hsl(202 77% 63%)" strokeWidth={1.5} />
        {dots && points.map(({ step, value }) => <circle key={step} cx={x(step)} cy={y(value)} r={2.5} fill="hsl(202 77% 63%)"><title>{`Step ${step}: ${value.toFixed(4)}`}</title></circle>)}
      </svg>
    </figure>
  );
}

function thinned(points: readonly Point[]): readonly Point[] {
  const each = Math.ceil(points.length / DRAWN);
  if (each <= 1) return points;
  return Array.from({ length: Math.ceil(points.length / each) }, (_, i) => {
    const part = points.slice(i * each, (i + 1) * each);
    return { step: part.at(-1)!.step, value: part.reduce((sum, { value }) => sum + value, 0) / part.length };
  });
}
