import type { Tensor } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { NoPlan } from './ops.ts';
import type { Plan } from './plan.ts';
import { planOf, runPlan } from './tfjs-plan.ts';

/**
 * A layers model with its plan, where it has one. What has none, or a batch that its device cannot hold at once,
 * runs on tfjs's own kernels, and {@link kernels} says so.
 */
export class PlannedNetwork {
  #plan: Plan | undefined;
  #kernels = 'not compiled yet';

  constructor(private readonly model: LayersModel) {}

  /** Which kernels the network runs on, and why no better ones, in words for the user. */
  get kernels(): string {
    return this.#kernels;
  }

  get made(): boolean {
    return this.#plan !== undefined;
  }

  /** Bytes on the device. */
  get bytes(): number {
    return this.#plan?.bytes ?? 0;
  }

  async make(): Promise<void> {
    try {
      this.#plan = await planOf(this.model);
      this.#kernels = `compiled into a plan of ${this.#plan.dispatches} kernels`;
    } catch (error) {
      this.#without(error);
    }
  }

  /** @returns nothing where there is no plan */
  run(inputs: readonly Tensor[]): Tensor[] | undefined {
    if (!this.#plan) return undefined;
    try {
      return runPlan(this.#plan, this.model, inputs);
    } catch (error) {
      this.#without(error);
      return undefined;
    }
  }

  dispose(): void {
    this.#plan?.dispose();
    this.#plan = undefined;
  }

  #without(error: unknown): void {
    if (!(error instanceof NoPlan)) throw error;
    this.dispose();
    this.#kernels = `stock tfjs kernels, since ${error.message}`;
  }
}
