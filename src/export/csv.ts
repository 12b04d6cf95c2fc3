export type CsvCell = string | number | boolean | undefined;

/**
 * Lines of cells as CSV (RFC 4180: commas, CRLF). What is undefined is empty. A text that a spreadsheet would take for a
 * formula, such as a label that begins with '=', gets an apostrophe before it (OWASP, "CSV Injection").
 */
export function csv(lines: readonly (readonly CsvCell[])[]): string {
  return lines.map(cells => `${cells.map(cell).join(',')}\r\n`).join('');
}

function cell(value: CsvCell): string {
  const plain = value === undefined ? '' : String(value);
  const text = typeof value === 'string' && /^[=+\-@\t\r]/.test(value) ? `'${plain}` : plain;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
