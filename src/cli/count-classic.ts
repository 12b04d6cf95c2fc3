import { Option, type Command } from 'commander';
import { OverreadError } from '../errors.ts';
import { watershedParameters, WATERSHED_CHANNELS, type WatershedParameters } from '../tasks/count-watershed/parameters.ts';
import { classicRunner } from './classic-runner.ts';
import { readDatasetFolder, readIds } from './dataset-folder.ts';
import { above0, summary } from './eval.ts';
import { evalItems } from '../evaluation/items.ts';
import { readingsOf } from './image-inputs.ts';
import { rows } from './infer.ts';
import { inferFiles } from './infer-files.ts';
import { inputFiles } from './input-files.ts';
import { checkFolder } from './io/write-file.ts';
import { ExitStatus, table, terminal, type Terminal } from './terminal.ts';

interface ClassicOptions {
  readonly json?: boolean;
  readonly out?: string;
  readonly dataset?: string;
  readonly ids?: string;
  readonly split?: string;
  readonly matchRadius?: number;
  readonly channel?: string;
  readonly smoothing?: string;
  readonly threshold?: string;
  readonly minimumDistance?: string;
  readonly distanceSmoothing?: string;
  readonly minimumArea?: string;
  readonly maximumArea?: string;
}

const KNOBS = ['smoothing', 'minimumDistance', 'distanceSmoothing', 'minimumArea', 'maximumArea'] as const;

export function register(program: Command): void {
  const defaults = watershedParameters({});
  program.command('count-classic')
    .description('count cells without a model: a stain or channel, a threshold, a marker watershed')
    .argument('[files...]', 'files and folders to walk')
    .option('--json', 'print JSON, as infer and eval do')
    .option('--out <folder>', 'write the markers here: CSV, GeoJSON (QuPath), and a PNG of dots')
    .addOption(new Option('--channel <name>', 'where cells stand out').choices(WATERSHED_CHANNELS).default(defaults.channel))
    .option('--smoothing <px>', 'standard deviation of the Gaussian on the channel', String(defaults.smoothing))
    .option('--threshold <value>', "'otsu', or a value in the channel's scale: 0..1 of the picture's range, or a stain's optical density", String(defaults.threshold))
    .option('--minimum-distance <px>', 'between the middles of cells that touch', String(defaults.minimumDistance))
    .option('--distance-smoothing <px>', 'standard deviation of the Gaussian on the distances to the background', String(defaults.distanceSmoothing))
    .option('--minimum-area <px>', 'what is smaller is no cell', String(defaults.minimumArea))
    .option('--maximum-area <px>', 'what is larger is no cell; no limit when left out')
    .option('--dataset <folder>', 'measure it on a data set with dots or instances, as eval does')
    .option('--ids <file>', 'with --dataset: only these items')
    .option('--split <name>', 'with --ids: the array of the file to take')
    .option('--match-radius <px>', 'with --dataset: as of eval', above0)
    .action(async (files: string[], options: ClassicOptions) => {
      process.exitCode = await countClassic(files, options);
    });
}

/** @returns the exit status */
export async function countClassic(paths: readonly string[], options: ClassicOptions, { print, note }: Terminal = terminal): Promise<number> {
  if ((paths.length === 0) === (options.dataset === undefined)) throw new OverreadError('cli/usage', 'Expected files and folders, or --dataset FOLDER, got neither or both. Name the pictures in one way.');
  const runner = await classicRunner(parametersOf(options));
  if (options.dataset !== undefined) {
    const ids = options.ids === undefined ? undefined : readIds(options.ids, options.split);
    const { report } = await evalItems({
      runner, folder: readDatasetFolder(options.dataset), keepWorst: 0, ...(ids && { ids }), ...(options.matchRadius !== undefined && { matchRadius: options.matchRadius }),
      onDone: (id, i, n, said) => note(`[${i}/${n}] ${id}: ${said}`),
    });
    if (options.json) print(JSON.stringify(report, undefined, 2));
    else for (const line of summary(report)) print(line);
    return report.perItem.every(item => !item.error) ? ExitStatus.ok : ExitStatus.refused;
  }
  if (options.out !== undefined) checkFolder(options.out);
  const { files } = inputFiles(paths);
  const { entries, status } = await inferFiles(await readingsOf(files, runner), { runner, ...(options.out !== undefined && { out: options.out }) });
  if (options.json) print(JSON.stringify(entries, undefined, 2));
  else for (const line of table(entries.flatMap(rows))) print(line);
  return status;
}

function parametersOf(options: ClassicOptions): WatershedParameters {
  const typed = Object.fromEntries(KNOBS.flatMap(knob => (options[knob] === undefined ? [] : [[knob, Number(options[knob])]])));
  const { channel, threshold } = options;
  return watershedParameters({ ...typed, ...(channel && { channel }), ...(threshold !== undefined && { threshold: threshold === 'otsu' ? threshold : Number(threshold) }) });
}
