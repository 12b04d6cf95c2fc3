import { tensor, tidy } from '@tensorflow/tfjs-core';
import { auc } from '../../../src/metrics/auc.ts';
import type { Device } from '../../../src/runtime/device.ts';
import { buildNetwork } from '../../../src/runtime/network.ts';
import { wasmFolder } from '../../../src/runtime/node-wasm.ts';
import { createRuntime, type TfjsRuntime } from '../../../src/runtime/runtime.ts';
import type { VerifiedModel } from '../../../src/runtime/verified.ts';
import type { Example } from '../../../src/training/examples.ts';
import { tunedFiles } from '../../../src/training/publish.ts';
import { parseRecipe, type Recipe } from '../../../src/training/recipe.ts';
import { saliencyInMasks } from '../../../src/training/saliency-in-mask.ts';
import { TrainableNetwork } from '../../../src/training/trainable.ts';
import { train } from '../../../src/training/trainer.ts';
import { untrained } from './network.ts';
import { FIELD, SIDE, type Pictures } from './pictures.ts';

export interface Method {
  readonly name: string;
  readonly guidance?: NonNullable<Recipe['guidance']>;
}

/** What the masks in training are of: the finding, where there is one; or, of every picture, the field in which findings can be. */
export type Masks = 'finding' | 'field';

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

  async run({ name, guidance }: Method, masks: Masks, { train: fitted, validation }: { readonly train: Pictures; readonly validation: Pictures }, seed: number): Promise<Outcome> {
    const recipe = parseRecipe({ schemaVersion: 1, loss: { kind: 'cross-entropy' }, optimiser: { kind: 'adam' }, rate: 3e-3, steps: this.steps, batch: 32, validation: { every: this.steps }, checkpointEvery: this.steps, seed, ...(guidance && { guidance }) }, name);
    const verified = await untrained(seed);
    const done = await train(this.runtime, { verified, recipe, examples: { train: examplesOf(fitted, `train ${seed}`, masks), validation: examplesOf(validation, `validation ${seed}`, masks) }, run: `${name} ${seed}`, allowSlow: true });
    if (done.stepsDone !== this.steps) throw new Error(`${name} with seed ${seed} ended after ${done.stepsDone} of ${this.steps} steps: ${done.ended}`);
    const files = await this.runtime.turn(device => tunedFiles(device, verified, recipe, done));
    return this.runtime.turn(device => this.#tested(device, { ...verified, files }, recipe));
  }

  close(): void {
    this.runtime.dispose();
  }

  async #tested(device: Device, verified: VerifiedModel, recipe: Recipe): Promise<Outcome> {
    const { values, findings, markers } = this.test;
    const network = await buildNetwork(verified);
    const trainable = new TrainableNetwork(network.layersModel!, recipe);
    const scores = [...tidy(() => trainable.compute([tensor(Float32Array.from(values.flatMap(picture => [...picture])), [values.length, SIDE, SIDE, 1])]).outputs[0]!.dataSync() as Float32Array)];
    network.dispose();
    const ious = [...(await saliencyInMasks(device, verified, examplesOf(this.test, 'test'))).values()];
    return { scores, auc: auc(scores, findings)!, aucOfMarker: auc(scores, markers)!, saliencyIou: ious.reduce((a, b) => a + b, 0) / ious.length };
  }
}

function examplesOf({ values, findings, markers, masks }: Pictures, set: string, kind: Masks = 'finding'): Example[] {
  return values.map((picture, i) => ({
    id: `${set} ${i}`, patientId: `${set} ${i}`, columns: SIDE, rows: SIDE, channels: 1, picture,
    labels: Float32Array.of(Number(findings[i])), site: markers[i] ? 'marked' : 'unmarked', ...(kind === 'field' ? { classes: FIELD } : findings[i] && { classes: masks[i]! }),
  }));
}
