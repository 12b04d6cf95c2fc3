import { useSyncExternalStore } from 'react';
import { currentCase } from '../blinded/reading.ts';
import type { Session } from '../session.ts';
import type { State } from '../state.ts';
import { AuditRow } from './audit-row.tsx';
import { blindedCss, BlindedReading, BlindedSection } from './blinded-section.tsx';
import { compareCss, CompareSection } from './compare-section.tsx';
import { DeviceLine } from './device-line.tsx';
import { DotsSection } from './dots-section.tsx';
import { labelmapCss } from './labelmap-body.tsx';
import { GrowthSection } from './growth-section.tsx';
import { Message } from './message.tsx';
import { OverlayControls } from './overlay-controls.tsx';
import { pointsCss } from './points-body.tsx';
import { ResultList } from './result-list.tsx';
import { RunSection } from './run-section.tsx';
import { saliencyCss } from './saliency-section.tsx';
import { SiteAuditSection } from './site-audit.tsx';
import { SlideCards } from './slide-card.tsx';
import { storeCss } from './store-row.tsx';
import { css } from './styles.ts';
import { trainingCss, TrainingSection } from './training-section.tsx';
import { TranslationAuditSection } from './translation-audit.tsx';

const styles = css + saliencyCss + labelmapCss + pointsCss + storeCss + trainingCss + compareCss + blindedCss;

/** Whether the chosen model counts, and there is a study to count in. */
function canCount({ catalogue, modelId, openStudies, hasSlide }: State): boolean {
  return openStudies.size > 0 && !hasSlide && catalogue?.entries.some(({ manifest }) => manifest.id === modelId && manifest.task === 'count') === true;
}

/** The panel "AI": choose, run, look at what came out. */
export function AiPanel({ session }: { session: Session }) {
  const state = useSyncExternalStore(session.state.subscribe, session.state.get);
  const all = useSyncExternalStore(
    listener => session.results.subscribe(listener),
    () => session.results.all(),
  );
  const results = all.filter(kept => state.openStudies.has(kept.studyInstanceUID)).reverse();
  const slides = useSyncExternalStore(session.slides.results.subscribe, session.slides.results.all).filter(slide => state.openStudies.has(slide.studyInstanceUID)).reverse();
  // Masks that the viewer loads can be compared.
  useSyncExternalStore(session.masks.seen.subscribe, session.masks.seen.get, session.masks.seen.get);
  const { reading, isKnown } = useSyncExternalStore(session.comparing.readings.state.subscribe, session.comparing.readings.state.get);
  const count = results.length + slides.length;
  // Whether a reading is on takes a moment to be read.
  if (!isKnown) return <div className="ovr" data-overread="panel"><style>{styles}</style><p className="ovr-muted">Reading what this browser keeps…</p></div>;
  if (reading && currentCase(reading)) {
    return (
      <div className="ovr" data-overread="panel">
        <style>{styles}</style>
        <BlindedReading readings={session.comparing.readings} comparing={session.comparing} reading={reading} />
      </div>
    );
  }
  return (
    <div className="ovr" data-overread="panel">
      <style>{styles}</style>
      <h1>AI</h1>
      {state.viewerNote && <div data-overread="viewer-note"><Message tone="warning" title="Unknown viewer" text={state.viewerNote} /></div>}
      <RunSection session={session} state={state} />
      <section aria-label="AI results">
        <h2>
          Results <span className="ovr-count">{count || ''}</span>
        </h2>
        {count > 0 && <OverlayControls session={session} overlay={state.overlay} shown={state.overlaysShown} picture={state.hasImage && !state.hasSlide} masks={slides.length > 0 || results.some(({ result }) => result.kind === 'labelmap')} />}
        <SlideCards session={session} slides={slides} overlaysShown={state.overlaysShown} />
        {(results.length > 0 || slides.length === 0) && <ResultList session={session} results={results} overlaysShown={state.overlaysShown} />}
      </section>
      <CompareSection comparing={session.comparing} />
      <BlindedSection readings={session.comparing.readings} comparing={session.comparing} />
      <GrowthSection session={session} growth={session.growth} canCount={canCount(state)} />
      <DotsSection session={session} hasImage={state.hasImage || state.hasSlide} />
      <TranslationAuditSection session={session} />
      <SiteAuditSection />
      <TrainingSection session={session} />
      <DeviceLine device={state.device} />
      <AuditRow audit={session.audit} />
    </div>
  );
}
