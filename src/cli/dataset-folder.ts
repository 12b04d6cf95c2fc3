import fs from 'node:fs';
import path from 'node:path';
import { OverreadError } from '../errors.ts';
import { parseDataset, type Dataset } from '../training/dataset.ts';

export interface DatasetFolder {
  readonly dataset: Dataset;
  /** The absolute path of a file that the data set names. */
  resolve(relative: string): string;
}

/**
 * Reads a data set from its folder or its `dataset.json`.
 * @throws OverreadError `dataset/invalid`
 */
export function readDatasetFolder(where: string): DatasetFolder {
  const given = path.resolve(where);
  const file = fs.existsSync(given) && fs.statSync(given).isDirectory() ? path.join(given, 'dataset.json') : given;
  const folder = path.dirname(file);
  return { dataset: parseDataset(readJson(file), file), resolve: relative => path.join(folder, relative) };
}

/**
 * Patient or item ids: a text file with one a line, a JSON array, or a JSON object of arrays (a recipe's `split.json`:
 * `{ "train": […], "validation": […] }`) of which `split` names one.
 * @throws OverreadError `dataset/invalid`
 */
export function readIds(file: string, split?: string): ReadonlySet<string> {
  const fail = (expected: string, got: unknown): never => {
    throw new OverreadError('dataset/invalid', `Expected ${expected} in ${file}, got ${String(got)}.`, { expected, got });
  };
  const text = readText(file);
  if (!/^\s*[[{]/.test(text)) return new Set(text.split(/\r?\n/).map(line => line.trim()).filter(line => line !== '' && !line.startsWith('#')));
  const json = readJson(file);
  const lists = json as Record<string, unknown>;
  if (Array.isArray(json) && split !== undefined) return fail(`an object with '${split}'`, 'one array');
  const list = Array.isArray(json) ? json : split === undefined ? fail('an array, or --split to name one of these', Object.keys(lists).join(', ')) : lists[split];
  if (!Array.isArray(list)) return fail(`an array '${split}'`, Object.keys(lists).join(', ') || 'nothing');
  return new Set(list.map(id => (typeof id === 'string' || typeof id === 'number' ? String(id) : fail('ids', JSON.stringify(id)))));
}

function readJson(file: string): unknown {
  const text = readText(file);
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new OverreadError('dataset/invalid', `Expected JSON in ${file}: ${(error as Error).message}.`, { expected: 'JSON', got: file }, error);
  }
}

function readText(file: string): string {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch (error) {
    throw new OverreadError('dataset/invalid', `Cannot read ${file}: ${(error as Error).message}. Give the data set's folder, or a list that exists.`, { got: file }, error);
  }
}
