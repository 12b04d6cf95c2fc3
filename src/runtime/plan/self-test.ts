import { lanesOfChannels } from './lanes.ts';
import type { Node, PlaneShape } from './ops.ts';
import type { Plan } from './plan.ts';
import type { Program } from './program.ts';
import { referenceOf, sizeOf, type Given } from './reference.ts';

/** Values of each layer that are computed again. */
const PLACES = 12;
/** Of the largest value that is summed up, in float32: its sums in another order differ by some 1e-6, a wrong kernel by much more. */
const TOLERANCE = 1e-3;

/** What a device computed wrongly. */
export interface Fault {
  readonly layer: string;
  readonly kernel: string;
  readonly expected: number;
  readonly got: number;
}

/**
 * Runs a plan once on noise and computes some values of each layer again on the CPU, in float64 and from what the device
 * itself holds of the layer's inputs: a few hundred thousand multiplications, where the whole network would take billions.
 * So each kernel is seen at its own place, with its own weights and sizes, and a fault is named where it arises. Each
 * is read right after its step, before another takes its buffer.
 * @returns the first layer that is wrong
 */
export async function selfTest(plan: Plan, tolerance = TOLERANCE): Promise<Fault | undefined> {
  const { program } = plan;
  const feeds = noisyFeeds(program);
  const steps = program.steps(1);
  let random = 1;
  const among = (count: number) => (random = (Math.imul(random, 1664525) + 1013904223) >>> 0) % count;
  let fault: Fault | undefined;
  await plan.inspect(feeds, async (index, read) => {
    const node = steps[index]!.node;
    if (node === undefined || fault) return;
    const made = program.network.nodes[node]!;
    if (made.op.kind === 'input') return;
    const tensor = async (of: number) => lookedUp(program, of, await read(program.storage.places[of]!.root));
    const given = await Promise.all(made.inputs.map(tensor));
    const { shape, value } = await tensor(node);
    const wanted = referenceOf(made, given);
    const scale = scaleOf(made, given);
    for (let i = 0; i < PLACES; i++) {
      // The last row and column are where a kernel goes wrong first.
      const [row, column, channel] = i === 0 ? [shape.rows - 1, shape.columns - 1, shape.channels - 1] : [among(shape.rows), among(shape.columns), among(shape.channels)];
      const expected = wanted(row, column, channel);
      const got = value((row * shape.columns + column) * shape.channels + channel);
      if (Math.abs(got - expected) <= tolerance * Math.max(scale, Math.abs(expected))) continue;
      fault = { layer: made.name, kernel: steps[index]!.launch.kernel.key, expected, got };
      return;
    }
  });
  return fault;
}

/** A tensor as it lies in its root's buffer. */
function lookedUp(program: Program, node: number, root: Float32Array): Given {
  const { shape } = program.network.nodes[node]!;
  const { stride, offset } = program.storage.places[node]!;
  const lanes = lanesOfChannels(program.lanes[node]!);
  return { shape, value: index => root[(Math.floor(index / shape.channels) * stride + offset) * 4 + lanes[index % shape.channels]!]! };
}

/** How large the terms of a layer's sums are: what they lose when they cancel is no fault. */
function scaleOf({ op }: Node, given: readonly Given[]): number {
  const most = Math.max(...given.map(({ shape, value }) => largestOf(sizeOf(shape), value)));
  return Math.max(1e-3, most * ('kernel' in op ? largestOf(op.kernel.length, i => op.kernel[i]!) : 1));
}

/** Of a thousand of them at most. */
function largestOf(count: number, value: (index: number) => number): number {
  const step = Math.max(1, Math.floor(count / 1009));
  let largest = 0;
  for (let i = 0; i < count; i += step) largest = Math.max(largest, Math.abs(value(i)));
  return largest;
}

/** An input for each of the network's, of pictures within a range. */
export function noisyFeeds({ inputs }: Program, [low, high]: readonly [number, number] = [-1, 1]): readonly Float32Array[] {
  return inputs.map((shape, i) => noise(sizeOf(shape), i, shape).map(value => (shape.rows * shape.columns === 1 ? value : low + (value + 1) / 2 * (high - low))));
}

/** Around zero; which of several inputs is present, as which a vector of few values is taken, is all of them. */
function noise(count: number, seed: number, { rows, columns }: PlaneShape): Float32Array {
  if (rows * columns === 1) return new Float32Array(count).fill(1);
  let state = seed + 1;
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state / 2 ** 32) * 2 - 1;
  });
}
