import type { OverlayStyle } from '../configuration.ts';
import type { Session } from '../session.ts';

const STYLES = [['outline', 'Outline'], ['fill', 'Fill']] as const;

interface ControlsProps {
  readonly session: Session;
  readonly overlay: OverlayStyle;
  readonly shown: boolean;
  /** Whether there are masks, to which style and opacity belong; heat maps have controls of their own. */
  readonly masks: boolean;
  /** Whether a picture of the active viewport can be taken: not of slides, whose map keeps no pixels. */
  readonly picture: boolean;
}

/** How all overlays are drawn. */
export function OverlayControls({ session, overlay, shown, masks, picture }: ControlsProps) {
  const percent = Math.round(overlay.opacity * 100);
  return (
    <div className="ovr-controls" role="group" aria-label="Overlays">
      <div className="ovr-row">
        {masks && (
          <div className="ovr-segmented" role="group" aria-label="Style">
            {STYLES.map(([style, name]) => (
              <button key={style} type="button" aria-pressed={overlay.style === style} onClick={() => session.setOverlayStyle({ style })}>{name}</button>
            ))}
          </div>
        )}
        <button type="button" className="ovr-button ovr-small" aria-pressed={!shown} onClick={() => session.toggleOverlays()} data-overread="toggle-all">
          {shown ? 'Hide all' : 'Show all'} <kbd aria-hidden="true">⇧ H</kbd>
        </button>
      </div>
      {(masks || picture) && (
        <div className="ovr-row">
          {masks && (
            <label className="ovr-row ovr-slider">
              <span>Opacity</span>
              <input
                type="range" min={5} max={100} step={5} value={Math.max(5, percent)} aria-valuetext={`${percent} %`}
                onChange={event => session.setOverlayStyle({ opacity: Number(event.target.value) / 100 })}
              />
              <span className="ovr-number ovr-percent">{percent} %</span>
            </label>
          )}
          {picture && <button type="button" className="ovr-button ovr-small" title="Saves the active viewport with what is drawn on it, as PNG, without the viewer's texts" onClick={() => void session.exports.picture()} data-overread="picture">Picture</button>}
        </div>
      )}
    </div>
  );
}
