import { isOverreadError, toOverreadError, type OverreadError } from '../errors.ts';
import type { Image } from '../image/image.ts';
import type { Result } from '../results/result.ts';
import type { ImageInput } from './image-inputs.ts';
import { refusedEntry, resultEntry, type InferEntry } from './infer-json.ts';
import { writeLabelmap, writeOverlay } from './io/result-files.ts';
import type { ModelRunner } from './model-runner.ts';
import { planesOf } from './planes.ts';
import { ExitStatus } from './terminal.ts';

export interface InferFilesOptions {
  readonly runner: ModelRunner;
  /** Folder for labelmaps; none are written without it. */
  readonly out?: string;
  /** Write a picture with outlines beside each labelmap. */
  readonly overlay?: boolean;
  /** Called with every result, as it is made. */
  readonly onResult?: (result: Result) => void;
  /** Called as each input is done, with what is printed of it. */
  readonly onDone?: (input: ImageInput, entries: readonly InferEntry[], index: number) => void;
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
export async function inferFiles(inputs: readonly ImageInput[], options: InferFilesOptions): Promise<InferFilesReport> {
  const all: InferEntry[] = [];
  let refusedFile: string | undefined;
  for (const [index, input] of inputs.entries()) {
    if (input.frame !== undefined && input.frame > 1 && input.files[0] === refusedFile) continue;
    const entries = await inferOne(input, options);
    options.onDone?.(input, entries, index);
    all.push(...entries);
    if ((input.frame ?? 1) === 1) refusedFile = entries[0]?.error?.code === 'input/refused' ? input.files[0] : undefined;
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
      const result = await runner.run([plane]);
      options.onResult?.(result);
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
