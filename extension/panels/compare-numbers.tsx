import type { Agreement, MaskComparison } from '../comparing/masks.ts';
import type { Pair } from '../comparing/pair.ts';
import { colorOf, cssColor } from '../overlays/colors.ts';
import { formatSize } from './format.ts';

interface Names {
  readonly a: string;
  readonly b: string;
}

/** What two results agree and differ in, in numbers, each with what it is of and against what. */
export function CompareNumbers({ pair, names }: { pair: Pair; names: Names }) {
  return (
    <>
      {pair.kind === 'labelmap' && <MaskNumbers pair={pair} names={names} />}
      {pair.kind === 'points' && <MarkerNumbers pair={pair} names={names} />}
      {pair.kind === 'heatmap' && <MapNumbers pair={pair} names={names} />}
      {pair.kind === 'scores' && <ScoreTable pair={pair} names={names} />}
      {notesOf(pair, names).map(note => <p key={note} className="ovr-muted" data-overread="compare-note">{note}</p>)}
    </>
  );
}

/** What each colour of the difference is, with how much there is of it. */
function Legend({ rows }: { rows: readonly (readonly [color: string, name: string, value: string])[] }) {
  return (
    <table className="ovr-numbers" aria-label="Legend of the difference" data-overread="difference">
      <tbody>
        {rows.map(([color, name, value]) => (
          <tr key={name}><th scope="row"><span className="ovr-swatch" style={{ background: color }} />{name}</th><td>{value}</td></tr>
        ))}
      </tbody>
    </table>
  );
}

type Row = readonly [name: string, value: string, title?: string];

function Rows({ rows, label }: { rows: readonly Row[]; label: string }) {
  return (
    <table className="ovr-numbers" aria-label={label} data-overread="agreement">
      <tbody>{rows.map(([name, value, title]) => <tr key={name}><th scope="row" title={title}>{name}</th><td>{value}</td></tr>)}</tbody>
    </table>
  );
}

function MaskNumbers({ pair: { numbers, difference, sizes }, names }: { pair: Extract<Pair, { kind: 'labelmap' }>; names: Names }) {
  const volume = difference.source.shape[2] > 1;
  const { relativeDifference } = numbers;
  return (
    <>
      <Legend rows={difference.segments.map(segment => [cssColor(colorOf(segment.target, segment.segmentNumber)), segment.target.label, segment.pixels === 0 ? 'none' : formatSize(segment)])} />
      <Rows
        label={`Agreement of ${names.a} and ${names.b}`}
        rows={[
          ['Dice', ratio(numbers.dice)],
          ['IoU', ratio(numbers.iou)],
          ['Hausdorff 95 %', distance(numbers.hausdorff95, numbers), 'Of the distances between the outlines, the 95th percentile; the larger of the two directions'],
          ['Hausdorff', distance(numbers.hausdorff, numbers), 'The farthest that the outlines lie apart'],
          ['Mean surface distance', distance(numbers.surfaceDistance, numbers)],
          ['Precision', ratio(numbers.precision), `Of what ${names.a} has, the share that ${names.b} has too`],
          ['Recall', ratio(numbers.recall), `Of what ${names.b} has, the share that ${names.a} has too`],
          [`${volume ? 'Volume' : 'Area'} of A`, formatSize(sizes.a)],
          [`${volume ? 'Volume' : 'Area'} of B`, formatSize(sizes.b)],
          ['A larger than B by', relativeDifference === undefined ? '–' : `${relativeDifference < 0 ? '−' : '+'}${Math.abs(100 * relativeDifference).toFixed(1)} %`],
        ]}
      />
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
      <p className="ovr-muted">Precision, recall and the size are of {names.a}, with {names.b} taken for the truth; the other numbers take neither for it.</p>
    </>
  );
}

function MarkerNumbers({ pair: { numbers, difference }, names }: { pair: Extract<Pair, { kind: 'points' }>; names: Names }) {
  const { matched, onlyA, onlyB, f1, sameClass, within } = numbers;
  const counts = [matched, onlyA, onlyB];
  return (
    <>
      <Legend rows={difference.classes.map(({ target }, i) => [cssColor(colorOf(target, i + 1)), `${target.label}${['', ' (extra)', ' (missed)'][i]}`, String(counts[i])])} />
      <Rows
        label={`Agreement of ${names.a} and ${names.b}`}
        rows={[
          ['F1', ratio(f1), '2 · matched / (markers of A + markers of B)'],
          ['Precision of A', onlyA + matched === 0 ? '–' : ratio(matched / (matched + onlyA))],
          ['Recall of A', onlyB + matched === 0 ? '–' : ratio(matched / (matched + onlyB))],
          ['Same class, of the matched', matched === 0 ? '–' : `${sameClass} of ${matched}`],
        ]}
      />
      <p className="ovr-muted">
        Markers within {formatDistance(within)} are one, each at most once. Extra and missed are of {names.a}, with {names.b} taken for the truth.
      </p>
    </>
  );
}

/** '8 pixels (4.0 µm)' */
export function formatDistance({ pixels, mm }: { readonly pixels: number; readonly mm?: number }): string {
  const length = mm === undefined ? '' : mm < 0.1 ? ` (${(1000 * mm).toPrecision(2)} µm)` : ` (${mm.toPrecision(2)} mm)`;
  return `${pixels} ${pixels === 1 ? 'pixel' : 'pixels'}${length}`;
}

function MapNumbers({ pair: { numbers }, names }: { pair: Extract<Pair, { kind: 'heatmap' }>; names: Names }) {
  return (
    <>
      <Rows
        label={`Agreement of ${names.a} and ${names.b}`}
        rows={[
          ['Correlation', numbers.correlation === undefined ? '–' : numbers.correlation.toFixed(3).replace('-', '−'), "Pearson's r over all pixels"],
          ['IoU of the strongest tenth', ratio(numbers.strongest)],
        ]}
      />
      <p className="ovr-muted">The difference is {names.a} less {names.b}, each as a share of its own largest magnitude. A map that agrees with another is no better explained by it.</p>
    </>
  );
}

function ScoreTable({ pair: { rows }, names }: { pair: Extract<Pair, { kind: 'scores' }>; names: Names }) {
  const same = rows.filter(({ positive }) => positive.a === positive.b).length;
  const widest = [...rows].sort((p, q) => Math.abs(q.a - q.b) - Math.abs(p.a - p.b));
  return (
    <>
      <table className="ovr-numbers" aria-label={`Scores of ${names.a} and ${names.b}`} data-overread="score-differences">
        <thead className="ovr-muted"><tr><th scope="col">Finding</th><th scope="col">A</th><th scope="col">B</th><th scope="col">A − B</th></tr></thead>
        <tbody>
          {widest.map(({ label, a, b, positive }) => (
            <tr key={label}>
              <th scope="row">{label}</th>
              <td>{positive.a && '▲ '}{a.toFixed(2)}</td>
              <td>{positive.b && '▲ '}{b.toFixed(2)}</td>
              <td>{`${a - b < 0 ? '−' : '+'}${Math.abs(a - b).toFixed(2)}`}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <p className="ovr-muted">▲ positive by its own operating point: both say the same for {same} of {rows.length}. Probabilities of two models need not mean the same.</p>
    </>
  );
}

/** How the two came to be set against each other, and what was left out. */
function notesOf(pair: Pair, { a, b }: Names): readonly string[] {
  const out: string[] = [];
  if (pair.kind === 'labelmap' && pair.placement.how === 'resampled') {
    out.push(`${b} lies on another grid: it was brought to that of ${a} by geometry, each voxel with the label of the nearest; ${(100 * pair.placement.covered).toFixed(pair.placement.covered < 0.999 ? 1 : 0)} % of the grid is covered.`);
  }
  if (pair.kind === 'heatmap') return out;
  if (pair.kind === 'scores') {
    const [ofA, ofB] = [pair.a, pair.b].map(({ viewsUsed }) => viewsUsed.join(' and '));
    if (ofA && ofB && ofA !== ofB) out.push(`${a} read ${ofA}, and ${b} ${ofB}: a difference may come from that.`);
  }
  const { by, onlyA, onlyB } = pair.common;
  if (by === 'name') out.push('Paired by name: one of the two has no coded concepts.');
  if (by === 'whole') out.push('One of the two has neither codes nor common names: all of either is set against all of the other.');
  if (onlyA.length > 0) out.push(`Left out, since only ${a} speaks of it: ${onlyA.join(', ')}.`);
  if (onlyB.length > 0) out.push(`Left out, since only ${b} speaks of it: ${onlyB.join(', ')}.`);
  return out;
}

function ratio(value: Agreement['dice']): string {
  return value.toFixed(3);
}

/** An empty mask has no outline to be far from. */
function distance(value: number | undefined, { unit }: MaskComparison): string {
  return value === undefined ? '–' : `${value.toFixed(value < 100 ? 2 : 0)} ${unit}`;
}
