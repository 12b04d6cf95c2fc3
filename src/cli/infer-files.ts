import { isOverreadError, toOverreadError } from '../errors.ts';
import { isInstanceReference, type Image } from '../image/image.ts';
import type { Result } from '../results/result.ts';
import { taskOf } from '../tasks/index.ts';
import { readsModalities, referenceFirst } from '../tasks/modalities.ts';
import type { Reading } from './image-inputs.ts';
import { refusedEntry, resultEntry, type InferEntry } from './infer-json.ts';
import { checkDicom, writeDicom } from './io/dicom-objects.ts';
import { writePoints } from './io/points-files.ts';
import { writeInstances, writeLabelmap, writeOverlay } from './io/result-files.ts';
import type { ModelRunner } from './model-runner.ts';
import { planesOf } from './planes.ts';
import { ExitStatus } from './terminal.ts';

export interface InferFilesOptions {
  readonly runner: ModelRunner;
  /** Folder for labelmaps and markers; none are written without it. */
  readonly out?: string;
  /** Write a picture with outlines beside each labelmap. */
  readonly overlay?: boolean;
  /** Write the objects beside each labelmap, of a model that tells them apart. */
  readonly instances?: boolean;
  /** With `out`: write DICOM objects of each result; sources that are no DICOM images are refused. */
  readonly dicom?: boolean;
  /** Called with every result, as it is made. */
  readonly onResult?: (result: Result) => void;
  /** Called as each input is done, with what is printed of it. */
  readonly onDone?: (reading: Reading, entries: readonly InferEntry[], index: number) => void;
}

export interface InferFilesReport {
  readonly entries: readonly InferEntry[];
  readonly status: number;
}

/**
 * Runs a model over images, one after the other; one that fails does not stop the others. A model that reads planes is
 * run on every frame of a multi-frame file and every plane of a volume, an entry each; when it refuses the first for
 * what it is, that entry stands for all.
 */
export async function inferFiles(readings: readonly Reading[], options: InferFilesOptions): Promise<InferFilesReport> {
  const all: InferEntry[] = [];
  let refusedFile: string | undefined;
  for (const [index, reading] of readings.entries()) {
    const { files, frame = 1 } = reading;
    if (frame > 1 && files[0] === refusedFile) continue;
    const entries = await inferOne(reading, options);
    options.onDone?.(reading, entries, index);
    all.push(...entries);
    if (frame === 1) refusedFile = entries[0]?.error?.code === 'input/refused' ? files[0] : undefined;
  }
  return { entries: all, status: statusOf(all) };
}

async function inferOne(reading: Reading, options: InferFilesOptions): Promise<InferEntry[]> {
  const { runner } = options;
  const { manifest } = runner;
  const refused = (files: readonly string[], error: unknown) => refusedEntry(runner.identity, runner.device.backend, files, toOverreadError(error));
  const entries: InferEntry[] = [];
  const images: Image[] = [];
  for (const input of reading.images) {
    try {
      const image = await input.open();
      // Of a study, what the model does not read at all must not keep it from the rest.
      if (reading.images.length > 1) taskOf(manifest).accept([image], manifest);
      images.push(image);
    } catch (error) {
      entries.push(refused(input.files, error));
    }
  }
  if (images.length === 0) return entries;
  const whole = readsModalities(manifest);
  if (whole) images.splice(0, images.length, ...referenceFirst(images));
  const runs = images.length === 1 && manifest.input.layout === 'NHWC' && !whole ? planesOf(images[0]!).map(plane => [plane]) : [images];
  for (const [i, run] of runs.entries()) {
    try {
      if (options.dicom) checkDicom(run);
      const result = await runner.run(run);
      options.onResult?.(result);
      const input = (run.length > 1 && fileOf(run[0]!)) || reading.files[0]!;
      const entry = resultEntry(result, ...(await writeFiles(result, run[0]!, input, options)));
      const dicom = options.dicom && options.out !== undefined ? writeDicom(result, run[0]!, reading, { folder: options.out, input, algorithm: manifest.algorithm }) : undefined;
      entries.push(dicom ? { ...entry, dicom } : entry);
    } catch (error) {
      entries.push(refused(reading.files, error));
      if (isOverreadError(error, 'input/refused') && i === 0) break;
    }
  }
  return entries;
}

/** The file that a labelmap is named after: of several series, that of the one whose grid it has. */
function fileOf({ sources: [source] }: Image): string | undefined {
  return source && !isInstanceReference(source) ? source.file : undefined;
}

async function writeFiles(result: Result, image: Image, input: string, { out, overlay, instances }: InferFilesOptions): Promise<[labelmap?: string, instances?: string, points?: readonly string[]]> {
  if (out === undefined) return [];
  if (result.kind === 'points') return [undefined, undefined, await writePoints(result, out, input)];
  if (overlay) writeOverlay(result, image, out, input);
  return [writeLabelmap(result, out, input), instances ? writeInstances(result, out, input) : undefined];
}

/** `refused` when all that failed were inputs; a failed model or device is a fault. */
export function statusOf(entries: readonly Pick<InferEntry, 'error'>[]): number {
  const errors = entries.flatMap(e => (e.error ? [e.error.code] : []));
  if (errors.length === 0) return ExitStatus.ok;
  return errors.every(isRefusal) ? ExitStatus.refused : ExitStatus.fault;
}

/** Too large for the device is a refusal too: the input is at fault, on this machine. */
export function isRefusal(code: string): boolean {
  return code.startsWith('input/') || code === 'device/limit';
}
