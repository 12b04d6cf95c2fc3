import type { Command } from 'commander';
import { isOverreadError, OverreadError } from '../errors.ts';
import { scoresCsv } from '../export/scores-csv.ts';
import type { OutOfDistribution, ScoresResult } from '../results/result.ts';
import { taskOf } from '../tasks/index.ts';
import { isTiled } from '../tasks/tiled.ts';
import { inferFiles } from './infer-files.ts';
import { inferSlides } from './infer-slides.ts';
import type { InferEntry, LabelmapJson, ScoresJson } from './infer-json.ts';
import { inputFiles } from './input-files.ts';
import { checkFolder } from './io/write-file.ts';
import { modelOptions, openModel, type ModelOptions } from './open-model.ts';
import type { TilesRunner } from './model-runner.ts';
import { namedReading, namedSeries } from './modality-inputs.ts';
import { readingsOf } from './image-inputs.ts';
import { isSeriesAddress, slideAt, slidesAmong, type SlideReading } from './slide-inputs.ts';
import { ExitStatus, table, terminal, type Terminal } from './terminal.ts';

interface InferOptions extends ModelOptions {
  readonly json?: boolean;
  readonly csv?: boolean;
  readonly out?: string;
  readonly dicom?: boolean;
  readonly overlay?: boolean;
  readonly instances?: boolean;
  readonly resume?: boolean;
  readonly readGlass?: boolean;
  readonly level?: string;
  readonly opticalPath?: string;
  readonly dicomwebAuth?: string;
  readonly as?: readonly string[];
}

const HELP = `
A named file is always an input. In a folder, with its sub-folders, files with the signature or extension of DICOM, PNG,
JPEG or NIfTI are inputs; others, DICOMDIR and hidden files are skipped with a note. Each frame of a multi-frame file is
a result of its own, unless its frames make a volume and the model reads volumes. A model of several views gets the
pictures of a study together, one frontal and one lateral; either may be missing. A model of several MR series (mri-hemis)
gets those of a study together, each known by its attributes; --as says it of files and folders that do not say it themselves.

A model that reads in tiles (nuclei-unet) reads whole slides: the files of a series together, or a DICOMweb series by its
address (http…/studies/UID/series/UID), frame by frame. With --out, tiles are kept as they come: Ctrl-C stops, and the same
command with --resume goes on. The mask of a small slide is a PNG, of a large one a pyramidal BigTIFF. A tile that cannot be
read is listed in --json and has the value 255 in the mask. Where the model's manifest has input.tissue, tiles that show
nothing but glass are not read: they are counted in --json and have the value 254. --read-glass reads them too.

Exit status: 0 every input gave a result, 2 some were refused or have tiles that could not be read, 1 a fault, 130 stopped.`;

export function register(program: Command): void {
  modelOptions(program.command('infer'))
    .description('run a model on DICOM, PNG and JPEG files')
    .argument('[files...]', 'files, folders to walk, addresses of DICOMweb series of slides')
    .option('--json', 'print one JSON array, an object a result')
    .option('--csv', 'of a model that gives scores: print a CSV, a line a score')
    .option('--out <folder>', 'write labelmaps here: PNG of a plane, NIfTI of a volume; of counts the markers: CSV, GeoJSON (QuPath), PNG of dots')
    .option('--overlay', 'with --out: also write a picture with the outlines drawn; not of slides')
    .option('--instances', 'with --out: also write the objects, of a model that tells them apart: a 16-bit PNG, a number an object; of slides a CSV of places and sizes')
    .option('--dicom', 'with --out: also write DICOM objects (SEG, SR TID 1500, Parametric Map); the inputs must be DICOM; not of slides')
    .option('--as <modality=file...>', 'of a model of several MR series: what each file, or folder of slices, is: --as T1=a.nii.gz FLAIR=b.nii.gz')
    .option('--resume', 'with --out: go on with a slide that was stopped')
    .option('--read-glass', 'of a slide, read what shows nothing but glass too')
    .option('--level <n>', 'of a slide, read this level: 0 is the finest')
    .option('--optical-path <id>', 'of a slide with several, read this one')
    .option('--dicomweb-auth <user:password>', 'for a DICOMweb server that asks for them; OVERREAD_DICOMWEB_AUTH keeps them out of the process list')
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
  if (options.instances && options.out === undefined) {
    throw new OverreadError('cli/usage', 'Expected --out FOLDER with --instances, got none. Say where the objects go.');
  }
  if (options.csv && options.json) throw new OverreadError('cli/usage', 'Expected --csv or --json, got both. Choose one.');
  if ((paths.length === 0) === (options.as === undefined)) throw new OverreadError('cli/usage', 'Expected files and folders, or --as MODALITY=FILE, got neither or both. Name the images in one way.');
  if (options.dicom && options.out === undefined) {
    throw new OverreadError('cli/usage', 'Expected --out FOLDER with --dicom, got none. Say where the objects go.');
  }
  if (options.out !== undefined) checkFolder(options.out);
  const addresses = paths.filter(isSeriesAddress);
  const local = paths.filter(path => !isSeriesAddress(path));
  const { files, skipped } = local.length ? inputFiles(local) : { files: [], skipped: [] };
  if (skipped.length) note(`Skipped ${skipped.length} file${skipped.length > 1 ? 's' : ''} that look like no image: ${shortened(skipped)}`);
  const runner = await openModel(options, note);
  const scored: ScoresResult[] = [];
  try {
    const { kind } = taskOf(runner.manifest);
    if (options.csv && kind !== 'scores') {
      throw new OverreadError('cli/usage', `Expected a model that gives scores with --csv, got ${kind} from ${runner.manifest.id}. Use --json.`, { expected: 'scores', got: kind });
    }
    if (options.out !== undefined && !options.dicom && kind !== 'labelmap' && kind !== 'points') {
      throw new OverreadError('cli/usage', `Expected a model that gives labelmaps or points with --out, got ${kind} from ${runner.manifest.id}. Leave --out away; --csv and --json print scores, and --dicom writes them as DICOM.`, { expected: 'labelmap', got: kind });
    }
    if (options.instances && !runner.manifest.output.instances) {
      throw new OverreadError('cli/usage', `Expected a model that tells objects apart with --instances, got ${runner.manifest.id}, whose manifest has no output.instances. Leave --instances away.`, { expected: 'output.instances' });
    }
    const { slides, others } = isTiled(runner.manifest) ? await slidesAmong(files) : { slides: [] as SlideReading[], others: files };
    const auth = options.dicomwebAuth ?? process.env.OVERREAD_DICOMWEB_AUTH;
    slides.push(...addresses.map(address => slideAt(address, auth)));
    checkSlideOptions(options, slides.length);
    if (options.dicom && slides.length > 0) throw new OverreadError('cli/usage', `Expected images for --dicom, got the slide ${slides[0]!.files[0]}. Leave --dicom away: its mask is written as a picture.`, { got: slides[0]!.files[0] });
    const readings = options.as ? [await namedReading(namedSeries(options.as, runner.manifest), runner.synthesisRules)] : await readingsOf(others, runner);
    const ofSlides = await stoppable(runner, note, () => inferSlides(slides, {
      runner, note,
      ...(options.out !== undefined && { out: options.out }),
      ...(options.resume && { resume: true }),
      ...(options.readGlass && { readGlass: true }),
      ...(options.instances && { instances: true }),
      ...(options.level !== undefined && { level: Number(options.level) }),
      ...(options.opticalPath !== undefined && { opticalPath: options.opticalPath }),
    }));
    if (!ofSlides) return ExitStatus.stopped;
    const ofFiles = await inferFiles(readings, {
      runner,
      out: options.out,
      overlay: options.overlay,
      instances: options.instances,
      dicom: options.dicom,
      onResult: result => {
        if (result.kind === 'scores') scored.push(result);
      },
      onDone: (reading, of, index) => note(`[${index + 1}/${readings.length}] ${reading.files.length > 5 ? shortened(reading.files) : reading.files.join(' ')}${summary(of)}`),
    });
    const entries = [...ofSlides.entries, ...ofFiles.entries];
    const status = worst(ofSlides.status, ofFiles.status);
    if (options.json) print(JSON.stringify(entries, undefined, 2));
    else if (options.csv) print(scoresCsv(scored).trimEnd());
    else for (const line of table(entries.flatMap(rows))) print(line);
    return status;
  } finally {
    await runner.close();
  }
}

/** Lets Ctrl-C end the work between two tiles. @returns undefined when it did */
async function stoppable<T>(runner: TilesRunner, note: (line: string) => void, work: () => Promise<T>): Promise<T | undefined> {
  const stop = () => runner.stop();
  process.once('SIGINT', stop);
  try {
    return await work();
  } catch (error) {
    if (!isOverreadError(error, 'job/cancelled')) throw error;
    note(error.message);
    return undefined;
  } finally {
    process.removeListener('SIGINT', stop);
  }
}

function worst(a: number, b: number): number {
  return [ExitStatus.fault, ExitStatus.refused].find(status => status === a || status === b) ?? ExitStatus.ok;
}

/** @throws OverreadError `cli/usage` for what would not be heeded */
function checkSlideOptions({ resume, readGlass, out, level, opticalPath }: InferOptions, slides: number): void {
  if (resume && out === undefined) throw new OverreadError('cli/usage', 'Expected --out FOLDER with --resume, got none. Give the folder of the run that was stopped.');
  if (level !== undefined && !/^\d+$/.test(level)) throw new OverreadError('cli/usage', `Expected a whole number from 0 for --level, got '${level}'.`, { got: level });
  const given = Object.entries({ '--resume': resume, '--read-glass': readGlass, '--level': level, '--optical-path': opticalPath }).find(([, value]) => value !== undefined);
  if (given && slides === 0) throw new OverreadError('cli/usage', `Expected a slide with ${given[0]}, got none, or a model that reads none. Leave ${given[0]} away.`, { got: given[0] });
}

function summary(entries: readonly InferEntry[]): string {
  const [error] = entries.flatMap(e => (e.error ? [e.error] : []));
  return error ? `: ${error.code}: ${error.message}` : '';
}

export function rows({ sources, result, timingMs, error }: InferEntry): string[][] {
  const [first] = sources;
  const name = first === undefined ? '' : 'file' in first ? first.file : `${first.sopInstanceUID}${first.frame > 1 ? ` frame ${first.frame}` : ''}`;
  if (error || !result) return [[name, 'refused', error?.code ?? '']];
  const ms = timingMs ? `${Math.round(timingMs.encode + timingMs.predict + timingMs.decode)} ms` : '';
  switch (result.kind) {
    case 'labelmap':
      return [
        ...result.segments.map(s => [name, s.label, `${s.pixels} px`, measure(s.areaMm2, 'mm²') || measure(s.volumeMm3, 'mm³'), ms, result.file ?? '', series(result), mark(result)]),
        ...(result.objects ? [[name, 'objects', `${result.objects.count}`, result.objects.pixels ? `median ${result.objects.pixels.median} px` : '', ms, result.objects.file ?? '', mark(result)]] : []),
      ];
    case 'scores':
      return result.scores.map(s => [name, s.label, s.probability.toFixed(3), s.positive ? 'positive' : '', s.operatingPoint === undefined ? '' : `at ${s.operatingPoint.toFixed(3)}`, views(result), ms, mark(result)]);
    case 'points': {
      const { count, interval, level = 0, classes, cellsPerMm2, remarks = [], files = [] } = result;
      const between = interval ? `${(100 * level).toFixed(0)} %: ${interval[0].toFixed(1)} to ${interval[1].toFixed(1)}` : '';
      const ofClasses = Object.keys(classes).length > 1 ? Object.entries(classes).map(([label, n]) => `${label} ${n.toFixed(1)}`).join(', ') : '';
      return [[name, Object.keys(classes).join(' + '), `${count.toFixed(1)} cells`, between, cellsPerMm2 === undefined ? '' : `${cellsPerMm2.toFixed(0)} cells/mm²`, ofClasses, ms, files.join(' '), remarks.join('; '), mark(result)]];
    }
    case 'heatmap':
      return [[name, result.label, result.range.map(v => v.toFixed(3)).join(' to '), '', ms]];
  }
}

/** 'T1, FLAIR (guessed), no T2' */
function series({ modalities }: LabelmapJson): string {
  if (!modalities) return '';
  const used = modalities.used.map(({ modality, guessed, placement }) => {
    const remarks = [guessed && 'guessed', placement.kind === 'registered' && `registered to ${placement.registration.repeatabilityMm.toFixed(1)} mm`].filter(Boolean);
    return remarks.length ? `${modality} (${remarks.join(', ')})` : modality;
  });
  return [...used, ...modalities.missing.map(modality => `no ${modality}`)].join(', ');
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
