import { useState, useSyncExternalStore } from 'react';
import type { BlindedReadings, BlindedState } from '../blinded/index.ts';

import { CHOICES, CONFIDENCES, currentCase, type Choice, type Confidence, type Question, type Reading } from '../blinded/reading.ts';
import type { Comparing } from '../comparing/index.ts';
import { BlindedKey } from './blinded-key.tsx';
import { CompareNumbers } from './compare-numbers.tsx';
import { ViewChoice } from './compare-section.tsx';
import { counted } from './format.ts';
import { Message } from './message.tsx';

interface SectionProps {
  readonly readings: BlindedReadings;
  readonly comparing: Comparing;
}

/** Cases for a blinded reading, and its key when it was read. Closed until somebody opens it. */
export function BlindedSection({ readings, comparing }: SectionProps) {
  const state = useSyncExternalStore(readings.state.subscribe, readings.state.get, readings.state.get);
  const { phase } = useSyncExternalStore(comparing.comparer.state.subscribe, comparing.comparer.state.get, comparing.comparer.state.get);
  const { cases, reading, error } = state;
  if (cases.length === 0 && !reading && phase.kind !== 'shown') return null;
  return (
    <section aria-label="Blinded reading" data-overread="blinded">
      <details open={cases.length > 0 || reading !== undefined || undefined}>
        <summary className="ovr-summary">Blinded reading{cases.length > 0 && <span className="ovr-muted"> · {counted(cases.length, 'case')}</span>}</summary>
        <div className="ovr-training">
          {reading ? <BlindedKey readings={readings} reading={reading} /> : <Collecting readings={readings} state={state} canAdd={phase.kind === 'shown'} />}
          {error && <Message tone="error" title="It did not work" text={error.message} onDismiss={() => readings.state.set({ error: undefined })} />}
        </div>
      </details>
    </section>
  );
}

const QUESTIONS: { readonly [Q in Question]: string } = { preference: 'Which of the two is better?', verdict: 'Is each one good enough?' };

function Collecting({ readings, state: { cases, question }, canAdd }: { readings: BlindedReadings; state: BlindedState; canAdd: boolean }) {
  const [seed, setSeed] = useState(() => String(Math.floor(Math.random() * 1e6)));
  const studies = new Set(cases.map(({ studyInstanceUID }) => studyInstanceUID)).size;
  return (
    <>
      <p className="ovr-muted">Each case is A and B as they are compared now. They are shuffled, and their names stay hidden until the last one is read. Open other studies to add more.</p>
      <button type="button" className="ovr-button ovr-small" disabled={!canAdd} title={canAdd ? undefined : 'Compare two results first'} onClick={() => void readings.add()} data-overread="blinded-add">Add A and B as a case</button>
      {cases.length > 0 && (
        <>
          <ul className="ovr-label-list" aria-label="Cases">
            {cases.map(({ sets }, i) => (
              <li key={i} className="ovr-row">
                <span>{i + 1}. {sets.map(({ name }) => name).join(' and ')}</span>
                <button type="button" className="ovr-icon" aria-label={`Remove case ${i + 1}`} onClick={() => void readings.remove(i)}>×</button>
              </li>
            ))}
          </ul>
          <p className="ovr-muted">{counted(cases.length, 'case')} of {studies} {studies === 1 ? 'study' : 'studies'}.</p>
          <label className="ovr-field">
            <span>Question</span>
            <select value={question} onChange={event => readings.setQuestion(event.target.value as Question)} data-overread="blinded-question">
              {Object.entries(QUESTIONS).map(([of, text]) => <option key={of} value={of}>{text}</option>)}
            </select>
          </label>
          <label className="ovr-field">
            <span>Seed of the order</span>
            <input type="number" step={1} value={seed} onChange={event => setSeed(event.target.value)} data-overread="blinded-seed" />
          </label>
          <button type="button" className="ovr-button ovr-primary" onClick={() => void readings.start(seed.trim() === '' ? Number.NaN : Number(seed))} data-overread="blinded-start">Start reading</button>
          <p className="ovr-muted">The viewer's list of series still names results that were stored before: close it if the reader may know them.</p>
        </>
      )}
    </>
  );
}

/** The panel while a reading is on: the case, and nothing that says whose results they are. */
export function BlindedReading({ readings, comparing, reading }: SectionProps & { readonly reading: Reading }) {
  const { isOpen, error } = useSyncExternalStore(readings.state.subscribe, readings.state.get, readings.state.get);
  const { comparer } = comparing;
  const { phase, view, alone } = useSyncExternalStore(comparer.state.subscribe, comparer.state.get, comparer.state.get);
  const { unseen } = useSyncExternalStore(comparing.onScreen.subscribe, comparing.onScreen.get, comparing.onScreen.get);
  const current = currentCase(reading);
  if (!current) return null;
  const { place, of } = current;
  const ready = phase.kind === 'shown';
  return (
    <section aria-label="Blinded reading" data-overread="blinded-reading" data-case={place + 1} data-ready={ready}>
      <h2>Blinded reading</h2>
      <p className="ovr-strong" role="status">Case {place + 1} of {reading.cases.length}</p>
      <div className="ovr-bar"><div style={{ width: `${(100 * place) / reading.cases.length}%` }} /></div>
      {!isOpen && (
        <div className="ovr-empty">
          <p>This case is of another study.</p>
          <a className="ovr-button ovr-primary" href={addressOf(of.studyInstanceUID)} data-overread="blinded-open">Open its study</a>
        </div>
      )}
      {isOpen && ready && (
        <>
          {!alone && phase.pair.kind !== 'scores' && <ViewChoice view={view} without={['apart']} onChoose={chosen => comparer.setView(chosen)} />}
          {unseen && <p className="ovr-muted ovr-note">Shown where the images are seen as they are: not in MPR planes, and not on another series.</p>}
          {phase.pair.kind === 'scores' && <CompareNumbers pair={phase.pair} names={{ a: 'A', b: 'B' }} />}
          {view === 'difference' && !alone && phase.pair.kind !== 'scores' && <Colours />}
        </>
      )}
      {isOpen && <Answering key={place} question={reading.question} ready={ready} onAnswer={(choice, confidence) => void readings.answer(choice, confidence)} />}
      {error && <Message tone="error" title="It did not work" text={error.message} onDismiss={() => readings.state.set({ error: undefined })} />}
      <EndEarly left={reading.cases.length - place} onEnd={() => void readings.end()} />
    </section>
  );
}

function Colours() {
  return (
    <ul className="ovr-label-list" aria-label="Legend of the difference">
      {[['rgb(240 228 66)', 'Both'], ['rgb(86 180 233)', 'Only A'], ['rgb(213 94 0)', 'Only B']].map(([color, name]) => <li key={name}><span className="ovr-swatch" style={{ background: color }} />{name}</li>)}
    </ul>
  );
}

const WORDS: { readonly [C in Choice]: string } = {
  first: 'A is better', neither: 'No difference', second: 'B is better', acceptable: 'Good enough', unsure: 'Cannot tell', unacceptable: 'Not good enough',
};

function Answering({ question, ready, onAnswer }: { question: Question; ready: boolean; onAnswer: (choice: Choice, confidence: Confidence) => void }) {
  const [choice, choose] = useState<Choice>();
  const [confidence, setConfidence] = useState<Confidence>();
  return (
    <>
      <div className="ovr-blinded-choice" role="group" aria-label={QUESTIONS[question]}>
        {CHOICES[question].map(of => (
          <button key={of} type="button" className="ovr-button" aria-pressed={choice === of} onClick={() => choose(of)} data-overread={`blinded-${of}`}>{WORDS[of]}</button>
        ))}
      </div>
      <fieldset className="ovr-blinded-confidence">
        <legend className="ovr-muted">How sure? 1 a guess, 5 certain</legend>
        {CONFIDENCES.map(of => (
          <label key={of}><input type="radio" name="ovr-confidence" checked={confidence === of} onChange={() => setConfidence(of)} data-overread={`blinded-confidence-${of}`} /> {of}</label>
        ))}
      </fieldset>
      <button
        type="button" className="ovr-button ovr-primary" disabled={!ready || !choice || !confidence} data-overread="blinded-next"
        onClick={() => choice && confidence && onAnswer(choice, confidence)}
      >
        Save and go on
      </button>
    </>
  );
}

/** Asked twice: the key is open from then on. */
function EndEarly({ left, onEnd }: { left: number; onEnd: () => void }) {
  const [asking, ask] = useState(false);
  if (!asking) return <button type="button" className="ovr-button ovr-small" onClick={() => ask(true)} data-overread="blinded-end">End the reading…</button>;
  return (
    <div className="ovr-message ovr-warning">
      <p>{counted(left, 'case')} will stay unread: the key is opened, and nothing can be read after it.</p>
      <p className="ovr-actions">
        <button type="button" className="ovr-button ovr-small" onClick={onEnd} data-overread="blinded-end-really">End and open the key</button>
        <button type="button" className="ovr-button ovr-small" onClick={() => ask(false)}>Read on</button>
      </p>
    </div>
  );
}

/** This viewer with another study. */
export function addressOf(studyInstanceUID: string, here = location.href): string {
  const address = new URL(here);
  address.search = `StudyInstanceUIDs=${encodeURIComponent(studyInstanceUID)}`;
  address.hash = '';
  return address.href;
}

/** For the panel's style. */
export const blindedCss = `
.ovr-blinded-choice { display: flex; flex-direction: column; gap: 6px; }
.ovr-blinded-choice .ovr-button[aria-pressed='true'] { border-color: var(--ovr-focus); background: hsl(215 40% 60% / 0.3); }
.ovr-blinded-confidence { display: flex; justify-content: space-between; gap: 4px 14px; margin: 0; padding: 0; border: 0; flex-wrap: wrap; }
.ovr-blinded-confidence legend { padding: 0; margin-bottom: 4px; font-size: 12px; }
.ovr-blinded-confidence label { display: inline-flex; gap: 4px; align-items: center; cursor: pointer; }
.ovr a.ovr-button { text-decoration: none; }
`;
