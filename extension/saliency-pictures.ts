import type { InstanceReference } from '../src/image/image.ts';
import { frameKey, type Target } from './identity.ts';
import type { FrameIndexes } from './overlays/place.ts';
import type { Services } from './types/ohif.ts';

/** The open image that shows a frame, whether or not a viewport shows it now; undefined when its study is not open. */
export function findTarget(services: Services, frames: FrameIndexes, source: InstanceReference): Target | undefined {
  for (const displaySet of services.displaySetService.getActiveDisplaySets()) {
    const { StudyInstanceUID, SeriesInstanceUID, displaySetInstanceUID } = displaySet;
    if (StudyInstanceUID !== source.studyInstanceUID || SeriesInstanceUID !== source.seriesInstanceUID) continue;
    const imageId = frames.of(displaySet).get(frameKey(source));
    if (imageId !== undefined) return { viewportId: '', displaySetInstanceUID, imageId, source };
  }
  return undefined;
}
