import { backend, engine, getBackend, type Tensor, type TensorInfo, type Tensor4D } from '@tensorflow/tfjs-core';
import { activationKey, LINEAR, type Activation } from './kernels/activation.ts';
import { WORKGROUP } from './kernels/kernel.ts';
import { invocationsOf, sliceConvolution } from './kernels/slice-convolution.ts';

type Pair = readonly [rows: number, columns: number];

/** A program of tfjs's WebGPU backend, as far as we write one. */
export interface Program {
  readonly variableNames: string[];
  readonly outputShape: number[];
  readonly workgroupSize: [number, number, number];
  readonly dispatchLayout: { x: number[] };
  readonly dispatch: [number, number, number];
  readonly uniforms: string;
  readonly shaderKey: string;
  getUserCode(): string;
}

/** What this file needs of the backend. */
interface Backend {
  runWebGPUProgram(program: Program, inputs: TensorInfo[], dtype: 'float32', uniforms: { type: string; data: number[] }[]): TensorInfo;
}

/** Runs a program on the backend's tensors; each uniform is whole numbers, in the order of the program's own. */
export function runProgram(program: Program, inputs: readonly TensorInfo[], uniforms: readonly (readonly number[])[]): TensorInfo {
  return (backend() as unknown as Backend).runWebGPUProgram(program, [...inputs], 'float32', uniforms.map(data => ({ type: 'int32', data: [...data] })));
}

/** Workgroups on as many axes as they need: one row of them reaches far enough for small tensors only. */
export function dispatchOf(invocations: number): [number, number, number] {
  const workgroups = Math.ceil(invocations / WORKGROUP);
  const across = Math.ceil(Math.sqrt(workgroups));
  return workgroups <= 65_535 ? [workgroups, 1, 1] : [across, Math.ceil(workgroups / across), 1];
}

/** A dispatch binds the slices, weights, bias and the result; WebGPU grants eight. */
const MOST_SLICES = 5;
/** Weights of one slice's kernel beyond which tfjs's matrix products are the better way. */
const MOST_CHANNELS = 48;

/** What does not change from slice to slice. */
export interface SlicePass {
  readonly depth: number;
  readonly channels: number;
  readonly filters: number;
  /** Of what is made. */
  readonly made: Pair;
  readonly size: Pair;
  readonly strides: Pair;
  readonly rates: Pair;
  readonly before: Pair;
  readonly activation?: Activation;
}

/** True where slices can be convolved by the kernel of our own. */
export function hasSliceKernel({ depth, channels, filters }: Pick<SlicePass, 'depth' | 'channels' | 'filters'>): boolean {
  return getBackend() === 'webgpu' && depth <= MOST_SLICES && Math.max(channels, filters) <= MOST_CHANNELS;
}

/**
 * One slice of a 3D convolution, in one dispatch.
 * @param met the slices that the kernel meets, [1, rows, columns, channels]; undefined beyond the ends, one at least is there
 * @param kernel [slices, rows, columns, in, out]
 */
export function convolvedSlice(pass: SlicePass, met: readonly (Tensor4D | undefined)[], kernel: Tensor, bias: Tensor | undefined): Tensor4D {
  return engine().makeTensorFromTensorInfo(convolvedInfo(pass, met, kernel, bias)) as Tensor4D;
}

/** As {@link convolvedSlice}, for one that makes no tensor of it yet; of a single slice there may be a batch. */
export function convolvedInfo(pass: SlicePass, met: readonly (TensorInfo | undefined)[], kernel: TensorInfo, bias: TensorInfo | undefined): TensorInfo {
  const { depth, channels, filters, made, activation = LINEAR } = pass;
  const some = met.find(slice => slice !== undefined)!;
  const batch = some.shape[0]!;
  const there = met.reduce((bits, slice, t) => (slice ? bits | (1 << t) : bits), 0);
  const program: Program = {
    variableNames: [...met.map((_, t) => `x${t}`), 'w', ...(bias ? ['bias'] : [])],
    outputShape: [batch, ...made, filters],
    workgroupSize: [WORKGROUP, 1, 1],
    dispatchLayout: { x: [0, 1, 2, 3] },
    dispatch: dispatchOf(invocationsOf(made, filters, batch)),
    uniforms: 'there : i32, kernelSize : vec2<i32>, strides : vec2<i32>, rates : vec2<i32>, before : vec2<i32>,',
    shaderKey: `slice convolution/${depth}/${channels}/${filters}/${bias !== undefined}/${activationKey(activation)}`,
    getUserCode: () => sliceConvolution({ depth, channels, filters, bias: bias !== undefined, activation }),
  };
  const inputs = [...met.map(slice => slice ?? some), kernel, ...(bias ? [bias] : [])];
  return runProgram(program, inputs, [[there], pass.size, pass.strides, pass.rates, pass.before]);
}
