import fs from 'node:fs/promises';
import { JsonSet } from '../dicom/json-set.ts';
import { readFileHeader } from '../dicom/node-header.ts';
import { isOverreadError } from '../errors.ts';
import type { SlideInput } from '../engine.ts';
import { openSlideFiles } from '../image/node-slide-files.ts';
import { dicomWebFrames, dicomWebInstances } from '../image/slide/dicomweb-frames.ts';
import { WHOLE_SLIDE } from '../image/slide/slide-image.ts';

/** The files of one series of whole-slide images, or a series on a DICOMweb server. */
export interface SlideReading {
  /** Paths, or the address of the series. */
  readonly files: readonly string[];
  /** @throws OverreadError `input/*`, `network/*` */
  open(): Promise<Pick<SlideInput, 'instances' | 'frames'> & { close(): Promise<void> }>;
}

/** Takes the slides out of a list of files, by their headers: a slide is read by parts, never as a file. */
export async function slidesAmong(files: readonly string[]): Promise<{ slides: SlideReading[]; others: string[] }> {
  const series = new Map<string, string[]>();
  const others: string[] = [];
  for (const file of files) {
    const uid = await seriesOfSlide(file);
    if (uid === undefined) others.push(file);
    else series.set(uid, [...(series.get(uid) ?? []), file]);
  }
  const slides = [...series.values()].map(of => ({
    files: of,
    open: async () => {
      const opened = await openSlideFiles(of);
      return { instances: opened.instances, frames: opened, close: () => opened.close() };
    },
  }));
  return { slides, others };
}

/** Undefined for what is no slide; what cannot be read is left to those who say why. */
async function seriesOfSlide(name: string): Promise<string | undefined> {
  let file: fs.FileHandle;
  try {
    file = await fs.open(name);
  } catch {
    return undefined;
  }
  try {
    if (!(await startsAsPart10(file))) return undefined;
    const set = new JsonSet((await readFileHeader(file, name)).json);
    return set.string('00080016') === WHOLE_SLIDE ? (set.string('0020000E') ?? name) : undefined;
  } catch (error) {
    if (isOverreadError(error)) return undefined;
    throw error;
  } finally {
    await file.close();
  }
}

async function startsAsPart10(file: fs.FileHandle): Promise<boolean> {
  const head = Buffer.alloc(132);
  const stat = await file.stat();
  if (!stat.isFile()) return false;
  await file.read(head, 0, 132, 0);
  return head.toString('latin1', 128) === 'DICM';
}

/** True for the address of a DICOMweb series. */
export function isSeriesAddress(text: string): boolean {
  return /^https?:\/\/.+\/studies\/[0-9.]+\/series\/[0-9.]+\/?$/.test(text);
}

/** @param auth `user:password`, for a server that asks for them */
export function slideAt(url: string, auth?: string): SlideReading {
  const series = { url, ...(auth !== undefined && { headers: { Authorization: `Basic ${Buffer.from(auth).toString('base64')}` } }) };
  return {
    files: [url],
    open: async () => ({ instances: await dicomWebInstances(series), frames: dicomWebFrames(series), close: async () => {} }),
  };
}
