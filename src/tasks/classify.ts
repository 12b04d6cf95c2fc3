import type { Tensor } from '@tensorflow/tfjs-core';
import { OverreadError } from '../errors.ts';
import { referenceOf, type Image } from '../image/image.ts';
import { viewOf, type View } from '../image/view.ts';
import type { ModelManifest } from '../manifest.ts';
import { encodePlane } from '../tensor/encode.ts';
import { acceptPlane } from './accept.ts';
import { scoresOf } from './score-rule.ts';
import type { FindingOf, Task } from './task.ts';

/**
 * Scores of one plane. The network gives [1, channels]: with sigmoid a channel for each target, each for itself; with
 * softmax a channel for each target, of which one holds, and perhaps a background before them.
 */
export const classify: Task<FindingOf<'scores'>> = {
  id: 'classify',
  kind: 'scores',

  accept: acceptPlane,

  encode: (image, manifest) => encodePlane(image, manifest.input),

  async decode(output: Tensor, _, image: Image, manifest: ModelManifest) {
    checkShape(output.shape, manifest);
    const { view, assumed } = viewRead(image, manifest);
    const scores = scoresOf(await output.data(), manifest);
    return {
      kind: 'scores',
      source: referenceOf(image),
      scores: scores.map(score => ({ ...score, views: view ? { [view]: score.probability } : {} })),
      viewsUsed: view ? [view] : [],
      // One picture is all that such a model reads.
      viewsMissing: [],
      ...(view && assumed && { viewsAssumed: [view] }),
    };
  },
};

function checkShape(shape: readonly number[], { id, output }: ModelManifest): void {
  const targets = output.targets.length;
  const wanted = output.activation === 'softmax' ? [targets, targets + 1] : [targets];
  if (shape.length === 2 && shape[0] === 1 && wanted.includes(shape[1]!)) return;
  throw new OverreadError(
    'model/output',
    `Expected ${id} to give [1, ${wanted.join(' or ')}], got [${shape}]. Mend output.targets or output.activation of its manifest.`,
    { expected: wanted.map(channels => [1, channels]), got: shape },
  );
}

/** The view as the image states it; where it does not, the one that the model reads, if it reads no other. */
function viewRead({ attributes }: Image, { input }: ModelManifest): { view?: View; assumed: boolean } {
  if (attributes.viewPosition) return { view: viewOf(attributes.viewPosition), assumed: false };
  const [view, ...others] = new Set(input.viewPosition?.map(viewOf));
  return { view: others.length ? undefined : view, assumed: true };
}
