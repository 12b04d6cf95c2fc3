import { add, dispose, div, keep, minimum, mul, sigmoid, softmax, sqrt, square, sum, tensor1d, tidy, variableGrads, type Scalar, type Tensor, type Tensor1D, type Variable } from '@tensorflow/tfjs-core';
import { OverreadError } from '../errors.ts';
import type { ModelManifest } from '../manifest.ts';
import type { Device } from '../runtime/device.ts';
import { buildNetwork, type Network } from '../runtime/network.ts';
import type { VerifiedModel } from '../runtime/verified.ts';
import type { Batch, Batches } from './batches.ts';
import type { TrainingState } from './checkpoint.ts';
import { objective } from './objective.ts';
import { Optimiser } from './optimiser.ts';
import { Parameters } from './parameters.ts';
import type { Recipe } from './recipe.ts';
import { SiteHead } from './site-head.ts';
import { TrainableNetwork } from './trainable.ts';

/** Activations are kept for the derivative, which makes as many again and some on the way. */
const COPIES = 3;
/** A second derivative goes through the network twice more. */
const GUIDED_COPIES = 9;

/** What a network is fed: the size of its patches, and of gradient reversal the sites. */
type Fed = Pick<Batches, 'rows' | 'columns' | 'sites'>;

/** A network that learns, on one device. It ends with the device, and is made again from the last state. */
export class Session {
  readonly trainable: TrainableNetwork;
  readonly parameters: Parameters;
  readonly statistics: Parameters;
  /** How many pictures of a batch are computed at once. */
  readonly atOnce: number;
  readonly #optimiser: Optimiser;
  readonly #siteHead: SiteHead | undefined;
  #weights: Tensor1D;

  private constructor(readonly device: Device, private readonly network: Network, private readonly manifest: ModelManifest, private readonly recipe: Recipe, fed: Fed) {
    this.trainable = new TrainableNetwork(network.layersModel!, recipe);
    if (fed.sites.length > 0) this.#siteHead = new SiteHead(this.trainable.representation().shape.at(-1)!, fed.sites.length, recipe.seed);
    this.parameters = new Parameters(this.#learning);
    this.statistics = new Parameters(this.trainable.statistics);
    this.#optimiser = new Optimiser(recipe.optimiser, this.parameters.size);
    this.#weights = this.parameters.gather();
    this.atOnce = fitting(network, manifest, recipe, fed, device);
  }

  /** @throws OverreadError `device/limit`; what building the network throws */
  static async open(device: Device, verified: VerifiedModel, recipe: Recipe, fed: Fed): Promise<Session> {
    const network = await buildNetwork(verified);
    try {
      return new Session(device, network, verified.manifest, recipe, fed);
    } catch (error) {
      network.dispose();
      throw error;
    }
  }

  /**
   * One step: the derivative of a batch, or of several, and new weights.
   * @param progress 0 to 1, how far training is
   * @returns the loss, still on the device, and with `scored` the Dice of each patch, in the order of the batches
   */
  step(batches: readonly Batch[], { rate, progress, scored }: { readonly rate: number; readonly progress: number; readonly scored: boolean }): { readonly loss: Scalar; readonly scores: readonly Tensor[] } {
    let sum: Tensor1D | undefined;
    let loss: Scalar | undefined;
    const scores: Tensor[] = [];
    const beside = { recipe: this.recipe, manifest: this.manifest, siteHead: this.#siteHead, progress };
    const pictures = batches.reduce((count, { size }) => count + size, 0);
    for (const batch of batches) {
      for (let from = 0; from < batch.size; from += this.atOnce) {
        const to = Math.min(batch.size, from + this.atOnce);
        const share = (to - from) / pictures;
        const got = variableGrads(() => {
          const of = objective(this.trainable, batch, [from, to], beside);
          if (scored) scores.push(keep(this.#score(of.logits, of.truth)));
          return of.loss;
        }, [...this.#learning]);
        const [total, losses] = tidy(() => {
          const part = mul(this.parameters.gradient(got.grads), share) as Tensor1D;
          const value = mul(got.value, share) as Scalar;
          return [sum ? (add(sum, part) as Tensor1D) : part, loss ? (add(loss, value) as Scalar) : value];
        });
        dispose([got.value, got.grads, sum, loss].filter(of => of !== undefined) as Tensor[]);
        [sum, loss] = [total, losses];
      }
    }
    const gradient = this.#clipped(sum!);
    const next = this.#optimiser.step(this.#weights, gradient, rate);
    dispose([gradient, this.#weights]);
    this.#weights = next;
    this.parameters.scatter(next);
    return { loss: loss!, scores };
  }

  /** The network's logits for pictures, as at inference. */
  logits(pictures: Tensor): Tensor {
    return tidy(() => this.trainable.compute([pictures]).outputs.at(-1)!);
  }

  async state(): Promise<Pick<TrainingState, 'weights' | 'statistics' | 'optimiser'>> {
    return { weights: ((await this.#weights.data()) as Float32Array).slice(), statistics: await this.statistics.read(), optimiser: await this.#optimiser.state() };
  }

  restore({ weights, statistics, optimiser }: Pick<TrainingState, 'weights' | 'statistics'> & Partial<Pick<TrainingState, 'optimiser'>>): void {
    this.#weights.dispose();
    this.#weights = tensor1d(weights);
    this.parameters.scatter(this.#weights);
    const still = tensor1d(statistics);
    this.statistics.scatter(still);
    still.dispose();
    if (optimiser) this.#optimiser.restore(optimiser);
  }

  dispose(): void {
    this.#weights.dispose();
    this.#optimiser.dispose();
    this.#siteHead?.dispose();
    this.network.dispose();
  }

  /** The network's own come first. */
  get #learning(): readonly Variable[] {
    return [...this.trainable.variables, ...(this.#siteHead?.variables ?? [])];
  }

  #clipped(gradient: Tensor1D): Tensor1D {
    const { clipNorm } = this.recipe;
    if (clipNorm === undefined) return gradient;
    const shorter = tidy(() => mul(gradient, minimum(1, div(clipNorm, add(sqrt(sum(square(gradient))), 1e-6)))) as Tensor1D);
    gradient.dispose();
    return shorter;
  }

  /** The Dice of each patch: what CASED asks. */
  #score(logits: Tensor, truth: Tensor): Tensor {
    return tidy(() => {
      const probabilities = this.manifest.output.activation === 'softmax' ? softmax(logits) : sigmoid(logits);
      const axes = logits.shape.map((_, axis) => axis).slice(1);
      return div(add(mul(sum(mul(probabilities, truth), axes), 2), 1), add(add(sum(square(probabilities), axes), sum(square(truth), axes)), 1));
    });
  }
}

/** @throws OverreadError `device/limit` when not even one picture fits */
function fitting(network: Network, manifest: ModelManifest, recipe: Recipe, patch: Pick<Batches, 'rows' | 'columns'>, { maxTensor, description }: Device): number {
  const [rows, columns] = manifest.input.shape as unknown as [number, number, number];
  const part = (patch.rows * patch.columns) / (rows * columns);
  const bytes = network.layersModel!.layers.map(layer => ([layer.outputShape].flat(2) as (number | null)[]).reduce((product: number, size) => product * (size ?? 1), 4) * part);
  const largest = Math.max(...bytes);
  const all = bytes.reduce((total, size) => total + size, 0) * (recipe.guidance ? GUIDED_COPIES : COPIES);
  const fits = Math.min(recipe.batch, Math.floor(maxTensor.bytes / largest), Math.floor((recipe.memoryMiB * 2 ** 20) / all));
  if (fits >= 1) return fits;
  throw new OverreadError('device/limit', `Expected a step of one picture of ${patch.rows} × ${patch.columns} to fit in ${recipe.memoryMiB} MiB and ${maxTensor.limit} of ${description.adapter}, got about ${Math.ceil(all / 2 ** 20)} MiB, ${Math.ceil(largest / 2 ** 20)} MiB in one tensor. Choose smaller patches, fewer layers or more memory.`, { expected: recipe.memoryMiB * 2 ** 20, got: all });
}
