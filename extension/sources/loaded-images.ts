import type { LoadedImage } from '../auto-run.ts';
import type { Cornerstone, DicomInstance, Services, Subscription } from '../types/ohif.ts';
import { activeViewportId, gridViewports, shownImage } from './target.ts';
import { viewStated } from './views.ts';

/**
 * What the viewports show and the viewer has in memory, the active one's first.
 * @param isSlide of a viewport: a slide's image is one tile of it, and not meant here
 */
export function loadedImages(services: Services, cornerstone: Cornerstone, isSlide: (viewportId: string) => boolean): LoadedImage[] {
  const active = activeViewportId(services);
  const ids = gridViewports(services).map(({ viewportId }) => viewportId).sort((a, b) => Number(b === active) - Number(a === active));
  return ids.flatMap(viewportId => {
    const shown = shownImage(services, viewportId);
    const instance = shown && (cornerstone.metaData.get('instance', shown.imageId) as DicomInstance | undefined);
    if (!shown || !instance || isSlide(viewportId) || !cornerstone.cache.getImage(shown.imageId)) return [];
    const { Modality = 'OT', StudyDescription, SeriesDescription, BodyPartExamined } = instance;
    return [{
      viewportId, studyInstanceUID: shown.displaySet.StudyInstanceUID, modality: Modality, view: viewStated(instance),
      description: [StudyDescription, SeriesDescription].filter(Boolean).join(' '), ...(BodyPartExamined && { bodyPart: BodyPartExamined }),
    }];
  });
}

/** One look for all images that arrive together. Cornerstone tells of an image before its cache has it. */
export function onImagesLoaded({ eventTarget, Enums: { Events } }: Pick<Cornerstone, 'eventTarget' | 'Enums'>, look: () => void): Subscription {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const onLoaded = () => {
    timer ??= setTimeout(() => {
      timer = undefined;
      look();
    }, 0);
  };
  eventTarget.addEventListener(Events.IMAGE_LOADED, onLoaded);
  return {
    unsubscribe: () => {
      clearTimeout(timer);
      eventTarget.removeEventListener(Events.IMAGE_LOADED, onLoaded);
    },
  };
}
