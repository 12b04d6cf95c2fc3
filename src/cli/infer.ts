import type { Command } from 'commander';
import { OverreadError } from '../errors.ts';
import { scoresCsv } from '../export/scores-csv.ts';
import type { OutOfDistribution, ScoresResult } from '../results/result.ts';
import { taskOf } from '../tasks/index.ts';
import { inferFiles } from './infer-files.ts';
import type { InferEntry, ScoresJson } from './infer-json.ts';
import { inputFiles } from './input-files.ts';
import { checkFolder } from './io/write-file.ts';
import { modelOptions, openModel, type ModelOptions } from './open-model.ts';
import { readingsOf } from './image-inputs.ts';
import { table, terminal, type Terminal } from './terminal.ts';

interface InferOptions extends ModelOptions {
  readonly json?: boolean;
  readonly csv?: boolean;
  readonly out?: string;
  readonly overlay?: boolean;
}

const HELP = `
A named file is always an input. In a folder, with its sub-folders, files with the signature or extension of DICOM, PNG,
JPEG or NIfTI are inputs; others, DICOMDIR and hidden files are skipped with a note. Each frame of a multi-frame file is
a result of its own, unless its frames make a volume and the model reads volumes. A model of several views gets the
pictures of a study together, one frontal and one lateral; either may be missing.

Exit status: 0 every input gave a result, 2 some were refused, 1 a fault.`;

export function register(program: Command): void {
  modelOptions(program.command('infer'))
    .description('run a model on DICOM, PNG and JPEG files')
    .argument('<files...>', 'files, and folders to walk')
    .option('--json', 'print one JSON array, an object a result')
    .option('--csv', 'of a model that gives scores: print a CSV, a line a score')
    .option('--out <folder>', 'write labelmaps here: PNG of a plane, NIfTI of a volume')
    .option('--overlay', 'with --out: also write a picture with the outlines drawn')
    .addHelpText('after', HELP)
    .action(async (paths: string[], options: InferOptions) => {
      process.exitCode = await infer(paths, options);
    });
}

/** @returns the exit status */
export async function infer(paths: readonly string[], options: InferOptions, { print, note }: Terminal = terminal): Promise<number> {
  if (options.overlay && options.out === undefined) {
    throw new OverreadError('cli/usage', 'Expected --out FOLDER with --overlay, got none. Say where the pictures go.');
  }
  if (options.csv && options.json) throw new OverreadError('cli/usage', 'Expected --csv or --json, got both. Choose one.');
  if (options.out !== undefined) checkFolder(options.out);
  const { files, skipped } = inputFiles(paths);
  if (skipped.length) note(`Skipped ${skipped.length} file${skipped.length > 1 ? 's' : ''} that look like no image: ${shortened(skipped)}`);
  const runner = await openModel(options, note);
  const scored: ScoresResult[] = [];
  try {
    const { kind } = taskOf(runner.manifest);
    if (options.csv && kind !== 'scores') {
      throw new OverreadError('cli/usage', `Expected a model that gives scores with --csv, got ${kind} from ${runner.manifest.id}. Use --json.`, { expected: 'scores', got: kind });
    }
    if (options.out !== undefined && kind !== 'labelmap') {
      throw new OverreadError('cli/usage', `Expected a model that gives labelmaps with --out, got ${kind} from ${runner.manifest.id}. Leave --out away; --csv and --json print scores.`, { expected: 'labelmap', got: kind });
    }
    const readings = await readingsOf(files, runner.manifest);
    const { entries, status } = await inferFiles(readings, {
      runner,
      out: options.out,
      overlay: options.overlay,
      onResult: result => {
        if (result.kind === 'scores') scored.push(result);
      },
      onDone: (reading, of, index) => note(`[${index + 1}/${readings.length}] ${reading.files.join(' ')}${summary(of)}`),
    });
    if (options.json) print(JSON.stringify(entries, undefined, 2));
    else if (options.csv) print(scoresCsv(scored).trimEnd());
    else for (const line of table(entries.flatMap(rows))) print(line);
    return status;
  } finally {
    await runner.close();
  }
}

function summary(entries: readonly InferEntry[]): string {
  const [error] = entries.flatMap(e => (e.error ? [e.error] : []));
  return error ? `: ${error.code}: ${error.message}` : '';
}

function rows({ sources, result, timingMs, error }: InferEntry): string[][] {
  const [first] = sources;
  const name = first === undefined ? '' : 'file' in first ? first.file : `${first.sopInstanceUID}${first.frame > 1 ? ` frame ${first.frame}` : ''}`;
  if (error || !result) return [[name, 'refused', error?.code ?? '']];
  const ms = timingMs ? `${Math.round(timingMs.encode + timingMs.predict + timingMs.decode)} ms` : '';
  switch (result.kind) {
    case 'labelmap':
      return result.segments.map(s => [name, s.label, `${s.pixels} px`, measure(s.areaMm2, 'mm²') || measure(s.volumeMm3, 'mm³'), ms, result.file ?? '', mark(result)]);
    case 'scores':
      return result.scores.map(s => [name, s.label, s.probability.toFixed(3), s.positive ? 'positive' : '', s.operatingPoint === undefined ? '' : `at ${s.operatingPoint.toFixed(3)}`, views(result), ms, mark(result)]);
    case 'heatmap':
      return [[name, result.label, result.range.map(v => v.toFixed(3)).join(' to '), '', ms]];
  }
}

function views({ viewsUsed, viewsMissing, viewsFrom }: ScoresJson): string {
  return [...viewsUsed.map(view => (viewsFrom[view] === 'ViewPosition' ? view : `${view} (${viewsFrom[view]})`)), ...viewsMissing.map(view => `no ${view}`)].join(', ');
}

/** Of a result that was made although the gate refused the picture. */
export function mark({ outOfDistribution }: { readonly outOfDistribution?: OutOfDistribution }): string {
  return outOfDistribution?.refused ? `NOT FOR THIS MODEL: ${outOfDistribution.reason ?? 'refused by its gate'}` : '';
}

function measure(value: number | undefined, unit: string): string {
  return value === undefined ? '' : `${value.toFixed(0)} ${unit}`;
}

function shortened(files: readonly string[]): string {
  return files.slice(0, 5).join(', ') + (files.length > 5 ? ', …' : '');
}
