import { useState } from 'react';
import type { Session } from '../session.ts';
import type { StoredRun } from '../training/label-store.ts';
import type { TrainingsState, UnderWay } from '../training/trainings.ts';
import { counted, formatDevice, formatDuration, formatLeft, formatWhen } from './format.ts';
import { Message } from './message.tsx';
import { TrainingReliability } from './training-reliability.tsx';
import { TrainingMetrics } from './training-report.tsx';

const PHASES: { readonly [P in UnderWay['phase']]: string } = {
  reading: 'Reading the labels', training: 'Training', pausing: 'Pausing: the checkpoint is written', measuring: 'Measuring both models on the held-back patients',
};

/** What the training does now, and for how long still. */
export function TrainingProgress({ underWay, state: { data, device }, onPause }: { underWay: UnderWay; state: TrainingsState; onPause: () => void }) {
  const { phase, step, of, secondsLeft, share, recovered } = underWay;
  const done = phase === 'measuring' ? share ?? 0 : step / Math.max(1, of);
  return (
    <>
      <p className="ovr-strong" role="status" data-overread="training-phase">{PHASES[phase]}</p>
      <div>
        <div className="ovr-bar" role="progressbar" aria-label="Progress of the training" aria-valuemin={0} aria-valuemax={100} aria-valuenow={Math.round(100 * done)}><div style={{ width: `${Math.max(3, 100 * done)}%` }} /></div>
        <p className="ovr-row ovr-muted ovr-number">
          <span>Step {step} of {of}</span>
          <span data-overread="time-left">{phase === 'training' && secondsLeft !== undefined && `about ${formatLeft(secondsLeft)} left`}</span>
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
    `Learns from ${counted(train.items, 'label')} of ${counted(train.patients, 'patient')}; ${counted(validation.items, 'label')} of ${counted(validation.patients, 'patient')} held back to measure on.`,
    ...(refused.length ? [`${refused.length} left out: ${refused[0]!.message}`] : []),
    ...(alike.length ? [`${alike.length} pairs across the split look alike: are they of one patient?`] : []),
  ].join(' ');
}

/** A training that can be gone on with. */
export function PausedTraining({ stored: { name, step, recipe }, session: { training: { trainings } } }: { stored: StoredRun; session: Session }) {
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

/** What came out of a training, to be kept or not. */
export function TrainingOutcome({ outcome: { tuned: { report, manifest } }, session: { training } }: { outcome: NonNullable<TrainingsState['outcome']>; session: Session }) {
  const { ended, failed, step, steps, seconds, stepsPerSecond } = report;
  // Of the batch, in words that a reader can find in the list of labels.
  const batch = training.state.get().labels.filter(({ id }) => failed?.ids.includes(id)).map(({ modality, size, collectedAt }) => `${modality} ${size.join(' × ')} of ${formatWhen(collectedAt)}`);
  return (
    <div className="ovr-card" data-overread="outcome">
      <p className="ovr-strong">{manifest.name}</p>
      {failed && <Message tone="error" title={`The loss was ${failed.loss} at step ${failed.step}`} text={`Training stopped there; the weights of step ${step} are whole. In the batch: ${batch.join(', ') || 'labels that were removed since'}. Try a smaller learning rate.`} />}
      <p className="ovr-muted">
        {step === 0 ? 'No step was better than the base on the held-back patients: these are its own weights.' : `The weights of step ${step} of ${steps}, the best on the held-back patients.`}
        {ended === 'early' && ' It ended early.'} {formatDuration(1000 * seconds)}{Number.isFinite(stepsPerSecond) && stepsPerSecond > 0 && `, ${stepsPerSecond.toPrecision(2)} steps a second`}.
      </p>
      <TrainingMetrics record={report} />
      {report.reliability && <TrainingReliability reliability={report.reliability} />}
      <p className="ovr-notice">Research use only. Not for diagnosis.</p>
      <div className="ovr-actions ovr-wrap">
        <button type="button" className="ovr-button ovr-primary" onClick={() => void training.keep()} data-overread="keep">Keep and install</button>
        <button type="button" className="ovr-button" onClick={() => void training.download()} data-overread="download-outcome">Download</button>
        <button type="button" className="ovr-button" onClick={() => void training.trainings.discard()} data-overread="throw-away">Throw away</button>
      </div>
    </div>
  );
}
