import path from 'node:path';
import { pointRecords } from '../../export/point-records.ts';
import { pointsCsv } from '../../export/points-csv.ts';
import { pointsGeoJson } from '../../export/points-geojson.ts';
import { pointsPng } from '../../export/points-png.ts';
import type { PointsResult } from '../../results/points.ts';
import { resultStem } from './result-files.ts';
import { writeFile } from './write-file.ts';

/** Writes a count's markers under `folder`, as CSV, GeoJSON and a PNG of dots. @returns the files */
export async function writePoints(result: PointsResult, folder: string, input: string): Promise<string[]> {
  const points = pointRecords(result);
  const labels = result.classes.map(({ target }) => target.label);
  const colours = new Map(result.classes.flatMap(({ target }) => (target.color ? [[target.label, target.color] as const] : [])));
  const stem = path.join(folder, resultStem(result, input));
  const written = [
    [`${stem}.csv`, pointsCsv(points)],
    [`${stem}.geojson`, pointsGeoJson(points, colours)],
    [`${stem}.dots.png`, await pointsPng(points, labels, result.source.shape)],
  ] as const;
  for (const [file, content] of written) writeFile(file, content);
  return written.map(([file]) => file);
}
