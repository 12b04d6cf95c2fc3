import { useId, useMemo, useSyncExternalStore } from 'react';
import { COLOUR_TABLES, type ColourTableName } from '../../src/results/heatmap-colours.ts';
import type { ScoresResult } from '../../src/results/result.ts';
import type { SaliencyMethodId } from '../../src/results/saliency.ts';
import type { SaliencyResult } from '../../src/tasks/saliency/index.ts';
import { tableOf, tablesFor } from '../overlays/heatmap-raster.ts';
import type { KeptResult } from '../results-store.ts';
import type { Explainer, SaliencyPhase, SaliencySettings } from '../saliency.ts';
import { EyeIcon } from './eye-icon.tsx';
import { Message } from './message.tsx';
import { colourGradient, completenessText, METHODS, NO_PROOF, rangeEnds, suspicionText, TABLES } from './saliency.ts';

interface SectionProps {
  readonly explainer: Explainer;
  readonly kept: KeptResult;
  readonly result: ScoresResult;
  /** The target whose score was chosen. */
  readonly label: string;
  /** Asks for another score of the same result. */
  readonly onTarget: (label: string) => void;
  /** Every overlay of the viewer is hidden, whatever this one says. */
  readonly allHidden?: boolean;
  /** Ends that, when this one is asked for. */
  readonly onUncover?: () => void;
  /** Makes results of the maps. */
  readonly onKeep?: (maps: readonly SaliencyResult[]) => void;
}

/** Where a score came from: how to ask, and what came back. Stands under the score that was chosen. */
export function SaliencySection({ explainer, kept, result, label, onTarget, allHidden = false, onUncover, onKeep }: SectionProps) {
  const { asked, phase: latest, settings } = useSyncExternalStore(explainer.state.subscribe, explainer.state.get, explainer.state.get);
  const mine = asked?.key === kept.key && asked.label === label;
  const phase: SaliencyPhase = mine ? latest : { kind: 'idle' };
  const method = mine ? asked.method : undefined;
  const show = (visible: boolean) => {
    if (visible && allHidden) onUncover?.();
    explainer.change({ visible });
  };
  const ask = (by?: SaliencyMethodId) => void explainer.explain(kept, label, by);
  return (
    <section className="ovr-saliency" aria-label={`Where the score of ${label} comes from`} data-overread="saliency" data-phase={phase.kind}>
      <label className="ovr-field">
        <span>Score</span>
        <select value={label} onChange={event => onTarget(event.target.value)} data-overread="saliency-target">
          {result.scores.map(({ target }) => <option key={target.label} value={target.label}>{target.label}</option>)}
        </select>
      </label>
      <label className="ovr-field">
        <span>Method</span>
        <select value={method ?? ''} onChange={event => ask(event.target.value as SaliencyMethodId)} data-overread="saliency-method">
          {!method && <option value="" disabled>Choose one</option>}
          {Object.entries(METHODS).map(([id, { name }]) => <option key={id} value={id}>{name}</option>)}
        </select>
      </label>
      {method && <p className="ovr-muted">{METHODS[method].meaning}</p>}
      <PhaseBody phase={phase} explainer={explainer} method={method} onAsk={ask} />
      {phase.kind === 'shown' && <Shown maps={phase.maps} settings={settings} explainer={explainer} visible={settings.visible && !allHidden} onVisible={show} />}
      {phase.kind === 'shown' && onKeep && (
        <button type="button" className="ovr-button ovr-small" title="Makes a result of it, which can be judged and stored" onClick={() => onKeep(phase.maps)} data-overread="saliency-keep">Keep this map</button>
      )}
      <p className="ovr-muted">{NO_PROOF}</p>
    </section>
  );
}

interface PhaseProps {
  readonly phase: SaliencyPhase;
  readonly explainer: Explainer;
  readonly method: SaliencyMethodId | undefined;
  readonly onAsk: (method?: SaliencyMethodId) => void;
}

function PhaseBody({ phase, explainer, method, onAsk }: PhaseProps) {
  return (
    <>
      <div aria-live="polite" role="status">
        {phase.kind === 'running' && <p className="ovr-strong">{phase.progress.text}</p>}
      </div>
      {phase.kind === 'running' && (
        <div className="ovr-row">
          <div
            className="ovr-bar ovr-saliency-bar" role="progressbar" aria-label="Progress of the map"
            aria-valuemin={0} aria-valuemax={100} aria-valuenow={Math.round(phase.progress.fraction * 100)}
          >
            <div className={phase.progress.percent === undefined ? 'ovr-busy' : undefined} style={{ width: `${Math.max(3, Math.round(phase.progress.fraction * 100))}%` }} />
          </div>
          <button type="button" className="ovr-button ovr-small" onClick={() => explainer.cancel()} data-overread="saliency-cancel">Cancel</button>
        </div>
      )}
      {phase.kind === 'idle' && (
        <button type="button" className="ovr-button ovr-small" onClick={() => onAsk(method)} data-overread="saliency-ask">Show where the score comes from</button>
      )}
      {phase.kind === 'error' && (
        <Message tone={phase.error.code === 'job/stale' ? 'warning' : 'error'} title="No map" text={phase.error.message}>
          {method !== undefined && method !== 'occlusion' && (phase.error.code === 'device/unavailable' || phase.error.code === 'model/graph') && (
            <button type="button" className="ovr-button ovr-small" onClick={() => onAsk('occlusion')} data-overread="saliency-occlusion">Use occlusion</button>
          )}
        </Message>
      )}
    </>
  );
}

interface ShownProps {
  readonly maps: readonly SaliencyResult[];
  readonly settings: SaliencySettings;
  readonly explainer: Explainer;
  readonly visible: boolean;
  readonly onVisible: (visible: boolean) => void;
}

function Shown({ maps, settings, explainer, visible, onVisible }: ShownProps) {
  const { opacity, threshold } = settings;
  const [first] = maps;
  if (!first) return null;
  const table = tableOf(first, settings.table);
  const nameOf = ({ view }: SaliencyResult) => (maps.length > 1 && view ? view : undefined);
  return (
    <>
      <div className="ovr-row">
        <label className="ovr-row ovr-slider ovr-saliency-colours">
          <span>Colours</span>
          <select value={table} onChange={event => explainer.change({ table: event.target.value as ColourTableName })} data-overread="saliency-colours">
            {tablesFor(first).map(name => <option key={name} value={name}>{TABLES[name]}</option>)}
          </select>
        </label>
        <button
          type="button" className="ovr-icon" aria-pressed={visible} aria-label={`${visible ? 'Hide' : 'Show'} the map on the image`}
          title={visible ? 'Hide on the image' : 'Show on the image'} onClick={() => onVisible(!visible)} data-overread="saliency-eye"
        >
          <EyeIcon open={visible} />
        </button>
      </div>
      <ColourBar map={first} table={table} settings={settings} />
      <Slider name="Opacity" value={opacity} min={5} onChange={value => explainer.change({ opacity: value })} mark="saliency-opacity" />
      <Slider
        name="Threshold" value={threshold} min={0} onChange={value => explainer.change({ threshold: value })} mark="saliency-threshold"
        title="What is below this share of the largest value is not drawn"
      />
      {maps.length > 1 && <p className="ovr-muted">Each view has its own map of the score by both, in the same colours.</p>}
      {maps.map((map, i) => <Remarks key={i} map={map} view={nameOf(map)} />)}
    </>
  );
}

interface SliderProps {
  readonly name: string;
  /** 0..1 */
  readonly value: number;
  /** Percent. */
  readonly min: number;
  readonly onChange: (value: number) => void;
  readonly mark: string;
  readonly title?: string;
}

function Slider({ name, value, min, onChange, mark, title }: SliderProps) {
  const percent = Math.round(value * 100);
  return (
    <label className="ovr-row ovr-slider" title={title}>
      <span>{name}</span>
      <input
        type="range" min={min} max={100} step={1} value={Math.max(min, percent)} aria-valuetext={`${percent} %`}
        onChange={event => onChange(Number(event.target.value) / 100)} data-overread={mark}
      />
      <span className="ovr-number ovr-percent">{percent} %</span>
    </label>
  );
}

function ColourBar({ map, table, settings }: { map: SaliencyResult; table: ColourTableName; settings: SaliencySettings }) {
  const [low, high] = rangeEnds(map);
  const sided = COLOUR_TABLES.signed.includes(table);
  const id = useId();
  return (
    <div>
      <div className="ovr-colour-bar" role="img" aria-labelledby={id} data-overread="saliency-bar">
        <div style={{ backgroundImage: colourGradient(map, table, settings) }} />
      </div>
      <p id={id} className="ovr-row ovr-muted ovr-number">
        <span>{low}{sided && ' against'}</span>
        {sided && <span>0</span>}
        <span>{high}{sided && ' for'}</span>
      </p>
    </div>
  );
}

/** What has to be known of one map; of several views, each says of which it speaks. */
function Remarks({ map: { values, saliency }, view }: { map: SaliencyResult; view: string | undefined }) {
  const { completeness, randomisation } = saliency;
  const empty = useMemo(() => values.every(value => value === 0), [values]);
  const of = view ? `${view}: ` : '';
  const suspicion = suspicionText(randomisation);
  return (
    <>
      {empty && <p data-overread="saliency-empty">{of}The map is empty: by this method nothing in the picture raises the score.</p>}
      {completeness && <p className="ovr-muted ovr-number" data-overread="saliency-completeness">{of}{completenessText(completeness, saliency.scoreIs)}</p>}
      {suspicion && <div data-overread="saliency-warning"><Message tone="warning" title={view ? `Doubtful map of ${view}` : 'Doubtful map'} text={suspicion} /></div>}
      {'unavailable' in randomisation && <p className="ovr-muted" data-overread="saliency-unchecked">{of}Not checked against a random last layer: {randomisation.unavailable}</p>}
    </>
  );
}

/** For the panel's style. */
export const saliencyCss = `
.ovr section.ovr-saliency { gap: 8px; margin-top: 4px; padding: 10px; border: 1px solid var(--ovr-line); border-radius: 6px; background: hsl(215 50% 9% / 0.6); }
.ovr-saliency-bar { flex: 1; }
.ovr-saliency-colours { flex: 1; }
.ovr-saliency-colours select { width: auto; flex: 1; height: 28px; }
.ovr-colour-bar { height: 12px; border-radius: 3px; overflow: hidden; background: linear-gradient(90deg, hsl(0 0% 45%) 50%, hsl(0 0% 25%) 50%) 0 0 / 12px 100%; }
.ovr-colour-bar > div { height: 100%; }
.ovr-colour-bar + p { margin-top: 2px !important; }
`;
