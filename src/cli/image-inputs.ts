import fs from 'node:fs/promises';
import type { SynthesisRule } from '../dicom/synthesis.ts';
import { OverreadError } from '../errors.ts';
import { groupSeries, imageFromFile, type Image, type InputFile } from '../image/index.ts';
import type { ModelRunner } from './model-runner.ts';

/** One image to read: a file, a frame of one, or the files of a series. */
export interface ImageInput {
  readonly files: readonly string[];
  /** Set where one frame of several is meant; counts from 1. */
  readonly frame?: number;
  readonly studyInstanceUID?: string;
  /** @throws OverreadError `input/*` */
  open(): Promise<Image>;
}

/** What a model is run on at once: an image, or the pictures of one study. */
export interface Reading {
  readonly files: readonly string[];
  readonly images: readonly ImageInput[];
  readonly frame?: number;
}

/**
 * Files, by their paths or already at hand, as a model reads them: a model of volumes gets the slices of a series together, a model of several MR series those
 * of a study, a model of several views the
 * pictures of a study, a model of planes every file by itself. A file that cannot be read stays in the list; opening it
 * says why.
 */
export async function readingsOf(files: readonly (string | InputFile)[], { manifest, synthesisRules: rules }: Pick<ModelRunner, 'manifest' | 'synthesisRules'>): Promise<Reading[]> {
  const readable = files.map(file => (typeof file === 'string' ? inputFile(file) : file));
  if (manifest.input.layout === 'NDHWC') return (await grouped(readable, rules)).map(alone);
  if (manifest.input.modalities) return byStudy(await grouped(readable, rules));
  const each: ImageInput[] = [];
  for (const file of readable) each.push(...(await grouped([file], rules)));
  return manifest.input.fusion ? byStudy(each) : each.map(alone);
}

function alone(image: ImageInput): Reading {
  return { files: image.files, images: [image], ...(image.frame !== undefined && { frame: image.frame }) };
}

/** In the order of each study's first file. A picture that names no study is read by itself. */
function byStudy(images: readonly ImageInput[]): Reading[] {
  const studies = new Map<string | ImageInput, ImageInput[]>();
  for (const image of images) {
    const key = image.studyInstanceUID ?? image;
    studies.set(key, [...(studies.get(key) ?? []), image]);
  }
  return [...studies.values()].map(of => ({ files: of.flatMap(({ files }) => files), images: of }));
}

/** Files as images: the slices of a series make one. */
export function groupedInputs(files: readonly string[], synthesisRules?: readonly SynthesisRule[]): Promise<ImageInput[]> {
  return grouped(files.map(inputFile), synthesisRules);
}

/** @throws OverreadError `input/*` */
export async function openFile(file: string): Promise<Image> {
  return imageFromFile(await inputFile(file).read(), file);
}

async function grouped(files: readonly InputFile[], synthesisRules?: readonly SynthesisRule[]): Promise<ImageInput[]> {
  const { inputs, refused } = await groupSeries(files, undefined, synthesisRules);
  return [...inputs, ...refused.map(({ file, error }) => ({ files: [file], open: () => Promise.reject(error) }))];
}

export function inputFile(name: string): InputFile {
  return {
    name,
    async read() {
      try {
        return await fs.readFile(name);
      } catch (error) {
        const got = (error as NodeJS.ErrnoException).code ?? String(error);
        const what = got === 'ENOENT' ? 'there is no such file' : `it cannot be read (${got})`;
        throw new OverreadError('input/unreadable', `Expected an image in ${name}, but ${what}. Check the path.`, { expected: 'a file', got, file: name }, error);
      }
    },
  };
}
