import Papa from 'papaparse';
import { OverreadError } from '../errors.ts';
import { written, type PointRecord } from './point-records.ts';

const COLUMNS = ['x', 'y', 'class', 'confidence'] as const;
type Column = (typeof COLUMNS)[number];

/**
 * Points as CSV (RFC 4180: commas, CRLF, UTF-8), a header and a line a point: x and y in pixels, a pixel's centre being a
 * whole number, the class, and the confidence; columns that no point has are left out. A class that a spreadsheet would
 * take for a formula gets an apostrophe before it (OWASP, "CSV Injection").
 */
export function pointsCsv(points: readonly PointRecord[]): string {
  const fields = COLUMNS.filter(column => column === 'x' || column === 'y' || points.some(point => point[column === 'class' ? 'className' : column] !== undefined));
  const rows = points.map(({ x, y, className, confidence }) => {
    const cells: { readonly [C in Column]: string | number } = { x: written(x), y: written(y), class: className ?? '', confidence: confidence === undefined ? '' : written(confidence) };
    return fields.map(field => cells[field]);
  });
  return `${Papa.unparse({ fields, data: rows }, { newline: '\r\n', escapeFormulae: true })}\r\n`;
}

/**
 * Reads what {@link pointsCsv} writes, and the `dots` of a data set: a header with `x` and `y`, and at most `class` and
 * `confidence`, in any order; separated by commas, semicolons or tabs.
 * @param file its name, for the messages
 * @throws OverreadError `dataset/invalid` for other columns, and for a line that holds no place
 */
export function parsePointsCsv(text: string, file: string): PointRecord[] {
  const { data: [header = [], ...lines] } = Papa.parse<string[]>(text.replace(/^\uFEFF/, ''), { skipEmptyLines: 'greedy', delimitersToGuess: [',', ';', '\t'] });
  const names = header.map(name => name.trim().toLowerCase());
  const unknown = names.filter(name => !(COLUMNS as readonly string[]).includes(name));
  if (unknown.length || !names.includes('x') || !names.includes('y') || new Set(names).size !== names.length) {
    throw new OverreadError('dataset/invalid', `Expected the columns x, y and at most class and confidence in ${file}, each once, got ${header.map(name => `'${name.trim()}'`).join(', ') || 'an empty file'}. Name them in the first line, in pixels.`, { expected: COLUMNS, got: header, file });
  }
  const [x, y, className, confidence] = COLUMNS.map(column => names.indexOf(column)) as [number, number, number, number];
  return lines.map((cells, i) => {
    const number = (at: number, column: string): number => {
      const cell = cells[at]?.trim() ?? '';
      if (cell !== '' && Number.isFinite(Number(cell))) return Number(cell);
      throw new OverreadError('dataset/invalid', `Expected a number as ${column} in line ${i + 2} of ${file}, got '${cell}'. Mend the line; decimals have a point.`, { expected: 'a number', got: cell, file });
    };
    const label = className < 0 ? '' : unescaped(cells[className]?.trim() ?? '');
    const sure = confidence < 0 || (cells[confidence]?.trim() ?? '') === '' ? undefined : number(confidence, 'confidence');
    if (sure !== undefined && !(sure >= 0 && sure <= 1)) throw new OverreadError('dataset/invalid', `Expected a confidence from 0 to 1 in line ${i + 2} of ${file}, got ${sure}.`, { expected: [0, 1], got: sure, file });
    return { x: number(x, 'x'), y: number(y, 'y'), ...(label && { className: label }), ...(sure !== undefined && { confidence: sure }) };
  });
}

function unescaped(label: string): string {
  return /^'[=+\-@\t\r]/.test(label) ? label.slice(1) : label;
}
