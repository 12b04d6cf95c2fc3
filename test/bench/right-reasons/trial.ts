import { abs, avgPool, grad, sum, tensor, tidy, type Tensor, type Tensor4D } from '@tensorflow/tfjs-core';
import { auc } from '../../../src/metrics/auc.ts';
import { buildNetwork } from '../../../src/runtime/network.ts';
import { wasmFolder } from '../../../src/runtime/node-wasm.ts';
import { createRuntime, type TfjsRuntime } from '../../../src/runtime/runtime.ts';
import type { VerifiedModel } from '../../../src/runtime/verified.ts';
import type { Example } from '../../../src/training/examples.ts';
import { tunedFiles } from '../../../src/training/publish.ts';
import { parseRecipe, type Recipe } from '../../../src/training/recipe.ts';
import { TrainableNetwork } from '../../../src/training/trainable.ts';
import { train } from '../../../src/training/trainer.ts';
import { untrained } from './network.ts';
import { SIDE, type Pictures } from './pictures.ts';

export interface Method {
  readonly name: string;
  readonly guidance?: NonNullable<Recipe['guidance']>;
}

export interface Outcome {
  readonly scores: readonly number[];
  readonly auc: number;
  /** Of the scores for the marker: 0.5 where it plays no part. */
  readonly aucOfMarker: number;
  /** Of pictures with the finding: the strongest pixels of the input gradient, as many as the mask has, against the mask. */
  readonly saliencyIou: number;
}

/** Trains networks and tests them on the same pictures. */
export class Trial {
  private constructor(private readonly runtime: TfjsRuntime, private readonly steps: number, private readonly test: Pictures) {}

  static async open({ steps, test }: { readonly steps: number; readonly test: Pictures }): Promise<Trial> {
    return new Trial(await createRuntime({ backend: 'wasm', wasmPath: wasmFolder(import.meta.url) }), steps, test);
  }

  get findings(): readonly boolean[] {
    return this.test.findings;
  }

  async run({ name, guidance }: Method, { train: fitted, validation }: { readonly train: Pictures; readonly validation: Pictures }, seed: number): Promise<Outcome> {
    const recipe = parseRecipe({ schemaVersion: 1, loss: { kind: 'cross-entropy' }, optimiser: { kind: 'adam' }, rate: 3e-3, steps: this.steps, batch: 32, validation: { every: this.steps }, checkpointEvery: this.steps, seed, ...(guidance && { guidance }) }, name);
    const verified = await untrained(seed);
    const done = await train(this.runtime, { verified, recipe, examples: { train: examplesOf(fitted, `train ${seed}`), validation: examplesOf(validation, `validation ${seed}`) }, run: `${name} ${seed}`, allowSlow: true });
    if (done.stepsDone !== this.steps) throw new Error(`${name} with seed ${seed} ended after ${done.stepsDone} of ${this.steps} steps: ${done.ended}`);
    const files = await this.runtime.turn(device => tunedFiles(device, verified, recipe, done));
    return this.runtime.turn(() => this.#tested({ ...verified, files }, recipe));
  }

  close(): void {
    this.runtime.dispose();
  }

  async #tested(verified: VerifiedModel, recipe: Recipe): Promise<Outcome> {
    const { values, findings, markers, masks } = this.test;
    const network = await buildNetwork(verified);
    const trainable = new TrainableNetwork(network.layersModel!, recipe);
    const logits = (x: Tensor) => trainable.compute([x]).outputs[0]!;
    const pictures = (of: readonly Float32Array[]) => tensor(Float32Array.from(of.flatMap(picture => [...picture])), [of.length, SIDE, SIDE, 1]);
    const scores = [...tidy(() => logits(pictures(values)).dataSync() as Float32Array)];
    const sick = findings.flatMap((finding, i) => (finding ? [i] : []));
    const saliency = tidy(() => {
      const slope = grad(x => sum(logits(x)))(pictures(sick.map(i => values[i]!)));
      return avgPool(abs(slope) as Tensor4D, 3, 1, 'same').dataSync() as Float32Array;
    });
    network.dispose();
    const area = SIDE * SIDE;
    const ious = sick.map((i, s) => overlap(saliency.subarray(s * area, (s + 1) * area), masks[i]!));
    return { scores, auc: auc(scores, findings)!, aucOfMarker: auc(scores, markers)!, saliencyIou: ious.reduce((a, b) => a + b, 0) / ious.length };
  }
}

/** The strongest pixels, as many as are in the mask, against it: intersection over union. */
function overlap(saliency: Float32Array, mask: Uint8Array): number {
  const count = mask.reduce((total, inside) => total + inside, 0);
  const strongest = [...saliency.keys()].sort((a, b) => saliency[b]! - saliency[a]!).slice(0, count);
  const both = strongest.reduce((total, i) => total + mask[i]!, 0);
  return both / (2 * count - both);
}

function examplesOf({ values, findings, markers, masks }: Pictures, set: string): Example[] {
  return values.map((picture, i) => ({
    id: `${set} ${i}`, patientId: `${set} ${i}`, columns: SIDE, rows: SIDE, channels: 1, picture,
    labels: Float32Array.of(Number(findings[i])), site: markers[i] ? 'marked' : 'unmarked', ...(findings[i] && { classes: masks[i]! }),
  }));
}
