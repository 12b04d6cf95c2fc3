import { OverreadError } from '../../src/errors.ts';
import type { ModelManifest } from '../../src/manifest.ts';
import { parseRecipe, type LossRecipe, type Recipe } from '../../src/training/recipe.ts';

/** What the panel lets a user choose of a recipe. */
export interface RecipeChoice {
  readonly layers: Recipe['layers'];
  readonly loss: LossRecipe['kind'];
  readonly steps: number;
  readonly batch: number;
  readonly rate: number;
  /** Of models that read in tiles: rows and columns of what a step is shown. */
  readonly patch?: number;
  /** Of classifiers on pictures with masks. */
  readonly guidance?: NonNullable<Recipe['guidance']>['kind'];
}

export const LOSSES: { readonly [K in LossRecipe['kind']]: string } = {
  'dice-cross-entropy': 'Dice and cross-entropy', dice: 'Dice', 'cross-entropy': 'Cross-entropy', focal: 'Focal (rare things)',
};
export const LAYERS: { readonly [K in Recipe['layers']]: string } = { head: 'The last layer', 'last-block': 'The last block', all: 'All layers' };
export const GUIDANCES = { rrr: 'RRR (gradients outside of the mask)', gradmask: 'GradMask (contrast between classes)', activdiff: 'ActivDiff (masked and whole alike)' } as const;

/** The losses that fit what a model gives. */
export function lossesFor({ task }: ModelManifest): readonly LossRecipe['kind'][] {
  return task === 'segment' ? ['dice-cross-entropy', 'dice', 'cross-entropy', 'focal'] : ['cross-entropy', 'focal'];
}

export function defaultChoice(manifest: ModelManifest): RecipeChoice {
  const [rows, columns] = manifest.input.shape as readonly number[];
  return { layers: 'all', loss: lossesFor(manifest)[0]!, steps: 200, batch: 4, rate: 0.001, ...(manifest.input.tiling && { patch: Math.min(MOST_PATCH, rows!, columns!) }) };
}

/** Larger patches teach little more a step, and take more memory. */
const MOST_PATCH = 128;
/** Steps between two looks at the held-back patients, which take longer than a step. */
const FEWEST = 5;
/** Networks of ours halve five times at most. */
const HALVED = 32;

/** How much a mask's guidance adds to the loss. */
const GUIDANCE_WEIGHT = 1;

/**
 * A choice as a whole recipe. Pictures of tissue have no up and no left, and stains that vary; radiographs are only tilted a little.
 * @throws OverreadError `config/invalid`, naming what is wrong
 */
export function recipeOf({ layers, loss, steps, batch, rate, patch, guidance }: RecipeChoice, { input }: ModelManifest): Recipe {
  const colour = input.shape.at(-1) === 3;
  if (patch !== undefined && patch !== input.shape[0] && !(patch > 0 && patch % HALVED === 0)) {
    throw new OverreadError('config/invalid', `Expected patches of a multiple of ${HALVED} pixels, which networks can halve, got ${patch}. Choose ${Math.max(1, Math.round((patch || 0) / HALVED)) * HALVED}.`, { expected: HALVED, got: patch });
  }
  return parseRecipe({
    schemaVersion: 1, layers, steps, batch, rate, loss: { kind: loss }, optimiser: { kind: 'adamw' }, clipNorm: 2,
    schedule: { kind: 'cosine', warmUpSteps: Math.min(10, Math.floor(steps / 10)) },
    sampler: 'balanced',
    ...(patch !== undefined && { patch: [patch, patch] }),
    augmentation: {
      ...(colour ? { flip: 'both', quarterTurns: true, stain: 0.1 } : { rotateDegrees: 8, shift: 0.05 }),
      scale: 0.1, intensity: { gain: 0.1, offset: 0.05 },
    },
    ...(guidance && { guidance: { kind: guidance, weight: GUIDANCE_WEIGHT } }),
    validation: { share: 0.25, every: Math.max(FEWEST, Math.ceil(steps / 10)) },
    // A killed page loses no more than what is between two.
    checkpointEvery: Math.max(FEWEST, Math.min(25, Math.ceil(steps / 20))),
    seed: 1,
  }, 'of the panel');
}
