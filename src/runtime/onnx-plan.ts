import { tensor, type Tensor } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { Tensor as OnnxTensor } from 'onnxruntime-web';
import { isOverreadError } from '../errors.ts';
import type { Device } from './device.ts';
import type { NetworkPlan } from './network.ts';
import { openOnnx, type OnnxPlace, type OnnxSession } from './onnx-session.ts';
import { fromLayers } from './plan/from-layers.ts';
import { fused } from './plan/fuse.ts';
import { NoPlan } from './plan/ops.ts';
import { toOnnx } from './plan/to-onnx.ts';
import { isQuickerOnTfjs } from './plan/wasm-choice.ts';

/**
 * A layers model on WebAssembly by onnxruntime's kernels, which for most networks are quicker there than tfjs's: its nodes, fused
 * as for a plan of our own, are written as an ONNX file and given to it. What cannot be written, and what tfjs computes quicker, runs
 * on tfjs, and {@link kernels} says so.
 */
export class OnnxPlan implements NetworkPlan {
  #opened: OnnxSession | undefined;
  #kernels = 'not compiled yet';
  #bytes = 0;

  constructor(private readonly model: LayersModel, private readonly name: string, private readonly place: OnnxPlace) {}

  get kernels(): string {
    return this.#kernels;
  }

  get made(): boolean {
    return this.#opened !== undefined;
  }

  /** What the weights take beside tfjs's own. */
  get bytes(): number {
    return this.#opened ? this.#bytes : 0;
  }

  async make({ description }: Device): Promise<void> {
    const { model, name, place } = this;
    try {
      const network = fused(await fromLayers(model));
      if (isQuickerOnTfjs(network)) {
        this.#kernels = 'computed by tfjs, whose kernels suit its convolutions better than onnxruntime\'s';
        return;
      }
      const file = toOnnx(network, { inputs: model.inputs.map(({ shape }) => shape.length), outputs: model.outputs.map(({ shape }) => shape.length) });
      this.#opened = await openOnnx(file, new Map(), name, { ...place, on: description });
      this.#bytes = file.byteLength;
      this.#kernels = `computed by ${this.#opened.device.adapter}`;
    } catch (error) {
      // Where it does not start, tfjs, which has, computes the same.
      if (!(error instanceof NoPlan) && !isOverreadError(error, 'device/unavailable')) throw error;
      this.#kernels = `computed by tfjs, since ${(error as Error).message}`;
    }
  }

  async run(inputs: readonly Tensor[]): Promise<Tensor[] | undefined> {
    if (!this.#opened) return undefined;
    const { ort, session } = this.#opened;
    const read = await Promise.all(inputs.map(async of => new ort.Tensor('float32', (await of.data()) as Float32Array, of.shape)));
    const made = (await session.run(Object.fromEntries(read.map((of, i) => [`x${i}`, of])))) as Record<string, OnnxTensor>;
    try {
      return this.model.outputs.map((_, i) => {
        const { data, dims } = made[`y${i}`]!;
        return tensor((data as Float32Array).slice(), [...dims]);
      });
    } finally {
      for (const of of [...read, ...Object.values(made)]) of.dispose();
    }
  }

  dispose(): void {
    const session = this.#opened?.session;
    this.#opened = undefined;
    void session?.release().catch(() => {});
  }
}
