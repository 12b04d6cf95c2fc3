import { useEffect, useState } from 'react';
import type { Session } from '../session.ts';
import type { Running, State } from '../state.ts';
import { formatDuration } from './format.ts';
import { Message } from './message.tsx';

/** The chooser, Run and Cancel, what is going on, and what went wrong. */
export function RunSection({ session, state }: { session: Session; state: State }) {
  const { catalogue, configurationError, running, lastError, note } = state;
  return (
    <section aria-label="Run a model">
      {configurationError && <Message tone="error" title="Configuration refused" text={configurationError.message} />}
      {!configurationError && !catalogue && <p className="ovr-muted">Reading the list of models…</p>}
      {catalogue && catalogue.entries.length === 0 && <NoModels session={session} refused={catalogue.problems.length > 0} />}
      {catalogue && catalogue.entries.length > 0 && <Chooser session={session} state={state} />}
      {catalogue?.problems.map(problem => (
        <Message key={problem.message} tone="warning" title="Some models cannot be used" text={problem.message} />
      ))}
      <div aria-live="polite" role="status" data-overread="status">
        {running && <ProgressLine running={running} />}
        {note && <p className="ovr-muted ovr-note">{note}</p>}
      </div>
      {running && <ProgressBar running={running} />}
      {lastError && !running && (
        <Message
          tone={lastError.code === 'job/stale' ? 'warning' : 'error'}
          title={lastError.code === 'job/stale' ? 'Kept, not shown' : 'The run failed'}
          text={lastError.message}
          onDismiss={() => session.state.set({ lastError: undefined })}
        />
      )}
    </section>
  );
}

function Chooser({ session, state }: { session: Session; state: State }) {
  const { catalogue, modelId, running, hasImage } = state;
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
      <div className="ovr-row">
        {/* Not disabled while it runs: a keyboard would lose its place. Pressing it then only leaves a note. */}
        <button
          type="button" className="ovr-button ovr-primary ovr-wide" disabled={!hasImage && !running} aria-disabled={!!running}
          aria-describedby={hasImage || running ? undefined : 'ovr-no-image'} onClick={() => void session.runner.run()} data-overread="run"
        >
          {running ? 'Running…' : <>Run on this image <kbd aria-hidden="true">⇧ A</kbd></>}
        </button>
        {running && (
          <button type="button" className="ovr-button" disabled={running.cancelling} onClick={() => session.runner.cancel()} data-overread="cancel">
            Cancel
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
        <span>{modelName}</span>
        <span>
          {progress.percent !== undefined && `${progress.percent} % · `}
          {formatDuration(Math.floor(Math.max(0, now - startedAt) / 100) * 100)}
        </span>
      </p>
    </div>
  );
}
