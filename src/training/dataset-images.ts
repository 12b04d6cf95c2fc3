import { OverreadError } from '../errors.ts';
import { isInstanceReference, type Image } from '../image/image.ts';
import type { ModelManifest } from '../manifest.ts';
import type { DatasetImage, DatasetItem } from './dataset.ts';

/** Of several views of a labelled subject those that the model reads; a mask belongs to an only image. */
export function imagesOf({ id, images }: DatasetItem, { id: model, input }: ModelManifest, { ofPixels }: { readonly ofPixels: boolean }): readonly DatasetImage[] {
  if (input.fusion) return images;
  const { modalities } = input;
  if (modalities) return seriesOf(id, images, model, modalities);
  const read = input.viewPosition?.map(view => view.toUpperCase());
  const fitting = images.length > 1 && !ofPixels ? images.filter(({ view }) => view !== undefined && read?.includes(view.toUpperCase())) : images;
  if (fitting.length === 1) return fitting;
  throw new OverreadError('input/refused', `Expected one image that ${model} reads in '${id}', got ${images.length} images, ${fitting.length} of which would do.`, { got: images.length });
}

/** Of a subject's MR series those that the model reads; the data set says which each is. */
function seriesOf(id: string, images: readonly DatasetImage[], model: string, modalities: readonly string[]): readonly DatasetImage[] {
  const read = images.filter(({ modality }) => modality !== undefined && modalities.includes(modality));
  if (read.length > 0) return read;
  throw new OverreadError('input/refused', `Expected at least one of ${modalities.join(', ')} for ${model} in '${id}', got none of them. Say images[].modality in the data set.`, { expected: modalities });
}

/** The image with what the data set knows of it, where the file itself does not say. */
export function described(image: Image, { view, modality }: DatasetImage, { id, patientId }: DatasetItem, { input: { modalities } }: ModelManifest): Image {
  const { attributes } = image;
  const mrModality = modalities?.find(name => name === modality);
  return {
    ...image,
    sources: image.sources.map(source => (isInstanceReference(source) ? source : { ...source, study: id })),
    modality: image.modality !== 'OT' || modality === undefined ? image.modality : mrModality ? 'MR' : modality,
    attributes: { ...attributes, patientID: attributes.patientID ?? patientId, viewPosition: attributes.viewPosition ?? view, ...(mrModality && { mrModality }) },
  };
}
