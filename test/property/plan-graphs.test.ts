/** Plans of random graphs, on WebGPU in Node (Dawn on SwiftShader), against the same graphs computed node by node in float64. */
import fc from 'fast-check';
import { installWebGPU } from '../../src/runtime/node-webgpu.ts';
import { LINEAR } from '../../src/runtime/kernels/activation.ts';
import { fused } from '../../src/runtime/plan/fuse.ts';
import type { Network2D, Node, Op, PlaneShape } from '../../src/runtime/plan/ops.ts';
import { Plan } from '../../src/runtime/plan/plan.ts';
import { Program } from '../../src/runtime/plan/program.ts';
import { referenceOf } from '../../src/runtime/plan/reference.ts';
import { dawnMissing } from '../unit/runtime/dawn.ts';
import { noise, valuesIn } from '../unit/runtime/gpu-values.ts';

jest.mock('webgpu', () => jest.requireActual<typeof import('../unit/runtime/dawn.ts')>('../unit/runtime/dawn.ts').dawn());

const missing = dawnMissing();
if (missing) console.warn(`Skipped: plans of graphs on WebGPU, since there is ${missing}.`);

/** What a step adds, and which of the tensors there are it reads (modulo their number, the newest first). */
interface Pick {
  readonly kind: 'convolution' | 'normalise' | 'relu' | 'add' | 'concatenate' | 'pad' | 'pool' | 'twice' | 'softmax';
  readonly of: number;
  readonly other: number;
  readonly channels: number;
  readonly size: 1 | 3;
}

const kinds: readonly Pick['kind'][] = ['convolution', 'convolution', 'normalise', 'relu', 'add', 'concatenate', 'concatenate', 'pad', 'pool', 'twice', 'softmax'];
/** Mostly the newest, so that chains that can be fused come about. */
const which = fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, { weight: 2, arbitrary: fc.integer({ min: 0, max: 6 }) });
const picks = fc.array(fc.record({ kind: fc.constantFrom(...kinds), of: which, other: which, channels: fc.integer({ min: 4, max: 9 }), size: fc.constantFrom<1 | 3>(1, 3) }), { minLength: 3, maxLength: 14 });

/** A graph of the picks. The last tensors are its outputs, so that more than one branch is seen. */
function graphOf(list: readonly Pick[], input: PlaneShape, seed: number): Network2D {
  const nodes: Node[] = [{ name: 'input', op: { kind: 'input', index: 0 }, inputs: [], shape: input }];
  const put = (op: Op, inputs: readonly number[], shape: PlaneShape) => nodes.push({ name: `${op.kind} ${nodes.length}`, op, inputs, shape }) - 1;
  list.forEach(({ kind, of, other, channels, size }, i) => {
    const a = nodes.length - 1 - of % nodes.length;
    const shape = nodes[a]!.shape;
    const b = alike(nodes, shape, other);
    const random = (count: number, k: number) => noise(count, seed + 10 * i + k);
    switch (kind) {
      case 'convolution':
        put({
          kind: 'convolution', size: [size, size], strides: [1, 1], rates: [1, 1], before: [(size - 1) / 2, (size - 1) / 2], activation: LINEAR,
          kernel: random(size * size * shape.channels * channels, 0).map(value => value / Math.sqrt(size * size * shape.channels)), bias: random(channels, 1),
        }, [a], { ...shape, channels });
        return;
      case 'normalise': put({ kind: 'pointwise', affine: { scale: random(shape.channels, 2), shift: random(shape.channels, 3) }, activation: LINEAR }, [a], shape); return;
      case 'relu': put({ kind: 'pointwise', activation: { kind: 'relu' } }, [a], shape); return;
      case 'add': {
        const c = nodes[b]!.shape.channels === shape.channels ? b : a;
        put({ kind: 'combination', join: 'add', activation: LINEAR }, [a, c], shape);
        return;
      }
      case 'concatenate': put({ kind: 'concatenation' }, [a, b], { ...shape, channels: shape.channels + nodes[b]!.shape.channels }); return;
      case 'twice': put({ kind: 'concatenation' }, [a, a], { ...shape, channels: 2 * shape.channels }); return;
      case 'pad': put({ kind: 'shift', at: [1, 1] }, [a], { ...shape, rows: shape.rows + 2, columns: shape.columns + 2 }); return;
      case 'pool': {
        if (Math.min(shape.rows, shape.columns) < 3) return;
        put({ kind: 'pooling', of: channels % 2 ? 'max' : 'average', zeros: false, size: [3, 3], strides: [1, 1], before: [0, 0] }, [a], { ...shape, rows: shape.rows - 2, columns: shape.columns - 2 });
        return;
      }
      case 'softmax': put({ kind: 'softmax' }, [a], shape);
    }
  });
  return { nodes, outputs: [nodes.length - 1, Math.max(0, nodes.length - 3)] };
}

/** One of the tensors of the same size. */
function alike(nodes: readonly Node[], { rows, columns }: PlaneShape, other: number): number {
  const found = nodes.flatMap(({ shape }, i) => (shape.rows === rows && shape.columns === columns ? [i] : []));
  return found[found.length - 1 - other % found.length]!;
}

/** What each node gives, for one input. */
function computed({ nodes }: Network2D, input: Float32Array): Float64Array[] {
  const values: Float64Array[] = [];
  for (const node of nodes) {
    const { rows, columns, channels } = node.shape;
    const given = node.op.kind === 'input' ? [{ shape: node.shape, value: (index: number) => input[index]! }] : node.inputs.map(i => ({ shape: nodes[i]!.shape, value: (index: number) => values[i]![index]! }));
    const at = referenceOf(node, given);
    const made = new Float64Array(rows * columns * channels);
    for (let r = 0, i = 0; r < rows; r++) for (let c = 0; c < columns; c++) for (let k = 0; k < channels; k++) made[i++] = at(r, c, k);
    values.push(made);
  }
  return values;
}

(missing ? describe.skip : describe)('plans of graphs', () => {
  let device: GPUDevice;

  beforeAll(async () => {
    await installWebGPU();
    device = await (await navigator.gpu.requestAdapter())!.requestDevice();
  });
  afterAll(() => device.destroy());

  test('fused, in shared buffers, and run twice, they give what their nodes give one by one', async () => {
    let inPlace = 0;
    let copied = 0;
    await fc.assert(fc.asyncProperty(picks, fc.integer({ min: 3, max: 6 }), fc.integer({ min: 3, max: 6 }), fc.integer({ min: 5, max: 7 }), fc.integer({ min: 1, max: 2 }), fc.integer({ min: 1, max: 1e6 }), async (list, rows, columns, channels, batch, seed) => {
      const network = graphOf(list, { rows, columns, channels }, seed);
      const program = new Program(fused(network));
      program.storage.places.forEach(({ root }, i) => (inPlace += root === i ? 0 : 1));
      copied += program.storage.copies.size;
      device.pushErrorScope('validation');
      const plan = await Plan.make(device, program);
      plan.poison(NaN, batch);
      const size = rows * columns * channels;
      // The second run finds what the first left in the buffers.
      for (const round of [0, 1]) {
        const input = noise(batch * size, seed + 100 + round);
        const outputs = await Promise.all(plan.run([input], batch).map(buffer => valuesIn(device, buffer)));
        for (let image = 0; image < batch; image++) {
          const wanted = computed(network, input.subarray(image * size, (image + 1) * size));
          network.outputs.forEach((node, k) => {
            const values = wanted[node]!;
            const got = outputs[k]!.subarray(image * values.length, (image + 1) * values.length);
            const most = values.reduce((largest, value) => Math.max(largest, Math.abs(value)), 1);
            expect(values.reduce((largest, value, i) => Math.max(largest, Math.abs(value - got[i]!)), 0) / most).toBeLessThan(2e-5);
          });
        }
      }
      plan.dispose();
      expect((await device.popErrorScope())?.message).toBeUndefined();
    }), { numRuns: 15 });
    // Or the test would not have seen what it is for.
    expect(inPlace + copied).toBeGreaterThan(1);
  }, 180_000);
});
