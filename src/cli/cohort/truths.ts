import fs from 'node:fs';
import Papa from 'papaparse';
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
  const { data: rows } = Papa.parse<Record<string, string | undefined>>(text.replace(/^\uFEFF/, ''), { header: true, skipEmptyLines: 'greedy', transformHeader: name => name.trim().toLowerCase() });
  const truths = new Map<string, Map<string, boolean>>();
  rows.forEach((row, i) => {
    const [study, label, value] = [row.study, row.label, row.value].map(cell => cell?.trim());
    if (!study || !label || (value !== '0' && value !== '1')) {
      throw new OverreadError('dataset/invalid', `Expected study, label and a value of 0 or 1 in line ${i + 2} of ${file}, got ${JSON.stringify(row)}. Mend the line, or leave out what is not known.`, { expected: ['study', 'label', 'value'], got: row });
    }
    truths.set(study, (truths.get(study) ?? new Map<string, boolean>()).set(label, value === '1'));
  });
  return truths;
}
