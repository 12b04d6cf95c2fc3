import type { CountedRoi } from '../counting/roi-counts.ts';
import { formatCount } from './points-format.ts';

/** What lies in the regions that are drawn on the image; nothing where there are none. */
export function RoiTable({ rois, classes }: { rois: readonly CountedRoi[]; classes: readonly string[] }) {
  if (rois.length === 0) return null;
  const perMm2 = rois.some(({ cellsPerMm2 }) => cellsPerMm2 !== undefined);
  return (
    <table className="ovr-numbers" aria-label="Cells in regions" data-overread="rois">
      <thead className="ovr-muted">
        <tr><th scope="col">Region</th><th scope="col">Cells</th>{perMm2 && <th scope="col">/ mm²</th>}</tr>
      </thead>
      <tbody>
        {rois.map(roi => (
          <tr key={`${roi.annotationUID} ${roi.viewportId}`} data-overread="roi">
            <th scope="row">
              {roi.name}
              {/* Under the name: a column a class would not fit into the panel. */}
              <span className="ovr-roi-parts ovr-muted">{partsOf(roi, classes)}</span>
            </th>
            <td>{formatCount(roi.markers)}</td>
            {perMm2 && <td>{roi.cellsPerMm2 === undefined ? '–' : formatCount(roi.cellsPerMm2)}</td>}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** '19 Negative, 7 Positive; density 26.7' */
function partsOf({ classes: counts, density }: CountedRoi, classes: readonly string[]): string {
  const byClass = classes.length > 1 ? counts.map((n, i) => `${formatCount(n)} ${classes[i]!}`).join(', ') : '';
  return [byClass, density === undefined ? '' : `density ${formatCount(density)}`].filter(Boolean).join('; ');
}
