import fs from 'node:fs';
import { parse } from 'csv-parse/sync';
import { OverreadError } from '../../errors.ts';
import type { Truths } from './agreement.ts';

/**
 * Reads truths: a CSV with the columns study (StudyInstanceUID), label and value (0 or 1).
 * @throws OverreadError `dataset/invalid`, naming the line; `input/unreadable`
 */
export function readTruths(file: string): Truths {
  let text: string;
  try {
    text = fs.readFileSync(file, 'utf8');
  } catch (error) {
    throw new OverreadError('input/unreadable', `Expected a CSV of truths in ${file}, but it cannot be read (${(error as NodeJS.ErrnoException).code}). Check the path.`, { got: file }, error);
  }
  let rows: Record<string, string>[];
  try {
    rows = parse(text, { columns: true, bom: true, trim: true, skip_empty_lines: true }) as Record<string, string>[];
  } catch (error) {
    throw new OverreadError('dataset/invalid', `Expected a CSV in ${file}: ${(error as Error).message}. Mend it.`, { got: file }, error);
  }
  const truths = new Map<string, Map<string, boolean>>();
  rows.forEach(({ study, label, value }, i) => {
    if (!study || !label || (value !== '0' && value !== '1')) {
      throw new OverreadError('dataset/invalid', `Expected study, label and a value of 0 or 1 in line ${i + 2} of ${file}, got ${JSON.stringify(rows[i])}. Mend the line, or leave out what is not known.`, { expected: ['study', 'label', 'value'], got: rows[i] });
    }
    truths.set(study, (truths.get(study) ?? new Map<string, boolean>()).set(label, value === '1'));
  });
  return truths;
}
