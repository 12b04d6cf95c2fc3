/** A well of a plate of 96: rows A to H, columns 1 to 12. */
export interface Well {
  /** 'A01' … 'H12' */
  readonly name: string;
  /** From 0. */
  readonly row: number;
  /** From 0. */
  readonly column: number;
}

export const PLATE_ROWS = 8;
export const PLATE_COLUMNS = 12;

/** All wells, row by row. */
export const PLATE_WELLS: readonly Well[] = Array.from({ length: PLATE_ROWS * PLATE_COLUMNS }, (_, i) => wellAt(Math.floor(i / PLATE_COLUMNS), i % PLATE_COLUMNS));

/**
 * The well that a text names, such as a SeriesDescription: a letter A to H and a number 1 to 12 that stand for themselves
 * ('Well B3', 'plate1_B03_day2', 'b-03').
 * @returns undefined where none is named, and where several are: which one it is would be guessed
 */
export function wellOf(text: string): Well | undefined {
  const found = new Map<string, Well>();
  for (const [, row, column] of text.matchAll(/(?<![A-Za-z0-9])([A-Ha-h])[ _-]?(0?[1-9]|1[0-2])(?![0-9A-Za-z])/g)) {
    const well = wellAt(row!.toUpperCase().charCodeAt(0) - 65, Number(column) - 1);
    found.set(well.name, well);
  }
  return found.size === 1 ? [...found.values()][0] : undefined;
}

function wellAt(row: number, column: number): Well {
  return { name: `${String.fromCharCode(65 + row)}${String(column + 1).padStart(2, '0')}`, row, column };
}
