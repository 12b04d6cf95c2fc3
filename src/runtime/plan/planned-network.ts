import type { Tensor } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { OverreadError } from '../../errors.ts';
import type { Device } from '../device.ts';
import type { NetworkPlan } from '../network.ts';
import { DerivativePlans, type DerivativeAsk, type DerivativeValues } from './derivative-plans.ts';
import { testHalf } from './half-test.ts';
import { NoPlan, OverBudget } from './ops.ts';
import type { Plan } from './plan.ts';
import { selfTest, type Fault } from './self-test.ts';
import { hasPassed, keepPassed } from './tested.ts';
import { deviceOfTfjs, mostBytes, planOf, runPlan, type PlanOptions } from './tfjs-plan.ts';

/** Raised with every change of a kernel, so that what was tested before is tested again. */
const KERNELS = 4;

/**
 * A layers model with its plan, where it has one. What has none, or a batch that its device cannot hold at once,
 * runs on tfjs's own kernels, and {@link kernels} says so.
 */
export class PlannedNetwork implements NetworkPlan {
  #plan: Plan | undefined;
  #derivatives: DerivativePlans | undefined;
  #adapter = '';
  #budget: number | undefined;
  /** What all tests of it are remembered by. */
  #name = '';
  #kernels = 'not compiled yet';

  /**
   * @param identity SHA-256 over the model's files
   * @param half the range of its pictures, where it may be computed in float16
   */
  constructor(
    private readonly model: LayersModel,
    private readonly identity: string,
    private readonly half?: readonly [number, number],
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
   * Compiles the plan and lets it prove itself on this device, once for each adapter, version of browser and driver, and model. In float16 it has to be near float32, or it is
   * in float32 and says why. Derivatives are in float32 always.
   * @throws OverreadError `device/gpu-error` where the device computes a layer wrongly, naming both; `device/limit` where one input is over the budget
   */
  async make(device: Device): Promise<void> {
    const { description: { adapter }, versions = '' } = device;
    this.#adapter = adapter;
    this.#name = `${KERNELS} ${adapter} ${versions} ${this.identity}`;
    await this.#orWithout(async () => {
      const narrow = this.half && (await this.#inHalf(device, this.half));
      if (narrow && 'plan' in narrow) this.#use(narrow.plan, device, ` in float16, ${narrow.measured}`);
      else await this.#inFull(device, narrow?.not);
    });
  }

  async widen(device: Device): Promise<boolean> {
    if (!this.#plan?.program.isHalf) return false;
    this.dispose();
    await this.#orWithout(() => this.#inFull(device, 'a value was beyond it'));
    return true;
  }

  /** @returns why not, where float32 has to be taken */
  async #inHalf(device: Device, range: readonly [number, number]): Promise<{ readonly plan: Plan; readonly measured: string } | { readonly not: string }> {
    const make = (precision: 'float32' | 'float16') => planOf(this.model, { ...optionsFor(device), precision });
    try {
      const outcome = await testHalf(this.#name, range, make);
      if ('fault' in outcome) return { not: outcome.fault };
      const { difference } = outcome;
      return { plan: await make('float16'), measured: Number.isNaN(difference) ? 'not compared with float32, which is over the budget' : `${difference.toPrecision(2)} of the largest output from float32` };
    } catch (error) {
      if (error instanceof NoPlan) return { not: error.message };
      throw error;
    }
  }

  async #inFull(device: Device, notHalf: string | undefined): Promise<void> {
    const plan = await planOf(this.model, optionsFor(device));
    this.#use(plan, device, notHalf === undefined ? '' : ` in float32, not in float16 since ${notHalf}`);
    const name = this.#nameOf(plan);
    if (await hasPassed(name)) return;
    const fault = await selfTest(plan);
    if (!fault) return keepPassed(name);
    this.#refuse(fault);
  }

  #use(plan: Plan, { budget }: Device, how: string): void {
    this.#plan = plan;
    this.#budget = budget;
    this.#kernels = `compiled into a plan of ${plan.dispatches} kernels${how}`;
    this.#derivatives = new DerivativePlans(this.model, { device: deviceOfTfjs(), name: this.#nameOf(plan), tiles: plan.program.tiles, beside: plan, budget });
  }

  /** What a plan's tests are remembered by. */
  #nameOf({ program: { tiles, dialect } }: Plan): string {
    return `${this.#name}${dialect.subgroups ? ' subgroups' : ''}${tiles ? ` ${tiles.pointwise.join('×')} ${tiles.windowed.join('×')}` : ''}`;
  }

  async #orWithout(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (error instanceof OverBudget) {
        const adapter = this.#adapter;
        const { needed: got, budget: expected } = error;
        throw new OverreadError('device/limit', `The model needs ${got} bytes of ${adapter} for one input at once, but its budget is ${expected}. Raise the budget or choose the wasm backend.`, { expected, got }, error);
      }
      this.#without(error);
    }
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

function optionsFor({ description: on, budget }: Device): PlanOptions {
  return { budget, on };
}
