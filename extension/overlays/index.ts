import type { Cornerstone, CornerstoneTools, Services } from '../types/ohif.ts';
import { HeatmapOverlay } from './heatmap.ts';
import type { HeatmapStyle } from './heatmap-raster.ts';
import { LabelmapOverlay } from './labelmap.ts';
import type { Overlays } from './overlay.ts';

/** How each kind of result is drawn over its image. Scores are text, and stand in the panel. */
export function createOverlays(
  services: Services,
  cornerstone: Cornerstone,
  tools: CornerstoneTools,
  onDeleted: (resultKeys: readonly string[]) => void,
  heatmapStyle?: () => HeatmapStyle,
): Overlays & { readonly labelmap: LabelmapOverlay } {
  return {
    labelmap: new LabelmapOverlay(services, cornerstone, tools, onDeleted),
    scores: undefined,
    heatmap: new HeatmapOverlay(services, cornerstone, heatmapStyle),
    points: undefined,
  };
}
