import type { Intensity } from '../../src/results/intensity.ts';
import type { LabelmapResult } from '../../src/results/result.ts';
import { colorOf, cssColor } from '../overlays/colors.ts';
import type { Intensities } from '../segment-intensities.ts';
import { formatSize, lacksSpacing } from './format.ts';

/** Each segment with its area or volume and, where the image has one, its mean intensity. */
export function SegmentList({ result: { segments, source }, intensities }: { result: LabelmapResult; intensities: Intensities | undefined }) {
  const unit = source.modality === 'CT' ? ' HU' : '';
  const volume = source.shape[2] > 1;
  return (
    <>
      <table className="ovr-numbers" data-overread="segments">
        <thead className={intensities ? 'ovr-muted' : 'ovr-hidden'}>
          <tr><th scope="col">Segment</th><th scope="col">{volume ? 'Volume' : 'Area'}</th>{intensities && <th scope="col">Mean ± SD{unit}</th>}</tr>
        </thead>
        <tbody>
          {segments.map(segment => (
            <tr key={segment.segmentNumber} data-segment={segment.segmentNumber}>
              <th scope="row">
                <span className="ovr-swatch" style={{ background: cssColor(colorOf(segment.target, segment.segmentNumber)) }} />
                {segment.target.label}
              </th>
              <td data-overread="size">{segment.pixels === 0 ? 'not found' : formatSize(segment)}</td>
              {intensities && <td data-overread="intensity">{formatIntensity(intensities.get(segment.segmentNumber))}</td>}
            </tr>
          ))}
        </tbody>
      </table>
      {lacksSpacing(segments) && <p className="ovr-muted">The image states no pixel spacing, so there is no {volume ? 'volume' : 'area'}.</p>}
    </>
  );
}

/** '−712 ± 84'; three significant digits of the spread's scale are enough. */
export function formatIntensity(intensity: Intensity | undefined): string {
  if (!intensity) return '–';
  const { mean, standardDeviation: spread } = intensity;
  const scale = Math.max(Math.abs(mean), spread ?? 0);
  const digits = scale >= 100 ? 0 : scale >= 10 ? 1 : scale >= 1 ? 2 : 3;
  const text = (value: number) => value.toFixed(digits).replace('-', '−');
  return spread === undefined ? text(mean) : `${text(mean)} ± ${text(spread)}`;
}
