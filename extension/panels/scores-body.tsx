import { useId, useState, useSyncExternalStore } from 'react';
import type { Score, ScoresResult } from '../../src/results/result.ts';
import type { KeptResult } from '../results-store.ts';
import type { Session } from '../session.ts';
import { SaliencySection } from './saliency-section.tsx';
import { ScoresActions } from './scores-actions.tsx';
import { describeScore, formatProbability, meaningOf, sortedScores, viewValues } from './scores.ts';

interface BodyProps {
  readonly session: Session;
  readonly kept: KeptResult;
  readonly result: ScoresResult;
}

/** Scores: a bar a finding, with its operating point and what each view says; a click asks where the score comes from. */
export function ScoresBody({ session, kept, result }: BodyProps) {
  const { catalogue, explaining, overlaysShown } = useSyncExternalStore(session.state.subscribe, session.state.get, session.state.get);
  const meaningId = useId();
  const [toldMeaning, tellMeaning] = useState(false);
  const { id, version } = result.model;
  const manifest = catalogue?.entries.find(entry => entry.manifest.id === id && entry.manifest.version === version)?.manifest;
  const meaning = meaningOf(result, manifest);
  const explained = explaining?.key === kept.key ? explaining.label : undefined;
  const press = (label: string) => (label === explained ? session.endExplanation() : session.explain(kept.key, label));
  return (
    <>
      <p className="ovr-row ovr-muted ovr-scores-head">
        <span>Finding</span>
        <span title={meaning}>
          Probability{' '}
          {/* A pointer that rests shows the sentence too; a finger or a keyboard has to press. */}
          <button
            type="button" className="ovr-info" aria-label="What a score means" aria-expanded={toldMeaning} aria-controls={meaningId}
            onClick={() => tellMeaning(!toldMeaning)} data-overread="score-meaning"
          >
            ?
          </button>
        </span>
      </p>
      <p id={meaningId} className={toldMeaning ? 'ovr-muted' : 'ovr-hidden'}>{meaning}</p>
      <ul className="ovr-scores" aria-label="Scores by finding" aria-describedby={meaningId}>
        {sortedScores(result.scores).map(score => (
          <li key={score.target.label}>
            <div title={meaning}>
              <ScoreRow score={score} result={result} pressed={score.target.label === explained} onPress={() => press(score.target.label)} />
            </div>
            {score.target.label === explained && (
              <SaliencySection
                explainer={session.explainer} kept={kept} result={result} label={explained} onTarget={label => session.explain(kept.key, label)}
                allHidden={!overlaysShown} onUncover={() => session.toggleOverlays(true)} onKeep={maps => session.keepMaps(maps)}
              />
            )}
          </li>
        ))}
      </ul>
      <ScoresActions session={session} result={result} />
    </>
  );
}

interface RowProps {
  readonly score: Score;
  readonly result: ScoresResult;
  readonly pressed: boolean;
  readonly onPress: () => void;
}

function ScoreRow({ score, result, pressed, onPress }: RowProps) {
  const { target, probability, operatingPoint, positive } = score;
  const views = viewValues(score, result);
  return (
    <button
      type="button" className="ovr-score" aria-pressed={pressed} aria-label={`${describeScore(score, result)}. Show where it comes from`}
      onClick={onPress} data-overread="score" data-label={target.label} data-positive={positive}
    >
      <span className="ovr-row">
        <span className="ovr-finding">{target.label}</span>
        <span className="ovr-score-value">
          {positive && <span className="ovr-positive">▲ positive</span>}
          <span className="ovr-number ovr-strong">{formatProbability(probability, operatingPoint)}</span>
        </span>
      </span>
      <span className="ovr-track">
        <span className={positive ? 'ovr-fill ovr-fill-positive' : 'ovr-fill'} style={{ width: percent(probability) }} />
        {operatingPoint !== undefined && <span className="ovr-tick" style={{ left: percent(operatingPoint) }} />}
      </span>
      {views.length > 0 && (
        <span className="ovr-views ovr-number">
          {views.map(({ name, value }) => (
            <span key={name}><span className="ovr-muted">{name}</span> {formatProbability(value, operatingPoint)}</span>
          ))}
        </span>
      )}
    </button>
  );
}

function percent(fraction: number): string {
  return `${(Math.min(1, Math.max(0, fraction)) * 100).toFixed(1)}%`;
}
