import { tensor, type Tensor } from '@tensorflow/tfjs-core';
import { OverreadError, throwIfAborted } from '../errors.ts';
import { checkFinite } from './check-finite.ts';
import type { Device } from './device.ts';
import type { Network } from './network.ts';
import { MOST_READ_AT_ONCE, type Slice, type SliceRun } from './slice-network.ts';

/** Some slices of what a network of volumes gives, one after the other. */
export interface OutputSlices {
  /** Index of the first, from 0. */
  readonly first: number;
  /** Of the whole output. */
  readonly shape: readonly [slices: number, rows: number, columns: number, channels: number];
  /** rows · columns · channels values each; none where the layers before the output got on. */
  readonly slices: readonly Float32Array[];
  /** How much of the work is done, 0..1. */
  readonly fraction: number;
}

/** One turn on the device, with the network ready on it. */
export type NetworkTurn = <T>(work: (network: Network, device: Device) => Promise<T>) => Promise<T>;

export interface SliceInput {
  /** [slices, rows, columns, channels] */
  readonly shape: readonly number[];
  /** A slice's values, rows · columns · channels; asked once each, in order. */
  readonly read: (slice: number) => Float32Array;
}

/** A turn ends after about so long, so that other jobs get theirs and a Cancel is heard. */
const TURN_MS = 200;

/**
 * Runs a network over a volume: slice by slice where it has layers, else whole.
 * @throws OverreadError as {@link LoadedModel}'s `predict`; `device/lost` also when the device was replaced on the way
 */
export async function* predictSlices(modelId: string, turn: NetworkTurn, input: SliceInput, signal?: AbortSignal): AsyncGenerator<OutputSlices, void> {
  let run: SliceRun | undefined;
  let begunOn: Network | undefined;
  let given = 0;
  try {
    for (;;) {
      const part = await turn(async (network): Promise<OutputSlices | undefined> => {
        throwIfAborted(signal);
        if (!network.sliced) return begunOn ? undefined : wholeVolume((begunOn = network), input);
        begunOn ??= network;
        if (network !== begunOn) {
          throw new OverreadError('device/lost', `The device was replaced while ${modelId} was under way, and the slices on it are gone. Run it again.`);
        }
        run ??= network.plan?.start?.(input.read) ?? network.sliced.start(input.read);
        const { slices, done } = await someSlices(run);
        return slices.length || !done ? { first: given, shape: network.sliced.outputShape, slices, fraction: run.fraction } : undefined;
      });
      if (!part) return;
      for (const values of part.slices) checkFinite(values, modelId);
      given += part.slices.length;
      yield part;
      // wasm computes in the thread that has to hear the Cancel.
      await new Promise(resolve => setTimeout(resolve));
      throwIfAborted(signal);
    }
  } finally {
    run?.dispose();
  }
}

async function someSlices(run: SliceRun): Promise<{ readonly slices: Float32Array[]; readonly done: boolean }> {
  const start = performance.now();
  const late = () => performance.now() - start > TURN_MS;
  const made: Slice[] = [];
  let next = await run.next(late);
  while (next && next !== 'paused') {
    made.push(next);
    if (late() || made.length === MOST_READ_AT_ONCE) break;
    next = await run.next(late);
  }
  try {
    return { slices: (await Promise.all(made.map(slice => slice.data()))) as Float32Array[], done: next === undefined };
  } finally {
    for (const slice of made) slice.dispose();
  }
}

/** A graph model has no layers to go slice by slice through. */
async function wholeVolume(network: Network, { shape, read }: SliceInput): Promise<OutputSlices> {
  const size = shape.slice(1).reduce((product, side) => product * side, 1);
  const values = new Float32Array(shape[0]! * size);
  for (let slice = 0; slice < shape[0]!; slice++) values.set(read(slice), slice * size);
  const volume = tensor(values, [1, ...shape]);
  let outputs: Tensor[] = [];
  try {
    outputs = await network.forward([volume]);
    const output = outputs.at(-1)!;
    const [, slices, rows, columns, channels] = output.shape as [number, number, number, number, number];
    if (output.shape.length !== 5) throw new OverreadError('model/output', `Expected [1, slices, rows, columns, channels], got [${output.shape}]. Mend input.layout of the manifest.`, { got: output.shape });
    const whole = (await output.data()) as Float32Array;
    const plane = rows * columns * channels;
    return { first: 0, shape: [slices, rows, columns, channels], slices: Array.from({ length: slices }, (_, i) => whole.subarray(i * plane, (i + 1) * plane)), fraction: 1 };
  } finally {
    volume.dispose();
    for (const output of outputs) output.dispose();
  }
}
