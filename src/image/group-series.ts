import { readImageInstance } from '../dicom/instance.ts';
import type { SynthesisRule } from '../dicom/synthesis.ts';
import { OverreadError, throwIfAborted, toOverreadError } from '../errors.ts';
import { imageFromFile, kindOfFile } from './file-image.ts';
import type { Image } from './image.ts';
import { framesMakeVolume, stacks, volumeFromInstances } from './instance-image.ts';

/** A file that can be read, more than once. */
export interface InputFile {
  readonly name: string;
  read(): Promise<Uint8Array>;
}

/** What makes one image: a file, a frame of one, or the files of a volume. */
export interface ImageInput {
  readonly files: readonly string[];
  readonly studyInstanceUID?: string;
  readonly seriesInstanceUID?: string;
  readonly modality?: string;
  /** Set where one frame of several is meant; counts from 1. */
  readonly frame?: number;
  /** Reads and decodes. @throws OverreadError `input/*`, `job/cancelled` */
  open(signal?: AbortSignal): Promise<Image>;
}

export interface RefusedFile {
  readonly file: string;
  readonly error: OverreadError;
}

export interface GroupedInputs {
  /** In the order of their first file. */
  readonly inputs: readonly ImageInput[];
  readonly refused: readonly RefusedFile[];
}

/** Results of others, not images: they hold pixels, but there is nothing in them for a model to read. */
const SEGMENTATIONS = new Set(['1.2.840.10008.5.1.4.1.1.66.4', '1.2.840.10008.5.1.4.1.1.66.7']);

/**
 * Sorts files into images: single-frame slices of a series that say where they lie (CT, MR, PT) make one volume, a
 * multi-frame that says where its frames lie makes one, other frames and pictures are an image each. Only headers are
 * kept: pixels are read by {@link ImageInput.open}.
 * @param synthesisRules of the site, on what was synthesised
 */
export async function groupSeries(files: readonly InputFile[], signal?: AbortSignal, synthesisRules?: readonly SynthesisRule[]): Promise<GroupedInputs> {
  const inputs: (ImageInput | Volume)[] = [];
  const refused: RefusedFile[] = [];
  const volumes = new Map<string, Volume>();
  for (const file of files) {
    throwIfAborted(signal);
    try {
      const bytes = await file.read();
      if (kindOfFile(bytes) !== 'dicom') {
        if (!kindOfFile(bytes)) await imageFromFile(bytes, file.name);
        inputs.push(single(file));
        continue;
      }
      const instance = readImageInstance(bytes);
      const { sopClassUID, modality, studyInstanceUID, seriesInstanceUID, pixelFormat: { numberOfFrames } } = instance;
      if (sopClassUID && SEGMENTATIONS.has(sopClassUID)) {
        throw new OverreadError('input/refused', `Expected an image, but ${file.name} is a segmentation. Choose the images that it was drawn on.`, { expected: 'an image', got: sopClassUID, file: file.name });
      }
      const known = { modality, ...(studyInstanceUID && { studyInstanceUID }), ...(seriesInstanceUID && { seriesInstanceUID }) };
      if (numberOfFrames > 1 && !framesMakeVolume(instance)) {
        for (let frame = 1; frame <= numberOfFrames; frame++) inputs.push(single(file, { ...known, frame }, synthesisRules));
      } else if (seriesInstanceUID && stacks(instance)) {
        const volume = volumes.get(seriesInstanceUID) ?? new Volume(seriesInstanceUID, modality, studyInstanceUID, synthesisRules);
        if (!volumes.has(seriesInstanceUID)) inputs.push(volume);
        volumes.set(seriesInstanceUID, volume);
        volume.add(file);
      } else inputs.push(single(file, known, synthesisRules));
    } catch (error) {
      refused.push({ file: file.name, error: toOverreadError(error) });
    }
  }
  return { inputs, refused };
}

function single(file: InputFile, known: Pick<ImageInput, 'studyInstanceUID' | 'seriesInstanceUID' | 'modality' | 'frame'> = {}, synthesisRules?: readonly SynthesisRule[]): ImageInput {
  return {
    ...known,
    files: [file.name],
    async open(signal) {
      throwIfAborted(signal);
      return imageFromFile(await file.read(), file.name, { ...(known.frame !== undefined && { frame: known.frame }), ...(synthesisRules && { synthesisRules }) });
    },
  };
}

class Volume implements ImageInput {
  private readonly slices: InputFile[] = [];
  constructor(readonly seriesInstanceUID: string, readonly modality: string, readonly studyInstanceUID?: string, private readonly synthesisRules?: readonly SynthesisRule[]) {}

  get files(): readonly string[] {
    return this.slices.map((s) => s.name);
  }

  add(slice: InputFile): void {
    this.slices.push(slice);
  }

  async open(signal?: AbortSignal): Promise<Image> {
    const read: { name: string; bytes: Uint8Array }[] = [];
    for (const slice of this.slices) {
      throwIfAborted(signal);
      read.push({ name: slice.name, bytes: await slice.read() });
    }
    return volumeFromInstances(read, this.synthesisRules);
  }
}
