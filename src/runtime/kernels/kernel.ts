/** How a device's shaders are written. */
export interface Dialect {
  /**
   * How activations and the kernels of layers lie in memory. All arithmetic is in 32 bits: a value is rounded when it is stored, and a sum loses
   * nothing on its way. Biases, factors by channel, inputs and outputs stay in 32 bits, too.
   */
  readonly precision: 'float32' | 'float16';
  /** Workgroups join their sums by subgroups, of whatever size the device has. */
  readonly subgroups: boolean;
}

/** What every WebGPU device understands. */
export const PLAIN: Dialect = { precision: 'float32', subgroups: false };

/** What dialects beyond the plain one need of a device; the types know of the first only. */
const FEATURES = ['shader-f16', 'subgroups'] as string[] as GPUFeatureName[];

/** Those of them that an adapter has, to ask its device for. */
export function dialectFeatures({ features }: GPUAdapter): GPUFeatureName[] {
  return FEATURES.filter(feature => features.has(feature));
}

/** How shaders are written for a device that was asked for them. */
export function dialectOn({ features }: GPUDevice, precision: Dialect['precision'] = 'float32'): Dialect {
  return { precision, subgroups: features.has('subgroups') };
}

/**
 * What a kernel of ours is. Activations lie in buffers of vec4<f32> or vec4<f16>, one quad of channels after the other, pixel by pixel
 * (NHWC, the channels filled up to a multiple of four), so that every load and store is a whole vec4. A tensor may be a
 * part of a wider one: quad q of pixel p is at `p * stride + offset + q`.
 */
export interface Kernel {
  /** Two kernels of one key are one pipeline of a dialect: whatever else is written into the code belongs in it. */
  readonly key: string;
  readonly code: (dialect: Dialect) => string;
}

/** One dispatch. Bindings: 0 the parameters, then what is read in the kernel's order, then what is written; in float16 last the mark of what is {@link LARGEST_HALF beyond} it. */
export interface Launch {
  readonly kernel: Kernel;
  /** u32 each, in the order of the kernel's parameters. */
  readonly params: readonly number[];
  /** Of 64 invocations each. */
  readonly workgroups: number;
}

/** Where a tensor lies in its buffer, in quads. */
export interface Place {
  readonly stride: number;
  readonly offset: number;
}

/** 64 suits all: two warps or one wave of GPUs, and no limit of WebGPU is near. */
export const WORKGROUP = 64;

/** Beyond it, a value has no float16: the device may make an infinity of it or the largest there is. */
export const LARGEST_HALF = 65_504;

/** 'stored' is a quad of a tensor or of a layer's kernel, in the dialect's precision; loaded by `vec4f(x[i])`. */
type Element = 'stored' | 'vec4f' | 'f32' | 'u32';

export interface Source {
  /** Distinguishes what is written into the code. */
  readonly key: string;
  readonly params: readonly string[];
  /** What is read: name and element type, in the order of the bindings. */
  readonly reads: readonly (readonly [name: string, element: Element])[];
  /** What `y` is: quads of a tensor, written by `stored(v)`; or numbers for the outside, written by `given(v)`. */
  readonly writes: 'stored' | 'given';
  /** Declarations outside of the function. */
  readonly declarations?: (dialect: Dialect) => string;
  /**
   * 'task': `id` counts invocations, and ends at the parameter `tasks`. 'workgroup': `id` counts workgroups up to
   * `tasks`, and `lane` is the invocation's index within.
   */
  readonly by?: 'task' | 'workgroup';
  readonly body: string;
}

/** Completes a kernel's code: bindings, parameters, the index of the invocation, which spans two axes of workgroups. */
export function kernel({ key, params, reads, writes, declarations, by = 'task', body }: Source): Kernel {
  const bindings = reads.map(([name, element], i) => `@group(0) @binding(${i + 1}) var<storage, read> ${name}: array<${element === 'stored' ? 'Stored' : element}>;`);
  const code = (dialect: Dialect) => `${dialect.precision === 'float16' ? 'enable f16;' : ''}${dialect.subgroups ? 'enable subgroups;' : ''}
struct Params { ${params.map(name => `${name}: u32`).join(', ')} }
${dialect.precision === 'float16' ? half(writes, reads.length + 2) : FULL}
@group(0) @binding(0) var<uniform> p: Params;
${bindings.join('\n')}
@group(0) @binding(${reads.length + 1}) var<storage, read_write> y: array<${writes === 'stored' ? 'Stored' : 'Given'}>;
${declarations?.(dialect) ?? ''}
@compute @workgroup_size(${WORKGROUP})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let id = ${by === 'task' ? `(group.y * groups.x + group.x) * ${WORKGROUP}u + lane` : 'group.y * groups.x + group.x'};
  if (id >= p.tasks) { return; }
${body}
}`;
  return { key, code };
}

const FULL = `
alias Stored = vec4f;
alias Given = f32;
fn stored(v: vec4f) -> Stored { return v; }
fn given(v: f32) -> Given { return v; }`;

/**
 * A value beyond float16 leaves a mark, whatever the device then stores and however a later layer hides it, and where there is one every
 * output is NaN, by its bits: shaders may take it that there are no NaN.
 */
function half(writes: Source['writes'], binding: number): string {
  return `
alias Stored = vec4<f16>;
alias Given = u32;
${writes === 'stored' ? `
@group(0) @binding(${binding}) var<storage, read_write> beyond: atomic<u32>;
fn stored(v: vec4f) -> Stored {
  if (any(abs(v) > vec4f(${LARGEST_HALF}.0))) { atomicStore(&beyond, 1u); }
  return Stored(v);
}` : `
@group(0) @binding(${binding}) var<storage, read> beyond: u32;
fn given(v: f32) -> Given { return select(bitcast<u32>(v), 0x7fc00000u, beyond != 0u); }`}`;
}

/** The parameters' values in the order of their names. */
export function valuesOf(names: readonly string[], values: Readonly<Record<string, number>>): number[] {
  return names.map(name => {
    const value = values[name];
    if (value === undefined || !Number.isInteger(value)) throw new Error(`the parameter ${name} of a kernel is ${value}`);
    return value >>> 0;
  });
}

export function groupsOf(tasks: number): number {
  return Math.ceil(tasks / WORKGROUP);
}

/** `count` copies of a piece of code, one for each index. */
export function repeat(count: number, code: (index: number) => string, between = '\n'): string {
  return Array.from({ length: count }, (_, i) => code(i)).join(between);
}
