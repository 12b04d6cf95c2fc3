import { useState, useSyncExternalStore } from 'react';
import { MR_MODALITIES, type MrModality } from '../../src/dicom/mr.ts';
import type { PlacedChange } from '../../src/evaluation/translation.ts';
import type { ChangeKind } from '../../src/evaluation/translation-changes.ts';
import type { LabelmapResult } from '../../src/results/result.ts';
import type { Session } from '../session.ts';
import type { AuditDone, SeriesChoice } from '../translation/auditor.ts';
import { Message } from './message.tsx';

const WORDS: { readonly [K in ChangeKind]: string } = { erased: 'Erased', invented: 'Invented', shrunk: 'Shrunk', grown: 'Grown' };
/** What the real series has alone, and what the translated one has alone: colours and signs that the colour-blind tell apart. */
const MARKS: { readonly [K in ChangeKind]: { readonly sign: string; readonly color: string } } = {
  erased: { sign: '−', color: '#e69f00' }, shrunk: { sign: '−', color: '#e69f00' }, invented: { sign: '+', color: '#56b4e9' }, grown: { sign: '+', color: '#56b4e9' },
};

/** A real series against its translation: choose, run, look at what was erased and invented. Nothing where there are no two series. */
export function TranslationAuditSection({ session }: { session: Session }) {
  const { translation } = session;
  const { series, running, done, selected, error } = useSyncExternalStore(translation.state.subscribe, translation.state.get, translation.state.get);
  const { catalogue, modelId } = useSyncExternalStore(session.state.subscribe, session.state.get, session.state.get);
  const [asked, ask] = useState<{ readonly real?: string; readonly translated?: string; readonly model?: string; readonly as?: MrModality }>({});
  const models = (catalogue?.entries ?? []).filter(({ manifest }) => manifest.task === 'segment' && series.filter(({ modality }) => manifest.input.modality.includes(modality)).length > 1);
  if (series.length < 2 || models.length === 0) return null;
  const model = models.find(({ manifest }) => manifest.id === (asked.model ?? modelId)) ?? models[0]!;
  const fitting = series.filter(({ modality }) => model.manifest.input.modality.includes(modality));
  const translated = fitting.find(({ displaySetInstanceUID }) => displaySetInstanceUID === asked.translated) ?? fitting.find(({ synthesised }) => synthesised !== undefined) ?? fitting[1];
  const real = fitting.find(choice => choice.displaySetInstanceUID === asked.real && choice !== translated) ?? fitting.find(choice => choice !== translated && choice.synthesised === undefined && choice.studyInstanceUID === translated?.studyInstanceUID);
  return (
    <section aria-label="Translation audit" data-overread="translation">
      <details>
        <summary className="ovr-summary">Audit a translated series{done && <span className="ovr-muted"> · {done.audit.changes.length} changes</span>}</summary>
        <div className="ovr-training">
          <p className="ovr-muted">Runs a lesion model on a real series and on one that was translated or synthesised of the same patient, and lists what was erased and invented.</p>
          <Choice label="Model" name="translation-model" value={model.manifest.id} onChoose={id => ask({ ...asked, model: id })} options={models.map(({ manifest: { id, name, version } }) => ({ value: id, text: `${name} ${version}` }))} />
          <Choice label="Real series" name="translation-real" value={real?.displaySetInstanceUID} onChoose={uid => ask({ ...asked, real: uid })} options={fitting.map(optionOf)} />
          <Choice label="Translated series" name="translation-translated" value={translated?.displaySetInstanceUID} onChoose={uid => ask({ ...asked, translated: uid })} options={fitting.map(optionOf)} />
          {model.manifest.input.modalities && (
            <Choice label="Read the translated series as" name="translation-as" value={asked.as ?? ''} onChoose={name => ask({ ...asked, as: MR_MODALITIES.find(known => known === name) })} options={[{ value: '', text: 'what it says of itself' }, ...model.manifest.input.modalities.map(name => ({ value: name, text: name }))]} />
          )}
          <div className="ovr-row">
            <button
              type="button" className="ovr-button ovr-wide" disabled={!real || !translated} aria-disabled={running !== undefined} data-overread="translation-run"
              onClick={() => { if (!running && real && translated) void translation.run(model, real, translated, asked.as); }}
            >
              {running ? 'Running…' : 'Compare their lesions'}
            </button>
            {running && <button type="button" className="ovr-button" onClick={() => translation.cancel()} data-overread="translation-cancel">Cancel</button>}
          </div>
          <p className="ovr-muted" role="status" aria-live="polite">{running?.text}</p>
          {error && <Message tone="error" title="The audit was not made" text={error.message} onDismiss={() => translation.state.set({ error: undefined })} />}
          {done && <Outcome done={done} selected={selected} session={session} />}
        </div>
      </details>
    </section>
  );
}

const optionOf = ({ displaySetInstanceUID, label, synthesised }: SeriesChoice) => ({ value: displaySetInstanceUID, text: synthesised === undefined ? label : `${label}, synthesised` });

function Choice({ label, name, value, options, onChoose }: { label: string; name: string; value: string | undefined; options: readonly { readonly value: string; readonly text: string }[]; onChoose: (value: string) => void }) {
  return (
    <label className="ovr-field">
      <span>{label}</span>
      <select value={value ?? ''} onChange={event => onChoose(event.target.value)} data-overread={name}>
        {value === undefined && <option value="">Choose…</option>}
        {options.map(option => <option key={option.value} value={option.value}>{option.text}</option>)}
      </select>
    </label>
  );
}

function Outcome({ done: { audit, modelName }, selected, session }: { done: AuditDone; selected: number | undefined; session: Session }) {
  const { changes, unconfirmed, lesions, placement, rule, results } = audit;
  const { outOfDistribution } = results.translated;
  return (
    <div className="ovr-part" data-overread="translation-outcome">
      <p>Of {lesions.real} {lesions.real === 1 ? 'lesion' : 'lesions'} that {modelName} finds in the real series, {lesions.kept} are in the translated one, which has {lesions.translated}.</p>
      {outOfDistribution?.refused && <p className="ovr-badge-detail">Read for this audit only: {outOfDistribution.reason}</p>}
      {results.real.modalities && <p className="ovr-muted">Read as {modalityOf(results.real)} and {modalityOf(results.translated)}.</p>}
      {placement.kind === 'registered' && <p className="ovr-muted">Registered; two tries lie {placement.registration.repeatabilityMm.toFixed(1)} mm apart.</p>}
      {changes.length === 0 && <p data-overread="translation-none">No lesion was erased or invented by the rule below.</p>}
      {changes.length > 0 && (
        <ul className="ovr-scores" aria-label="Changes">
          {changes.map((change, i) => (
            <li key={i}>
              <button type="button" className="ovr-score" aria-pressed={i === selected} onClick={() => void session.translation.show(i)} data-overread="translation-change" data-kind={change.kind} title="Shows it in both series">
                <span className="ovr-row">
                  <span className="ovr-finding"><span className="ovr-strong" style={{ color: MARKS[change.kind].color }}>{MARKS[change.kind].sign} {WORDS[change.kind]}</span> {sizeOf(change)}</span>
                  <span className="ovr-muted">slice {change.index[2] + 1}</span>
                </span>
                {change.patientMm && <span className="ovr-muted ovr-number">{placeOf(change.patientMm)}</span>}
              </button>
            </li>
          ))}
        </ul>
      )}
      {unconfirmed.length > 0 && <p className="ovr-muted" data-overread="translation-unconfirmed">{unconfirmed.length} more by the model only: the pictures do not differ there.</p>}
      <p className="ovr-muted">Counted from {rule.minimumSize} mm³ and probability {rule.minimumPeak} on; edges within {rule.toleranceMm} mm agree. Look before you judge the translation: what the model finds in neither series is not in the list.</p>
      {changes.length > 0 && <button type="button" className="ovr-button ovr-small" onClick={() => void session.translation.exportCsv()} data-overread="translation-csv">Export as CSV</button>}
    </div>
  );
}

const modalityOf = ({ modalities }: LabelmapResult) => modalities?.used.map(({ modality }) => modality).join();

function sizeOf({ volumeMm3, areaMm2, voxels }: PlacedChange): string {
  if (volumeMm3 !== undefined) return volumeMm3 >= 100 ? `${(volumeMm3 / 1000).toFixed(1)} mL` : `${volumeMm3.toFixed(0)} mm³`;
  return areaMm2 !== undefined ? `${areaMm2.toFixed(0)} mm²` : `${voxels} pixels`;
}

/** '12 mm left, 30 mm front, 25 mm up' of the scanner's centre. */
function placeOf([x, y, z]: readonly [number, number, number]): string {
  const along = (mm: number, to: string, from: string) => `${Math.abs(mm).toFixed(0)} mm ${mm >= 0 ? to : from}`;
  return `${along(x, 'left', 'right')}, ${along(y, 'back', 'front')}, ${along(z, 'up', 'down')}`;
}
