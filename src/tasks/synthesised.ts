import type { Image } from '../image/image.ts';
import type { ModelManifest } from '../manifest.ts';
import type { OutOfDistribution } from '../results/result.ts';

/** Of a picture that says that it was synthesised: nothing was estimated. */
const STATED = 1;
const THRESHOLD = 0.5;

/**
 * The verdict on a picture that a network drew or translated from another modality, for a model that was not made for such
 * ones; undefined for all others. `score` is the probability that it was synthesised.
 *
 * J. P. Cohen, M. Luck, S. Honari, "Distribution Matching Losses Can Hallucinate Features in Medical Image Translation",
 * MICCAI 2018: such a picture may show a tumour that the patient has not, and none where there is one.
 */
export function judgeSynthesis({ attributes: { synthesised, seriesDescription } }: Pick<Image, 'attributes'>, { input }: ModelManifest): OutOfDistribution | undefined {
  if (synthesised === undefined || input.synthesised) return undefined;
  const which = seriesDescription === undefined ? 'the image' : `'${seriesDescription}'`;
  return { score: STATED, threshold: THRESHOLD, refused: true, reason: `${which} was synthesised, and this model was made for acquired images: ${synthesised}` };
}
