import { acceptOnePlane } from './accept.ts';
import type { FindingOf, Task } from './task.ts';

/**
 * Counting of cells on one plane, always at full resolution: see `count-whole.ts` for pictures, `tiled-count.ts` for slides. The network
 * gives a channel a target, as `output.counting` of the manifest says.
 */
export const count: Task<FindingOf<'points'>> = { id: 'count', kind: 'points', accept: acceptOnePlane };
