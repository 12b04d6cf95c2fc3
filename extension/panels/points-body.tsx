import { useState, useSyncExternalStore } from 'react';
import { isDots } from '../../src/results/dots.ts';
import type { Count, PointsResult } from '../../src/results/points.ts';
import type { Counting } from '../counting/index.ts';
import { DOT_FORMATS } from '../counting/dot-files.ts';
import { WINDOW, withDensity, type DensityKind } from '../counting/density-maps.ts';
import { colorOf, cssColor } from '../overlays/colors.ts';
import type { KeptResult } from '../results-store.ts';
import { formatWhen } from './format.ts';
import { formatCount, formatInterval } from './points-format.ts';
import { Palette } from './palette.tsx';
import { RoiTable } from './roi-table.tsx';

interface BodyProps {
  readonly counting: Counting;
  readonly kept: KeptResult;
  readonly result: PointsResult;
}

const DENSITIES: readonly (readonly [kind: DensityKind, name: string, title: string])[] = [
  ['density', 'density', 'Cells a pixel'],
  ['windows', 'count map', `At each pixel the cells in the ${WINDOW} × ${WINDOW} pixels around it, as Count-ception counts`],
];

/** A count: in all and by class, with its interval and cells a mm²; the tools that correct it, and what lies in regions. */
export function PointsBody({ counting, kept, result }: BodyProps) {
  const { edits, dotting, density, rois } = counting;
  const { key: edited } = useSyncExternalStore(dotting.state.subscribe, dotting.state.get, dotting.state.get);
  const shown = useSyncExternalStore(density.state.subscribe, density.state.get, density.state.get);
  const inside = useSyncExternalStore(rois.state.subscribe, rois.state.get, rois.state.get).rois.filter(({ key }) => key === kept.key);
  const editing = edited === kept.key;
  const dots = isDots(result);
  return (
    <>
      <Counts result={result} />
      {!result.source.spacingMm && <p className="ovr-muted">The image states no pixel spacing, so there are no cells/mm².</p>}
      {result.remarks?.filter(remark => !/PixelSpacing/.test(remark)).map(remark => <p key={remark} className="ovr-badge-detail" data-overread="remark">{remark}</p>)}
      {!dots && result.editedAt !== undefined && <EditedCount editedAt={result.editedAt} onDiscard={() => edits.discard(kept.key)} />}
      <RoiTable rois={inside} classes={result.classes.map(({ target }) => target.label)} />
      {editing && <Palette counting={counting} kept={kept} result={result} />}
      <div className="ovr-actions ovr-wrap">
        <button
          type="button" className="ovr-button ovr-small" aria-pressed={editing} data-overread="edit-markers"
          onClick={() => (editing ? dotting.end() : dotting.start(kept.key))}
        >
          {editing ? 'Done' : dots ? 'Set dots' : 'Correct markers'}
        </button>
        {withDensity(kept) && DENSITIES.map(([kind, name, title]) => {
          const pressed = shown.key === kept.key && shown.kind === kind;
          return (
            <button key={kind} type="button" className="ovr-button ovr-small" aria-pressed={pressed} title={title} onClick={() => density.toggle(kept.key, kind)} data-overread={kind}>
              {pressed ? 'Hide' : 'Show'} {name}
            </button>
          );
        })}
        <ExportMenu onExport={format => void counting.exportDots(kept.key, format)} />
      </div>
    </>
  );
}

function Counts({ result: { classes, total } }: { result: PointsResult }) {
  const perMm2 = total.cellsPerMm2 !== undefined;
  const rows: readonly (readonly [name: string, count: Count, color?: string])[] = classes.map((counted, i) => [counted.target.label, counted, cssColor(colorOf(counted.target, i + 1))]);
  return (
    <>
      <p className="ovr-count-total ovr-number" data-overread="count">
        <span className="ovr-big">{formatCount(total.count)}</span> {total.count === 1 ? 'cell' : 'cells'}
        {total.interval && <span className="ovr-muted"> {formatInterval(total)}</span>}
      </p>
      <table className="ovr-numbers" data-overread="counts">
        <thead className="ovr-muted">
          <tr><th scope="col">Class</th><th scope="col">Cells</th>{perMm2 && <th scope="col">/ mm²</th>}</tr>
        </thead>
        <tbody>
          {rows.map(([name, count, color], i) => (
            <tr key={i}>
              <th scope="row"><span className="ovr-swatch" style={{ background: color }} />{name}</th>
              <td title={count.interval ? formatInterval(count) : undefined}>{formatCount(count.count)}</td>
              {perMm2 && <td>{formatCount(count.cellsPerMm2 ?? 0)}</td>}
            </tr>
          ))}
          {perMm2 && classes.length > 1 && <tr><th scope="row">All</th><td>{formatCount(total.count)}</td><td>{formatCount(total.cellsPerMm2 ?? 0)}</td></tr>}
        </tbody>
      </table>
    </>
  );
}

/** Markers are the model's no longer. Undo brings back what is discarded, so it is not asked twice. */
function EditedCount({ editedAt, onDiscard }: { editedAt: string; onDiscard: () => void }) {
  return (
    <div className="ovr-message ovr-warning" data-overread="edited">
      <p className="ovr-strong">Corrected by the reader, <time dateTime={editedAt}>{formatWhen(editedAt)}</time></p>
      <p>The numbers are of the markers now; the model's interval does not hold for them.</p>
      <button type="button" className="ovr-button ovr-small" onClick={onDiscard} data-overread="discard-edits">Discard the corrections</button>
    </div>
  );
}

const FORMAT_NAMES: { readonly [F in (typeof DOT_FORMATS)[number]]: string } = { csv: 'CSV', geojson: 'GeoJSON (QuPath)', png: 'Dots as PNG' };

function ExportMenu({ onExport }: { onExport: (format: (typeof DOT_FORMATS)[number]) => void }) {
  const [chosen, choose] = useState('');
  return (
    <select
      className="ovr-export" aria-label="Export the markers" value={chosen} data-overread="export-markers"
      onChange={event => {
        onExport(event.target.value as (typeof DOT_FORMATS)[number]);
        choose('');
      }}
    >
      <option value="" disabled>Export…</option>
      {DOT_FORMATS.map(format => <option key={format} value={format}>{FORMAT_NAMES[format]}</option>)}
    </select>
  );
}

/** For the panel's style. */
export const pointsCss = `
.ovr-count-total { font-size: 13px; }
.ovr-big { font-size: 20px; font-weight: 600; }
.ovr-wrap { flex-wrap: wrap; }
.ovr select.ovr-export { width: auto; height: 28px; font-size: 12px; }
.ovr-growth { display: flex; flex-direction: column; gap: 6px; align-items: flex-start; }
.ovr-growth th { white-space: nowrap; }
.ovr-plot, .ovr-plate, .ovr-plate svg { width: 100%; margin: 0; display: block; }
.ovr-plot text, .ovr-plate text { font: 10px system-ui, sans-serif; fill: hsl(215 20% 68%); stroke: none; }
.ovr .ovr-numbers td.ovr-reason-cell { font-weight: 400; white-space: normal; font-size: 12px; }
.ovr-roi-parts { display: block; font-size: 12px; }
.ovr-palette { display: flex; flex-direction: column; gap: 6px; padding: 8px; border: 1px solid var(--ovr-focus); border-radius: 6px; }
.ovr-palette ul { list-style: none; display: flex; flex-wrap: wrap; gap: 4px; }
.ovr-palette .ovr-button { justify-content: flex-start; }
.ovr-palette .ovr-button[aria-pressed='true'] { border-color: var(--ovr-focus); background: hsl(215 40% 60% / 0.25); }
.ovr-palette .ovr-swatch { margin-right: 0; }
.ovr input[type='text'] { min-width: 0; flex: 1; height: 28px; padding: 0 8px; border: 1px solid var(--ovr-line); border-radius: 6px; background: hsl(215 50% 9%); color: inherit; font: inherit; font-size: 12px; }
`;
