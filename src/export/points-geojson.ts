import { OverreadError } from '../errors.ts';
import { written, type PointRecord } from './point-records.ts';

/** QuPath and GeoJSON count from a pixel's corner, index coordinates from its centre. */
const CORNER = 0.5;

/**
 * Points as GeoJSON as QuPath 0.4 and later writes it: a feature collection with one annotation of points (MultiPoint) a
 * class, in pixels from the picture's corner, so that the first pixel's centre is at 0.5, 0.5. Confidences have no place in it.
 * @param colours sRGB 0..255 by class
 * @param newId makes the id that QuPath gives each object
 */
export function pointsGeoJson(points: readonly PointRecord[], colours: ReadonlyMap<string, readonly [number, number, number]> = new Map(), newId: () => string = () => crypto.randomUUID()): string {
  const byClass = new Map<string | undefined, [number, number][]>();
  for (const { x, y, className } of points) {
    const there = byClass.get(className) ?? [];
    there.push([written(x + CORNER), written(y + CORNER)]);
    byClass.set(className, there);
  }
  const features = [...byClass].map(([name, coordinates]) => {
    const color = name === undefined ? undefined : colours.get(name);
    return {
      type: 'Feature',
      id: newId(),
      geometry: { type: 'MultiPoint', coordinates },
      properties: { objectType: 'annotation', ...(name !== undefined && { classification: { name, ...(color && { color }) } }) },
    };
  });
  return JSON.stringify({ type: 'FeatureCollection', features });
}

/**
 * Reads points from GeoJSON: what QuPath exports (a feature collection, a list of features or one) with geometries Point and
 * MultiPoint; the class is the classification's name, of older versions' `names` the most special one.
 * @param file its name, for the messages
 * @throws OverreadError `dataset/invalid` for what is no GeoJSON, and for other geometries: an outline has no one place
 */
export function parsePointsGeoJson(text: string, file: string): PointRecord[] {
  return featuresOf(parsed(text, file), file).flatMap((feature, i) => {
    const { geometry, properties } = feature as { geometry?: unknown; properties?: unknown };
    const { type, coordinates } = (geometry ?? {}) as { type?: unknown; coordinates?: unknown };
    if (type !== 'Point' && type !== 'MultiPoint') {
      throw invalid(file, 'points', `a ${String(type ?? 'feature without a geometry')} as feature ${i + 1}`, 'Export annotations of points only.');
    }
    const className = classOf(properties);
    return (type === 'Point' ? [coordinates] : Array.isArray(coordinates) ? (coordinates as unknown[]) : [coordinates]).map(place => {
      const [x, y] = Array.isArray(place) ? (place as unknown[]) : [];
      if (typeof x !== 'number' || typeof y !== 'number') throw invalid(file, 'two numbers a point', `${JSON.stringify(place)} in feature ${i + 1}`, 'Export the points again.');
      return { x: x - CORNER, y: y - CORNER, ...(className !== undefined && { className }) };
    });
  });
}

function parsed(text: string, file: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw invalid(file, 'GeoJSON', (error as Error).message, 'Export it again.');
  }
}

function featuresOf(json: unknown, file: string): readonly unknown[] {
  if (Array.isArray(json)) return json;
  const { type, features } = (typeof json === 'object' && json !== null ? json : {}) as { type?: unknown; features?: unknown };
  if (type === 'FeatureCollection' && Array.isArray(features)) return features;
  if (type === 'Feature') return [json];
  throw invalid(file, 'a FeatureCollection, a list of features or a Feature', `${String(type ?? typeof json)}`, 'Export the points from QuPath as GeoJSON.');
}

function classOf(properties: unknown): string | undefined {
  const { classification } = (properties ?? {}) as { classification?: { name?: unknown; names?: unknown } };
  if (typeof classification?.name === 'string' && classification.name !== '') return classification.name;
  const last = Array.isArray(classification?.names) ? (classification.names.at(-1) as unknown) : undefined;
  return typeof last === 'string' && last !== '' ? last : undefined;
}

function invalid(file: string, expected: string, got: string, advice: string): OverreadError {
  return new OverreadError('dataset/invalid', `Expected ${expected} in ${file}, got ${got}. ${advice}`, { expected, got, file });
}
