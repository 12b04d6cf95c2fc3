import { OverreadError } from '../../src/errors.ts';
import type { InstanceReference } from '../../src/image/image.ts';
import { instanceReference, sameSource, type Target } from '../identity.ts';
import type { Cornerstone, DicomInstance, DisplaySet, GridViewport, Services } from '../types/ohif.ts';

/** Its images; of one that was never on screen the viewer has them on its instances only. */
export function imageIdsOf({ imageIds, instances = [] }: DisplaySet): readonly string[] {
  return imageIds ?? instances.flatMap(({ imageId }) => imageId ?? []);
}

/** The viewer's instance of a frame, whether or not its image was ever on screen; undefined while its study is not open. */
export function instanceOf(services: Services, cornerstone: Cornerstone, source: InstanceReference): DicomInstance | undefined {
  for (const displaySet of services.displaySetService.getActiveDisplaySets()) {
    if (displaySet.StudyInstanceUID !== source.studyInstanceUID || displaySet.SeriesInstanceUID !== source.seriesInstanceUID) continue;
    for (const imageId of imageIdsOf(displaySet)) {
      const instance = cornerstone.metaData.get('instance', imageId) as DicomInstance | undefined;
      if (sameSource(instanceReference(instance), source)) return instance;
    }
  }
  return undefined;
}

/** The grid's viewports; none until OHIF's React providers have mounted, when its service still throws. */
export function gridViewports(services: Services): readonly GridViewport[] {
  try {
    return [...services.viewportGridService.getState().viewports].map(([viewportId, viewport]) => ({ ...viewport, viewportId }));
  } catch {
    return [];
  }
}

export function activeViewportId(services: Services): string | undefined {
  try {
    return services.viewportGridService.getActiveViewportId() ?? undefined;
  } catch {
    return undefined;
  }
}

/** The image that a viewport shows now, and the display set that it is of; undefined when it shows none. */
export function shownImage(services: Services, viewportId: string): { readonly imageId: string; readonly displaySet: DisplaySet } | undefined {
  const viewport = services.cornerstoneViewportService.getCornerstoneViewport(viewportId);
  const imageId = viewport?.getCurrentImageId?.();
  const grid = gridViewports(services).find(v => v.viewportId === viewportId);
  if (!imageId || !grid) return undefined;
  // A viewport may lay several display sets over each other, such as a stored segmentation over its images.
  for (const uid of grid.displaySetInstanceUIDs ?? []) {
    const displaySet = services.displaySetService.getDisplaySetByUID(uid);
    if (displaySet?.imageIds?.includes(imageId)) return { imageId, displaySet };
  }
  return undefined;
}

/**
 * What a run is to read: the current image of the viewport.
 * @param viewportId the active viewport when left out
 * @throws OverreadError `input/no-pixels`
 */
export function pickTarget(services: Services, cornerstone: Cornerstone, viewportId = activeViewportId(services)): Target {
  const shown = viewportId ? shownImage(services, viewportId) : undefined;
  if (!viewportId || !shown) {
    throw new OverreadError('input/no-pixels', 'Expected an image in the active viewport, got none. Click on an image first, then run the model.', { expected: 'an image', viewportId });
  }
  const source = instanceReference(cornerstone.metaData.get('instance', shown.imageId) as DicomInstance | undefined);
  if (!source) {
    throw new OverreadError('input/no-pixels', 'Expected an image with its study, series and instance UIDs, got one without. Overread cannot say what a result would belong to.', { imageId: shown.imageId });
  }
  return { viewportId, displaySetInstanceUID: shown.displaySet.displaySetInstanceUID, imageId: shown.imageId, source };
}

/** Whether what a run was started on is still open and unchanged. */
export function isStillOpen(services: Services, cornerstone: Cornerstone, target: Target): boolean {
  const open = services.displaySetService.getActiveDisplaySets().some(
    displaySet => displaySet.StudyInstanceUID === target.source.studyInstanceUID && imageIdsOf(displaySet).includes(target.imageId),
  );
  if (!open) return false;
  return sameSource(instanceReference(cornerstone.metaData.get('instance', target.imageId) as DicomInstance | undefined), target.source);
}
