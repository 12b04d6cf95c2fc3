import { useId } from 'react';
import { nearestStop, stopsOf } from '../../src/results/probability-planes.ts';
import type { LabelmapResult } from '../../src/results/result.ts';
import { thresholdsOf } from '../../src/results/rethreshold.ts';

interface SliderProps {
  readonly result: LabelmapResult;
  /** Moves the threshold of a segment. */
  readonly onMove: (segmentNumber: number, threshold: number) => void;
  /** Back to the operating points. */
  readonly onReset: () => void;
}

/** The probability at which a pixel counts, a slider a segment; nothing where the result keeps no probabilities. */
export function ThresholdSliders({ result, onMove, onReset }: SliderProps) {
  const { probabilities, segments, editedAt } = result;
  const thresholds = thresholdsOf(result);
  if (!probabilities || !thresholds) return null;
  const { operatingPoints } = probabilities;
  const moved = thresholds.some((threshold, i) => threshold !== operatingPoints[i]);
  const several = thresholds.length > 1;
  return (
    <div className="ovr-thresholds" role="group" aria-label="Thresholds">
      {thresholds.map((threshold, i) => (
        <ThresholdSlider
          key={i} name={several ? `Threshold, ${segments[i]!.target.label}` : 'Threshold'} threshold={threshold} operatingPoint={operatingPoints[i]!}
          disabled={editedAt !== undefined} onMove={value => onMove(i + 1, value)} segmentNumber={i + 1}
        />
      ))}
      <div className="ovr-row">
        <p className="ovr-muted">{moved ? 'Moved: not the mask that was tested.' : "At the model's operating point."}</p>
        <button type="button" className="ovr-button ovr-small" disabled={!moved || editedAt !== undefined} onClick={onReset} data-overread="threshold-reset">Reset</button>
      </div>
    </div>
  );
}

interface OneProps {
  readonly name: string;
  readonly threshold: number;
  readonly operatingPoint: number;
  readonly disabled: boolean;
  readonly segmentNumber: number;
  readonly onMove: (threshold: number) => void;
}

/** The thumb's width, of which a track loses one half on either side. */
const THUMB = 16;

function ThresholdSlider({ name, threshold, operatingPoint, disabled, segmentNumber, onMove }: OneProps) {
  const id = useId();
  const stops = stopsOf(operatingPoint);
  const percent = (value: number) => `${Number((100 * value).toFixed(2))} %`;
  const [low, high] = [stops[0]!, stops.at(-1)!];
  const tick = (operatingPoint - low) / (high - low);
  const move = (value: number) => {
    // The operating point catches the thumb, wherever it lies between two steps.
    const stop = nearestStop(stops, value);
    onMove(Math.abs(operatingPoint - value) < 0.0026 ? operatingPoint : stop);
  };
  return (
    <div className="ovr-slider ovr-threshold">
      <label htmlFor={id} className="ovr-row">
        <span>{name}</span>
        <output className="ovr-number" htmlFor={id}>{percent(threshold)}</output>
      </label>
      <div className="ovr-threshold-track">
        <input
          id={id} type="range" min={low} max={high} step={0.005} value={threshold} disabled={disabled}
          aria-valuetext={`${percent(threshold)}, the operating point is ${percent(operatingPoint)}`}
          onChange={event => move(Number(event.target.value))} data-overread="threshold" data-segment={segmentNumber}
        />
        <span className="ovr-threshold-tick" style={{ left: `calc(${(100 * tick).toFixed(2)}% + ${(THUMB * (0.5 - tick)).toFixed(2)}px)` }} title={`Operating point: ${percent(operatingPoint)}`} />
      </div>
    </div>
  );
}
