import { useState, useSyncExternalStore } from 'react';
import type { KeptModel } from '../../src/runtime/kept-files.ts';
import type { Session } from '../session.ts';
import { formatBytes, formatWhen } from './format.ts';
import { TrainingMetrics } from './training-report.tsx';

/** Models that were trained here: which are installed, what they gained, and the way back. */
export function TrainingVersions({ session: { training } }: { session: Session }) {
  const { versions } = useSyncExternalStore(training.versions.state.subscribe, training.versions.state.get, training.versions.state.get);
  if (versions.length === 0) return null;
  return (
    <div className="ovr-part" data-overread="versions">
      <h3>Versions</h3>
      <ul className="ovr-results">
        {versions.map(version => <Version key={version.location} version={version} training={training} />)}
      </ul>
    </div>
  );
}

function Version({ version, training }: { version: KeptModel; training: Session['training'] }) {
  const [asking, ask] = useState(false);
  const [shown, show] = useState(false);
  const { manifest: { name, version: number, training: record, recalibration }, keptAt, installed, bytes } = version;
  return (
    <li className={`ovr-card${installed ? '' : ' ovr-off'}`} data-overread="version" data-installed={installed}>
      <p className="ovr-strong">{name} <span className="ovr-muted">{number}</span></p>
      <p className="ovr-muted">
        {installed ? 'Installed' : 'Rolled back'} · {formatWhen(keptAt)} · {formatBytes(bytes)}
        {recalibration && ` · points of ${recalibration.parent.id} ${recalibration.parent.version} chosen on ${recalibration.dataset.patients} patients`}
        {!recalibration && record && ` · from ${record.parent.id} ${record.parent.version} · step ${record.step}, ${record.dataset.train.patients} patients`}
      </p>
      <div className="ovr-actions ovr-wrap">
        {installed
          ? <button type="button" className="ovr-button ovr-small" title="Takes it out of the list of models and goes back to the one it came from" onClick={() => void training.rollBack(version)} data-overread="roll-back">Roll back</button>
          : <button type="button" className="ovr-button ovr-small" onClick={() => void training.install(version)} data-overread="install">Install again</button>}
        {record && <button type="button" className="ovr-button ovr-small" aria-expanded={shown} onClick={() => show(!shown)}>{shown ? 'Close' : 'Compare with base'}</button>}
        <button type="button" className="ovr-button ovr-small" title="The model's folder as a zip" onClick={() => void training.download(version)} data-overread="download-version">Download</button>
        {asking
          ? <button type="button" className="ovr-button ovr-small" onClick={() => void training.removeVersion(version)} data-overread="remove-version-really">Remove for good</button>
          : <button type="button" className="ovr-button ovr-small" onClick={() => ask(true)} data-overread="remove-version">Remove…</button>}
      </div>
      {shown && record && <TrainingMetrics record={record} />}
    </li>
  );
}
