import type { InstanceReference } from '../../src/image/image.ts';
import { uncertaintyOf } from '../../src/results/uncertainty.ts';
import { sameSource, instanceReference, sourcesOf } from '../identity.ts';
import type { KeptResult } from '../results-store.ts';
import { activeViewportId, imageIdsOf } from '../sources/target.ts';
import type { Cornerstone, DicomInstance, Services } from '../types/ohif.ts';
import { pictureId } from './pseudonym.ts';

/** A picture that a model read and nobody labelled. */
export interface Unlabelled {
  readonly source: InstanceReference;
  /** As the viewer calls its series. */
  readonly name: string;
  /** 0 to 1 bit. */
  readonly uncertainty: number;
}

/** Of pictures that the model read and that have no label, those that it is least sure of first: they teach it most. */
export async function nextToLabel(results: readonly KeptResult[], modelId: string, labelled: ReadonlySet<string>, secret: Uint8Array): Promise<readonly Unlabelled[]> {
  const found: Unlabelled[] = [];
  for (const { result, unedited } of results) {
    const [source, ...others] = sourcesOf(result);
    const uncertainty = result.model.id === modelId ? uncertaintyOf(unedited?.kind === 'labelmap' ? unedited : result) : undefined;
    if (!source || others.length > 0 || uncertainty === undefined || labelled.has(await pictureId(source, secret))) continue;
    const { modality, attributes: { seriesDescription, viewPosition } } = result.source;
    found.push({ source, uncertainty, name: [modality, viewPosition, seriesDescription].filter(Boolean).join(' · ') });
  }
  return found.sort((a, b) => b.uncertainty - a.uncertainty);
}

/** Brings an image of an open study into the active viewport. @returns whether it is open */
export function showImage(services: Services, cornerstone: Cornerstone, source: InstanceReference): boolean {
  const viewportId = activeViewportId(services);
  if (viewportId === undefined) return false;
  for (const displaySet of services.displaySetService.getActiveDisplaySets()) {
    const index = imageIdsOf(displaySet).findIndex(imageId => sameSource(instanceReference(cornerstone.metaData.get('instance', imageId) as DicomInstance | undefined), source));
    if (index < 0) continue;
    services.viewportGridService.setDisplaySetsForViewport({ viewportId, displaySetInstanceUIDs: [displaySet.displaySetInstanceUID], viewportOptions: { initialImageOptions: { index } } });
    return true;
  }
  return false;
}
