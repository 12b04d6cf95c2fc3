import { useEffect, useState } from 'react';
import type { LabelmapResult } from '../../src/results/result.ts';
import type { Masks } from '../masks.ts';
import type { KeptResult } from '../results-store.ts';
import type { Intensities } from '../segment-intensities.ts';
import { formatObjects, formatWhen } from './format.ts';
import { SegmentList } from './segment-list.tsx';
import { ThresholdSliders } from './threshold-slider.tsx';

interface BodyProps {
  readonly masks: Masks;
  readonly kept: KeptResult;
  readonly result: LabelmapResult;
}

/** A mask: its segments in numbers, its thresholds, and what a reader did with it. */
export function LabelmapBody({ masks, kept, result }: BodyProps) {
  const intensities = useIntensities(masks, result);
  return (
    <>
      <SegmentList result={result} intensities={intensities} />
      {result.instances && <p className="ovr-number" data-overread="objects">{objectsText(result)}</p>}
      <ThresholdSliders
        result={result} onMove={(segmentNumber, threshold) => masks.edits.setThreshold(kept.key, segmentNumber, threshold)}
        onReset={() => masks.edits.resetThresholds(kept.key)}
      />
      {result.editedAt === undefined
        ? <button type="button" className="ovr-button ovr-small" title="Opens the viewer's segmentation panel on this mask" onClick={() => masks.editByHand(kept.key)} data-overread="edit-by-hand">Edit with brush and eraser</button>
        : <Edited editedAt={result.editedAt} thresholds={result.probabilities !== undefined} onDiscard={() => masks.edits.discard(kept.key)} />}
    </>
  );
}

/** '312 objects, 14 at the border; median 48.2 mm²' */
export function objectsText({ instances, source: { spacingMm } }: LabelmapResult): string {
  return instances ? formatObjects(instances, spacingMm) : '';
}

/** Says that the mask is not the model's any longer. Giving the edit up is asked for twice: nothing brings it back. */
export function Edited({ editedAt, thresholds, onDiscard }: { editedAt: string; thresholds: boolean; onDiscard: () => void }) {
  const [asking, ask] = useState(false);
  return (
    <div className="ovr-message ovr-warning" data-overread="edited">
      <p className="ovr-strong">Edited by the reader, <time dateTime={editedAt}>{formatWhen(editedAt)}</time></p>
      <p>The numbers are of the edited mask.{thresholds && ' Its threshold stands still: moving it would throw the edit away.'}</p>
      {asking ? (
        <p className="ovr-actions">
          <button type="button" className="ovr-button ovr-small" onClick={onDiscard} data-overread="discard-edits-really">Discard for good</button>
          <button type="button" className="ovr-button ovr-small" onClick={() => ask(false)}>Keep the edit</button>
        </p>
      ) : (
        <button type="button" className="ovr-button ovr-small" onClick={() => ask(true)} data-overread="discard-edits">Discard the edit…</button>
      )}
    </div>
  );
}

/** A slider's moves become one reading. */
const SETTLE_MS = 120;

function useIntensities(masks: Masks, result: LabelmapResult): Intensities | undefined {
  const [intensities, set] = useState<Intensities>();
  useEffect(() => {
    let gone = false;
    const timer = setTimeout(() => {
      // An image that cannot be read has no intensities; the run says why, where it matters.
      masks.intensities.of(result).catch(() => undefined).then(found => !gone && set(found));
    }, SETTLE_MS);
    return () => {
      gone = true;
      clearTimeout(timer);
    };
  }, [masks, result]);
  return intensities;
}

/** For the panel's style. */
export const labelmapCss = `
.ovr-thresholds, .ovr-threshold { display: flex; flex-direction: column; gap: 4px; }
.ovr-threshold-track { position: relative; display: flex; }
.ovr-threshold-tick { position: absolute; top: -2px; bottom: -2px; width: 2px; margin-left: -1px; background: hsl(0 0% 100%); box-shadow: 0 0 0 1px hsl(215 60% 8%); pointer-events: none; }
`;
