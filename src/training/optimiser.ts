import { add, dispose, div, keep, mul, sqrt, square, sub, tensor1d, tidy, zeros, type Tensor1D } from '@tensorflow/tfjs-core';
import type { OptimiserRecipe } from './recipe.ts';

const [BETA1, BETA2, EPSILON] = [0.9, 0.999, 1e-8];

/** What an optimiser remembers, to go on from. */
export interface OptimiserState {
  readonly steps: number;
  readonly moments: readonly Float32Array[];
}

/**
 * SGD with momentum, Adam (Kingma & Ba 2015) and AdamW (Loshchilov & Hutter 2019), with the numbers of PyTorch's. All weights
 * are one vector, so that a step is a dozen operations whatever the network.
 */
export class Optimiser {
  #moments: Tensor1D[];
  #steps = 0;

  constructor(private readonly recipe: OptimiserRecipe, size: number) {
    this.#moments = Array.from({ length: recipe.kind === 'sgd' ? 1 : 2 }, () => zeros([size]) as Tensor1D);
  }

  /** @returns the new weights; the caller disposes both vectors that it gave */
  step(weights: Tensor1D, gradient: Tensor1D, rate: number): Tensor1D {
    const { recipe } = this;
    const t = ++this.#steps;
    const before = this.#moments;
    const { next, moments } = tidy(() => {
      const decayed = recipe.kind !== 'adamw' && recipe.weightDecay > 0 ? add(gradient, mul(weights, recipe.weightDecay)) : gradient;
      if (recipe.kind === 'sgd') {
        const momentum = add(mul(before[0]!, recipe.momentum), decayed) as Tensor1D;
        return { next: sub(weights, mul(momentum, rate)) as Tensor1D, moments: [momentum] };
      }
      const first = add(mul(before[0]!, BETA1), mul(decayed, 1 - BETA1)) as Tensor1D;
      const second = add(mul(before[1]!, BETA2), mul(square(decayed), 1 - BETA2)) as Tensor1D;
      const root = add(mul(sqrt(second), 1 / Math.sqrt(1 - BETA2 ** t)), EPSILON);
      const from = recipe.kind === 'adamw' && recipe.weightDecay > 0 ? mul(weights, 1 - rate * recipe.weightDecay) : weights;
      return { next: sub(from, mul(div(first, root), rate / (1 - BETA1 ** t))) as Tensor1D, moments: [first, second] };
    });
    dispose(before);
    this.#moments = moments.map(of => keep(of));
    return next;
  }

  async state(): Promise<OptimiserState> {
    return { steps: this.#steps, moments: await Promise.all(this.#moments.map(async of => ((await of.data()) as Float32Array).slice())) };
  }

  restore({ steps, moments }: OptimiserState): void {
    dispose(this.#moments);
    this.#steps = steps;
    this.#moments = moments.map(of => tensor1d(of));
  }

  dispose(): void {
    dispose(this.#moments);
  }
}
