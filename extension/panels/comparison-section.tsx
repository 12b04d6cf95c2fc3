import { useSyncExternalStore } from 'react';
import type { Agreement, MaskComparison } from '../compare-masks.ts';
import type { Comparer, ComparisonPhase } from '../comparison.ts';
import { cssColor } from '../overlays/colors.ts';
import type { KeptResult } from '../results-store.ts';
import { formatSize } from './format.ts';
import { Message } from './message.tsx';

/** A mask beside another: how well they agree in numbers, and where they do not on the image. */
export function ComparisonSection({ comparer, kept }: { comparer: Comparer; kept: KeptResult }) {
  const { asked, phase: latest, onImage } = useSyncExternalStore(comparer.state.subscribe, comparer.state.get, comparer.state.get);
  const mine = asked?.key === kept.key;
  const candidates = comparer.candidates(kept.key);
  const phase: ComparisonPhase = mine ? latest : { kind: 'idle' };
  if (candidates.length === 0 && !mine) return null;
  const choose = (id: string) => (id ? void comparer.compare(kept.key, id) : comparer.end());
  return (
    <section className="ovr-comparison" aria-label="Comparison with another mask" data-overread="comparison" data-phase={phase.kind}>
      <label className="ovr-field">
        <span>Compare with</span>
        <select value={mine ? asked.with : ''} onChange={event => choose(event.target.value)} data-overread="compare-with">
          <option value="">No other mask</option>
          {candidates.map(({ id, name }) => <option key={id} value={id}>{name}</option>)}
        </select>
      </label>
      <div aria-live="polite" role="status">{phase.kind === 'running' && <p className="ovr-muted">Comparing…</p>}</div>
      {phase.kind === 'error' && <Message tone="error" title="Not compared" text={phase.error.message} />}
      {phase.kind === 'shown' && <Shown phase={phase} onImage={onImage} onToggle={() => comparer.setOnImage(!onImage)} />}
    </section>
  );
}

interface ShownProps {
  readonly phase: Extract<ComparisonPhase, { kind: 'shown' }>;
  readonly onImage: boolean;
  readonly onToggle: () => void;
}

function Shown({ phase: { numbers, difference, names }, onImage, onToggle }: ShownProps) {
  return (
    <>
      <table className="ovr-numbers" aria-label="Legend of the difference" data-overread="difference">
        <tbody>
          {difference.result.segments.map(segment => (
            <tr key={segment.segmentNumber}>
              <th scope="row"><span className="ovr-swatch" style={{ background: cssColor([...segment.target.color!, 255] as [number, number, number, number]) }} />{segment.target.label}</th>
              <td>{segment.pixels === 0 ? 'none' : formatSize(segment)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <button type="button" className="ovr-button ovr-small" aria-pressed={onImage} onClick={onToggle} data-overread="difference-on-image">
        {onImage ? 'Show the two masks' : 'Show the difference on the image'}
      </button>
      <table className="ovr-numbers" aria-label={`Agreement of ${names.a} and ${names.b}`} data-overread="agreement">
        <tbody>
          {rows(numbers).map(([name, value, title]) => (
            <tr key={name}><th scope="row" title={title}>{name}</th><td>{value}</td></tr>
          ))}
        </tbody>
      </table>
      {numbers.classes.length > 0 && (
        <table className="ovr-numbers" aria-label="Agreement of each segment">
          <thead className="ovr-muted"><tr><th scope="col">Segment</th><th scope="col">Dice</th><th scope="col">IoU</th><th scope="col">HD 95 %</th></tr></thead>
          <tbody>
            {numbers.classes.map(of => (
              <tr key={of.label}><th scope="row">{of.label}</th><td>{ratio(of.dice)}</td><td>{ratio(of.iou)}</td><td>{distance(of.hausdorff95, numbers)}</td></tr>
            ))}
          </tbody>
        </table>
      )}
      <p className="ovr-muted">Precision, recall and the size are of {names.a}, with {names.b} taken for the truth.</p>
    </>
  );
}

function rows(numbers: MaskComparison): [name: string, value: string, title?: string][] {
  const { relativeDifference } = numbers;
  return [
    ['Dice', ratio(numbers.dice)],
    ['IoU', ratio(numbers.iou)],
    ['Hausdorff 95 %', distance(numbers.hausdorff95, numbers), 'Of the distances between the outlines, the 95th percentile; the larger of the two directions'],
    ['Hausdorff', distance(numbers.hausdorff, numbers), 'The farthest that the outlines lie apart'],
    ['Mean surface distance', distance(numbers.surfaceDistance, numbers)],
    ['Precision', ratio(numbers.precision)],
    ['Recall', ratio(numbers.recall)],
    ['Size', relativeDifference === undefined ? '–' : `${relativeDifference < 0 ? '−' : '+'}${Math.abs(100 * relativeDifference).toFixed(1)} %`],
  ];
}

function ratio(value: Agreement['dice']): string {
  return value.toFixed(3);
}

/** An empty mask has no outline to be far from. */
function distance(value: number | undefined, { unit }: MaskComparison): string {
  return value === undefined ? '–' : `${value.toFixed(value < 100 ? 2 : 0)} ${unit}`;
}
