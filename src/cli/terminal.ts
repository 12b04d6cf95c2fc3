/**
 * What a command says, and where: stdout carries results only, so that it can be piped; progress, notes and errors go
 * to stderr.
 */
export const ExitStatus = {
  ok: 0,
  /** A fault: of ours, of the command line, of the model or of the device. */
  fault: 1,
  /** The command ran, and some inputs were refused. */
  refused: 2,
  /** Stopped by Ctrl-C, as shells count it. */
  stopped: 130,
} as const;

export interface Terminal {
  /** A line of a result. */
  print(line: string): void;
  /** A line for the person who waits. */
  note(line: string): void;
}

export const terminal: Terminal = {
  print: line => process.stdout.write(`${line}\n`),
  note: line => process.stderr.write(`${line}\n`),
};

/** Left-aligned columns, two spaces apart; numbers (cells that look like one) are right-aligned. */
export function table(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = [];
  for (const row of rows) row.forEach((cell, i) => (widths[i] = Math.max(widths[i] ?? 0, cell.length)));
  const isNumber = (cell: string) => /^[-+]?[\d.,]+( ?[a-zA-Zµ%²³×]+)?$/.test(cell);
  return rows.map(row => row.map((cell, i) => (isNumber(cell) ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!))).join('  ').trimEnd());
}
