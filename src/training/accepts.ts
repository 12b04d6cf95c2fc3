import { OverreadError } from '../errors.ts';
import type { ModelManifest } from '../manifest.ts';
import type { DatasetItem } from './dataset.ts';

/** Whether an item says what the model is to learn. */
export function isLabelled({ task, output: { targets } }: ModelManifest, { mask, instances, labels }: DatasetItem): boolean {
  return task === 'segment' ? mask !== undefined || instances !== undefined : targets.some(({ label }) => labels?.[label] !== undefined);
}

/**
 * Refuses models that cannot be trained here, by what they are.
 * @throws OverreadError `model/graph`, `model/manifest`
 */
export function checkTrainable({ id, graph, input, output, task, gate }: ModelManifest): void {
  const refuse = (expected: string, got: string): never => {
    throw new OverreadError('model/graph', `Expected ${expected} to train, got ${got} (${id}). Choose another model.`, { expected, got });
  };
  if (graph.format !== 'layers') refuse('a tfjs layers model, whose layers can learn', `a ${graph.format} model`);
  if (input.layout !== 'NHWC') refuse('a model of planes', 'one of volumes');
  if (input.fusion || input.modalities) refuse('a model of one picture', 'one of several');
  if (gate) refuse('a model of findings', 'a gate');
  if (task !== 'segment' && task !== 'classify') refuse('the task segment or classify', task);
  if (output.gives !== 'logits' || output.activation === 'none') refuse('a model that gives logits of a sigmoid or softmax', `${output.gives} with activation ${output.activation}`);
}
