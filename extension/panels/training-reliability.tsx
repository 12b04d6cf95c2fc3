import type { TrainingReport } from '../../src/fine-tune.ts';

type Reliability = NonNullable<TrainingReport['reliability']>;
type Bins = Reliability[string]['base'];

const SIDE = 120;
const PAD = 14;
const BASE = 'hsl(40 90% 58%)';
const TUNED = 'hsl(202 77% 63%)';

/** How often what was given a probability was so: on the diagonal a score means what it says. Base and tuned, a plot a label. */
export function TrainingReliability({ reliability }: { readonly reliability: Reliability }) {
  return (
    <figure className="ovr-reliability" data-overread="reliability">
      <figcaption className="ovr-muted">Calibration on the held-back pictures: share that has the finding against the score. <span style={{ color: BASE }}>Base</span>, <span style={{ color: TUNED }}>tuned</span>; larger dots stand for more pictures.</figcaption>
      <div>
        {Object.entries(reliability).map(([label, { base, tuned }]) => (
          <svg key={label} className="ovr-plot" viewBox={`0 0 ${SIDE} ${SIDE + 12}`} role="img" aria-label={`Calibration of ${label}`}>
            <rect x={PAD} y={PAD} width={SIDE - 2 * PAD} height={SIDE - 2 * PAD} fill="none" stroke="hsl(215 30% 30% / 0.6)" />
            <line x1={at(0)} y1={SIDE - at(0)} x2={at(1)} y2={SIDE - at(1)} stroke="hsl(215 30% 45%)" strokeDasharray="3 3" />
            <text x={PAD} y={SIDE - 3}>0</text>
            <text x={SIDE - PAD} y={SIDE - 3} textAnchor="end">1</text>
            <text x={SIDE / 2} y={SIDE + 9} textAnchor="middle">{label}</text>
            <Line bins={base} colour={BASE} />
            <Line bins={tuned} colour={TUNED} />
          </svg>
        ))}
      </div>
    </figure>
  );
}

function Line({ bins, colour }: { readonly bins: Bins; readonly colour: string }) {
  const most = Math.max(...bins.map(({ n }) => n));
  const points = bins.map(({ meanProbability, positives, n }) => ({ x: at(meanProbability), y: SIDE - at(positives / n), r: 1.5 + 2.5 * Math.sqrt(n / most), n, share: positives / n }));
  return (
    <g>
      <polyline points={points.map(({ x, y }) => `${x.toFixed(1)},${y.toFixed(1)}`).join(' ')} fill="none" stroke={colour} strokeWidth={1.2} />
      {points.map(({ x, y, r, n, share }, i) => <circle key={i} cx={x} cy={y} r={r} fill={colour}><title>{`${(100 * share).toFixed(0)} % of ${n}`}</title></circle>)}
    </g>
  );
}

function at(share: number): number {
  return PAD + share * (SIDE - 2 * PAD);
}

export const reliabilityCss = `
.ovr-reliability { margin: 0; font-size: 12px; }
.ovr-reliability > div { display: grid; grid-template-columns: repeat(auto-fill, minmax(110px, 1fr)); gap: 6px; }
`;
