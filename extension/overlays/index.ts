import type { Cornerstone, CornerstoneTools, Services } from '../types/ohif.ts';
import { HeatmapOverlay } from './heatmap.ts';
import type { HeatmapStyle } from './heatmap-raster.ts';
import { LabelmapOverlay } from './labelmap.ts';
import type { Overlays } from './overlay.ts';
import { PointsOverlay, type MarkerGuide } from './points.ts';

/** How each kind of result is drawn over its image. Scores are text, and stand in the panel. */
export function createOverlays(
  services: Services,
  cornerstone: Cornerstone,
  tools: CornerstoneTools,
  onDeleted: (resultKeys: readonly string[]) => void,
  heatmapStyle?: () => HeatmapStyle,
  markerGuide?: MarkerGuide,
): Overlays & { readonly labelmap: LabelmapOverlay; readonly points: PointsOverlay } {
  return {
    labelmap: new LabelmapOverlay(services, cornerstone, tools, onDeleted),
    scores: undefined,
    heatmap: new HeatmapOverlay(services, cornerstone, heatmapStyle),
    points: new PointsOverlay(services, cornerstone, markerGuide),
  };
}
