import type { Tensor } from '@tensorflow/tfjs-core';
import { OverreadError } from '../errors.ts';
import { referenceOf } from '../image/image.ts';
import type { View } from '../image/view.ts';
import type { ModelManifest } from '../manifest.ts';
import type { Score } from '../results/result.ts';
import { encodePlane } from '../tensor/encode.ts';
import { acceptOnePlane, acceptPlane } from './accept.ts';
import { askedRows, fusionAnswer, fusionInputs, VIEWS, WHEN_MISSING } from './fusion.ts';
import type { Picture } from './picture.ts';
import { scoresOf } from './score-rule.ts';
import type { FindingOf, WholeTask } from './task.ts';
import { checkOneStudy, checkTwoViews } from './views.ts';

type Scores = FindingOf<'scores'>;

/**
 * Scores of one plane, or of a frontal and a lateral view of one study together. The network gives [1, channels]: with
 * sigmoid a channel for each target, each for itself; with softmax a channel for each target, of which one holds, and
 * perhaps a background before them. With two views, see {@link fusionAnswer}.
 */
export const classify: WholeTask<Scores> = {
  id: 'classify',
  kind: 'scores',

  accept(images, manifest) {
    if (!manifest.input.fusion) return acceptOnePlane(images, manifest);
    if (images.length < 1 || images.length > 2) {
      throw new OverreadError('input/views', `${manifest.name} reads one frontal and one lateral view, got ${images.length} pictures. Choose one of each.`, { expected: [1, 2], got: images.length });
    }
    for (const image of images) acceptPlane(image, manifest);
    checkOneStudy(images, manifest.name);
  },

  encode(pictures, manifest) {
    const { input, name } = manifest;
    if (!input.fusion) {
      const { tensor, placement } = encodePlane(pictures[0]!.image, input);
      return { inputs: [tensor], placement };
    }
    checkTwoViews(pictures, name);
    const planes = pictures.map(({ view, image }) => ({ view: view!, ...encodePlane(image, input) }));
    try {
      const views = Object.fromEntries(planes.map(({ view, tensor }) => [view, tensor]));
      return { inputs: fusionInputs(input.fusion, views), placement: planes[0]!.placement };
    } finally {
      for (const { tensor } of planes) tensor.dispose();
    }
  },

  async decode(outputs, _, pictures, manifest) {
    return manifest.input.fusion ? together(outputs, pictures, manifest, manifest.input.fusion) : alone(outputs.at(-1)!, pictures[0]!, manifest);
  },
};

async function alone(output: Tensor, { image, view, viewFrom }: Picture, manifest: ModelManifest): Promise<Scores> {
  checkShape(output.shape, 1, manifest);
  const scores = scoresOf(await output.data(), manifest);
  return {
    kind: 'scores',
    source: referenceOf(image),
    scores: scores.map(score => ({ ...score, views: view ? { [view]: score.probability } : {} })),
    viewsUsed: view ? [view] : [],
    // One picture is all that such a model reads.
    viewsMissing: [],
    viewsFrom: view ? { [view]: viewFrom } : {},
  };
}

async function together(outputs: readonly Tensor[], given: readonly Picture[], manifest: ModelManifest, fusion: NonNullable<ModelManifest['input']['fusion']>): Promise<Scores> {
  const pictures = VIEWS.flatMap(view => given.filter(picture => picture.view === view));
  const used = pictures.map(({ view }) => view!);
  const missing = VIEWS.filter(view => !used.includes(view));
  for (const { shape } of outputs) checkShape(shape, askedRows(fusion, used).length, manifest);
  const { fused, alone } = fusionAnswer(fusion, used, await Promise.all(outputs.map(async output => (await output.data()) as Float32Array)));
  const scores = scoresOf(fused, manifest);
  const each = used.map(view => [view, scoresOf(alone[view]!, manifest)] as const);
  const viewsOf = (i: number, score: Pick<Score, 'probability'>): Score['views'] => ({
    ...Object.fromEntries(each.map(([view, of]) => [view, of[i]!.probability])),
    ...(used.length > 1 && { fused: score.probability }),
  });
  return {
    kind: 'scores',
    source: referenceOf(pictures[0]!.image),
    scores: scores.map((score, i) => ({ ...score, views: viewsOf(i, score) })),
    viewsUsed: used,
    viewsMissing: missing,
    viewsFrom: Object.fromEntries(pictures.map(({ view, viewFrom }) => [view, viewFrom])),
    viewSources: Object.fromEntries(pictures.map(({ view, image }) => [view, referenceOf(image)])) as { readonly [V in View]?: ReturnType<typeof referenceOf> },
    ...(missing.length > 0 && { substitute: WHEN_MISSING[fusion](missing[0]!) }),
  };
}

function checkShape(shape: readonly number[], rows: number, { id, output }: ModelManifest): void {
  const targets = output.targets.length;
  const wanted = output.activation === 'softmax' ? [targets, targets + 1] : [targets];
  if (shape.length === 2 && shape[0] === rows && wanted.includes(shape[1]!)) return;
  throw new OverreadError(
    'model/output',
    `Expected ${id} to give [${rows}, ${wanted.join(' or ')}], got [${shape}]. Mend output.targets or output.activation of its manifest.`,
    { expected: wanted.map(channels => [rows, channels]), got: shape },
  );
}
