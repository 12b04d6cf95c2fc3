import { useEffect, useRef } from 'react';
import type { PredictedMask, Predictions } from '../../src/training/validation.ts';
import type { PredictionsAt } from '../training/trainings.ts';

/** What the network makes of held-back pictures: when it began, and now. */
export function TrainingPredictions({ first, now }: { readonly first: PredictionsAt; readonly now: PredictionsAt }) {
  const when = ({ step }: PredictionsAt) => (step === 0 ? 'Base' : `Step ${step}`);
  const both = now.step === first.step ? [now] : [first, now];
  return (
    <figure className="ovr-predictions" data-overread="predictions" data-step={now.step}>
      <figcaption className="ovr-muted">{now.of.kind === 'masks' ? 'Held-back pictures: found in blue, the truth outlined' : 'Held-back scores from 0 to 1: yellow, above the line, those that have the finding'}</figcaption>
      {both.map(at => (
        <div key={at.step} className="ovr-predictions-row">
          <span className="ovr-muted ovr-number">{when(at)}</span>
          {at.of.kind === 'masks' ? at.of.pictures.map(picture => <Mask key={picture.id} picture={picture} step={at.step} />) : <Scores of={at.of} />}
        </div>
      ))}
    </figure>
  );
}

const FOUND = [64, 160, 255] as const;
const TRUTH = [255, 190, 60] as const;
const FOUND_SHARE = 0.55;

function Mask({ picture, step }: { readonly picture: PredictedMask; readonly step: number }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const { columns, rows, truth, found } = picture;
  useEffect(() => {
    const context = canvas.current?.getContext('2d');
    context?.putImageData(new ImageData(painted(picture), columns, rows), 0, 0);
  }, [picture, columns, rows]);
  const [of, share] = [truth, found].map(mask => mask.reduce((sum, inside) => sum + inside, 0) / mask.length) as [number, number];
  return <canvas ref={canvas} width={columns} height={rows} role="img" aria-label={`Step ${step}: ${(100 * share).toFixed(0)} % found, ${(100 * of).toFixed(0)} % true`} />;
}

/** RGBA of the picture, what was found in it, and the border of what is true. */
export function painted({ columns, rows, grey, truth, found }: PredictedMask): Uint8ClampedArray<ArrayBuffer> {
  const out = new Uint8ClampedArray(4 * columns * rows);
  for (let i = 0; i < columns * rows; i++) {
    const [x, y] = [i % columns, Math.floor(i / columns)];
    const outside = (dx: number, dy: number) => {
      const [u, v] = [x + dx, y + dy];
      return u < 0 || v < 0 || u >= columns || v >= rows || !truth[v * columns + u];
    };
    const border = truth[i] === 1 && (outside(1, 0) || outside(-1, 0) || outside(0, 1) || outside(0, -1));
    const value = grey[i]!;
    const colour = border ? TRUTH : found[i] ? FOUND.map(c => c * FOUND_SHARE + value * (1 - FOUND_SHARE)) : [value, value, value];
    out.set([...colour, 255], 4 * i);
  }
  return out;
}

const WIDTH = 250;
const ROW = 26;

/** A dot a picture by its probability; above the line those that are labelled so. */
function Scores({ of: { scores } }: { readonly of: Extract<Predictions, { readonly kind: 'scores' }> }) {
  const labels = [...new Set(scores.map(({ label }) => label))];
  return (
    <svg className="ovr-plot" viewBox={`0 0 ${WIDTH} ${ROW * labels.length}`} role="img" aria-label={`Probabilities of ${scores.length} held-back labels`}>
      {labels.map((label, row) => (
        <g key={label} transform={`translate(0 ${ROW * row})`}>
          <text x={0} y={9}>{label}</text>
          <line x1={0} x2={WIDTH} y1={18} y2={18} stroke="hsl(215 30% 30% / 0.6)" />
          {scores.filter(score => score.label === label).map(({ logit, truth }, i) => (
            <circle key={i} cx={4 + (WIDTH - 8) / (1 + Math.exp(-logit))} cy={truth ? 15 : 21} r={2.5} fill={truth ? 'hsl(40 90% 58%)' : 'hsl(202 77% 63%)'} fillOpacity={0.7} />
          ))}
        </g>
      ))}
    </svg>
  );
}

export const predictionsCss = `
.ovr-predictions { margin: 0; display: flex; flex-direction: column; gap: 4px; font-size: 12px; }
.ovr-predictions-row { display: flex; gap: 6px; align-items: center; }
.ovr-predictions-row > span { width: 46px; flex: none; }
.ovr-predictions-row canvas { flex: 1 1 0; min-width: 0; max-width: 96px; image-rendering: pixelated; border-radius: 3px; }
`;
