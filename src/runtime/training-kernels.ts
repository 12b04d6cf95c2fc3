import {
  Conv2D, conv2d, engine, FusedConv2D, getBackend, getKernel, registerGradient, registerKernel, unregisterKernel, type Conv2DAttrs, type FusedConv2DAttrs, type KernelBackend,
  type KernelFunc, type NamedAttrMap, type Tensor4D, type TensorInfo,
} from '@tensorflow/tfjs-core';
import { activationOf, type Activation } from './kernels/activation.ts';
import { derivativeInvocations, kernelDerivativeBody, SUM_OF_PARTS } from './kernels/kernel-derivative.ts';
import { WORKGROUP } from './kernels/kernel.ts';
import { addedPadding, inputDerivative, isPlainPadding } from './plain-convolution.ts';
import { convolvedInfo, dispatchOf, runProgram } from './slice-convolution.ts';

const KERNEL_DERIVATIVE = 'OverreadKernelDerivative';
/** Invocations that the derivative by a kernel is parted into at least, so that a GPU is busy, and parts at most, since they are summed. */
const [INVOCATIONS, MOST_CHUNKS] = [16_384, 64];

/** Weights of one of a kernel's pixels beyond which tfjs's products of matrices are the better way on a GPU. */
const MOST_WEIGHTS = 64 * 64;

let installed = false;

/**
 * Puts kernels of our own in the place of tfjs's on WebGPU, for convolutions with stride 1 and few channels, which tfjs computes in tiles
 * of 32 channels whatever their number; and one for their derivative by the kernel. Others stay as they are. Once for the process.
 */
export function installTrainingKernels(): void {
  if (installed || getBackend() !== 'webgpu') return;
  installed = true;
  replace(Conv2D, stock => given => ownConvolution(given, given.attrs as unknown as Conv2DAttrs, { kind: 'linear' }) ?? stock(given));
  replace(FusedConv2D, stock => given => {
    const attributes = given.attrs as unknown as FusedConv2DAttrs;
    const activation = given.inputs['preluActivationWeights'] ? undefined : activationOf(attributes.activation);
    return (activation && ownConvolution(given, attributes, activation)) ?? stock(given);
  });
  registerKernel({ kernelName: KERNEL_DERIVATIVE, backendName: 'webgpu', kernelFunc: ({ inputs, attrs, backend }) => summed(derivedInParts(inputs['x']!, inputs['dy']!, attrs as unknown as Shape), attrs as unknown as Shape, backend as KernelBackend) });
  registerGradient({
    kernelName: KERNEL_DERIVATIVE,
    inputsToSave: ['x', 'dy'],
    gradFunc: (d, saved, attributes) => {
      const [x, dy] = saved as [Tensor4D, Tensor4D];
      const { padding } = attributes as unknown as Shape;
      return { x: () => inputDerivative(dy, d as Tensor4D, padding), dy: () => conv2d(x, d as Tensor4D, 1, padding) };
    },
  });
}

/** What the derivative's parts are of. */
interface Shape {
  /** Of the kernel, [rows, columns, in, out]. */
  readonly shape: readonly number[];
  readonly padding: 'same' | 'valid';
}

/**
 * The derivative of a convolution by its kernel, by a kernel of our own.
 * @returns undefined where that has none
 */
export function ownKernelDerivative(x: Tensor4D, dy: Tensor4D, shape: readonly number[], padding: 'same' | 'valid'): Tensor4D | undefined {
  if (!installed || !isSmall(shape[2]!, shape[3]!)) return undefined;
  return engine().runKernel<Tensor4D>(KERNEL_DERIVATIVE, { x, dy }, { shape, padding } as unknown as NamedAttrMap);
}

function isSmall(channels: number, filters: number): boolean {
  return getBackend() === 'webgpu' && channels * filters <= MOST_WEIGHTS;
}

function replace(kernelName: string, by: (stock: KernelFunc) => KernelFunc): void {
  const stock = getKernel(kernelName, 'webgpu');
  unregisterKernel(kernelName, 'webgpu');
  registerKernel({ ...stock, kernelFunc: by(stock.kernelFunc) });
}

function ownConvolution({ inputs }: Parameters<KernelFunc>[0], { strides, pad, dataFormat, dilations }: Pick<Conv2DAttrs, 'strides' | 'pad' | 'dataFormat' | 'dilations'>, activation: Activation): TensorInfo | undefined {
  const { x, filter, bias } = inputs as { x: TensorInfo; filter: TensorInfo; bias?: TensorInfo };
  const [rows, columns, channels, filters] = filter.shape as [number, number, number, number];
  const ones = [strides, dilations].flat().every(step => step === 1);
  if (!ones || dataFormat !== 'NHWC' || !isPlainPadding(pad) || x.shape.length !== 4 || !isSmall(channels, filters) || (bias && bias.shape.length !== 1)) return undefined;
  const [, height, width] = x.shape as [number, number, number, number];
  const [above, left] = [addedPadding(rows, pad)[0], addedPadding(columns, pad)[0]];
  const made = pad === 'same' ? ([height, width] as const) : ([height - rows + 1, width - columns + 1] as const);
  if (made.some(side => side < 1)) return undefined;
  return convolvedInfo({ depth: 1, channels, filters, made, size: [rows, columns], strides: [1, 1], rates: [1, 1], before: [above, left], activation }, [x], filter, bias);
}

/** tfjs's own sum takes a workgroup for each of its values, of which there are as many as weights. */
function summed(parts: TensorInfo, { shape }: Shape, backend: KernelBackend): TensorInfo {
  const size = shape.reduce((product, side) => product * side, 1);
  const program = {
    variableNames: ['x'],
    outputShape: [...shape],
    workgroupSize: [WORKGROUP, 1, 1] as [number, number, number],
    dispatchLayout: { x: [0, 1, 2, 3] },
    dispatch: dispatchOf(size),
    uniforms: 'count : i32,',
    shaderKey: 'sum of parts',
    getUserCode: () => SUM_OF_PARTS,
  };
  const whole = runProgram(program, [parts], [[size]]);
  backend.disposeData(parts.dataId);
  return whole;
}

/** [chunks, taps, in, out], whose sum over chunks is the derivative. */
function derivedInParts(x: TensorInfo, dy: TensorInfo, { shape, padding }: Shape): TensorInfo {
  const [rows, columns, channels, filters] = shape as readonly [number, number, number, number];
  const lines = dy.shape[0]! * dy.shape[1]!;
  const wanted = Math.ceil(INVOCATIONS / derivativeInvocations({ channels, filters }, rows * columns, 1));
  const rowsEach = Math.ceil(lines / Math.min(wanted, MOST_CHUNKS));
  const chunks = Math.ceil(lines / rowsEach);
  const program = {
    variableNames: ['x', 'dy'],
    outputShape: [chunks, rows * columns, channels, filters],
    workgroupSize: [WORKGROUP, 1, 1] as [number, number, number],
    dispatchLayout: { x: [0, 1, 2, 3] },
    dispatch: dispatchOf(derivativeInvocations({ channels, filters }, rows * columns, chunks)),
    uniforms: 'kernelColumns : i32, rowsEach : i32, before : vec2<i32>,',
    shaderKey: `kernel derivative/${channels}/${filters}`,
    getUserCode: () => kernelDerivativeBody({ channels, filters }),
  };
  return runProgram(program, [x, dy], [[columns], [rowsEach], [addedPadding(rows, padding)[0], addedPadding(columns, padding)[0]]]);
}
