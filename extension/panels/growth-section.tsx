import { useSyncExternalStore } from 'react';
import type { Growth, PatientGrowth } from '../counting/growth.ts';
import { PLATE_COLUMNS, PLATE_WELLS } from '../../src/results/plate.ts';
import type { Session } from '../session.ts';
import { plainColor } from '../overlays/colors.ts';
import { FileButton } from './file-button.tsx';
import { GrowthPlot } from './growth-plot.tsx';
import { formatCount } from './points-format.ts';

/** Counts against time: a plot, doubling times, a plate. Nothing where no patient has several counts. */
export function GrowthSection({ session, growth, canCount }: { session: Session; growth: Growth; canCount: boolean }) {
  const { patients, models, modelId, plateFile } = useSyncExternalStore(growth.state.subscribe, growth.state.get, growth.state.get);
  const shown = patients.filter(({ counts, undated }) => counts.length + undated > 1);
  if (shown.length === 0 && !canCount) return null;
  return (
    <section aria-label="Growth" data-overread="growth">
      <h2>Counts over time</h2>
      {models.length > 1 && (
        <label className="ovr-field">
          <span>Counts of</span>
          <select value={modelId} onChange={event => growth.choose(event.target.value)} data-overread="growth-model">
            {models.map(({ id, name }) => <option key={id} value={id}>{name}</option>)}
          </select>
        </label>
      )}
      {shown.map(of => <Patient key={of.patient} of={of} growth={growth} named={shown.length > 1} />)}
      <div className="ovr-actions ovr-wrap">
        {canCount && (
          <button type="button" className="ovr-button ovr-small" title="Runs the chosen model on each image of the open studies that it has not read" onClick={() => void session.countAll()} data-overread="count-all">
            Count all images
          </button>
        )}
        {shown.length > 0 && (
          <FileButton
            text="Wells…" label="A file of wells: CSV" title="A CSV with the columns well, and series or condition" accept=".csv,.tsv,.txt" name="import-wells"
            onFile={file => void growth.importPlate(file)}
          />
        )}
      </div>
      {plateFile && <p className="ovr-muted">Wells by {plateFile}.</p>}
    </section>
  );
}

function Patient({ of, growth, named }: { of: PatientGrowth; growth: Growth; named: boolean }) {
  const { patient, series, undated } = of;
  return (
    <div className="ovr-growth" data-overread="growth-patient">
      {named && <p className="ovr-strong">{patient}</p>}
      <GrowthPlot series={series} />
      {series.length > 0 && (
        <table className="ovr-numbers" data-overread="doubling">
          <thead className="ovr-muted"><tr><th scope="col">Series</th><th scope="col">Doubles in</th></tr></thead>
          <tbody>
            {series.map(({ name, subjects, growth: grown }, i) => (
              <tr key={name}>
                <th scope="row"><span className="ovr-swatch" style={{ background: plainColor(i) }} />{name}{subjects.length > 1 && <span className="ovr-muted"> ({subjects.length} wells)</span>}</th>
                {grown.kind === 'growing'
                  ? <td title={grown.doublingInterval && `${Math.round(100 * grown.doublingInterval.level)} % interval`}>{hours(grown.doublingHours)}{grown.doublingInterval && <span className="ovr-muted"> {hours(grown.doublingInterval.low)} – {hours(grown.doublingInterval.high)}</span>}</td>
                  : <td className="ovr-muted ovr-reason-cell" title={grown.reason}>{grown.reason}</td>}
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {undated > 0 && <p className="ovr-muted" data-overread="undated">{undated === 1 ? 'One count is' : `${undated} counts are`} left out: the image does not say when it was acquired.</p>}
      <Plate of={of} />
      {series.length > 0 && <button type="button" className="ovr-button ovr-small" onClick={() => void growth.exportCsv(of)} data-overread="growth-csv">Export as CSV</button>}
    </div>
  );
}

/** The last count of each well on its plate, brighter for more. */
function Plate({ of: { counts } }: { of: PatientGrowth }) {
  const last = new Map<string, (typeof counts)[number]>();
  for (const count of counts) {
    const before = last.get(count.subject);
    if (PLATE_WELLS.some(({ name }) => name === count.subject) && (!before || before.at <= count.at)) last.set(count.subject, count);
  }
  if (last.size < 2) return null;
  const most = Math.max(1, ...[...last.values()].map(({ count }) => count));
  const cell = 20;
  return (
    <figure className="ovr-plate" data-overread="plate">
      <svg viewBox={`0 0 ${(PLATE_COLUMNS + 1) * cell} ${9 * cell}`} role="img" aria-label={`Plate: the last counts of ${last.size} wells, up to ${formatCount(most)} cells`}>
        {Array.from({ length: PLATE_COLUMNS }, (_, i) => <text key={i} x={(i + 1.5) * cell} y={0.7 * cell} textAnchor="middle">{i + 1}</text>)}
        {PLATE_WELLS.map(({ name, row, column }) => {
          const count = last.get(name);
          const share = count && count.count / most;
          return (
            <g key={name}>
              {column === 0 && <text x={0.5 * cell} y={(row + 1.65) * cell} textAnchor="middle">{name[0]}</text>}
              <circle
                cx={(column + 1.5) * cell} cy={(row + 1.5) * cell} r={0.42 * cell} stroke="hsl(215 25% 40%)" strokeWidth={share === undefined ? 0.6 : 0}
                fill={share === undefined ? 'none' : `hsl(${210 - 160 * share} 75% ${28 + 44 * share}%)`} data-well={share === undefined ? undefined : name}
              >
                {count && <title>{`${name}: ${formatCount(count.count)} cells${count.condition === undefined ? '' : `, ${count.condition}`}`}</title>}
              </circle>
            </g>
          );
        })}
      </svg>
      <figcaption className="ovr-muted">Last count of each well, up to {formatCount(most)}.</figcaption>
    </figure>
  );
}

function hours(value: number): string {
  return value < 100 ? `${Number(value.toPrecision(3))} h` : `${Number((value / 24).toPrecision(3))} d`;
}
