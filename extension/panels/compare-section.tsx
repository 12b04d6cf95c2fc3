import { useEffect, useState, useSyncExternalStore } from 'react';
import type { ComparisonPhase, ComparisonView, Overview } from '../comparing/comparer.ts';
import type { Comparing } from '../comparing/index.ts';
import type { OfferedComparisons } from '../comparing/offered.ts';
import { describeSet } from '../comparing/saved.ts';
import type { Candidate } from '../comparing/sets.ts';
import type { KeptResult } from '../results-store.ts';
import { CompareNumbers } from './compare-numbers.tsx';
import { FileButton } from './file-button.tsx';
import { Message } from './message.tsx';

const VIEWS: readonly (readonly [view: ComparisonView, name: string, title: string])[] = [
  ['difference', 'Difference', 'Both, only A and only B in three colours'],
  ['wipe', 'Wipe', 'A left of a line that you drag, B right'],
  ['side-by-side', 'Side by side', 'Two viewports that move together'],
  ['apart', 'Off', 'Both drawn as they are without a comparison'],
];

/** Two results of the open studies set against each other. Nothing where there are no two of a kind. */
export function CompareSection({ comparing }: { comparing: Comparing }) {
  const { comparer } = comparing;
  const { sets } = comparer;
  const { asked, first, phase, view, withinPixels } = useSyncExternalStore(comparer.state.subscribe, comparer.state.get, comparer.state.get);
  useSyncExternalStore(sets.copies.subscribe, sets.copies.get, sets.copies.get);
  const open = comparing.openStudies();
  const all = sets.list(open);
  const offered = <Offered offered={comparing.offered} />;
  // One mask can be set against itself at another threshold, one count against itself corrected; of the others it takes two.
  if (all.length === 0 || (all.length === 1 && (all[0]!.kind === 'scores' || all[0]!.kind === 'heatmap'))) return offered;
  const a = all.find(({ id }) => id === (asked?.a ?? first)) ?? all.find(({ id }) => sets.against(id, open).length > 0) ?? all[0]!;
  const others = sets.against(a.id, open);
  const kinds = new Set(all.map(({ kind }) => kind));
  const nameOf = ({ name, kind }: Candidate) => (kinds.size > 1 ? `${name} (${KINDS[kind]})` : name);
  const copies = [a, ...others.filter(({ id }) => id === asked?.b)].filter(({ copy }) => copy);
  return (
    <section aria-label="Compare results" data-overread="compare" data-phase={phase.kind} data-view={view}>
      <h2>Compare results</h2>
      <label className="ovr-field">
        <span>A</span>
        <select value={a.id} title={nameOf(a)} onChange={event => comparer.choose(event.target.value)} data-overread="compare-a">
          {all.map(candidate => <option key={candidate.id} value={candidate.id}>{nameOf(candidate)}</option>)}
        </select>
      </label>
      <div className="ovr-row ovr-compare-b">
        <label className="ovr-field">
          <span>B</span>
          <select
            value={asked?.b ?? ''} title={others.filter(({ id }) => id === asked?.b).map(nameOf).join()} disabled={others.length === 0} data-overread="compare-with"
            onChange={event => (event.target.value ? void comparer.compare(a.id, event.target.value) : comparer.choose(a.id))}
          >
            <option value="">{others.length === 0 ? 'Nothing else of this kind yet' : 'Choose what to compare with'}</option>
            {others.map(candidate => <option key={candidate.id} value={candidate.id}>{nameOf(candidate)}</option>)}
          </select>
        </label>
        <button type="button" className="ovr-button ovr-small" disabled={!asked} aria-label="Swap A and B" title="Swap A and B" onClick={() => void comparer.swap()} data-overread="compare-swap">⇅</button>
      </div>
      <div className="ovr-actions ovr-wrap">
        <button
          type="button" className="ovr-button ovr-small" title="Keeps A as it is now, so that another threshold or an edit can be set against it" data-overread="compare-copy"
          onClick={() => sets.copy(a.id)}
        >
          Keep a copy of A
        </button>
        <FileButton text="Open…" label="A saved comparison: JSON" title="Opens a comparison that was saved as a file" accept=".json,application/json" name="compare-open" onFile={file => void comparing.offered.loadFile(file)} />
        {copies.map(({ id, name }) => <button key={id} type="button" className="ovr-button ovr-small" onClick={() => sets.removeCopy(id)} data-overread="compare-remove-copy">Remove {name}</button>)}
      </div>
      <div aria-live="polite" role="status">{phase.kind === 'running' && <p className="ovr-muted">Comparing…</p>}</div>
      {phase.kind === 'error' && <Message tone="error" title="Not compared" text={phase.error.message} />}
      {offered}
      {phase.kind === 'shown' && <Shown comparing={comparing} phase={phase} view={view} withinPixels={withinPixels} />}
    </section>
  );
}

const KINDS = { labelmap: 'mask', points: 'markers', scores: 'scores', heatmap: 'heat map' } as const satisfies Record<Candidate['kind'], string>;

interface ShownProps {
  readonly comparing: Comparing;
  readonly phase: Extract<ComparisonPhase, { kind: 'shown' }>;
  readonly view: ComparisonView;
  readonly withinPixels: number;
}

function Shown({ comparing, phase: { pair, a, b }, view, withinPixels }: ShownProps) {
  const { comparer, onScreen } = comparing;
  const { unseen } = useSyncExternalStore(onScreen.subscribe, onScreen.get, onScreen.get);
  return (
    <>
      {pair.kind !== 'scores' && <ViewChoice view={view} onChoose={chosen => comparer.setView(chosen)} />}
      {unseen && <p className="ovr-muted ovr-note" data-overread="compare-unseen">Shown where the images are seen as they are: not in MPR planes, and not on another series. Open the series of A.</p>}
      {pair.kind === 'points' && (
        <label className="ovr-row ovr-slider">
          <span>Matched within</span>
          <input type="range" min={1} max={40} step={1} value={withinPixels} aria-valuetext={`${withinPixels} pixels`} onChange={event => comparer.setWithin(Number(event.target.value))} data-overread="compare-within" />
          <span className="ovr-number ovr-percent">{withinPixels} px</span>
        </label>
      )}
      <CompareNumbers pair={pair} names={{ a: a.name, b: b.name }} />
      <AllOfThem comparing={comparing} of={a.id} />
      <Save offered={comparing.offered} />
    </>
  );
}

/** Where there are three or more: each against each, when it is asked for. */
function AllOfThem({ comparing: { comparer, openStudies }, of }: { comparing: Comparing; of: string }) {
  const [overview, set] = useState<Overview>();
  const many = comparer.sets.against(of, openStudies()).length > 1;
  useEffect(() => set(undefined), [of]);
  if (!many) return null;
  return (
    <>
      <button type="button" className="ovr-button ovr-small" onClick={() => set(comparer.overview(of, openStudies()))} data-overread="compare-all">Each against each</button>
      {overview && <OverviewTable overview={overview} />}
    </>
  );
}

export function OverviewTable({ overview: { of, names, values } }: { overview: Overview }) {
  return (
    <table className="ovr-numbers ovr-overview" aria-label={`${of} of each against each`} data-overread="overview">
      <thead className="ovr-muted"><tr><th scope="col">{of}</th>{names.map((name, i) => <th key={name} scope="col" title={name}>{i + 1}</th>)}</tr></thead>
      <tbody>
        {names.map((name, i) => (
          <tr key={name}>
            <th scope="row">{i + 1}. {name}</th>
            {values[i]!.map((value, j) => <td key={names[j]} title={typeof value === 'string' ? value : undefined}>{i === j ? '' : typeof value === 'number' ? value.toFixed(3).replace('-', '−') : '–'}</td>)}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** What is compared and how it is shown, as a file or a link, without pictures and without the patient. */
function Save({ offered }: { offered: OfferedComparisons }) {
  const [withStudy, setWithStudy] = useState(false);
  return (
    <div className="ovr-actions ovr-wrap" role="group" aria-label="Save this comparison">
      <button type="button" className="ovr-button ovr-small" title="Models, thresholds and view as a file, to be opened on any study" onClick={() => offered.saveFile()} data-overread="compare-save">Save</button>
      <button type="button" className="ovr-button ovr-small" onClick={() => void offered.copyLink(withStudy)} data-overread="compare-link">Copy link</button>
      <label className="ovr-compare-study"><input type="checkbox" checked={withStudy} onChange={event => setWithStudy(event.target.checked)} /> with the study's UID</label>
    </div>
  );
}

/** What a link or a file names: made at once when its results are there; else it says which are not. */
function Offered({ offered }: { offered: OfferedComparisons }) {
  const { saved, error, note } = useSyncExternalStore(offered.state.subscribe, offered.state.get, offered.state.get);
  const missing = offered.missing();
  return (
    <>
      {error && <Message tone="error" title="Not a comparison" text={error.message} onDismiss={() => offered.dismiss()} />}
      {saved && (
        <div className="ovr-message" data-overread="compare-offered">
          <p className="ovr-strong">Saved comparison: {describeSet(saved.a)} and {describeSet(saved.b)}</p>
          {missing.length > 0 && <p>Not there yet: {missing.join('; ')}. Run it on this study, or load the mask.</p>}
          <p className="ovr-actions">
            <button type="button" className="ovr-button ovr-small" disabled={missing.length > 0} onClick={() => void offered.make()} data-overread="compare-make">Compare</button>
            <button type="button" className="ovr-button ovr-small" onClick={() => offered.dismiss()}>Dismiss</button>
          </p>
        </div>
      )}
      {note && <p className="ovr-muted ovr-note" role="status" data-overread="compare-offered-note">{note}</p>}
    </>
  );
}

/** How the two lie on the image. */
export function ViewChoice({ view, onChoose, without = [] }: { view: ComparisonView; onChoose: (view: ComparisonView) => void; without?: readonly ComparisonView[] }) {
  return (
    <div className="ovr-segmented ovr-views-choice" role="group" aria-label="How the two are shown">
      {VIEWS.filter(([of]) => !without.includes(of)).map(([of, name, title]) => (
        <button key={of} type="button" aria-pressed={view === of} title={title} onClick={() => onChoose(of)} data-overread={`view-${of}`}>{name}</button>
      ))}
    </div>
  );
}

/** Of a result's card: chooses it as A, where there is something to set against it. */
export function CompareButton({ comparing: { comparer, openStudies }, kept }: { comparing: Pick<Comparing, 'comparer' | 'openStudies'>; kept: KeptResult }) {
  const id = `result ${kept.key}`;
  const others = comparer.sets.against(id, openStudies());
  if (others.length === 0) return null;
  const choose = () => {
    // With one other there is nothing to choose.
    if (others.length === 1) void comparer.compare(id, others[0]!.id);
    else comparer.choose(id);
    document.querySelector('[data-overread="compare"]')?.scrollIntoView({ block: 'nearest' });
  };
  return <button type="button" className="ovr-button ovr-small" onClick={choose} data-overread="compare-this">Compare with another…</button>;
}

/** For the panel's style. */
export const compareCss = `
.ovr-compare-b { align-items: flex-end; }
.ovr-compare-b .ovr-field { flex: 1; min-width: 0; }
.ovr-compare-b .ovr-button { min-height: 32px; }
.ovr-compare-study { display: inline-flex; gap: 6px; align-items: center; font-size: 12px; color: var(--ovr-muted); cursor: pointer; }
.ovr-views-choice { flex-wrap: wrap; align-self: flex-start; }
.ovr-views-choice button { padding: 0 8px; }
.ovr-overview td { font-size: 12px; }
.ovr-blinded-key td { font-weight: 400; font-size: 12px; white-space: normal; }
`;
