import type { Command } from 'commander';
import path from 'node:path';
import { InvalidArgumentError } from 'commander';
import { OverreadError } from '../errors.ts';
import { readDatasetFolder, readIds } from './dataset-folder.ts';
import { evalItems } from '../evaluation/items.ts';
import type { Judged } from '../evaluation/masks.ts';
import type { EvalReport, LabelReport, Measured } from '../evaluation/report.ts';
import { overlayPng } from './io/overlay.ts';
import { segmentOutline } from './io/result-files.ts';
import { checkFolder, writeFile } from './io/write-file.ts';
import { modelOptions, openModel, type ModelOptions } from './open-model.ts';
import { ExitStatus, table, terminal, type Terminal } from './terminal.ts';

export interface EvalOptions extends ModelOptions {
  readonly dataset: string;
  readonly json?: boolean;
  readonly patients?: string;
  readonly ids?: string;
  readonly split?: string;
  readonly worst?: number;
  readonly out?: string;
  readonly matchRadius?: number;
}

export function register(program: Command): void {
  modelOptions(program.command('eval'))
    .description('measure a model on a labelled data set')
    .requiredOption('--dataset <folder>', 'folder with a dataset.json')
    .option('--json', 'print one JSON object')
    .option('--patients <file>', 'only these patients: one a line, a JSON array, or a JSON object of arrays with --split')
    .option('--ids <file>', 'only these items, as for --patients')
    .option('--split <name>', 'the array of the --patients or --ids file to take, such as validation')
    .option('--worst <n>', 'with --out: write pictures of the n worst masks, truth green, prediction red', wholeNumber)
    .option('--out <folder>', 'folder for the pictures')
    .option('--match-radius <px>', 'of counts: a marker so near to a cell is its own; default: half of the picture\'s median cell diameter, or 5 where the set has dots only', above0)
    .addHelpText('after', '\nIntervals: 95 %, percentile bootstrap over patients, 2000 resamples, fixed seed.\nExit status: 0 every item was scored, 2 the model refused some, 1 a fault.')
    .action(async (options: EvalOptions) => {
      process.exitCode = await evaluate(options);
    });
}

/** @returns the exit status */
export async function evaluate(options: EvalOptions, { print, note }: Terminal = terminal): Promise<number> {
  if ((options.worst === undefined) !== (options.out === undefined)) {
    throw new OverreadError('cli/usage', 'Expected --worst N and --out FOLDER together, got one of them.');
  }
  if (options.split !== undefined && options.patients === undefined && options.ids === undefined) {
    throw new OverreadError('cli/usage', 'Expected --patients FILE or --ids FILE with --split, got none. The split is one of the arrays in that file.');
  }
  if (options.out !== undefined) checkFolder(options.out);
  const folder = readDatasetFolder(options.dataset);
  const patients = options.patients === undefined ? undefined : readIds(options.patients, options.split);
  const ids = options.ids === undefined ? undefined : readIds(options.ids, options.split);
  const runner = await openModel(options, note);
  try {
    const { report, worst } = await evalItems({
      runner, folder, patients, ids,
      keepWorst: options.worst ?? 0,
      ...(options.matchRadius !== undefined && { matchRadius: options.matchRadius }),
      onDone: (id, i, n, said) => note(`[${i}/${n}] ${id}: ${said}`),
    });
    if (options.out !== undefined) writeWorst(worst, options.out, note);
    if (options.json) print(JSON.stringify(report, undefined, 2));
    else for (const line of summary(report)) print(line);
    return report.perItem.every(item => !item.error) ? ExitStatus.ok : ExitStatus.refused;
  } finally {
    await runner.close();
  }
}

export function summary({ model, dataset, n, metrics, leftOut = {}, labels = {}, counts: ofCells, perItem }: EvalReport): string[] {
  const refused = perItem.filter(item => item.error).length;
  const counts = Object.entries(labels);
  return [
    `${model.id} ${model.version} on ${dataset}: ${n} items${refused ? `, ${refused} refused` : ''}`,
    ...table(Object.entries(metrics).map(([name, metric]) => [name, metric.value.toFixed(4), interval(metric)])),
    ...(counts.length ? table([['LABEL', 'ITEMS', 'POSITIVE', 'PATIENTS'], ...counts.map(([label, c]) => [label, c.n, c.positives, c.patients].map(String))]) : []),
    ...absences(counts),
    ...emptied(leftOut, n),
    ...(ofCells ? countLines(ofCells) : []),
  ];
}

function countLines({ cells, medianMatchRadiusPixels, level, confusion }: NonNullable<EvalReport['counts']>): string[] {
  return [
    `${cells} cells; a marker within ${medianMatchRadiusPixels.toFixed(1)} px (median) of a cell is its own${level === undefined ? '' : `; intervals are to hold ${(100 * level).toFixed(0)} %`}`,
    ...(confusion ? table([['TRUE \\ FOUND', ...confusion.classes, 'MISSED'], ...confusion.classes.map((label, c) => [label, ...confusion.matched[c]!, confusion.missed[c]!].map(String)), ['SPURIOUS', ...confusion.spurious.map(String), '']]) : []),
  ];
}

/** What could not be computed and why, a line for all labels of which the same is true. */
function absences(counts: readonly [string, LabelReport][]): string[] {
  const lines = new Map<string, string[]>();
  for (const [label, { notComputable = {} }] of counts) {
    for (const [metric, why] of Object.entries(notComputable)) {
      const line = `No ${metric}, since ${why}: `;
      lines.set(line, [...(lines.get(line) ?? []), label]);
    }
  }
  return [...lines].map(([line, labels]) => line + labels.join(', '));
}

/** One line for all metrics that the same number of items lacks. */
function emptied(leftOut: NonNullable<EvalReport['leftOut']>, n: number): string[] {
  return [...new Set(Object.values(leftOut))].map(items => {
    const names = Object.keys(leftOut).filter(name => leftOut[name] === items);
    return `Without ${items} of ${n} items, where the truth or the mask is empty: ${names.join(', ')}`;
  });
}

function interval({ low, high }: Measured): string {
  return low === undefined || high === undefined ? '' : `95 % ${low.toFixed(4)} to ${high.toFixed(4)}`;
}

function writeWorst(worst: readonly Judged[], out: string, note: (line: string) => void): void {
  worst.forEach(({ id, image, truth, result, scores }, rank) => {
    const name = `${String(rank + 1).padStart(2, '0')}-dice-${scores.dice!.toFixed(4)}-${id.replace(/[^A-Za-z0-9_-]+/g, '_')}.png`;
    const prediction = { labels: segmentOutline(result).labels, color: () => [255, 60, 60] as const };
    writeFile(path.join(out, name), overlayPng(image, [{ labels: truth, color: () => [60, 230, 60] as const }, prediction]));
    note(`Worst ${rank + 1}: ${path.join(out, name)}`);
  });
}

export function wholeNumber(text: string): number {
  if (!/^[1-9]\d*$/.test(text)) throw new InvalidArgumentError('expected a whole number from 1');
  return Number(text);
}

export function above0(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value) || value <= 0) throw new InvalidArgumentError('expected a number above 0');
  return value;
}
