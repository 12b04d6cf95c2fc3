import { OverreadError } from '../../src/errors.ts';
import { isInstanceReference, type ImageReference } from '../../src/image/image.ts';
import { checkInside, pointRecords, type PointRecord } from '../../src/export/point-records.ts';
import type { DotsOrigin } from '../../src/results/dots.ts';
import type { PointsResult } from '../../src/results/points.ts';
import { colorOf } from '../overlays/colors.ts';

export const DOT_FORMATS = ['csv', 'geojson', 'png'] as const;
export type DotFormat = (typeof DOT_FORMATS)[number];

const TYPES: { readonly [F in DotFormat]: string } = { csv: 'text/csv', geojson: 'application/geo+json', png: 'image/png' };

/** Hands a file to the user. */
export function save(name: string, blob: Blob): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** A file of markers: CSV, GeoJSON as QuPath reads it, or a picture with a pixel a marker. */
export async function writeDots(result: PointsResult, format: DotFormat): Promise<{ readonly name: string; readonly blob: Blob }> {
  const records = pointRecords(result);
  const labels = result.classes.map(({ target }) => target.label);
  const [first] = result.source.sources;
  const picture = first && isInstanceReference(first) ? `${first.sopInstanceUID}${first.frame > 1 ? `-frame-${first.frame}` : ''}` : 'picture';
  const content = await {
    csv: async () => (await import('../../src/export/points-csv.ts')).pointsCsv(records),
    geojson: async () => {
      const { pointsGeoJson } = await import('../../src/export/points-geojson.ts');
      return pointsGeoJson(records, new Map(result.classes.map(({ target }, i) => {
        const [red, green, blue] = colorOf(target, i + 1);
        return [target.label, [red, green, blue] as const];
      })));
    },
    png: async () => (await import('../../src/export/points-png.ts')).pointsPng(records, labels, result.source.shape),
  }[format]();
  return { name: `${result.model.id}-${picture}.${format}`, blob: new Blob([content as BlobPart], { type: TYPES[format] }) };
}

/**
 * Reads markers from a file, by its name's ending, onto a picture.
 * @param known labels of classes that are there already; those of the file come after them
 * @throws OverreadError `dataset/invalid` for what is no such file, for places outside of the picture and a dots picture of another size
 */
export async function readDots(file: File, { shape }: Pick<ImageReference, 'shape'>, known: readonly string[]): Promise<DotsOrigin> {
  const records = await recordsOf(file, shape, known);
  checkInside(records, shape, file.name);
  const named = records.map(({ className }) => className ?? known[0] ?? 'Cell');
  const labels = [...new Set([...known, ...named])];
  if (labels.length > 255) {
    throw new OverreadError('dataset/invalid', `Expected at most 255 classes in ${file.name}, got ${labels.length}. Is a column of numbers named class?`, { expected: 255, got: labels.length });
  }
  return {
    coordinates: Float32Array.from(records.flatMap(({ x, y }) => [x, y])),
    classOf: Uint8Array.from(named, label => labels.indexOf(label)),
    labels,
  };
}

async function recordsOf(file: File, [columns, rows]: ImageReference['shape'], known: readonly string[]): Promise<readonly PointRecord[]> {
  const ending = /\.([a-z]+)$/i.exec(file.name)?.[1]?.toLowerCase();
  if (ending === 'csv' || ending === 'tsv' || ending === 'txt') return (await import('../../src/export/points-csv.ts')).parsePointsCsv(await file.text(), file.name);
  if (ending === 'geojson' || ending === 'json') return (await import('../../src/export/points-geojson.ts')).parsePointsGeoJson(await file.text(), file.name);
  if (ending !== 'png') {
    throw new OverreadError('dataset/invalid', `Expected a file of dots that ends in .csv, .geojson or .png, got ${file.name}.`, { expected: DOT_FORMATS, got: file.name });
  }
  const { parsePointsPng } = await import('../../src/export/points-png.ts');
  const read = await parsePointsPng(new Uint8Array(await file.arrayBuffer()), known.length > 0 ? known : ['Cell'], file.name);
  if (read.columns !== columns || read.rows !== rows) {
    throw new OverreadError('dataset/invalid', `Expected a picture of dots of ${columns} × ${rows} pixels, as the image has, got ${read.columns} × ${read.rows} in ${file.name}. It belongs to another image.`, { expected: [columns, rows], got: [read.columns, read.rows] });
  }
  return read.points;
}
