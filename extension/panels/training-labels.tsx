import { useEffect, useState, useSyncExternalStore } from 'react';
import type { CatalogueEntry } from '../catalogue.ts';
import type { Session } from '../session.ts';
import { patientsOf } from '../training/label-item.ts';
import type { Unlabelled } from '../training/next-to-label.ts';
import { FileButton } from './file-button.tsx';
import { counted, formatBytes, formatWhen } from './format.ts';

/** What was labelled so far, and the ways to label more. */
export function TrainingLabels({ session, parent }: { session: Session; parent: CatalogueEntry | undefined }) {
  const { training } = session;
  const { labels, note } = useSyncExternalStore(training.state.subscribe, training.state.get, training.state.get);
  const { underWay, stored } = useSyncExternalStore(training.trainings.state.subscribe, training.trainings.state.get, training.trainings.state.get);
  const [listed, list] = useState(false);
  const bytes = labels.reduce((sum, label) => sum + label.bytes, 0);
  const patients = patientsOf(labels);
  return (
    <div className="ovr-part" data-overread="labels">
      <h3>Labels</h3>
      {parent?.manifest.task === 'classify' && <Findings session={session} parent={parent} />}
      <MaskToAdd session={session} needed={parent?.manifest.task !== 'classify'} />
      {parent && <NextToLabel session={session} parent={parent} />}
      <div className="ovr-row">
        <p className="ovr-number" data-overread="label-count">
          {labels.length === 0 ? 'None yet.' : `${labels.length} of ${counted(patients, 'patient')} · ${formatBytes(bytes)}`}
        </p>
        {labels.length > 0 && <button type="button" className="ovr-button ovr-small" aria-expanded={listed} onClick={() => list(!listed)} data-overread="list-labels">{listed ? 'Close list' : 'List'}</button>}
      </div>
      {note && <p className="ovr-muted" role="status" data-overread="label-note">{note}</p>}
      {listed && (
        <ul className="ovr-label-list">
          {labels.map(({ id, modality, size, classes, covered, findings, collectedAt }) => (
            <li key={id} className="ovr-row">
              <span>
                {modality} {size.join(' × ')}
                {classes && ` · ${classes.slice(1).join(', ')}, ${(100 * covered!).toFixed(1)} %`}
                {findings && ` · ${Object.entries(findings).map(([label, value]) => `${value ? '' : 'no '}${label}`).join(', ')}`}
                <span className="ovr-muted"> · {formatWhen(collectedAt)}</span>
              </span>
              <button type="button" className="ovr-icon" aria-label="Remove this label" disabled={underWay !== undefined} onClick={() => void training.removeLabel(id)}>×</button>
            </li>
          ))}
        </ul>
      )}
      <div className="ovr-actions ovr-wrap">
        <button type="button" className="ovr-button ovr-small" disabled={labels.length === 0} title="A zip with a dataset.json, for overread train and for other browsers" onClick={() => void training.exportLabels()} data-overread="export-labels">Export…</button>
        <FileButton text="Import…" label="A zip of labels" accept=".zip" name="import-labels" onFile={file => void training.importLabels(file)} />
        {(labels.length > 0 || stored) && <Purge disabled={underWay !== undefined} onPurge={() => void training.purge()} />}
      </div>
      <p className="ovr-muted">Kept in this browser only, under hashes in place of patients. Text that is burnt into the pixels stays in them.</p>
    </div>
  );
}

/** @param needed whether the model learns masks; another may be guided by them */
function MaskToAdd({ session, needed }: { session: Session; needed: boolean }) {
  const { training, masks, state, results } = session;
  useSyncExternalStore(masks.seen.subscribe, masks.seen.get, masks.seen.get);
  useSyncExternalStore(state.subscribe, state.get, state.get);
  useSyncExternalStore(listener => results.subscribe(listener), () => results.all());
  const [asked, ask] = useState<string>();
  const choices = training.collector.choices();
  const chosen = choices.find(({ id }) => id === asked) ?? choices[0];
  if (!chosen && !needed) return null;
  if (!chosen) return <p className="ovr-muted">Run a model on an image and correct its mask, or draw one with the viewer&apos;s brush: then it can be added here.</p>;
  return (
    <div className="ovr-actions">
      <select aria-label="Mask" value={chosen.id} onChange={event => ask(event.target.value)} data-overread="mask-choice">
        {choices.map(({ id, name }) => <option key={id} value={id}>{name}</option>)}
      </select>
      <button type="button" className="ovr-button ovr-small ovr-nowrap" onClick={() => void training.addMask(chosen.id)} data-overread="add-mask">Add as label</button>
    </div>
  );
}

const MOST_NEXT = 3;

/** Read pictures without a label, where there are several to choose from. */
function NextToLabel({ session: { training, results, state }, parent }: { session: Session; parent: CatalogueEntry }) {
  const { openStudies } = useSyncExternalStore(state.subscribe, state.get, state.get);
  const { labels } = useSyncExternalStore(training.state.subscribe, training.state.get, training.state.get);
  const all = useSyncExternalStore(listener => results.subscribe(listener), () => results.all());
  const [next, set] = useState<readonly Unlabelled[]>([]);
  useEffect(() => {
    let gone = false;
    // Without a store there is nothing to leave out, and adding a label says why.
    training.next(parent, openStudies).then(found => !gone && set(found), () => !gone && set([]));
    return () => { gone = true; };
  }, [training, parent, openStudies, labels, all]);
  if (next.length < 2) return null;
  return (
    <div className="ovr-next" data-overread="next-to-label">
      <p className="ovr-muted" title="By the entropy of its probabilities: what it is least sure of teaches it most">Next to label, the model being least sure:</p>
      {next.slice(0, MOST_NEXT).map(picture => (
        <button key={`${picture.source.sopInstanceUID}#${picture.source.frame}`} type="button" className="ovr-button ovr-small ovr-row" onClick={() => training.show(picture)} data-overread="show-next">
          <span>{picture.name}</span><span className="ovr-number ovr-muted">{picture.uncertainty.toFixed(2)} bit</span>
        </button>
      ))}
    </div>
  );
}

/** A check list of what the model finds: present, absent, or not said. */
function Findings({ session: { training, state }, parent }: { session: Session; parent: CatalogueEntry }) {
  const { hasImage, hasSlide } = useSyncExternalStore(state.subscribe, state.get, state.get);
  const [said, say] = useState<Readonly<Record<string, 0 | 1>>>({});
  const targets = parent.manifest.output.targets.map(({ label }) => label);
  const set = (label: string, value: string) => {
    const { [label]: _, ...others } = said;
    say(value === '' ? others : { ...others, [label]: value === '1' ? 1 : 0 });
  };
  return (
    <>
      {targets.map(label => (
        <label key={label} className="ovr-row">
          <span>{label}</span>
          <select className="ovr-narrow" value={said[label] ?? ''} onChange={event => set(label, event.target.value)} data-overread="finding" data-label={label}>
            <option value="">not said</option>
            <option value="1">present</option>
            <option value="0">absent</option>
          </select>
        </label>
      ))}
      <button
        type="button" className="ovr-button ovr-small" disabled={!hasImage || hasSlide || Object.keys(said).length === 0} data-overread="add-findings"
        onClick={() => void training.addFindings(said).then(() => say({}))}
      >
        Add this image as label
      </button>
    </>
  );
}

/** Asked for twice: nothing brings labels back. */
function Purge({ disabled, onPurge }: { disabled: boolean; onPurge: () => void }) {
  const [asking, ask] = useState(false);
  if (!asking) return <button type="button" className="ovr-button ovr-small" disabled={disabled} onClick={() => ask(true)} data-overread="purge">Purge…</button>;
  return (
    <>
      <button type="button" className="ovr-button ovr-small" onClick={() => { ask(false); onPurge(); }} data-overread="purge-really">Remove all labels for good</button>
      <button type="button" className="ovr-button ovr-small" onClick={() => ask(false)}>Keep them</button>
    </>
  );
}
