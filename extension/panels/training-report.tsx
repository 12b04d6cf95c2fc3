import type { TrainingRecord } from '../../src/manifest.ts';
import { metricCells, SALIENCY_METRIC, SALIENCY_WARNING } from '../../src/training/card.ts';
import { counted } from './format.ts';

/** Fewer held-back patients make an interval that says little: it is not shown. */
export const FEWEST_PATIENTS = 5;

const FIRST = ['dice', 'objectAp50', 'iou'];
/** Never what a model is judged by. */
const LAST = [SALIENCY_METRIC];

/** The base and the trained model on the same held-back patients, with intervals where there are patients enough for them. */
export function TrainingMetrics({ record: { metrics, dataset } }: { record: Pick<TrainingRecord, 'metrics' | 'dataset'> }) {
  const { patients, items } = dataset.validation;
  const several = patients >= FEWEST_PATIENTS;
  const rows = Object.entries(metrics).sort(([a], [b]) => rank(a) - rank(b));
  return (
    <div data-overread="training-metrics">
      <table className="ovr-numbers ovr-metrics">
        <thead className="ovr-muted"><tr><th scope="col"><span className="ovr-hidden">Metric</span></th><th scope="col">Base</th><th scope="col">Tuned</th><th scope="col">Difference</th></tr></thead>
        <tbody>
          {rows.map(([name, { base, tuned, difference }]) => {
            const { low, high } = difference;
            const interval = several && low !== undefined && high !== undefined;
            return (
              <tr key={name} title={several ? `95 % intervals: base ${metricCells(base)[1]}, tuned ${metricCells(tuned)[1]}` : undefined}>
                <th scope="row">{nameOf(name)}</th>
                <td>{base.value.toFixed(3)}</td>
                <td>{tuned.value.toFixed(3)}</td>
                <td>{signed(difference.value)}{interval && <span className="ovr-interval">{signed(low, 2)} to {signed(high, 2)}</span>}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
      <p className="ovr-muted">{verdictOf(rows[0], patients, items)}</p>
      {SALIENCY_METRIC in metrics && <p className="ovr-muted" data-overread="saliency-warning">{SALIENCY_WARNING}</p>}
    </div>
  );
}

/** In words, what the first metric shows and what it cannot show. */
export function verdictOf(first: readonly [string, TrainingRecord['metrics'][string]] | undefined, patients: number, items: number): string {
  const of = `${counted(items, 'picture')} of ${counted(patients, 'patient')}`;
  if (!first || first[0] === SALIENCY_METRIC) return `Nothing could be measured on ${of}: they may all be of one class.`;
  if (patients < FEWEST_PATIENTS) return `Measured on ${of} that it did not learn from. An interval cannot be given with fewer than ${FEWEST_PATIENTS} held-back patients: the difference may be chance.`;
  const [name, { difference: { low, high } }] = first;
  const paired = '95 % intervals of the paired difference, patients drawn again; the same patients chose the step.';
  if (low === undefined || high === undefined) return `Measured on ${of}; an interval cannot be given.`;
  if (low > 0) return `${nameOf(name)} is better on ${of}. ${paired}`;
  if (high < 0) return `${nameOf(name)} is worse on ${of}: keep the base. ${paired}`;
  return `No difference is shown in ${nameOf(name)} on ${of}: the interval holds 0. ${paired}`;
}

function rank(name: string): number {
  const at = FIRST.indexOf(name);
  return at >= 0 ? at : FIRST.length + Number(LAST.includes(name));
}

function nameOf(metric: string): string {
  return metric.replace(/^auc:/, 'AUC ').replace(/^objectAp50$/, 'AP at IoU 0.5').replace(/^iou$/, 'IoU').replace(SALIENCY_METRIC, 'Saliency in the mask, IoU').replace(/^./, letter => letter.toUpperCase());
}

function signed(value: number, digits = 3): string {
  return `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(digits)}`;
}
