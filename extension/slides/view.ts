import type { Region } from '../../src/image/tiles.ts';
import { compose, scaling } from '../overlays/affine.ts';
import { activeViewportId, gridViewports } from '../sources/target.ts';
import type { Services } from '../types/ohif.ts';
import { isSlideViewport, matrixToMap, visibleRegion, type SlideMap } from './map.ts';
import type { KeptSlide } from './slide-results.ts';
import { baseMatrix, isOfSlide, scaleOn, shownSlide } from './target.ts';

/** How often a view that moves is looked at, ms. */
const LOOK_MS = 150;

/**
 * What can be seen of a slide, in pixels of the level that is read; undefined where no viewport shows it. Of several
 * viewports, the active one's.
 */
export function regionOnScreen(services: Services, { source }: Pick<KeptSlide, 'source'>): Region | undefined {
  const active = activeViewportId(services);
  const ids = gridViewports(services).map(({ viewportId }) => viewportId).sort((a, b) => Number(b === active) - Number(a === active));
  for (const viewportId of ids) {
    const displaySet = shownSlide(services, viewportId);
    const viewport = services.cornerstoneViewportService.getCornerstoneViewport(viewportId);
    if (!displaySet || !isSlideViewport(viewport) || !viewport.map || !isOfSlide(source, displaySet)) continue;
    const region = regionOn(viewport.map, baseMatrix(displaySet), source.shape, scaleOn(displaySet, source));
    if (region) return region;
  }
  return undefined;
}

function regionOn(map: SlideMap, base: { columns: number; rows: number }, [columns, rows]: readonly number[], scale: readonly [number, number]): Region | undefined {
  const toMap = matrixToMap(map, base);
  const size = map.getSize();
  if (!toMap || !size) return undefined;
  return visibleRegion(compose(toMap, scaling(...scale)), [size[0]!, size[1]!], { columns: columns!, rows: rows! });
}

/**
 * Tells what is on screen, now and whenever it has moved.
 * @returns what ends it
 */
export function followView(services: Services, slide: Pick<KeptSlide, 'source'>, tell: (region: Region) => void): () => void {
  let told = '';
  const look = () => {
    const region = regionOnScreen(services, slide);
    const now = JSON.stringify(region ?? '');
    if (!region || now === told) return;
    told = now;
    tell(region);
  };
  look();
  const timer = setInterval(look, LOOK_MS);
  return () => clearInterval(timer);
}
