import { useState, useSyncExternalStore } from 'react';
import type { ErrorCode, OverreadError } from '../../src/errors.ts';
import type { CatalogueEntry } from '../catalogue.ts';
import type { Session } from '../session.ts';
import { defaultChoice, GUIDANCES, LAYERS, LOSSES, lossesFor, type RecipeChoice } from '../training/recipes.ts';
import type { StoredRun } from '../training/label-store.ts';
import type { TrainingsState, UnderWay } from '../training/trainings.ts';
import { formatDevice, formatDuration } from './format.ts';
import { Message } from './message.tsx';
import { TrainingCurves } from './training-curves.tsx';
import { TrainingLabels } from './training-labels.tsx';
import { TrainingMetrics } from './training-report.tsx';
import { TrainingVersions } from './training-versions.tsx';

/** Fine-tuning on one's own labels: collect, train, look, keep. Closed until somebody opens it. */
export function TrainingSection({ session }: { session: Session }) {
  const { training } = session;
  const { trainings } = training;
  const state = useSyncExternalStore(trainings.state.subscribe, trainings.state.get, trainings.state.get);
  const { error } = useSyncExternalStore(training.state.subscribe, training.state.get, training.state.get);
  useSyncExternalStore(session.state.subscribe, session.state.get, session.state.get);
  const [asked, ask] = useState<string>();
  const parents = training.parents();
  const parent = parents.find(({ manifest }) => manifest.id === (asked ?? session.state.get().modelId)) ?? parents[0];
  const { underWay, stored, outcome } = state;
  const idle = !underWay && !stored && !outcome;
  return (
    <section aria-label="Fine-tune" data-overread="training">
      <details onToggle={event => event.currentTarget.open && void training.lookAtDevice()}>
        <summary className="ovr-summary">Fine-tune on your labels{underWay && <span className="ovr-muted"> · step {underWay.step} of {underWay.of}</span>}{stored && !underWay && <span className="ovr-muted"> · paused</span>}</summary>
        <div className="ovr-training">
          {idle && parents.length > 0 && (
            <label className="ovr-field">
              <span>Start from</span>
              <select value={parent?.manifest.id} onChange={event => ask(event.target.value)} data-overread="train-parent">
                {parents.map(({ manifest }) => <option key={manifest.id} value={manifest.id}>{manifest.name} {manifest.version}</option>)}
              </select>
            </label>
          )}
          {parents.length === 0 && <p className="ovr-muted">No model here can be trained further: it takes a tfjs layers model of one picture that gives logits.</p>}
          <TrainingLabels session={session} parent={parent} />
          <div className="ovr-part" data-overread="train">
            <h3>Training</h3>
            {idle && parent && <Form key={parent.manifest.id} session={session} parent={parent} state={state} />}
            {underWay && <Progress underWay={underWay} state={state} onPause={() => trainings.pause()} />}
            {stored && !underWay && <Paused stored={stored} session={session} />}
            {(underWay || outcome) && <TrainingCurves curve={state.curve} steps={underWay?.of ?? outcome!.tuned.report.steps} metric={(outcome?.tuned.manifest ?? parent?.manifest)?.task === 'classify' ? 'AUC, held back' : 'Dice, held back'} />}
            {outcome && <Outcome outcome={outcome} session={session} />}
            {[state.error, error].map((problem, i) => problem && (
              <Message key={i} tone="error" title={TITLES[problem.code] ?? 'It did not work'} text={wordsOf(problem)} onDismiss={() => (i === 0 ? trainings : training).state.set({ error: undefined })} />
            ))}
            {state.note && <p className="ovr-muted" role="status" data-overread="training-note">{state.note}</p>}
          </div>
          <TrainingVersions session={session} />
        </div>
      </details>
    </section>
  );
}

const TITLES: Partial<Record<ErrorCode, string>> = {
  'dataset/invalid': 'These labels will not do', 'device/unavailable': 'Training needs a GPU', 'device/limit': 'It does not fit', 'store/invalid': 'The browser could not keep it', 'job/busy': 'Another tab trains',
};

function wordsOf({ code, message }: OverreadError): string {
  return code === 'device/unavailable' ? `${message} Here: tick "Train without a GPU".` : message;
}

function Form({ session: { training }, parent, state: { device } }: { session: Session; parent: CatalogueEntry; state: TrainingsState }) {
  const { manifest } = parent;
  const [choice, set] = useState<RecipeChoice>(() => defaultChoice(manifest));
  const [slow, allowSlow] = useState(false);
  const labels = training.labelsFor(parent);
  const change = (of: Partial<RecipeChoice>) => set({ ...choice, ...of });
  const number = (name: keyof RecipeChoice, text: string, step?: number) => (
    <label className="ovr-field">
      <span>{text}</span>
      <input type="number" min={step ?? 1} step={step ?? 1} value={choice[name] as number} onChange={event => change({ [name]: event.target.valueAsNumber })} data-overread={`train-${name}`} />
    </label>
  );
  const guided = manifest.task === 'classify' && labels.some(({ classes }) => classes !== undefined);
  const needsTick = device !== undefined && (device.software || (device.backend !== 'webgpu' && device.backend !== 'webgl'));
  const patients = new Set(labels.map(({ patient }) => patient)).size;
  return (
    <>
      <div className="ovr-grid">
        <Choice text="Layers" value={choice.layers} of={LAYERS} onChange={layers => change({ layers })} name="train-layers" />
        <Choice text="Loss" value={choice.loss} of={Object.fromEntries(lossesFor(manifest).map(kind => [kind, LOSSES[kind]])) as Partial<typeof LOSSES>} onChange={loss => change({ loss })} name="train-loss" />
        {number('steps', 'Steps')}
        {number('batch', 'Pictures a step')}
        {number('rate', 'Learning rate', 0.0001)}
        {guided && (
          <label className="ovr-field" title="Adds to the loss what keeps the model from reasons outside of the masks">
            <span>Right for the right reasons</span>
            <select value={choice.guidance ?? ''} onChange={event => change({ guidance: event.target.value === '' ? undefined : event.target.value as keyof typeof GUIDANCES })} data-overread="train-guidance">
              <option value="">Off</option>
              {Object.entries(GUIDANCES).map(([kind, name]) => <option key={kind} value={kind}>{name}</option>)}
            </select>
          </label>
        )}
      </div>
      {device && needsTick && (
        <div className="ovr-message ovr-warning" data-overread="needs-gpu">
          <p className="ovr-strong">Training needs a GPU</p>
          <p>Here is {formatDevice(device)}. Without WebGPU or WebGL on a real GPU each step takes many times as long, and the viewer may stutter.</p>
          <label className="ovr-tick"><input type="checkbox" checked={slow} onChange={event => allowSlow(event.target.checked)} data-overread="allow-slow" /> Train without a GPU</label>
        </div>
      )}
      <button type="button" className="ovr-button ovr-primary" disabled={labels.length === 0} onClick={() => void training.start(parent, choice, slow)} data-overread="train-start">
        {labels.length === 0 ? 'Add labels first' : `Train on ${labels.length} ${labels.length === 1 ? 'label' : 'labels'} of ${patients} ${patients === 1 ? 'patient' : 'patients'}`}
      </button>
      {patients === 1 && <p className="ovr-muted">With one patient nothing can be held back to measure on: it takes labels of two at least.</p>}
    </>
  );
}

function Choice<K extends string>({ text, value, of, onChange, name }: { text: string; value: K; of: Readonly<Partial<Record<K, string>>>; onChange: (value: K) => void; name: string }) {
  return (
    <label className="ovr-field">
      <span>{text}</span>
      <select value={value} onChange={event => onChange(event.target.value as K)} data-overread={name}>
        {Object.entries(of).map(([key, label]) => <option key={key} value={key}>{label as string}</option>)}
      </select>
    </label>
  );
}

const PHASES: { readonly [P in UnderWay['phase']]: string } = {
  reading: 'Reading the labels', training: 'Training', pausing: 'Pausing: the checkpoint is written', measuring: 'Measuring both models on the held-back patients',
};

function Progress({ underWay, state: { data, device }, onPause }: { underWay: UnderWay; state: TrainingsState; onPause: () => void }) {
  const { phase, step, of, secondsLeft, share, recovered } = underWay;
  const done = phase === 'measuring' ? share ?? 0 : step / Math.max(1, of);
  return (
    <>
      <p className="ovr-strong" role="status" data-overread="training-phase">{PHASES[phase]}</p>
      <div>
        <div className="ovr-bar" role="progressbar" aria-label="Progress of the training" aria-valuemin={0} aria-valuemax={100} aria-valuenow={Math.round(100 * done)}><div style={{ width: `${Math.max(3, 100 * done)}%` }} /></div>
        <p className="ovr-row ovr-muted ovr-number">
          <span>Step {step} of {of}</span>
          <span data-overread="time-left">{phase === 'training' && secondsLeft !== undefined && `about ${formatDuration(1000 * Math.max(1, Math.round(secondsLeft)))} left`}</span>
        </p>
      </div>
      {data && <p className="ovr-muted">{dataText(data)}</p>}
      {device && <p className="ovr-muted">On {formatDevice(device)}{recovered && '; the device was lost and replaced, and training went on from the last checkpoint'}</p>}
      <button type="button" className="ovr-button" disabled={phase === 'pausing' || phase === 'reading'} onClick={onPause} data-overread="train-pause">Pause</button>
    </>
  );
}

function dataText({ dataset: { train, validation }, refused, alike }: NonNullable<TrainingsState['data']>): string {
  return [
    `Learns from ${train.items} labels of ${train.patients} patients; ${validation.items} of ${validation.patients} are held back.`,
    ...(refused.length ? [`${refused.length} left out: ${refused[0]!.message}`] : []),
    ...(alike.length ? [`${alike.length} pairs across the split look alike: are they of one patient?`] : []),
  ].join(' ');
}

function Paused({ stored: { name, step, recipe }, session: { training: { trainings } } }: { stored: StoredRun; session: Session }) {
  const [asking, ask] = useState(false);
  return (
    <>
      <p data-overread="paused">{name} stands at step {step} of {recipe.steps}.</p>
      <div className="ovr-actions ovr-wrap">
        <button type="button" className="ovr-button ovr-primary" onClick={() => void trainings.resume()} data-overread="train-resume">Resume</button>
        {asking
          ? <button type="button" className="ovr-button" onClick={() => void trainings.discard()} data-overread="train-stop-really">Give up what was learnt</button>
          : <button type="button" className="ovr-button" onClick={() => ask(true)} data-overread="train-stop">Stop…</button>}
      </div>
    </>
  );
}

function Outcome({ outcome: { tuned: { report, manifest } }, session: { training } }: { outcome: NonNullable<TrainingsState['outcome']>; session: Session }) {
  const { ended, failed, step, steps, seconds, stepsPerSecond } = report;
  return (
    <div className="ovr-card" data-overread="outcome">
      <p className="ovr-strong">{manifest.name}</p>
      {failed && <Message tone="error" title={`The loss was ${failed.loss} at step ${failed.step}`} text={`Training stopped there; the weights of step ${step} are whole. In the batch: ${failed.ids.join(', ')}. Try a smaller learning rate.`} />}
      <p className="ovr-muted">
        {step === 0 ? 'No step was better than the base on the held-back patients: these are its own weights.' : `The weights of step ${step} of ${steps}, the best on the held-back patients.`}
        {ended === 'early' && ' It ended early.'} {formatDuration(1000 * seconds)}{Number.isFinite(stepsPerSecond) && stepsPerSecond > 0 && `, ${stepsPerSecond.toPrecision(2)} steps a second`}.
      </p>
      <TrainingMetrics record={report} />
      <p className="ovr-notice">Research use only. Not for diagnosis.</p>
      <div className="ovr-actions ovr-wrap">
        <button type="button" className="ovr-button ovr-primary" onClick={() => void training.keep()} data-overread="keep">Keep and install</button>
        <button type="button" className="ovr-button" onClick={() => void training.download()} data-overread="download-outcome">Download</button>
        <button type="button" className="ovr-button" onClick={() => void training.trainings.discard()} data-overread="throw-away">Throw away</button>
      </div>
    </div>
  );
}

export const trainingCss = `
.ovr-summary { font-weight: 600; cursor: pointer; }
.ovr-training, .ovr-part { display: flex; flex-direction: column; gap: 8px; }
.ovr-training { gap: 14px; margin-top: 10px; }
.ovr-grid { display: grid; grid-template-columns: 1fr 1fr; gap: 8px; }
.ovr-grid > * { min-width: 0; }
.ovr-training input[type='number'] { width: 100%; height: 32px; padding: 0 8px; border: 1px solid var(--ovr-line); border-radius: 6px; background: hsl(215 50% 9%); color: inherit; font: inherit; }
.ovr-training .ovr-narrow { width: auto; height: 28px; }
.ovr-nowrap { white-space: nowrap; }
.ovr-tick { display: flex; gap: 8px; align-items: center; margin-top: 6px; cursor: pointer; }
.ovr-label-list { list-style: none; display: flex; flex-direction: column; gap: 2px; font-size: 12px; }
.ovr-curves { display: flex; flex-direction: column; gap: 6px; }
.ovr-curve { margin: 0; font-size: 12px; }
.ovr-curve svg { width: 100%; }
.ovr-metrics td, .ovr-metrics th { vertical-align: top; }
.ovr-interval { display: block; font-weight: 400; font-size: 11px; color: var(--ovr-muted); }
`;
