import { useSyncExternalStore } from 'react';
import { FEW_ITEMS, type ChosenPoint } from '../../src/evaluation/recalibration.ts';
import type { RecalibrationRecord } from '../../src/manifest.ts';
import type { OperatingGoal } from '../../src/metrics/roc.ts';
import type { CatalogueEntry } from '../catalogue.ts';
import type { Session } from '../session.ts';
import { patientsOf } from '../training/label-item.ts';
import { counted } from './format.ts';
import { Message } from './message.tsx';
import { FEWEST_PATIENTS } from './training-report.tsx';

const GOALS: Readonly<Record<OperatingGoal['by'], string>> = { sensitivity: 'Sensitivity', specificity: 'Specificity', ppv: 'Positive predictive value' };

/** Operating points of a classifier that fit this site, by the labels that were collected; nothing is trained. */
export function RecalibrationSection({ session: { training }, parent }: { readonly session: Session; readonly parent: CatalogueEntry }) {
  const { recalibration } = training;
  const { goal, reading, scored, chosen, error } = useSyncExternalStore(recalibration.state.subscribe, recalibration.state.get, recalibration.state.get);
  const labels = training.labelsFor(parent);
  const stale = scored && scored.entry.manifest.id !== parent.manifest.id;
  return (
    <details className="ovr-part" data-overread="recalibration">
      <summary>Choose operating points, without training</summary>
      <div className="ovr-part">
        <p className="ovr-muted">The model reads your labelled pictures; where a score starts to count as positive is then put where you ask for. Its weights stay as they are.</p>
        <div className="ovr-grid">
          <label className="ovr-field">
            <span>At least</span>
            <select value={goal.by} onChange={event => recalibration.aim({ ...goal, by: event.target.value as OperatingGoal['by'] })} data-overread="goal-by">
              {Object.entries(GOALS).map(([by, name]) => <option key={by} value={by}>{name}</option>)}
            </select>
          </label>
          <label className="ovr-field">
            <span>Of, in %</span>
            <input type="number" min={1} max={100} value={Math.round(100 * goal.least)} onChange={event => event.target.valueAsNumber > 0 && event.target.valueAsNumber <= 100 && recalibration.aim({ ...goal, least: event.target.valueAsNumber / 100 })} data-overread="goal-least" />
          </label>
        </div>
        {reading
          ? <p role="status" className="ovr-row ovr-muted"><span>Reading {reading.done} of {reading.of}</span><button type="button" className="ovr-button ovr-small" onClick={() => recalibration.close()}>Stop</button></p>
          : <button type="button" className="ovr-button" disabled={labels.length === 0} onClick={() => void training.readForPoints(parent)} data-overread="read-for-points">{labels.length === 0 ? 'Add findings first' : `Read ${counted(labels.length, 'label')} of ${counted(patientsOf(labels), 'patient')}`}</button>}
        {error && <Message tone="error" title="No such point" text={error.message} onDismiss={() => recalibration.close()} />}
        {chosen && !stale && (
          <>
            {chosen.map(point => <Point key={point.label} point={point} />)}
            <p className="ovr-notice">Measured on the very patients that the points were chosen on: elsewhere they do worse. Research use only. Not for diagnosis.</p>
            <button type="button" className="ovr-button ovr-primary" onClick={() => void training.keepPoints(parent)} data-overread="keep-points">Keep and install</button>
          </>
        )}
      </div>
    </details>
  );
}

function Point({ point: { label, record, roc } }: { readonly point: ChosenPoint }) {
  const { value, before, positives, negatives, sensitivity, specificity, ppv } = record;
  const few = Math.min(positives, negatives) < FEW_ITEMS;
  return (
    <div className="ovr-card ovr-point" data-overread="point" data-label={label}>
      <Roc roc={roc} at={{ sensitivity: sensitivity.value, specificity: specificity.value }} label={label} />
      <div>
        <p className="ovr-strong">{label}</p>
        <p className="ovr-number">{value.toFixed(3)}{before !== undefined && <span className="ovr-muted"> · was {before.toFixed(3)}</span>}</p>
        <table className="ovr-numbers">
          <tbody>
            <Row name="Sensitivity" of={sensitivity} several={positives + negatives >= FEWEST_PATIENTS} />
            <Row name="Specificity" of={specificity} several={positives + negatives >= FEWEST_PATIENTS} />
            {ppv && <Row name="PPV" of={ppv} several={positives + negatives >= FEWEST_PATIENTS} />}
          </tbody>
        </table>
        <p className="ovr-muted">{counted(positives, 'picture')} with, {negatives} without{few && `; fewer than ${FEW_ITEMS} of a kind say little`}</p>
      </div>
    </div>
  );
}

type Measured = RecalibrationRecord['points'][string]['sensitivity'];

function Row({ name, of: { value, low, high }, several }: { readonly name: string; readonly of: Measured; readonly several: boolean }) {
  return <tr><th scope="row">{name}</th><td>{value.toFixed(2)}{several && low !== undefined && high !== undefined && <span className="ovr-interval">{low.toFixed(2)} to {high.toFixed(2)}</span>}</td></tr>;
}

const SIDE = 104;
const PAD = 6;

/** Sensitivity against false alarms, and where the point stands on it. */
function Roc({ roc, at, label }: { readonly roc: ChosenPoint['roc']; readonly at: { readonly sensitivity: number; readonly specificity: number }; readonly label: string }) {
  const x = (specificity: number) => PAD + (1 - specificity) * (SIDE - 2 * PAD);
  const y = (sensitivity: number) => SIDE - PAD - sensitivity * (SIDE - 2 * PAD);
  const points = [{ sensitivity: 0, specificity: 1 }, ...roc];
  return (
    <svg className="ovr-plot" viewBox={`0 0 ${SIDE} ${SIDE}`} role="img" aria-label={`ROC of ${label}: the point has a sensitivity of ${at.sensitivity.toFixed(2)} and a specificity of ${at.specificity.toFixed(2)}`}>
      <rect x={PAD} y={PAD} width={SIDE - 2 * PAD} height={SIDE - 2 * PAD} fill="none" stroke="hsl(215 30% 30% / 0.6)" />
      <line x1={PAD} y1={SIDE - PAD} x2={SIDE - PAD} y2={PAD} stroke="hsl(215 30% 45%)" strokeDasharray="3 3" />
      <polyline points={points.map(point => `${x(point.specificity).toFixed(1)},${y(point.sensitivity).toFixed(1)}`).join(' ')} fill="none" stroke="hsl(202 77% 63%)" strokeWidth={1.5} />
      <circle cx={x(at.specificity)} cy={y(at.sensitivity)} r={3.5} fill="hsl(40 90% 58%)" />
    </svg>
  );
}

export const recalibrationCss = `
.ovr-point { display: grid; grid-template-columns: 104px 1fr; gap: 10px; align-items: start; }
.ovr-training .ovr-part > summary { cursor: pointer; }
`;
