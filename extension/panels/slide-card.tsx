import { useEffect, useState, useSyncExternalStore } from 'react';
import { colorOf, cssColor } from '../overlays/colors.ts';
import type { Session } from '../session.ts';
import { areaMm2, type KeptSlide } from '../slides/slide-results.ts';
import { EyeIcon } from './eye-icon.tsx';
import { formatDevice, formatDuration, formatObjects, formatWhen } from './format.ts';

interface CardsProps {
  readonly session: Session;
  readonly slides: readonly KeptSlide[];
  readonly overlaysShown: boolean;
}

/** The masks of the open slides, newest first. */
export function SlideCards({ session, slides, overlaysShown }: CardsProps) {
  if (slides.length === 0) return null;
  return (
    <ul className="ovr-results">
      {slides.map(slide => (
        <li key={slide.key}>
          <SlideCard session={session} slide={slide} visible={overlaysShown && slide.visible} />
        </li>
      ))}
    </ul>
  );
}

/** How often running totals are told anew, ms. */
const TELL_MS = 250;

/** Renders again when the mask has grown, but not for every tile. */
function useGrowing({ mask }: KeptSlide): void {
  const [, setTime] = useState(0);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const unsubscribe = mask.subscribe(() => {
      timer ??= setTimeout(() => {
        timer = undefined;
        setTime(performance.now());
      }, TELL_MS);
    });
    return () => {
      unsubscribe();
      clearTimeout(timer);
    };
  }, [mask]);
}

const STATUS: { readonly [S in KeptSlide['status']]: string } = { running: 'Being read', stopped: 'Stopped', done: 'Read' };

function SlideCard({ session, slide, visible }: { session: Session; slide: KeptSlide; visible: boolean }) {
  useGrowing(slide);
  const { key, mask, model, targets, device, level, ms, createdAt, status, source, outOfDistribution } = slide;
  const { parts, unread, glass, wanted } = mask;
  const title = `${model.name} ${model.version}`;
  const [firstUnread] = unread.values();
  const sofar = mask.missing > 0 || unread.size > 0;
  return (
    <article className={visible ? 'ovr-card' : 'ovr-card ovr-off'} data-overread="slide" data-key={key} aria-label={title}>
      <header className="ovr-row">
        <h3>
          {model.name} <span className="ovr-muted ovr-number">{model.version}</span>
        </h3>
        <button
          type="button" className="ovr-icon" aria-pressed={visible} aria-label={`${visible ? 'Hide' : 'Show'} ${title} on the slide`}
          title={visible ? 'Hide on the slide' : 'Show on the slide'} onClick={() => session.setSlideVisible(key, !visible)} data-overread="eye"
        >
          <EyeIcon open={visible} />
        </button>
      </header>
      <p className="ovr-muted ovr-source">{[source.modality, source.attributes.seriesDescription, level && level.of > 1 && `level ${level.index + 1} of ${level.of}`].filter(Boolean).join(' · ')}</p>
      {outOfDistribution?.refused && <p className="ovr-badge-detail">Not what the model was made for: {outOfDistribution.reason}</p>}
      <table className="ovr-numbers">
        <tbody>
          {targets.map((target, i) => (
            <tr key={target.label}>
              <th scope="row">
                <span className="ovr-swatch" style={{ background: cssColor(colorOf(target, i + 1)) }} />
                {target.label}
              </th>
              <td>{formatArea(areaMm2(slide, i + 1), mask.pixelsOf(i + 1))}{sofar && ' so far'}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {slide.objects && <p className="ovr-number" data-overread="objects">{formatObjects(slide.objects, source.spacingMm)}{sofar && ', so far'}</p>}
      {!source.spacingMm && <p className="ovr-muted">The slide states no pixel spacing, so there is no area.</p>}
      {firstUnread && (
        <p className="ovr-badge-detail" data-overread="unread" title={firstUnread.error.message}>
          {unread.size === 1 ? 'One tile' : `${unread.size} tiles`} could not be read (orange on the slide): {firstUnread.error.message}
        </p>
      )}
      {glass && glass.indices.length > 0 && (
        <p className="ovr-muted" data-overread="glass" title={glass.reason}>
          {glass.indices.length === 1 ? 'One tile shows' : `${glass.indices.length} tiles show`} nothing but glass and {status === 'running' ? 'will not be' : 'were not'} read (grey on the slide).{' '}
          {status !== 'running' && (
            <button type="button" className="ovr-button ovr-small" onClick={() => void session.runner.run({ modelId: model.id, readGlass: true })} data-overread="read-glass">Read them too</button>
          )}
        </p>
      )}
      <dl className="ovr-facts">
        <dt>{STATUS[status]}</dt>
        <dd className="ovr-number">{parts.size} of {wanted} tiles</dd>
        <dt>Device</dt>
        <dd title={device.reason}>{formatDevice(device)}</dd>
        {status !== 'running' && ms > 0 && (
          <>
            <dt>Time</dt>
            <dd className="ovr-number">{formatDuration(ms)}</dd>
          </>
        )}
        <dt>Made</dt>
        <dd className="ovr-number"><time dateTime={createdAt}>{formatWhen(createdAt)}</time></dd>
      </dl>
      {status === 'stopped' && (
        <p className="ovr-row">
          <span className="ovr-muted">Hatched: not read yet. Run goes on with it.</span>
          <button type="button" className="ovr-button ovr-small" onClick={() => session.slides.results.remove(key)} data-overread="remove-slide">Remove</button>
        </p>
      )}
      {status === 'done' && (
        <p className="ovr-row">
          <span className="ovr-muted">{unread.size > 0 ? 'Run tries the unread tiles again.' : ''}</span>
          <button type="button" className="ovr-button ovr-small" onClick={() => session.slides.results.remove(key)} data-overread="remove-slide">Remove</button>
        </p>
      )}
      {slide.stored && slide.stored.glassTiles > 0 && <p className="ovr-muted">{slide.stored.glassTiles} tiles of nothing but glass were not read when it was made.</p>}
      <StoreSlide session={session} slide={slide} />
      <p className="ovr-notice">{model.notice}</p>
    </article>
  );
}

/** Its way to the PACS, once it is whole. */
function StoreSlide({ session: { storer }, slide }: { session: Session; slide: KeptSlide }) {
  const { statuses, slideNote } = useSyncExternalStore(storer.state.subscribe, storer.state.get);
  const status = statuses.get(slide.key);
  const note = slideNote && status?.kind !== 'stored' && !slide.stored ? <p className="ovr-store-message" role="alert">{slideNote}</p> : null;
  if (status?.kind !== 'stored' && !storer.canStoreSlide(slide)) return note;
  return (
    <div className="ovr-store" data-overread="store-row" data-status={status?.kind ?? 'new'}>
      {status?.kind === 'stored' ? <span role="status" title={status.instances.join('\n')}>Stored in the PACS</span> : (
        <button type="button" className="ovr-button" disabled={status?.kind === 'storing'} onClick={() => void storer.storeSlide(slide.key)} data-overread="store">
          {status?.kind === 'storing' ? 'Storing…' : status?.kind === 'failed' ? 'Try again' : 'Store to PACS'}
        </button>
      )}
      {status?.kind === 'failed' && <p className="ovr-store-message" role="alert">{status.message}</p>}
      {note}
    </div>
  );
}

const threeDigits = new Intl.NumberFormat('en-US', { maximumSignificantDigits: 3 });

/** Square millimetres with three digits: nuclei are small. */
function formatArea(mm2: number | undefined, pixels: number): string {
  return mm2 === undefined ? `${new Intl.NumberFormat('en-US').format(pixels)} pixels` : `${threeDigits.format(mm2)} mm²`;
}
