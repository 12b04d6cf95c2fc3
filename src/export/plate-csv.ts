import Papa from 'papaparse';
import { OverreadError } from '../errors.ts';
import type { GrowthSeries } from '../results/growth.ts';
import { wellOf } from '../results/plate.ts';

/** Which well a series is of, and what it was given. */
export interface PlateMap {
  /** By SeriesDescription or SeriesInstanceUID, where the file names series. */
  readonly wellOfSeries: ReadonlyMap<string, string>;
  /** By well, such as 'B03'. */
  readonly conditionOf: ReadonlyMap<string, string>;
}

const COLUMNS = ['series', 'well', 'condition'];

/**
 * Reads which series is which well, and what the wells were given: a header with `well`, and `series` or `condition` or both.
 * @param file its name, for the messages
 * @throws OverreadError `dataset/invalid` for other columns, for what is no well of a plate of 96, and for two conditions of one well
 */
export function parsePlateCsv(text: string, file: string): PlateMap {
  const { data: [header = [], ...lines] } = Papa.parse<string[]>(text.replace(/^\uFEFF/, ''), { skipEmptyLines: 'greedy', delimitersToGuess: [',', ';', '\t'] });
  const names = header.map(name => name.trim().toLowerCase());
  if (!names.includes('well') || names.length < 2 || names.some(name => !COLUMNS.includes(name)) || new Set(names).size !== names.length) {
    throw invalid(file, 'the column well, and series or condition or both, each once', header.join(', ') || 'an empty file', 'Name them in the first line');
  }
  const wellOfSeries = new Map<string, string>();
  const conditionOf = new Map<string, string>();
  lines.forEach((cells, i) => {
    const cell = (name: string) => cells[names.indexOf(name)]?.trim() ?? '';
    const well = wellOf(cell('well'));
    if (!well) throw invalid(file, `a well from A1 to H12 in line ${i + 2}`, `'${cell('well')}'`, 'Mend the line');
    const series = cell('series');
    if (names.includes('series') && series === '') throw invalid(file, `a series in line ${i + 2}`, 'none', 'Mend the line');
    const condition = cell('condition');
    for (const [map, key, value] of [[wellOfSeries, series, well.name], [conditionOf, well.name, condition]] as const) {
      if (key === '' || value === '') continue;
      const before = map.get(key);
      if (before !== undefined && before !== value) throw invalid(file, `one ${map === conditionOf ? 'condition' : 'well'} of ${key}`, `${before} and ${value}`, 'Mend the lines');
      map.set(key, value);
    }
  });
  return { wellOfSeries, conditionOf };
}

/** Counts against time as CSV (RFC 4180), a line a picture, and on each the doubling time of its series; what is not known is empty. */
export function growthCsv(series: readonly GrowthSeries[]): string {
  const fields = ['series', 'subject', 'condition', 'time', 'hours', 'count', 'low', 'high', 'level', 'doubling_hours', 'doubling_low', 'doubling_high', 'no_growth_because'];
  const data = series.flatMap(({ name, points, growth }) => {
    const { doublingHours, doublingInterval } = growth.kind === 'growing' ? growth : {};
    return points.map(({ subject, condition, at, hours, count, interval }) => [
      name, subject, condition ?? '', new Date(at).toISOString(), hours, count, interval?.low ?? '', interval?.high ?? '', interval?.level ?? '',
      doublingHours ?? '', doublingInterval?.low ?? '', doublingInterval?.high ?? '', growth.kind === 'none' ? growth.reason : '',
    ]);
  });
  return `${Papa.unparse({ fields, data }, { newline: '\r\n', escapeFormulae: true })}\r\n`;
}

function invalid(file: string, expected: string, got: string, advice: string): OverreadError {
  return new OverreadError('dataset/invalid', `Expected ${expected} in ${file}, got ${got}. ${advice}.`, { expected, got, file });
}
