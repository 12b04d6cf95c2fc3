import { OverreadError } from '../errors.ts';
import { hasRoomForBurntIn } from '../image/burnt-in.ts';
import type { Image } from '../image/image.ts';
import { heatmapPicture } from '../results/heatmap-picture.ts';
import type { HeatmapResult } from '../results/result.ts';
import { DerivedClass, derivedModules, parametersOf, referencedImage, referencedSeries, sourceOf, sourcesIn, type ExportContext } from './derived.ts';
import { code } from './identity.ts';
import { mapParameters } from './map-parameters.ts';
import type { DicomObject } from './part10.ts';
import { colourPixelModule } from './pixels.ts';

/** The number of steps between a map's lowest and its highest value, as it is stored beside its picture. */
export const MAP_LEVELS = 255;

/**
 * A heat map over its picture, with "not for diagnosis" burnt in, as Secondary Capture: for projection X-rays, on which no
 * Parametric Map can lie. The map's own values stand in 256 steps in a private element, so that it can come back as an
 * overlay.
 * @param image the pixels that the map lies on, one plane
 * @throws OverreadError as `sourceOf`; `input/refused` for a picture too small for the line
 */
export function saliencyCapture(result: HeatmapResult, image: Image, context: ExportContext): DicomObject {
  const { model, source, saliency } = result;
  const [columns, rows, slices] = source.shape;
  if (slices !== 1 || !hasRoomForBurntIn(columns, rows)) {
    throw new OverreadError('input/refused', `Expected one plane with room for the line that it is not for diagnosis, got ${columns} × ${rows} × ${slices} pixels. It is not written.`, { got: [columns, rows, slices] });
  }
  const sources = sourcesIn(source.sources, context);
  const first = sourceOf(source.sources[0]!, context);
  const rgb = heatmapPicture(image, result, { table: saliency?.signed ? 'coolwarm' : 'inferno', opacity: 0.6 });
  const { LossyImageCompression = '00', ...lossy } = first.lossy;
  return {
    ...derivedModules(result, sources, { sopClassUID: DerivedClass.secondaryCapture, modality: first.modality, description: `${model.name} ${model.version}: saliency of ${result.target.label}`, seriesNumber: 9300 }),
    ConversionType: 'WSD',
    ImageType: ['DERIVED', 'SECONDARY', 'OTHER', 'OVERREAD'],
    PatientOrientation: first.patientOrientation ? [...first.patientOrientation] : '',
    BodyPartExamined: first.bodyPartExamined,
    Laterality: first.laterality ?? (first.bodyPartExamined ? undefined : ''),
    ContentQualification: 'RESEARCH',
    DerivationDescription: parametersOf(result, mapParameters(result)).join('; ').slice(0, 1024),
    DerivationCodeSequence: [code('113098', 'DCM', 'Image enhancement')],
    ...colourPixelModule({ columns, rows, rgb }),
    LossyImageCompression,
    ...lossy,
    // Of the patient, nothing is burnt in.
    BurnedInAnnotation: 'NO',
    SourceImageSequence: [{ ...referencedImage(first), SpatialLocationsPreserved: 'YES', PurposeOfReferenceCodeSequence: [code('121322', 'DCM', 'Source image for image processing operation')] }],
    ...referencedSeries(sources),
    OverreadPrivateCreator: 'OVERREAD',
    OverreadMapLevels: levelsOf(result),
  };
}

/** Of even length, as DICOM has it. */
function levelsOf({ values, range: [low, high] }: HeatmapResult): ArrayBuffer {
  const levels = new Uint8Array(values.length + (values.length % 2));
  const scale = high > low ? MAP_LEVELS / (high - low) : 0;
  for (let i = 0; i < values.length; i++) levels[i] = Math.min(MAP_LEVELS, Math.max(0, Math.round((values[i]! - low) * scale)));
  return levels.buffer;
}
