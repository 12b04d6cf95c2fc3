import { dispose, zeros, type Tensor } from '@tensorflow/tfjs-core';
import { OverreadError, throwIfAborted } from '../errors.ts';
import { inputNames, type ModelManifest } from '../manifest.ts';
import type { DeviceDescription, ModelIdentity } from '../results/result.ts';
import { checkFinite } from './check-finite.ts';
import type { Device } from './device.ts';
import { NetworkGradients } from './gradients.ts';
import { buildNetwork, type Network } from './network.ts';
import { checkLimits } from './preflight.ts';
import { orAborted } from './queue.ts';
import { receptiveField, type ReceptiveField } from './receptive-field.ts';
import type { SliceNetwork } from './slice-network.ts';
import { predictSlices, type NetworkTurn, type OutputSlices, type SliceInput } from './slice-prediction.ts';
import type { GradientModel, LoadedModel } from './types.ts';
import type { VerifiedModel } from './verified.ts';

/** What a model needs of its runtime: its turn on a device that stands. */
export interface Turns {
  /** Waits for its turn and for a sound device, then runs the job on it. */
  turn<T>(job: (device: Device) => Promise<T>): Promise<T>;
  released(model: TfjsModel): void;
  /** Where the wasm binaries are; see `RuntimeOptions`. */
  readonly wasmPath?: string | undefined;
}

/**
 * A model on a device. Its verified files stay in memory, so that it can be made again on the device that follows a
 * lost one, without a download.
 */
export class TfjsModel implements LoadedModel {
  readonly manifest: ModelManifest;
  readonly identity: ModelIdentity;
  readonly bytes: number;
  readonly gradients: GradientModel;
  #network: Network | undefined;
  #madeOn: Device | undefined;
  #busy = false;
  #disposed = false;

  constructor(
    private readonly verified: VerifiedModel,
    private readonly turns: Turns,
  ) {
    this.manifest = verified.manifest;
    this.identity = verified.identity;
    this.bytes = verified.bytes;
    this.gradients = new NetworkGradients(this.manifest, (signal, work) => {
      const run = this.#turn(async device => {
        throwIfAborted(signal);
        const network = await this.#prepare(device);
        throwIfAborted(signal);
        return device.guard(() => work(network, device));
      });
      return orAborted(run, signal, () => {});
    });
  }

  get device(): DeviceDescription | undefined {
    const { device, plan } = this.#network ?? {};
    if (device || !plan || !this.#madeOn) return device;
    const { description } = this.#madeOn;
    return { ...description, reason: `${description.reason}; ${plan.kernels}` };
  }

  /** What the network holds on its device beside tfjs's tensors. */
  get deviceBytes(): number {
    return this.#network?.plan?.bytes ?? 0;
  }

  /** Builds the network and compiles its shaders, before the first run asks for it. */
  load(signal?: AbortSignal, onStart?: () => void): Promise<void> {
    const prepared = this.#turn(async device => {
      throwIfAborted(signal);
      onStart?.();
      await this.#prepare(device);
    });
    return orAborted(prepared, signal, () => {});
  }

  async #prepare(device: Device): Promise<Network> {
    if (this.#network && this.#madeOn === device) return this.#network;
    this.drop();
    const { manifest } = this;
    const network = await buildNetwork(this.verified, { on: device.description, wasmPath: this.turns.wasmPath });
    try {
      checkLimits(network, manifest.id, device);
      if (network.plan) await device.guard(() => network.plan!.make(device));
      // onnxruntime compiles its shaders in its first run.
      if (network.device?.backend === 'webgpu') await device.guard(() => firstRun(network, manifest, device));
      else if (device.compile && !network.device && !network.plan?.made) await device.guard(() => device.compile!(() => dryRun(network, manifest, device)));
    } catch (error) {
      network.dispose();
      throw error;
    }
    this.#network = network;
    this.#madeOn = device;
    return network;
  }

  predict(inputs: readonly Tensor[], signal?: AbortSignal): Promise<readonly Tensor[]> {
    const run = this.#turn(async device => {
      throwIfAborted(signal);
      const network = await this.#prepare(device);
      throwIfAborted(signal);
      return guardedForward(device, network, inputs, this.manifest);
    });
    return orAborted(run, signal, late => dispose([...late]));
  }

  predictSlices(read: SliceInput['read'], signal?: AbortSignal): AsyncGenerator<OutputSlices, void> {
    const turn: NetworkTurn = work => orAborted(this.#turn(async device => {
      throwIfAborted(signal);
      const network = await this.#prepare(device);
      throwIfAborted(signal);
      return device.guard(() => work(network, device));
    }), signal, () => {});
    return predictSlices(this.manifest.id, turn, { shape: this.manifest.input.shape, read }, signal);
  }

  receptiveField(signal?: AbortSignal): Promise<ReceptiveField> {
    const found = this.#turn(async device => {
      throwIfAborted(signal);
      const { layersModel } = await this.#prepare(device);
      const { id, graph, input: { shape } } = this.manifest;
      if (!layersModel) {
        throw new OverreadError('model/graph', `Expected a layers model, whose receptive field can be computed, got the ${graph.format} model ${id}. Leave out input.tiling.`, { expected: 'layers', got: graph.format });
      }
      return receptiveField(layersModel, shape.slice(0, -1));
    });
    return orAborted(found, signal, () => {});
  }

  /** Frees the network, not the kept files. */
  drop(): void {
    this.#network?.dispose();
    this.#network = undefined;
    this.#madeOn = undefined;
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    // A run that is under way keeps its weights to its end.
    if (!this.#busy) this.drop();
    this.turns.released(this);
  }

  #turn<T>(job: (device: Device) => Promise<T>): Promise<T> {
    return this.turns.turn(async device => {
      if (this.#disposed) throw new OverreadError('internal', `The model ${this.manifest.id} was disposed before its run. Load it again.`);
      this.#busy = true;
      try {
        return await job(device);
      } finally {
        this.#busy = false;
        if (this.#disposed) this.drop();
      }
    });
  }
}

function dryRun(network: Network, manifest: ModelManifest, device: Device): void {
  if (network.sliced) return dryVolume(network.sliced, manifest);
  const inputs = inputShapes(manifest, 1).map(shape => zeros([...shape]));
  try {
    dispose(forward(network, inputs, manifest.id, device) as Tensor[]);
  } finally {
    dispose(inputs);
  }
}

/** The first slice of the output asks for every layer's. */
function dryVolume(sliced: SliceNetwork, { input: { shape } }: ModelManifest): void {
  const blank = new Float32Array(shape.slice(1).reduce((product, side) => product * side, 1));
  const run = sliced.start(() => blank);
  const slice = run.next();
  if (slice && slice !== 'paused') slice.dispose();
  run.dispose();
}

async function firstRun(network: Network, manifest: ModelManifest, device: Device): Promise<void> {
  const inputs = inputShapes(manifest, 1).map(shape => zeros([...shape]));
  try {
    dispose(await forward(network, inputs, manifest.id, device));
  } finally {
    dispose(inputs);
  }
}

/** The shapes of the inputs for a batch of n, in the order of `inputNames`. */
function inputShapes(manifest: ModelManifest, n: number): readonly (readonly number[])[] {
  const names = inputNames(manifest) ?? [''];
  return names.map(name => (name === 'present' ? [n, names.length - 1] : [n, ...manifest.input.shape]));
}

function forward(network: Network, inputs: readonly Tensor[], modelId: string, device: Device): Tensor[] | Promise<Tensor[]> {
  try {
    return network.forward(inputs);
  } catch (error) {
    if (error instanceof OverreadError) throw error;
    const got = error instanceof Error ? error.message : String(error);
    throw new OverreadError(
      'model/graph',
      `Expected the model ${modelId} to run on ${device.description.backend}, got an error: ${got} Choose another backend or convert the model again.`,
      { expected: `a model that runs on ${device.description.backend}`, got },
      error,
    );
  }
}

async function guardedForward(device: Device, network: Network, inputs: readonly Tensor[], manifest: ModelManifest): Promise<readonly Tensor[]> {
  const batch = inputs[0]?.shape[0] ?? 1;
  checkGiven(inputs, inputShapes(manifest, batch));
  // A batch that is larger than the one that was checked when the network was made.
  if (batch > 1) checkLimits(network, manifest.id, device, batch);
  let outputs: Tensor[] = [];
  let given = false;
  try {
    const run = () => device.guard(async () => {
      outputs = await forward(network, inputs, manifest.id, device);
      // Only the read shows that the device did the work; tfjs keeps the values, so the task reads them for nothing.
      return Promise.all(outputs.map(output => output.data()));
    });
    let values = await run();
    // A value beyond float16 makes all outputs NaN, so that one tells.
    if (Number.isNaN(values[0]?.[0]) && (await device.guard(async () => network.plan?.widen?.(device)))) {
      dispose(outputs);
      values = await run();
    }
    for (const of of values) checkFinite(of, manifest.id);
    given = true;
    return outputs;
  } finally {
    if (!given) dispose(outputs);
  }
}

function checkGiven(inputs: readonly Tensor[], wanted: readonly (readonly number[])[]): void {
  if (inputs.length === wanted.length && inputs.every(({ shape }, i) => shape.join() === wanted[i]!.join())) return;
  const got = inputs.map(({ shape }) => `[${shape}]`).join(', ');
  const expected = wanted.map(shape => `[${shape}]`).join(', ');
  throw new OverreadError('internal', `Expected inputs of shape ${expected}, got ${got}. Please report this.`, { expected, got });
}
