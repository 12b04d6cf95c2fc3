import type { SynthesisRule } from '../../src/dicom/synthesis.ts';
import { synthesisedOf } from '../sources/attributes.ts';
import { imageIdsOf } from '../sources/target.ts';
import type { Cornerstone, DicomInstance, Services } from '../types/ohif.ts';
import type { SeriesChoice } from './auditor.ts';

/** Objects that hold no pictures to be read. */
const NO_PICTURES: readonly string[] = ['SEG', 'SR', 'RTSTRUCT', 'RTPLAN', 'RTDOSE', 'KO', 'PR', 'SM', 'ANN', 'DOC', 'ECG'];

/** The series of the studies that are open, with what says of them that they were synthesised. */
export function seriesChoices(services: Services, cornerstone: Cornerstone, rules?: readonly SynthesisRule[]): SeriesChoice[] {
  return services.displaySetService.getActiveDisplaySets().flatMap((displaySet): SeriesChoice[] => {
    const imageIds = imageIdsOf(displaySet);
    const instance = imageIds[0] === undefined ? undefined : (cornerstone.metaData.get('instance', imageIds[0]) as DicomInstance | undefined);
    const { Modality: modality = 'OT', SeriesDescription, SeriesNumber } = instance ?? {};
    if (!instance || NO_PICTURES.includes(modality)) return [];
    const synthesised = synthesisedOf(instance, rules);
    const name = SeriesDescription?.trim() || (SeriesNumber === undefined ? 'no description' : `series ${SeriesNumber}`);
    return [{
      displaySetInstanceUID: displaySet.displaySetInstanceUID, studyInstanceUID: displaySet.StudyInstanceUID, modality, imageIds,
      label: `${name} (${modality}, ${imageIds.length === 1 ? 'one image' : `${imageIds.length} images`})`, ...(synthesised !== undefined && { synthesised }),
    }];
  });
}
