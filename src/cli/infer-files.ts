import { isOverreadError, toOverreadError, type OverreadError } from '../errors.ts';
import type { Image } from '../image/image.ts';
import type { Result } from '../results/result.ts';
import { refusedEntry, resultEntry, type InferEntry } from './infer-json.ts';
import { writeLabelmap, writeOverlay } from './io/result-files.ts';
import type { ModelRunner } from './model-runner.ts';
import { planesOf } from './planes.ts';
import { ExitStatus } from './terminal.ts';

/** One image to read: a file, or the files of a series. */
export interface ImageInput {
  readonly files: readonly string[];
  /** @throws OverreadError `input/*` */
  open(): Promise<Image>;
}

export interface InferFilesOptions {
  readonly runner: ModelRunner;
  /** Folder for labelmaps; none are written without it. */
  readonly out?: string;
  /** Write a picture with outlines beside each labelmap. */
  readonly overlay?: boolean;
  /** Called as each input is done, with what is printed of it. */
  readonly onDone?: (input: ImageInput, entries: readonly InferEntry[]) => void;
}

export interface InferFilesReport {
  readonly entries: readonly InferEntry[];
  readonly status: number;
}

/**
 * Runs a model over images, one after the other; one that fails does not stop the others. A model that reads planes is
 * run on every plane of an image with several (a multi-frame object), an entry each; when it refuses them for what they
 * are, there is one entry for all.
 */
export async function inferFiles(inputs: readonly ImageInput[], options: InferFilesOptions): Promise<InferFilesReport> {
  const all: InferEntry[] = [];
  for (const input of inputs) {
    const entries = await inferOne(input, options);
    options.onDone?.(input, entries);
    all.push(...entries);
  }
  return { entries: all, status: statusOf(all) };
}

async function inferOne(input: ImageInput, options: InferFilesOptions): Promise<InferEntry[]> {
  const { runner } = options;
  const refused = (error: OverreadError) => refusedEntry(runner.identity, runner.device.backend, input.files, error);
  let image: Image;
  try {
    image = await input.open();
  } catch (error) {
    return [refused(toOverreadError(error))];
  }
  const planes = runner.manifest.input.layout === 'NHWC' ? planesOf(image) : [image];
  const entries: InferEntry[] = [];
  for (const plane of planes) {
    try {
      const result = await runner.run(plane);
      entries.push(resultEntry(result, writeFiles(result, plane, input.files[0]!, options)));
    } catch (error) {
      entries.push(refused(toOverreadError(error)));
      if (isOverreadError(error, 'input/refused') && entries.length === 1) break;
    }
  }
  return entries;
}

function writeFiles(result: Result, image: Image, input: string, { out, overlay }: InferFilesOptions): string | undefined {
  if (out === undefined) return undefined;
  if (overlay) writeOverlay(result, image, out, input);
  return writeLabelmap(result, out, input);
}

/** `refused` when all that failed were inputs; a failed model or device is a fault. */
function statusOf(entries: readonly InferEntry[]): number {
  const errors = entries.flatMap(e => (e.error ? [e.error.code] : []));
  if (errors.length === 0) return ExitStatus.ok;
  return errors.every(isRefusal) ? ExitStatus.refused : ExitStatus.fault;
}

/** Too large for the device is a refusal too: the input is at fault, on this machine. */
function isRefusal(code: string): boolean {
  return code.startsWith('input/') || code === 'device/limit';
}
