import { isOverreadError } from '../../errors.ts';
import type { RandomisationCheck } from '../../results/saliency.ts';
import type { LayerWeights } from '../../runtime/types.ts';
import type { Parameters, SaliencyContext, SaliencyMap, SaliencyMethod } from './method.ts';
import { gaussians } from './random.ts';
import { spearman } from './spearman.ts';

/** Half of the order kept is much for a network whose top knows nothing. */
const THRESHOLD = 0.5;

/**
 * Makes the map once more with the top layer randomised (Adebayo et al. 2018, arXiv 1810.03292), all else being the
 * same, and compares the two, magnitudes only: the sign of a random layer means nothing.
 */
export async function randomisationCheck<P extends Parameters>(
  method: SaliencyMethod<P>, map: SaliencyMap<P>, context: SaliencyContext, seed: number,
): Promise<RandomisationCheck> {
  let top: LayerWeights;
  try {
    top = await context.model.topLayer(context.signal);
  } catch (error) {
    // A graph model has no layers to replace; every other failure is one.
    if (isOverreadError(error, 'model/graph')) return { unavailable: error.message };
    throw error;
  }
  const start = performance.now();
  const { values } = await method.map({ ...context, topWeights: randomWeights(top, seed), activations: map.activations }, map.parameters);
  const similarity = spearman(map.values.map(Math.abs), values.map(Math.abs));
  return { similarity, threshold: THRESHOLD, suspicious: similarity > THRESHOLD, layer: top.layer, seed, ms: performance.now() - start };
}

/** Normal numbers with mean 0 and each tensor's own root mean square. */
function randomWeights({ weights }: LayerWeights, seed: number): Float32Array[] {
  const next = gaussians(seed);
  return weights.map(({ values }) => {
    const scale = Math.sqrt(values.reduce((sum, v) => sum + v * v, 0) / Math.max(1, values.length));
    return values.map(() => scale * next());
  });
}
