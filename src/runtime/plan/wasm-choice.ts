import type { Network2D } from './ops.ts';

/** What a pointwise multiplication is to weigh against one in a window, for what onnxruntime gains by it. */
const POINTWISE = 3;
/** What tfjs loses with each node by not fusing it and by its own bookkeeping, in multiplications. */
const NODE = 16e6;

/**
 * Whether tfjs's kernels are expected to be quicker on WebAssembly than onnxruntime's. tfjs has XNNPACK's convolutions, which go through the
 * picture where it lies; onnxruntime first writes each window as a row of a matrix, which costs more the fewer channels there are to
 * multiply it with. Pointwise convolutions have no such matrix, and there and between the layers onnxruntime is the quicker one.
 *
 * The numbers are fitted on one machine, one thread, to networks of which six are recorded (`test/bench/results`): U-Nets of 0.9 to 14 G
 * multiplications were quicker with tfjs or alike, DenseNet-121, ResNet-50 and whatever is small slower. By the network's structure and not by a time taken on the
 * spot, since the two differ in the last digits: the same model has to give the same result tomorrow.
 */
export function isQuickerOnTfjs({ nodes }: Network2D): boolean {
  let gain = 0;
  for (const { op, shape, inputs } of nodes) {
    gain -= NODE;
    if (op.kind !== 'convolution') continue;
    const taps = op.size[0] * op.size[1];
    const count = shape.rows * shape.columns * shape.channels * taps * nodes[inputs[0]!]!.shape.channels;
    gain += taps === 1 ? -POINTWISE * count : count;
  }
  return gain > 0;
}

/** Channels of a volume that a convolution makes, up to which onnxruntime was the quicker one: it was with 5 and 10, tfjs with 16 and 32. */
const VOLUME_CHANNELS = 12;

/**
 * The same of a network of volumes, slice by slice: XNNPACK's convolutions make channels in lots, of which a few fill none.
 * @param networks of one slice of a layer each
 */
export function areVolumesQuickerOnTfjs(networks: readonly Network2D[]): boolean {
  let [count, channels] = [0, 0];
  for (const { op, shape } of networks.flatMap(({ nodes }) => nodes)) {
    if (op.kind !== 'convolution') continue;
    const multiplications = shape.rows * shape.columns * op.kernel.length;
    count += multiplications;
    channels += multiplications * shape.channels;
  }
  return channels > VOLUME_CHANNELS * count;
}
