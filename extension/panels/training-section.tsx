import { useState, useSyncExternalStore } from 'react';
import type { ErrorCode, OverreadError } from '../../src/errors.ts';
import type { Session } from '../session.ts';
import { Message } from './message.tsx';
import { recalibrationCss, RecalibrationSection } from './recalibration-section.tsx';
import { TrainingCurves } from './training-curves.tsx';
import { TrainingForm, type FormChoice } from './training-form.tsx';
import { TrainingLabels } from './training-labels.tsx';
import { predictionsCss, TrainingPredictions } from './training-predictions.tsx';
import { PausedTraining, TrainingOutcome, TrainingProgress } from './training-progress.tsx';
import { reliabilityCss } from './training-reliability.tsx';
import { TrainingVersions } from './training-versions.tsx';

/** Fine-tuning on one's own labels: collect, train, look, keep. Closed until somebody opens it. */
export function TrainingSection({ session }: { session: Session }) {
  const { training } = session;
  const { trainings } = training;
  const state = useSyncExternalStore(trainings.state.subscribe, trainings.state.get, trainings.state.get);
  const { error } = useSyncExternalStore(training.state.subscribe, training.state.get, training.state.get);
  useSyncExternalStore(session.state.subscribe, session.state.get, session.state.get);
  const [asked, ask] = useState<string>();
  const [choices, choose] = useState<Readonly<Record<string, FormChoice>>>({});
  const parents = training.parents();
  const parent = parents.find(({ manifest }) => manifest.id === (asked ?? session.state.get().modelId)) ?? parents[0];
  const { underWay, stored, outcome } = state;
  const idle = !underWay && !stored && !outcome;
  if (!training.allowed) return null;
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
            {(idle || underWay || outcome || stored) && <h3>{underWay ? 'Under way' : outcome ? 'Trained' : 'Train'}</h3>}
            {idle && parent && <TrainingForm session={session} parent={parent} device={state.device} chosen={choices[parent.manifest.id]} onChoose={choice => choose({ ...choices, [parent.manifest.id]: choice })} />}
            {underWay && <TrainingProgress underWay={underWay} state={state} onPause={() => trainings.pause()} />}
            {stored && !underWay && <PausedTraining stored={stored} session={session} />}
            {state.curve.length > 0 && <TrainingCurves curve={state.curve} steps={underWay?.of ?? outcome?.tuned.report.steps ?? stored?.recipe.steps ?? 1} metric={(outcome?.tuned.manifest ?? parent?.manifest)?.task === 'classify' ? 'AUC, held back' : 'Dice, held back'} />}
            {state.predictions && <TrainingPredictions {...state.predictions} />}
            {outcome && <TrainingOutcome outcome={outcome} session={session} />}
            {[state.error, error].map((problem, i) => problem && (
              <Message key={i} tone="error" title={TITLES[problem.code] ?? 'It did not work'} text={wordsOf(problem)} onDismiss={() => (i === 0 ? trainings : training).state.set({ error: undefined })} />
            ))}
            {state.note && <p className="ovr-muted" role="status" data-overread="training-note">{state.note}</p>}
          </div>
          {parent?.manifest.task === 'classify' && !underWay && <RecalibrationSection session={session} parent={parent} />}
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

export const trainingCss = `
.ovr-summary { font-weight: 600; cursor: pointer; }
.ovr-training, .ovr-part { display: flex; flex-direction: column; gap: 8px; }
.ovr-training { gap: 14px; margin-top: 10px; }
.ovr-grid { display: grid; grid-template-columns: 1fr 1fr; gap: 8px; }
.ovr-grid > * { min-width: 0; }
.ovr-training input[type='number'] { width: 100%; height: 32px; padding: 0 8px; border: 1px solid var(--ovr-line); border-radius: 6px; background: hsl(215 50% 9%); color: inherit; font: inherit; }
.ovr-training .ovr-narrow { width: auto; height: 28px; }
.ovr-next { display: flex; flex-direction: column; gap: 4px; }
.ovr-nowrap { white-space: nowrap; }
.ovr-check { display: flex; gap: 8px; align-items: center; margin-top: 6px; cursor: pointer; }
.ovr-label-list { list-style: none; display: flex; flex-direction: column; gap: 2px; font-size: 12px; }
.ovr-curves { display: flex; flex-direction: column; gap: 6px; }
.ovr-curve { margin: 0; font-size: 12px; }
.ovr-curve svg { width: 100%; }
.ovr-metrics td, .ovr-metrics th { vertical-align: top; }
.ovr-metrics th { padding-right: 4px; overflow-wrap: anywhere; }
.ovr-metrics td { font-size: 12px; }
.ovr-metrics td + td { padding-left: 5px; }
.ovr-interval { display: block; font-weight: 400; font-size: 11px; color: var(--ovr-muted); }
${predictionsCss}${reliabilityCss}${recalibrationCss}`;
