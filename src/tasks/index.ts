import { OverreadError } from '../errors.ts';
import type { ModelManifest } from '../manifest.ts';
import { classify } from './classify.ts';
import { count } from './count.ts';
import { segment } from './segment.ts';
import type { Task, WholeTask } from './task.ts';

/** Every task that a manifest may name. A new one is one file and one line here. */
export const TASKS: ReadonlyMap<string, Task> = new Map<string, Task>([[segment.id, segment], [classify.id, classify], [count.id, count]]);

/** @throws OverreadError `model/manifest` for a task that this version does not know */
export function taskOf(manifest: ModelManifest): Task {
  const task = TASKS.get(manifest.task);
  if (task) return task;
  const known = [...TASKS.keys()];
  throw new OverreadError(
    'model/manifest',
    `The manifest of ${manifest.id} names the task ${manifest.task}; expected ${known.join(' or ')}. Mend the field task, or use a newer Overread.`,
    { expected: known, got: manifest.task },
  );
}

/** Counts read tiles only. */
export function readsWhole(task: Task): task is WholeTask {
  return 'encode' in task && 'decode' in task;
}
