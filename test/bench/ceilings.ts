/** What an adapter can do at best, timed on the spot: copying, and a matrix product, the best of three ways. */
export interface Ceilings {
  /** Read and written, of a copy from buffer to buffer. */
  readonly copyBytesPerSecond: number;
  /** Of a product of two square matrices, float32. */
  readonly multiplyAddsPerSecond: number;
}

/** A measurement is repeated until it takes so long, or so often. */
const LEAST_MS = 40;
const MOST_REPEATS = 1024;

export async function ceilings(device: GPUDevice): Promise<Ceilings> {
  const products = [];
  for (const kernel of WAYS) products.push(await product(device, kernel, 256));
  // A GPU needs larger matrices to be busy; a software adapter would take seconds.
  if (Math.max(...products) > 5e10) for (const kernel of WAYS) products.push(await product(device, kernel, 2048));
  return { copyBytesPerSecond: await copy(device), multiplyAddsPerSecond: Math.max(...products) };
}

async function copy(device: GPUDevice): Promise<number> {
  const size = 2 ** 26;
  const [from, to] = [0, 1].map(() => device.createBuffer({ size, usage: GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST })) as [GPUBuffer, GPUBuffer];
  const seconds = await timed(device, (encoder, repeats) => {
    for (let i = 0; i < repeats; i++) encoder.copyBufferToBuffer(from, 0, to, 0, size);
  });
  from.destroy();
  to.destroy();
  return (2 * size) / seconds;
}

async function product(device: GPUDevice, { code, tile }: Product, n: number): Promise<number> {
  const buffers = [0, 1, 2].map(() => device.createBuffer({ size: 4 * n * n, usage: GPUBufferUsage.STORAGE }));
  const module = device.createShaderModule({ code: `const n = ${n}u;\n${HEAD}${code}` });
  const pipeline = await device.createComputePipelineAsync({ layout: 'auto', compute: { module, entryPoint: 'main' } });
  const bindings = device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries: buffers.map((buffer, binding) => ({ binding, resource: { buffer } })) });
  const seconds = await timed(device, (encoder, repeats) => {
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, bindings);
    for (let i = 0; i < repeats; i++) pass.dispatchWorkgroups(Math.ceil(n / tile[0]), n / tile[1]);
    pass.end();
  });
  for (const buffer of buffers) buffer.destroy();
  return n ** 3 / seconds;
}

/** Seconds of one repeat, the best of three. */
async function timed(device: GPUDevice, record: (encoder: GPUCommandEncoder, repeats: number) => void): Promise<number> {
  const once = async (repeats: number) => {
    const encoder = device.createCommandEncoder();
    record(encoder, repeats);
    const start = performance.now();
    device.queue.submit([encoder.finish()]);
    await device.queue.onSubmittedWorkDone();
    return performance.now() - start;
  };
  await once(1);
  let repeats = 1;
  let ms = await once(repeats);
  while (ms < LEAST_MS && repeats < MOST_REPEATS) ms = await once((repeats *= 4));
  for (let i = 0; i < 2; i++) ms = Math.min(ms, await once(repeats));
  return ms / repeats / 1000;
}

interface Product {
  readonly code: string;
  /** Columns and rows of the result that a workgroup computes. */
  readonly tile: readonly [number, number];
}

const HEAD = `
@group(0) @binding(0) var<storage, read> a: array<vec4f>;
@group(0) @binding(1) var<storage, read> b: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4f>;
`;
const repeat = (count: number, code: (i: number) => string) => Array.from({ length: count }, (_, i) => code(i)).join('\n');

/** 64 × 64 of the result by 16 × 16 invocations, each 4 × 4, from 16 columns and rows at a time in workgroup memory. */
const SHARED: Product = {
  tile: [64, 64],
  code: `
var<workgroup> left: array<array<f32, 64>, 16>;
var<workgroup> right: array<array<vec4f, 16>, 16>;
@compute @workgroup_size(16, 16)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) at: vec3u) {
  let lane = at.y * 16u + at.x;
${repeat(4, i => `  var s${i} = vec4f();`)}
  for (var k = 0u; k < n; k += 16u) {
    let v = a[((group.y * 64u + lane / 4u) * n + k) / 4u + lane % 4u];
${repeat(4, i => `    left[lane % 4u * 4u + ${i}u][lane / 4u] = v[${i}];`)}
    right[at.y][at.x] = b[((k + at.y) * n + group.x * 64u) / 4u + at.x];
    workgroupBarrier();
    for (var q = 0u; q < 16u; q++) {
      let w = right[q][at.x];
${repeat(4, i => `      s${i} = fma(vec4f(left[q][at.y * 4u + ${i}u]), w, s${i});`)}
    }
    workgroupBarrier();
  }
${repeat(4, i => `  y[((group.y * 64u + at.y * 4u + ${i}u) * n + group.x * 64u) / 4u + at.x] = s${i};`)}
}`,
};

/** 8 × 4 of the result by each invocation, all from the caches. */
const REGISTERS: Product = {
  tile: [32, 64],
  code: `
@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3u) {
${repeat(8, i => `  var s${i} = vec4f();`)}
  for (var k = 0u; k < n; k += 4u) {
${repeat(8, i => `    let v${i} = a[((id.y * 8u + ${i}u) * n + k) / 4u];`)}
${repeat(4, j => `    { let w = b[(k + ${j}u) * n / 4u + id.x];
${repeat(8, i => `      s${i} = fma(vec4f(v${i}[${j}]), w, s${i});`)} }`)}
  }
${repeat(8, i => `  y[(id.y * 8u + ${i}u) * n / 4u + id.x] = s${i};`)}
}`,
};

/** 4 × 8 of the result by each invocation of a line of them, as our convolutions have it: the quickest on a software adapter. */
const LINES: Product = {
  tile: [512, 4],
  code: `
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= n / 8u) { return; }
${repeat(4, i => `  var s${i} = vec4f(); var t${i} = vec4f();`)}
  for (var k = 0u; k < n; k += 4u) {
${repeat(4, i => `    let v${i} = a[((id.y * 4u + ${i}u) * n + k) / 4u];`)}
${repeat(4, j => `    { let w = b[(k + ${j}u) * n / 4u + id.x * 2u]; let u = b[(k + ${j}u) * n / 4u + id.x * 2u + 1u];
${repeat(4, i => `      s${i} = fma(vec4f(v${i}[${j}]), w, s${i}); t${i} = fma(vec4f(v${i}[${j}]), u, t${i});`)} }`)}
  }
${repeat(4, i => `  y[(id.y * 4u + ${i}u) * n / 4u + id.x * 2u] = s${i}; y[(id.y * 4u + ${i}u) * n / 4u + id.x * 2u + 1u] = t${i};`)}
}`,
};
const WAYS = [SHARED, REGISTERS, LINES];
