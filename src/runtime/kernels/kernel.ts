/**
 * What a kernel of ours is. Activations lie in buffers of vec4<f32>, one quad of channels after the other, pixel by pixel
 * (NHWC, the channels filled up to a multiple of four), so that every load and store is a whole vec4. A tensor may be a
 * part of a wider one: quad q of pixel p is at `p * stride + offset + q`.
 */
export interface Kernel {
  /** Two kernels of one key are one pipeline: whatever is written into the code belongs in it. */
  readonly key: string;
  readonly code: string;
}

/** One dispatch. Bindings: 0 the parameters, then what is read in the kernel's order, last what is written. */
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

type Element = 'vec4f' | 'f32' | 'u32';

export interface Source {
  /** Distinguishes what is written into the code. */
  readonly key: string;
  readonly params: readonly string[];
  /** What is read: name and element type, in the order of the bindings. */
  readonly reads: readonly (readonly [name: string, element: Element])[];
  /** Element type of `y`, which is written. */
  readonly writes: Element;
  /** Declarations outside of the function. */
  readonly declarations?: string;
  /**
   * 'task': `id` counts invocations, and ends at the parameter `tasks`. 'workgroup': `id` counts workgroups up to
   * `tasks`, and `lane` is the invocation's index within.
   */
  readonly by?: 'task' | 'workgroup';
  readonly body: string;
}

/** Completes a kernel's code: bindings, parameters, the index of the invocation, which spans two axes of workgroups. */
export function kernel({ key, params, reads, writes, declarations = '', by = 'task', body }: Source): Kernel {
  const bindings = reads.map(([name, element], i) => `@group(0) @binding(${i + 1}) var<storage, read> ${name}: array<${element}>;`);
  const code = `
struct Params { ${params.map(name => `${name}: u32`).join(', ')} }
@group(0) @binding(0) var<uniform> p: Params;
${bindings.join('\n')}
@group(0) @binding(${reads.length + 1}) var<storage, read_write> y: array<${writes}>;
${declarations}
@compute @workgroup_size(${WORKGROUP})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let id = ${by === 'task' ? `(group.y * groups.x + group.x) * ${WORKGROUP}u + lane` : 'group.y * groups.x + group.x'};
  if (id >= p.tasks) { return; }
${body}
}`;
  return { key, code };
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
