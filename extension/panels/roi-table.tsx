import type { CountedRoi } from '../counting/roi-counts.ts';
import { formatCount } from './points-format.ts';

/** What lies in the regions that are drawn on the image; nothing where there are none. */
export function RoiTable({ rois, classes }: { rois: readonly CountedRoi[]; classes: readonly string[] }) {
  if (rois.length === 0) return null;
  const several = classes.length > 1;
  const perMm2 = rois.some(({ cellsPerMm2 }) => cellsPerMm2 !== undefined);
  const density = rois.some(({ density }) => density !== undefined);
  return (
    <table className="ovr-numbers" aria-label="Cells in regions" data-overread="rois">
      <thead className="ovr-muted">
        <tr>
          <th scope="col">Region</th>
          {several && classes.map(name => <th key={name} scope="col">{name}</th>)}
          <th scope="col">Cells</th>
          {density && <th scope="col" title="The sum of the density inside">Σ</th>}
          {perMm2 && <th scope="col">/ mm²</th>}
        </tr>
      </thead>
      <tbody>
        {rois.map(roi => (
          <tr key={`${roi.annotationUID} ${roi.viewportId}`} data-overread="roi">
            <th scope="row">{roi.name}</th>
            {several && roi.classes.map((n, i) => <td key={i}>{formatCount(n)}</td>)}
            <td>{formatCount(roi.markers)}</td>
            {density && <td>{roi.density === undefined ? '–' : formatCount(roi.density)}</td>}
            {perMm2 && <td>{roi.cellsPerMm2 === undefined ? '–' : formatCount(roi.cellsPerMm2)}</td>}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
