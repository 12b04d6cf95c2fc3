import { halfToNumber, numberToHalf } from '../half.ts';
import { arenaOf, type Arena } from './arena.ts';
import { NoPlan, OverBudget } from './ops.ts';
import { compile, pipelineOf } from './pipelines.ts';
import type { Constant, Operand, Program, Step } from './program.ts';

/** How much of the device a plan takes, in bytes. */
export interface PlanMemory {
  readonly weights: number;
  /** Activations, after sharing. */
  readonly arena: number;
  /** Inputs, outputs and parameters. */
  readonly rest: number;
  /** The largest single buffer. */
  readonly largest: number;
}

/** Offsets of uniform and storage bindings: WebGPU's own default, which every device grants. */
const ALIGNMENT = 256;
const MARK_BYTES = 4;
/** Batches whose buffers are kept: a full one, and the rest of a series. */
const KEPT_BATCHES = 2;

/** One batch's buffers and what is dispatched on them. */
interface Recorded {
  readonly batch: number;
  readonly inputs: readonly GPUBuffer[];
  readonly outputs: readonly GPUBuffer[];
  readonly slots: readonly GPUBuffer[];
  /** Which slot a root is in. */
  readonly slotOf: ReadonlyMap<number, number>;
  readonly params: GPUBuffer;
  /** In float16: not 0 after a run that had values beyond it, whose outputs are then NaN. */
  readonly beyond?: GPUBuffer;
  readonly bytes: number;
  readonly dispatches: readonly Dispatch[];
}

interface Dispatch {
  readonly pipeline: GPUComputePipeline;
  readonly bindings: GPUBindGroup;
  readonly x: number;
  readonly y: number;
}

/** What is given to a plan: values, or a buffer on the same device that holds them from its beginning. */
export type Feed = Float32Array | GPUBuffer;

/**
 * A network on a GPU as a list of dispatches that was recorded once: all buffers are there before it runs, all pipelines are
 * compiled, and a run is one encoder and one submit. Errors of the GPU go to the device's error scopes, which the
 * caller holds around {@link make} and {@link run}.
 */
export class Plan {
  /** Inputs that a run can take at once by the device's limits. */
  readonly largestBatch: number;
  readonly #constants: readonly GPUBufferBinding[];
  readonly #weightBuffers: readonly GPUBuffer[];
  #recorded: Recorded[] = [];

  private constructor(
    private readonly device: GPUDevice,
    readonly program: Program,
    private readonly budget: number,
  ) {
    const { maxBufferSize, maxStorageBufferBindingSize } = device.limits;
    const { weights, arena, rest, largest } = memoryOf(program, 1);
    // A batch's buffers are its inputs', but for the weights and some parameters; of the batches that are kept, any two.
    const each = KEPT_BATCHES * (arena + rest);
    this.largestBatch = Math.max(1, Math.floor(Math.min(Math.min(maxBufferSize, maxStorageBufferBindingSize) / largest, (budget - weights) / each)));
    const { buffers, bindings } = uploaded(device, program.constants);
    this.#weightBuffers = buffers;
    this.#constants = bindings;
  }

  /**
   * Uploads the weights, compiles all pipelines in parallel and makes the buffers for single inputs.
   * @param budget bytes that the plan may take: batches larger than {@link largestBatch} would take more
   * @throws OverBudget; NoPlan where a tensor is over the device's limits, or a kernel does not compile there
   */
  static async make(device: GPUDevice, program: Program, budget = Infinity): Promise<Plan> {
    checkLimits(device, program, 1, budget);
    const plan = new Plan(device, program, budget);
    try {
      await compile(device, program.steps(1).map(({ launch }) => launch.kernel), program.dialect);
      plan.#record(1);
      return plan;
    } catch (error) {
      plan.dispose();
      if (error instanceof NoPlan) throw error;
      throw new NoPlan(`a kernel does not compile here (${error instanceof Error ? error.message.split('\n')[0] : String(error)})`);
    }
  }

  get dispatches(): number {
    return this.#recorded[0]?.dispatches.length ?? 0;
  }

  /** Bytes that the plan holds on the device now. */
  get bytes(): number {
    return this.#recorded.reduce((sum, { bytes }) => sum + bytes, this.weightBytes);
  }

  /** Bytes that it holds whatever it runs. */
  get weightBytes(): number {
    return this.#weightBuffers.reduce((sum, { size }) => sum + size, 0);
  }

  /** Bytes that it would hold at most, were it to run these batches one after the other now. */
  bytesThrough(batches: readonly number[]): number {
    let held: readonly { readonly batch: number; readonly bytes: number }[] = this.#recorded;
    let most = this.bytes;
    for (const batch of batches) {
      if (held.some(of => of.batch === batch)) continue;
      const { arena, rest } = memoryOf(this.program, batch);
      held = [{ batch, bytes: arena + rest }, ...held.slice(0, KEPT_BATCHES - 1)];
      most = Math.max(most, held.reduce((sum, { bytes }) => sum + bytes, this.weightBytes));
    }
    return most;
  }

  /** Frees all but the weights; the next run makes its buffers anew, and compiles nothing. */
  release(): void {
    for (const recorded of this.#recorded) free(recorded);
    this.#recorded = [];
  }

  /**
   * Submits a run.
   * @param feeds the network's inputs, [batch, rows, columns, channels] each
   * @returns buffers of the outputs, [batch, rows, columns, channels] each; the next run writes them again
   * @throws NoPlan where the batch is over the device's limits
   */
  run(feeds: readonly Feed[], batch = 1): readonly GPUBuffer[] {
    const recorded = this.#record(batch);
    const encoder = this.device.createCommandEncoder();
    feeds.forEach((feed, i) => {
      const to = recorded.inputs[i]!;
      const bytes = feed instanceof Float32Array ? feed.byteLength : feed.size;
      // What is missing would be what the run before was given.
      if (bytes !== to.size) throw new Error(`an input of ${bytes} bytes was given for one of ${to.size}`);
      if (feed instanceof Float32Array) this.device.queue.writeBuffer(to, 0, feed as Float32Array<ArrayBuffer>);
      else encoder.copyBufferToBuffer(feed, 0, to, 0, to.size);
    });
    if (recorded.beyond) encoder.clearBuffer(recorded.beyond);
    this.#encode(encoder, recorded.dispatches);
    this.device.queue.submit([encoder.finish()]);
    return recorded.outputs;
  }

  /** Runs the plan for one input and reads its outputs, for tests of it. */
  async values(feeds: readonly Float32Array[]): Promise<readonly Float32Array[]> {
    return Promise.all(this.run(feeds).map(async buffer => new Float32Array(await this.#read(buffer, buffer.size))));
  }

  /**
   * Runs the plan for one input step by step, for {@link selfTest}.
   * @param visit called after each step, with its index and a way to read a root's tensor as it is then
   */
  async inspect(feeds: readonly Float32Array[], visit: (step: number, read: (root: number) => Promise<Float32Array>) => Promise<void>): Promise<void> {
    const { inputs, dispatches, slots, slotOf } = this.#record(1);
    feeds.forEach((feed, i) => this.device.queue.writeBuffer(inputs[i]!, 0, feed as Float32Array<ArrayBuffer>));
    const read = async (root: number): Promise<Float32Array> => {
      const bytes = await this.#read(slots[slotOf.get(root)!]!, this.program.bytesOf(root, 1));
      return this.program.isHalf ? Float32Array.from(new Uint16Array(bytes), halfToNumber) : new Float32Array(bytes);
    };
    for (const [i, dispatch] of dispatches.entries()) {
      const encoder = this.device.createCommandEncoder();
      this.#encode(encoder, [dispatch]);
      this.device.queue.submit([encoder.finish()]);
      await visit(i, read);
    }
  }

  async #read(buffer: GPUBuffer, size: number): Promise<ArrayBuffer> {
    const staging = this.device.createBuffer({ size, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
    try {
      const encoder = this.device.createCommandEncoder();
      encoder.copyBufferToBuffer(buffer, 0, staging, 0, size);
      this.device.queue.submit([encoder.finish()]);
      await staging.mapAsync(GPUMapMode.READ);
      return staging.getMappedRange().slice(0);
    } finally {
      staging.destroy();
    }
  }

  #encode(encoder: GPUCommandEncoder, dispatches: readonly Dispatch[]): void {
    const pass = encoder.beginComputePass();
    let set: GPUComputePipeline | undefined;
    for (const { pipeline, bindings, x, y } of dispatches) {
      if (pipeline !== set) pass.setPipeline((set = pipeline));
      pass.setBindGroup(0, bindings);
      pass.dispatchWorkgroups(x, y);
    }
    pass.end();
  }

  /** Fills all that a run writes with a value, so that a test sees what is not written. */
  poison(value: number, batch = 1): void {
    const { slots, outputs } = this.#record(batch);
    const filled = (buffer: GPUBuffer, half: boolean) => this.device.queue.writeBuffer(buffer, 0, half ? new Uint16Array(buffer.size / 2).fill(numberToHalf(value)) : new Float32Array(buffer.size / 4).fill(value));
    for (const buffer of slots) filled(buffer, this.program.isHalf);
    for (const buffer of outputs) filled(buffer, false);
  }

  dispose(): void {
    this.release();
    for (const buffer of this.#weightBuffers) buffer.destroy();
  }

  #record(batch: number): Recorded {
    const there = this.#recorded.find(recorded => recorded.batch === batch);
    if (there) return there;
    checkLimits(this.device, this.program, batch, this.budget);
    while (this.#recorded.length >= KEPT_BATCHES) free(this.#recorded.pop()!);
    const made = this.#make(batch);
    this.#recorded.unshift(made);
    return made;
  }

  #make(batch: number): Recorded {
    const { device, program } = this;
    const steps = program.steps(batch);
    const { slots: sizes, slotOf } = arenaFor(program, steps, batch);
    const { STORAGE, COPY_SRC, COPY_DST, UNIFORM } = GPUBufferUsage;
    const slots = sizes.map(size => device.createBuffer({ size, usage: STORAGE | COPY_SRC | COPY_DST }));
    const inputs = program.inputs.map(shape => device.createBuffer({ size: batch * valuesOf(shape) * 4, usage: STORAGE | COPY_DST }));
    const outputs = program.outputs.map(shape => device.createBuffer({ size: batch * valuesOf(shape) * 4, usage: STORAGE | COPY_SRC | COPY_DST }));
    const params = device.createBuffer({ size: Math.max(1, steps.length) * ALIGNMENT, usage: UNIFORM | COPY_DST });
    const values = new Uint32Array(params.size / 4);
    const beyond = program.isHalf ? device.createBuffer({ size: MARK_BYTES, usage: STORAGE | COPY_DST }) : undefined;
    const bindingOf = ({ of, index }: Operand): GPUBufferBinding => {
      switch (of) {
        case 'tensor': return { buffer: slots[slotOf.get(index)!]!, size: program.bytesOf(index, batch) };
        case 'constant': return this.#constants[index]!;
        case 'input': return { buffer: inputs[index]! };
        case 'output': return { buffer: outputs[index]! };
      }
    };
    const most = device.limits.maxComputeWorkgroupsPerDimension;
    const dispatches = steps.map(({ launch, reads, writes }, i): Dispatch => {
      values.set(launch.params, i * ALIGNMENT / 4);
      const pipeline = pipelineOf(device, launch.kernel, program.dialect);
      const operands: GPUBufferBinding[] = [{ buffer: params, offset: i * ALIGNMENT, size: Math.ceil(launch.params.length / 4) * 16 }, ...reads.map(bindingOf), bindingOf(writes), ...(beyond ? [{ buffer: beyond }] : [])];
      const bindings = device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries: operands.map((resource, binding) => ({ binding, resource })) });
      const x = Math.min(launch.workgroups, most);
      return { pipeline, bindings, x, y: Math.ceil(launch.workgroups / x) };
    });
    device.queue.writeBuffer(params, 0, values);
    const bytes = [...slots, ...inputs, ...outputs, params].reduce((sum, { size }) => sum + size, beyond?.size ?? 0);
    return { batch, inputs, outputs, slots, slotOf, params, ...(beyond && { beyond }), bytes, dispatches };
  }
}

/** What a plan will take before it is made. */
export function memoryOf(program: Program, batch: number): PlanMemory {
  const steps = program.steps(batch);
  const { slots } = arenaFor(program, steps, batch);
  const ports = [...program.inputs, ...program.outputs].map(shape => batch * valuesOf(shape) * 4);
  const sum = (sizes: readonly number[]) => sizes.reduce((total, size) => total + size, 0);
  const weights = program.constants.map(({ byteLength }) => aligned(byteLength));
  return {
    weights: sum(weights), arena: sum(slots), rest: sum(ports) + steps.length * ALIGNMENT + (program.isHalf ? MARK_BYTES : 0),
    largest: Math.max(...slots, ...ports, ...weights),
  };
}

function checkLimits({ limits }: GPUDevice, program: Program, batch: number, budget: number): void {
  const { largest, weights, arena, rest } = memoryOf(program, batch);
  if (weights + arena + rest > budget) throw new OverBudget(weights + arena + rest, budget);
  const allowed = Math.min(limits.maxBufferSize, limits.maxStorageBufferBindingSize);
  if (largest > allowed) throw new NoPlan(`a buffer would need ${largest} bytes, and the device takes ${allowed}`);
}

/** Tensors in slots: a root lives from the first step that writes any part of it to the last that reads any. */
function arenaFor(program: Program, steps: readonly Step[], batch: number): Pick<Arena, 'slots'> & { readonly slotOf: ReadonlyMap<number, number> } {
  const lives = new Map<number, { first: number; last: number }>();
  steps.forEach(({ reads, writes }, at) => {
    for (const { of, index } of [...reads, writes]) {
      if (of !== 'tensor') continue;
      const life = lives.get(index);
      if (life) life.last = at;
      else lives.set(index, { first: at, last: at });
    }
  });
  const roots = [...lives.keys()];
  const arena = arenaOf(roots.map(root => ({ bytes: program.bytesOf(root, batch), ...lives.get(root)! })));
  return { slots: arena.slots, slotOf: new Map(roots.map((root, i) => [root, arena.slotOf[i]!])) };
}

/** Weights one after the other in as few buffers as the device's limit allows. */
function uploaded(device: GPUDevice, constants: readonly Constant[]): { readonly buffers: GPUBuffer[]; readonly bindings: GPUBufferBinding[] } {
  const most = Math.min(device.limits.maxBufferSize, 256 * 2 ** 20);
  const groups: { size: number; readonly parts: { readonly values: Constant; readonly offset: number; readonly index: number }[] }[] = [];
  constants.forEach((values, index) => {
    const size = aligned(values.byteLength);
    let group = groups.at(-1);
    if (!group || group.size + size > most) groups.push((group = { size: 0, parts: [] }));
    group.parts.push({ values, offset: group.size, index });
    group.size += size;
  });
  const bindings: GPUBufferBinding[] = [];
  const buffers = groups.map(({ size, parts }) => {
    const buffer = device.createBuffer({ size, usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST, mappedAtCreation: true });
    const mapped = buffer.getMappedRange();
    for (const { values, offset, index } of parts) {
      new Uint8Array(mapped, offset, values.byteLength).set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
      bindings[index] = { buffer, offset, size: values.byteLength };
    }
    buffer.unmap();
    return buffer;
  });
  return { buffers, bindings };
}

function free({ inputs, outputs, slots, params, beyond }: Recorded): void {
  for (const buffer of [...inputs, ...outputs, ...slots, params, ...(beyond ? [beyond] : [])]) buffer.destroy();
}

const valuesOf = ({ rows, columns, channels }: { readonly rows: number; readonly columns: number; readonly channels: number }) => rows * columns * channels;
const aligned = (bytes: number) => Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
