import fs from 'node:fs';
import path from 'node:path';
import { OverreadError } from '../errors.ts';
import { parseDataset, type Dataset, type DatasetFiles } from '../training/dataset.ts';
import { openFile } from './image-inputs.ts';

/**
 * Reads a data set from its folder or its `dataset.json`.
 * @throws OverreadError `dataset/invalid`
 */
export function readDatasetFolder(where: string): DatasetFiles {
  const given = path.resolve(where);
  const file = fs.existsSync(given) && fs.statSync(given).isDirectory() ? path.join(given, 'dataset.json') : given;
  return datasetIn(path.dirname(file), parseDataset(readJson(file), file));
}

/** A data set whose files lie in a folder. */
export function datasetIn(folder: string, dataset: Dataset): DatasetFiles {
  return {
    dataset,
    image: relative => openFile(path.join(folder, relative)),
    text: async relative => readText(path.join(folder, relative)),
  };
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
