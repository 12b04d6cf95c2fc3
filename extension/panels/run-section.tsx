import { useEffect, useState } from 'react';
import type { ErrorCode, OverreadError } from '../../src/errors.ts';
import type { Session } from '../session.ts';
import type { Running, State } from '../state.ts';
import { formatDuration } from './format.ts';
import { Message } from './message.tsx';

/** The chooser, Run and Cancel, what is going on, and what went wrong. */
export function RunSection({ session, state }: { session: Session; state: State }) {
  const { catalogue, configurationError, running, lastError, note, autoNote } = state;
  return (
    <section aria-label="Run a model">
      {configurationError && <Message tone="error" title="Configuration refused" text={configurationError.message} />}
      {!configurationError && !catalogue && <p className="ovr-muted">Reading the list of models…</p>}
      {catalogue && catalogue.entries.length === 0 && <NoModels session={session} refused={catalogue.problems.length > 0} />}
      {catalogue && catalogue.entries.length > 0 && <Chooser session={session} state={state} />}
      {catalogue?.problems.map(problem => (
        <Message key={problem.message} tone="warning" title="Some models cannot be used" text={problem.message} />
      ))}
      {state.synthesised !== undefined && <div data-overread="synthesised"><Message tone="warning" title="This image was synthesised" text={`It may show what is not in the patient, and not show what is. Models that were not made for such images refuse it: ${state.synthesised}.`} /></div>}
      <div aria-live="polite" role="status" data-overread="status">
        {running && <ProgressLine running={running} />}
        {note && <p className="ovr-muted ovr-note">{note}</p>}
      </div>
      {autoNote && <p className="ovr-muted ovr-note" data-overread="auto-note">{autoNote}</p>}
      {running && <ProgressBar running={running} />}
      {lastError && (!running || running.automatic) && <LastError session={session} error={lastError} canForce={state.refusal !== undefined} />}
    </section>
  );
}

const TITLES: Partial<Record<ErrorCode, string>> = {
  'job/stale': 'Kept, not shown',
  'input/out-of-distribution': 'Not what the model was made for',
  'input/views': 'Check the views',
};
/** Nothing broke. */
const WARNINGS: readonly ErrorCode[] = ['job/stale', 'input/out-of-distribution'];

function LastError({ session, error, canForce }: { session: Session; error: OverreadError; canForce: boolean }) {
  return (
    <Message
      tone={WARNINGS.includes(error.code) ? 'warning' : 'error'} title={TITLES[error.code] ?? 'The run failed'} text={error.message}
      onDismiss={() => session.state.set({ lastError: undefined, refusal: undefined })}
    >
      {canForce && (
        <button type="button" className="ovr-button ovr-small" title="Runs it once on the same picture; the result says that the picture was refused" onClick={() => void session.runner.runAnyway()} data-overread="run-anyway">
          Run anyway (marked)
        </button>
      )}
    </Message>
  );
}

function Chooser({ session, state }: { session: Session; state: State }) {
  const { catalogue, modelId, running: current, hasImage, hasSlide } = state;
  // One that nobody asked for by hand is in nobody's way.
  const running = current?.automatic ? undefined : current;
  const entries = catalogue?.entries ?? [];
  const chosen = entries.find(entry => entry.manifest.id === modelId)?.manifest;
  return (
    <>
      <label className="ovr-field">
        <span>Model</span>
        <select value={modelId ?? ''} disabled={!!running} onChange={event => session.chooseModel(event.target.value)} data-overread="model">
          {entries.map(({ manifest }) => (
            <option key={manifest.id} value={manifest.id}>
              {manifest.name} {manifest.version}
            </option>
          ))}
        </select>
      </label>
      {chosen && <p className="ovr-muted ovr-use">{chosen.intendedUse}</p>}
      {chosen?.input.fusion && <p className="ovr-muted ovr-use">Reads the image that is chosen and the other view of its study.</p>}
      {hasSlide && chosen && !chosen.input.tiling && <p className="ovr-muted ovr-use">Reads whole pictures, not slides: choose a model that reads in tiles.</p>}
      <div className="ovr-row">
        {/* Not disabled while it runs: a keyboard would lose its place. Pressing it then only leaves a note. */}
        <button
          type="button" className="ovr-button ovr-primary ovr-wide" disabled={!hasImage && !running} aria-disabled={!!running}
          aria-describedby={hasImage || running ? undefined : 'ovr-no-image'} onClick={() => void session.runner.run()} data-overread="run"
        >
          {running ? 'Running…' : <>{hasSlide ? 'Run on this slide' : chosen?.input.fusion ? 'Run on this study' : 'Run on this image'} <kbd aria-hidden="true">⇧ A</kbd></>}
        </button>
        {current && (
          <button type="button" className="ovr-button" disabled={current.cancelling} onClick={() => session.runner.cancel()} data-overread="cancel">
            {current.progress.detail ? 'Stop' : 'Cancel'}
          </button>
        )}
      </div>
      {!hasImage && !running && <p id="ovr-no-image" className="ovr-muted ovr-note">Click on an image in the viewer to choose what the model reads.</p>}
    </>
  );
}

function NoModels({ session, refused }: { session: Session; refused: boolean }) {
  return (
    <div className="ovr-empty">
      <p>{refused ? 'No model could be read.' : 'No models are installed.'}</p>
      <p className="ovr-muted">
        Put a model's folder under <code>models/</code> and build again, or set <code>overread.models</code> in <code>app-config.js</code>.
      </p>
      <button type="button" className="ovr-button" onClick={() => void session.readCatalogue()}>Look again</button>
    </div>
  );
}

function ProgressLine({ running: { modelName, progress, cancelling } }: { running: Running }) {
  return (
    <p className="ovr-progress-text">
      <span className="ovr-strong">{cancelling ? 'Cancelling' : progress.text}</span>
      <span className="ovr-hidden"> for {modelName}</span>
    </p>
  );
}

/** Apart from the live region: a screen reader is told of stages, not of every percent. */
function ProgressBar({ running: { modelName, progress, startedAt } }: { running: Running }) {
  const [now, setNow] = useState(() => performance.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(performance.now()), 250);
    return () => clearInterval(timer);
  }, []);
  const percent = Math.round(progress.fraction * 100);
  return (
    <div>
      <div className="ovr-bar" role="progressbar" aria-label={`Progress of ${modelName}`} aria-valuemin={0} aria-valuemax={100} aria-valuenow={percent}>
        <div className={progress.percent === undefined ? 'ovr-busy' : undefined} style={{ width: `${Math.max(3, percent)}%` }} />
      </div>
      <p className="ovr-row ovr-muted ovr-number">
        <span>{progress.detail ?? modelName}</span>
        <span>
          {progress.percent !== undefined && `${progress.percent} % · `}
          {formatDuration(Math.floor(Math.max(0, now - startedAt) / 100) * 100)}
        </span>
      </p>
    </div>
  );
}
