import { parquetWriteBuffer, type ColumnSource } from 'hyparquet-writer';
import { csv, type CsvCell } from '../../export/csv.ts';
import type { CohortRow } from './rows.ts';

/** Every column of {@link CohortRow}, in order, with its type. */
const COLUMNS = {
  study: 'STRING', picture: 'STRING', model: 'STRING', version: 'STRING', sha256: 'STRING', backend: 'STRING', kind: 'STRING', label: 'STRING', measure: 'STRING',
  value: 'DOUBLE', operatingPoint: 'DOUBLE', positive: 'BOOLEAN', error: 'STRING', reason: 'STRING',
} as const satisfies Record<keyof CohortRow, ColumnSource['type']>;

const names = Object.keys(COLUMNS) as (keyof CohortRow)[];

export function rowsCsv(rows: readonly CohortRow[]): string {
  return csv([names, ...rows.map(row => names.map((name): CsvCell => row[name]))]);
}

/** The same as Apache Parquet. */
export function rowsParquet(rows: readonly CohortRow[]): Uint8Array {
  const columnData = names.map(name => ({ name, type: COLUMNS[name], data: rows.map(row => row[name] ?? null), nullable: true }));
  return new Uint8Array(parquetWriteBuffer({ columnData }));
}
