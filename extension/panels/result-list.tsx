import { isDots } from '../../src/results/dots.ts';
import type { Result, ResultKind, ResultOf } from '../../src/results/result.ts';
import type { KeptResult } from '../results-store.ts';
import type { Session } from '../session.ts';
import { CompareButton } from './compare-section.tsx';
import { EyeIcon } from './eye-icon.tsx';
import { describeSource, formatDevice, formatDuration, formatStages, formatWhen, runMs } from './format.ts';
import { LabelmapBody } from './labelmap-body.tsx';
import { PointsBody } from './points-body.tsx';
import { RemoveResult } from './remove-result.tsx';
import { ScoresBody } from './scores-body.tsx';
import { METHODS } from './saliency.ts';
import { badgesOf, type Badge } from './scores.ts';
import { StoreAll, StoreRow } from './store-row.tsx';

interface ListProps {
  readonly session: Session;
  readonly results: readonly KeptResult[];
  readonly overlaysShown: boolean;
}

/** The results of the open studies, newest first. */
export function ResultList({ session, results, overlaysShown }: ListProps) {
  if (results.length === 0) {
    return (
      <div className="ovr-empty">
        <p>Nothing for this study yet.</p>
        <p className="ovr-muted">Click on an image, choose a model, and run it. Results stay with their study in this browser until they are stored.</p>
      </div>
    );
  }
  return (
    <>
      <StoreAll session={session} keys={results.filter(({ result }) => session.storer.canStore(result)).map(({ key }) => key)} />
      <ul className="ovr-results">
        {results.map(kept => (
          <li key={kept.key}>
            <ResultCard session={session} kept={kept} visible={overlaysShown && kept.visible} />
          </li>
        ))}
      </ul>
    </>
  );
}

function ResultCard({ session, kept, visible }: { session: Session; kept: KeptResult; visible: boolean }) {
  const { result, key } = kept;
  const { model, device, timingMs, createdAt } = result;
  const title = `${model.name} ${model.version}`;
  const drawn = result.kind !== 'scores';
  const byHand = result.kind === 'points' && isDots(result);
  return (
    <article className={visible || !drawn ? 'ovr-card' : 'ovr-card ovr-off'} data-overread="result" data-key={key} aria-label={title}>
      <header className="ovr-row">
        <h3>
          {model.name} <span className="ovr-muted ovr-number">{model.version}</span>
        </h3>
        {drawn && (
          <button
            type="button" className="ovr-icon" aria-pressed={visible} aria-label={`${visible ? 'Hide' : 'Show'} ${title} on the image`}
            title={visible ? 'Hide on the image' : 'Show on the image'} onClick={() => session.setVisible(key, !visible)} data-overread="eye"
          >
            <EyeIcon open={visible} />
          </button>
        )}
      </header>
      <p className="ovr-muted ovr-source">{describeSource(result)}</p>
      <Badges badges={badgesOf(result)} />
      <Body session={session} kept={kept} result={result} />
      <CompareButton comparing={session.comparing} kept={kept} />
      <dl className="ovr-facts">
        {!byHand && (
          <>
            <dt>Device</dt>
            <dd title={device.reason}>{formatDevice(device)}</dd>
            {runMs(timingMs) > 0 && (
              <>
                <dt>Time</dt>
                <dd className="ovr-number" title={formatStages(timingMs)}>
                  {formatDuration(runMs(timingMs))}
                  {timingMs.load > 0 && <span className="ovr-muted"> + {formatDuration(timingMs.load)} loading</span>}
                </dd>
              </>
            )}
          </>
        )}
        <dt>Made</dt>
        <dd className="ovr-number">
          <time dateTime={createdAt}>{formatWhen(createdAt)}</time>
        </dd>
      </dl>
      {byHand && <RemoveResult session={session} kept={kept} what="these dots" />}
      {!byHand && <StoreRow session={session} kept={kept} />}
      <p className="ovr-notice">{model.notice}</p>
    </article>
  );
}

function Badges({ badges }: { badges: readonly Badge[] }) {
  if (badges.length === 0) return null;
  return (
    <ul className="ovr-badges" aria-label="Remarks">
      {badges.map(({ kind, text, detail }) => (
        <li key={kind + text} title={detail} data-overread="badge" data-badge={kind}>
          <span className={kind === 'out-of-distribution' ? 'ovr-badge ovr-badge-warning' : 'ovr-badge'}>{text}</span>
          {/* Why a picture was refused is for everyone to read, not for a pointer that rests. */}
          {detail && <span className={kind === 'out-of-distribution' ? 'ovr-badge-detail' : 'ovr-hidden'}> {detail}</span>}
        </li>
      ))}
    </ul>
  );
}

interface BodyProps<R extends Result> {
  readonly session: Session;
  readonly kept: KeptResult;
  readonly result: R;
}

/** What each kind of result says in words and numbers: a new kind has to answer here. */
const BODIES: { readonly [K in ResultKind]: (props: BodyProps<ResultOf<K>>) => React.ReactNode } = {
  labelmap: ({ session, kept, result }) => (
    <>
      <LabelmapBody masks={session.masks} kept={kept} result={result} />
      {result.source.shape[2] > 1 && <button type="button" className="ovr-button ovr-small" title="Saves the mask as a NIfTI volume" onClick={() => void session.exports.nifti(result)} data-overread="nifti">NIfTI</button>}
    </>
  ),
  scores: ScoresBody,
  heatmap: ({ result: { target, range, saliency } }) => (
    <table className="ovr-numbers">
      <tbody>
        <tr>
          <th scope="row">{saliency ? `${METHODS[saliency.method].name} of ${target.label}` : target.label}</th>
          <td>{range[0].toFixed(3)} … {range[1].toFixed(3)}</td>
        </tr>
      </tbody>
    </table>
  ),
  points: ({ session: { counting }, kept, result }) => <PointsBody counting={counting} kept={kept} result={result} />,
};

function Body(props: BodyProps<Result>) {
  // The kind chooses the body; TypeScript cannot tie the two through the table.
  const Chosen = BODIES[props.result.kind] as (props: BodyProps<Result>) => React.ReactNode;
  return <Chosen {...props} />;
}
