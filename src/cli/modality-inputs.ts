import { OverreadError } from '../errors.ts';
import { MR_MODALITIES, type MrModality } from '../dicom/mr.ts';
import type { SynthesisRule } from '../dicom/synthesis.ts';
import { isInstanceReference, type Image } from '../image/image.ts';
import type { ModelManifest } from '../manifest.ts';
import { readsModalities } from '../tasks/modalities.ts';
import { groupedInputs, type ImageInput, type Reading } from './image-inputs.ts';
import { inputFiles } from './input-files.ts';

/** A file or a folder of slices, and what it is by whoever named it. */
export interface NamedSeries {
  readonly modality: MrModality;
  readonly path: string;
}

/** Of files that name no study: whoever names several on one command line says that they belong together. */
const GIVEN_STUDY = 'the files named with --as';

/** 'T1=a.nii.gz' → T1 and its file. @throws OverreadError `cli/usage` */
export function namedSeries(texts: readonly string[], manifest: ModelManifest): NamedSeries[] {
  if (!readsModalities(manifest)) {
    throw new OverreadError('cli/usage', `Expected --as with a model that reads several MR series, got ${manifest.id}. Leave --as away, and name the files.`, { got: manifest.id });
  }
  return texts.map(text => {
    const [name = '', ...rest] = text.split('=');
    const modality = MR_MODALITIES.find(known => known.toLowerCase() === name.trim().toLowerCase());
    const path = rest.join('=');
    if (modality && path) return { modality, path };
    throw new OverreadError('cli/usage', `Expected --as MODALITY=FILE with one of ${MR_MODALITIES.join(', ')}, such as --as FLAIR=flair.nii.gz, got '${text}'.`, { expected: MR_MODALITIES, got: text });
  });
}

/**
 * What the model is run on at once: the series that were named, each as what it was said to be.
 * @throws OverreadError `input/unreadable` for a folder without images
 */
export async function namedReading(series: readonly NamedSeries[], synthesisRules?: readonly SynthesisRule[]): Promise<Reading> {
  const images: ImageInput[] = [];
  for (const { modality, path } of series) {
    const { files } = inputFiles([path]);
    const inputs = await groupedInputs(files, synthesisRules);
    if (inputs.length !== 1) {
      throw new OverreadError('input/modalities', `Expected one series in ${path}, named ${modality}, got ${inputs.length}. Name the folder of one series.`, { expected: 1, got: inputs.length });
    }
    images.push(...inputs.map(input => ({ ...input, files: input.files, open: async () => asModality(await input.open(), modality) })));
  }
  return { files: images.flatMap(({ files }) => files), images };
}

/** The image as somebody says that it is. */
export function asModality(image: Image, mrModality: MrModality, study = GIVEN_STUDY): Image {
  return {
    ...image,
    sources: image.sources.map(source => (isInstanceReference(source) ? source : { ...source, study })),
    attributes: { ...image.attributes, mrModality },
  };
}
