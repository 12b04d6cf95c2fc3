import type { Cornerstone, CornerstoneTools, Services } from '../types/ohif.ts';
import { LabelmapOverlay } from './labelmap.ts';
import type { Overlays } from './overlay.ts';

/**
 * How each kind of result is drawn over its image. Scores are text, and stand in the panel. No task makes heat maps yet:
 * the panel says what they are of, and the first task that does brings their overlay.
 */
export function createOverlays(
  services: Services,
  cornerstone: Cornerstone,
  tools: CornerstoneTools,
  onDeleted: (resultKeys: readonly string[]) => void,
): Overlays {
  return {
    labelmap: new LabelmapOverlay(services, cornerstone, tools, onDeleted),
    scores: undefined,
    heatmap: undefined,
  };
}
