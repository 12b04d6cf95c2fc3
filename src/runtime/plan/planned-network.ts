import type { Tensor } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { OverreadError } from '../../errors.ts';
import type { Device } from '../device.ts';
import type { NetworkPlan } from '../network.ts';
import { DerivativePlans, type DerivativeAsk, type DerivativeValues } from './derivative-plans.ts';
import { NoPlan, OverBudget } from './ops.ts';
import type { Plan } from './plan.ts';
import { selfTest, type Fault } from './self-test.ts';
import { hasPassed, keepPassed } from './tested.ts';
import { deviceOfTfjs, mostBytes, planOf, runPlan } from './tfjs-plan.ts';

/** Raised with every change of a kernel, so that what was tested before is tested again. */
const KERNELS = 3;

/**
 * A layers model with its plan, where it has one. What has none, or a batch that its device cannot hold at once,
 * runs on tfjs's own kernels, and {@link kernels} says so.
 */
export class PlannedNetwork implements NetworkPlan {
  #plan: Plan | undefined;
  #derivatives: DerivativePlans | undefined;
  #adapter = '';
  #budget: number | undefined;
  #kernels = 'not compiled yet';

  /** @param identity SHA-256 over the model's files */
  constructor(
    private readonly model: LayersModel,
    private readonly identity: string,
  ) {}

  get kernels(): string {
    return [this.#kernels, ...(this.#derivatives?.left ?? [])].join('; ');
  }

  get made(): boolean {
    return this.#plan !== undefined;
  }

  get bytes(): number {
    return (this.#plan?.bytes ?? 0) + (this.#derivatives?.bytes ?? 0);
  }

  /**
   * Compiles the plan and lets it prove itself on this device, once for each adapter, version of browser and driver, and model.
   * @throws OverreadError `device/gpu-error` where the device computes a layer wrongly, naming both; `device/limit` where one input is over the budget
   */
  async make({ description, budget, versions = '' }: Device): Promise<void> {
    const { adapter } = description;
    try {
      this.#plan = await planOf(this.model, { budget, on: description });
    } catch (error) {
      if (error instanceof OverBudget) {
        const { needed: got, budget: expected } = error;
        throw new OverreadError('device/limit', `The model needs ${got} bytes of ${adapter} for one input at once, but its budget is ${expected}. Raise the budget or choose the wasm backend.`, { expected, got }, error);
      }
      return this.#without(error);
    }
    this.#kernels = `compiled into a plan of ${this.#plan.dispatches} kernels`;
    const { tiles } = this.#plan.program;
    this.#adapter = adapter;
    const name = `${KERNELS} ${adapter} ${versions} ${this.identity}${tiles ? ` ${tiles.pointwise.join('×')} ${tiles.windowed.join('×')}` : ''}`;
    this.#derivatives = new DerivativePlans(this.model, { device: deviceOfTfjs(), name, tiles, beside: this.#plan, budget });
    this.#budget = budget;
    if (await hasPassed(name)) return;
    const fault = await selfTest(this.#plan);
    if (!fault) return keepPassed(name);
    this.#refuse(fault);
  }

  #refuse(fault: Fault): never {
    const adapter = this.#adapter;
    this.dispose();
    throw new OverreadError(
      'device/gpu-error',
      `The device ${adapter} computes wrongly: in the layer ${fault.layer} it gave ${fault.got} in place of ${fault.expected} (kernel ${fault.kernel}). ` +
        'No model runs on it like this; choose the wasm backend, and bring the graphics driver up to date.',
      { expected: fault.expected, got: fault.got, adapter, layer: fault.layer, kernel: fault.kernel },
    );
  }

  /** @returns nothing where there is no plan */
  run(inputs: readonly Tensor[]): Tensor[] | undefined {
    if (!this.#plan) return undefined;
    try {
      // The model's run comes first; a derivative is made again when it is asked for.
      if (this.#budget !== undefined) this.#derivatives?.keepWithin(this.#budget - mostBytes(this.#plan, inputs[0]!.shape[0]!));
      return runPlan(this.#plan, this.model, inputs);
    } catch (error) {
      this.#without(error);
      return undefined;
    }
  }

  /** @throws OverreadError `device/gpu-error` as {@link make}; `device/limit` where it is over the budget, as tfjs's tape would be the more */
  async derivative(ask: DerivativeAsk): Promise<DerivativeValues | undefined> {
    try {
      return await this.#derivatives?.run(ask, fault => this.#refuse(fault));
    } catch (error) {
      if (!(error instanceof OverBudget)) throw error;
      const { needed: got, budget: expected } = error;
      throw new OverreadError(
        'device/limit',
        `A derivative by ${ask.wrt.sourceLayer.name} and the model's weights need ${got} bytes of ${this.#adapter}, but the model's budget is ${expected}. Raise the budget, or choose occlusion, which needs no derivative.`,
        { expected, got }, error,
      );
    }
  }

  dispose(): void {
    this.#plan?.dispose();
    this.#plan = undefined;
    this.#derivatives?.dispose();
    this.#derivatives = undefined;
  }

  #without(error: unknown): void {
    this.dispose();
    if (!(error instanceof NoPlan)) throw error;
    this.#kernels = `stock tfjs kernels, since ${error.message}`;
  }
}
