import fs from 'node:fs';
import { countInstances, type LabelPlane, type ObjectCount } from '../../results/block-instances.ts';
import type { InstanceRule } from '../../results/instances.ts';

const HEADER = 'x,y,pixels';
/** Lines that are written at once. */
const LINES = 4096;

/**
 * Counts and measures the objects of a slide's mask, with the memory of one block; with a file also writes them: CSV, a
 * line an object, places and sizes in pixels of the level that was read, the centre of the first pixel being 0.
 */
export function slideObjects(plane: LabelPlane, rule: InstanceRule, file?: string): ObjectCount & { readonly file?: string } {
  const partial = `${file}.${process.pid}.part`;
  const fd = file === undefined ? undefined : fs.openSync(partial, 'w');
  let lines = [HEADER];
  const flush = () => {
    if (fd !== undefined && lines.length > 0) fs.writeSync(fd, `${lines.join('\n')}\n`);
    lines = [];
  };
  try {
    const work = countInstances(plane, {
      rule,
      ...(fd !== undefined && {
        onObject: ({ x, y, pixels }) => {
          lines.push(`${x.toFixed(1)},${y.toFixed(1)},${pixels}`);
          if (lines.length >= LINES) flush();
        },
      }),
    });
    let step = work.next();
    while (!step.done) step = work.next();
    flush();
    if (fd !== undefined) fs.renameSync(partial, file!);
    return { ...step.value, ...(file !== undefined && { file }) };
  } finally {
    if (fd !== undefined) fs.closeSync(fd);
    if (file !== undefined) fs.rmSync(partial, { force: true });
  }
}
