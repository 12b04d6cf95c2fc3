import { tensor, type Tensor } from '@tensorflow/tfjs-core';
import type { LayersModel, SymbolicTensor } from '@tensorflow/tfjs-layers';
import { derivativeOf } from './derivative.ts';
import { fromLayers } from './from-layers.ts';
import { fused } from './fuse.ts';
import { NoPlan, OverBudget, type PlaneShape } from './ops.ts';
import { memoryOf, Plan } from './plan.ts';
import { Program } from './program.ts';
import { selfTest, type Fault } from './self-test.ts';
import { hasPassed, keepPassed } from './tested.ts';
import { dialectOn } from '../kernels/kernel.ts';
import type { ConvolutionTiles } from '../kernels/convolution.ts';

/** A derivative that is asked for: of which scores, by what. */
export interface DerivativeAsk {
  readonly output: SymbolicTensor;
  readonly wrt: SymbolicTensor;
  /** Values of one input each, in the order of the model's. */
  readonly inputs: readonly Float32Array[];
  /** By how much each of the scores counts. */
  readonly weights: Float32Array;
}

export interface DerivativeValues {
  readonly scores: Float32Array;
  /** What `wrt` was, and the derivative by it; of its shape. */
  readonly at: Float32Array;
  readonly gradient: Float32Array;
}

/** Of a kind of derivative each: activations stay on the device for it. Fewer where the budget says so. */
const MOST_KEPT = 2;

/** Where a model's derivatives are computed: on which device, what it is called, and beside what. */
export interface DerivativePlace {
  readonly device: GPUDevice;
  /** Of the model and the adapter: what has passed its self-test under it does not go through it again. */
  readonly name: string;
  readonly tiles?: ConvolutionTiles | undefined;
  /** The model's own plan. */
  readonly beside: Pick<Plan, 'bytes' | 'weightBytes' | 'release'>;
  /** Bytes that they may all take together, the model's own plan with them. */
  readonly budget?: number | undefined;
}

/**
 * Plans of a model's derivatives, made when they are first asked for; the last few are kept. They share the model's budget with its own
 * plan: for a new one the model's batches make room first, which are there again at once, then the derivatives that were used the longest ago.
 */
export class DerivativePlans {
  /** In the order of their last use. */
  readonly #made = new Map<string, Plan>();
  /** Why those that have no way back in a plan have none. */
  readonly #none = new Map<string, string>();

  constructor(private readonly model: LayersModel, private readonly place: DerivativePlace) {}

  get bytes(): number {
    return [...this.#made.values()].reduce((sum, plan) => sum + plan.bytes, 0);
  }

  /** Which derivatives were left to tfjs's tape, and why, in words for the user. */
  get left(): readonly string[] {
    return [...this.#none.values()];
  }

  /** Frees those that were used the longest ago until all of them take so many bytes at most. */
  keepWithin(bytes: number): void {
    for (const [key, plan] of this.#made) {
      if (this.bytes <= bytes) return;
      plan.dispose();
      this.#made.delete(key);
    }
  }

  /**
   * @param onFault told where the device computes a layer wrongly; throws
   * @returns nothing where a layer has no way back in a plan
   * @throws OverBudget where it would not stand beside the model's weights
   */
  async run({ output, wrt, inputs, weights }: DerivativeAsk, onFault: (fault: Fault) => never): Promise<DerivativeValues | undefined> {
    const plan = await this.#of(output, wrt, onFault);
    if (!plan) return undefined;
    const buffers = plan.run([...inputs, weights]);
    const read = buffers.map(async (buffer, i) => {
      const { rows, columns, channels }: PlaneShape = plan.program.outputs[i]!;
      const made: Tensor = tensor({ buffer }, [rows * columns * channels], 'float32');
      try {
        return ((await made.data()) as Float32Array).slice();
      } finally {
        made.dispose();
      }
    });
    const [scores, at, gradient] = await Promise.all(read) as [Float32Array, Float32Array, Float32Array];
    return { scores, at, gradient };
  }

  dispose(): void {
    for (const plan of this.#made.values()) plan.dispose();
    this.#made.clear();
  }

  async #of(output: SymbolicTensor, wrt: SymbolicTensor, onFault: (fault: Fault) => never): Promise<Plan | undefined> {
    const key = keyOf(output, wrt);
    if (this.#none.has(key)) return undefined;
    const known = this.#made.get(key);
    this.#made.delete(key);
    // The oldest goes before another is made, which would stand beside it.
    for (const oldest of this.#made.keys()) {
      if (known || this.#made.size < MOST_KEPT) break;
      this.#made.get(oldest)!.dispose();
      this.#made.delete(oldest);
    }
    const plan = known ?? (await this.#make(output, wrt, onFault));
    if (plan) this.#made.set(key, plan);
    return plan;
  }

  async #make(output: SymbolicTensor, wrt: SymbolicTensor, onFault: (fault: Fault) => never): Promise<Plan | undefined> {
    const { device, name, tiles } = this.place;
    let plan: Plan;
    try {
      const network = fused(await fromLayers(this.model, [output, wrt]));
      const program = new Program(derivativeOf(network, network.outputs[0]!, network.outputs[1]!), tiles, dialectOn(device));
      this.#makeRoom(program);
      plan = await Plan.make(device, program);
    } catch (error) {
      if (!(error instanceof NoPlan)) throw error;
      this.#none.set(keyOf(output, wrt), `its derivative by ${wrt.sourceLayer.name} on tfjs's tape, since ${error.message}`);
      return undefined;
    }
    const test = `${name} derivative of ${output.sourceLayer.name} by ${wrt.sourceLayer.name}`;
    if (await hasPassed(test)) return plan;
    const fault = await selfTest(plan);
    if (!fault) {
      await keepPassed(test);
      return plan;
    }
    plan.dispose();
    return onFault(fault);
  }

  /** @throws OverBudget, before anything is freed */
  #makeRoom(program: Program): void {
    const { beside, budget = Infinity } = this.place;
    const { weights, arena, rest } = memoryOf(program, 1);
    const needed = weights + arena + rest;
    if (beside.weightBytes + needed > budget) throw new OverBudget(beside.weightBytes + needed, budget);
    if (beside.bytes + this.bytes + needed > budget) beside.release();
    this.keepWithin(budget - beside.bytes - needed);
  }
}

const keyOf = (output: SymbolicTensor, wrt: SymbolicTensor) => `${output.id} ${wrt.id}`;
