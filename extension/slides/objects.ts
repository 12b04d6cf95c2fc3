import { countInstances, type ObjectCount } from '../../src/results/block-instances.ts';
import type { InstanceRule } from '../../src/results/instances.ts';
import { breathe } from '../../src/breathe.ts';
import type { SlideMask } from './mask.ts';

/** Small enough that the page answers between two; objects of up to the halo are found as a whole. */
const BLOCK = 384;
const HALO = 96;

/**
 * The objects of what is there of a mask, counted in pieces between which the page answers.
 * @returns undefined when the mask grew meanwhile, or the signal fired
 */
export async function countObjects(mask: SlideMask, rule: InstanceRule, signal: AbortSignal): Promise<ObjectCount | undefined> {
  let changed = false;
  const unsubscribe = mask.subscribe(({ part }) => (changed ||= part !== undefined));
  try {
    const { columns, rows } = mask.plane;
    const work = countInstances({ columns, rows, read: region => mask.labelsIn(region) }, { rule, block: BLOCK, halo: HALO });
    for (;;) {
      const step = work.next();
      if (step.done) return step.value;
      await breathe();
      if (changed || signal.aborted) return undefined;
    }
  } finally {
    unsubscribe();
  }
}
