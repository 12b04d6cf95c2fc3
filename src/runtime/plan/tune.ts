import { LINEAR } from '../kernels/activation.ts';
import { convolution, TILES, USUAL_TILES, weightQuads, type ConvolutionTiles, type Tile } from '../kernels/convolution.ts';
import { PLAIN, type Dialect, type Launch } from '../kernels/kernel.ts';
import { compile, pipelineOf } from './pipelines.ts';
import { remember, remembered } from './remembered.ts';

/** Raised with every change of the convolution or its candidates. */
const VERSION = 2;
/** For all candidates of both kinds; compiling is apart, as it is done in parallel. */
const BUDGET_MS = 200;
/** A candidate has to be better by so much: what is less may be noise, and the usual tiles were seen on more networks. */
const MARGIN = 0.9;
/** Dispatches of the first candidate are repeated until they take so long: a clock cannot see one of a GPU's. */
const LEAST_MS = 4;
const MOST_REPEATS = 256;

/** What is timed: layers as networks have in their middle, 64 → 64 channels at 28². */
const SIDE = 28;
const QUADS = 16;

/**
 * The tiles that this device computes convolutions with the quickest, tried once for each adapter. All candidates give the very
 * same values, bit for bit, so that nothing but time depends on what was chosen.
 */
export async function tunedTiles(device: GPUDevice, adapter: string, dialect: Dialect = PLAIN): Promise<ConvolutionTiles> {
  const name = `tiles ${VERSION} ${dialect.precision} ${adapter}`;
  try {
    const known = tilesIn(await remembered(name));
    if (known) return known;
    const { whole, ...tiles } = await tune(device, dialect);
    // What a busy device left no time for is tried again in the next session.
    await remember(name, JSON.stringify(tiles), whole);
    return tiles;
  } catch {
    // A candidate that does not compile here: the plan's own kernels will tell.
    return USUAL_TILES;
  }
}

/**
 * Times the candidates on the device now.
 * @param budgetMs after which no further one is tried
 * @returns the quickest, and whether there was time for all
 */
export async function tune(device: GPUDevice, dialect: Dialect, budgetMs = BUDGET_MS): Promise<ConvolutionTiles & { readonly whole: boolean }> {
  const bench = new Bench(device, dialect);
  try {
    const each = budgetMs / 2;
    const [pointwise, windowed] = [await bench.best([1, 1], each), await bench.best([3, 3], each)];
    return { pointwise: pointwise.tile, windowed: windowed.tile, whole: pointwise.whole && windowed.whole };
  } finally {
    bench.dispose();
  }
}

function tilesIn(text: string | undefined): ConvolutionTiles | undefined {
  if (text === undefined) return undefined;
  const { pointwise, windowed } = JSON.parse(text) as Partial<Record<keyof ConvolutionTiles, readonly number[]>>;
  const among = (of: readonly number[] | undefined) => TILES.find(tile => tile.join() === of?.join());
  const [one, many] = [among(pointwise), among(windowed)];
  return one && many && { pointwise: one, windowed: many };
}

class Bench {
  readonly #x: GPUBuffer;
  readonly #w: GPUBuffer;
  readonly #bias: GPUBuffer;
  readonly #y: GPUBuffer;
  readonly #beyond: GPUBuffer;
  readonly #params: GPUBuffer;

  constructor(private readonly device: GPUDevice, private readonly dialect: Dialect) {
    const bytes = dialect.precision === 'float16' ? 2 : 4;
    const storage = (size: number) => device.createBuffer({ size, usage: GPUBufferUsage.STORAGE });
    this.#x = storage(SIDE * SIDE * QUADS * 4 * bytes);
    this.#y = storage(SIDE * SIDE * QUADS * 4 * bytes);
    this.#w = storage(9 * QUADS * 4 * weightQuads(QUADS) * 4 * bytes);
    this.#bias = storage(weightQuads(QUADS) * 4 * 4);
    this.#beyond = storage(4);
    this.#params = device.createBuffer({ size: 256, usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST });
  }

  async best(size: readonly [number, number], budgetMs: number): Promise<{ readonly tile: Tile; readonly whole: boolean }> {
    const launches = TILES.map(tile => this.#launch(size, tile));
    await compile(this.device, launches.map(({ kernel }) => kernel), this.dialect);
    const start = performance.now();
    let repeats = 1;
    // The first run warms up; then as often as a clock needs.
    await this.#time(launches[0]!, repeats);
    let least = await this.#time(launches[0]!, repeats);
    while (least < LEAST_MS && repeats < MOST_REPEATS && performance.now() - start < budgetMs / 2) least = await this.#time(launches[0]!, (repeats *= 4));
    const usual = least;
    let best: Tile = USUAL_TILES.windowed;
    for (const [i, tile] of TILES.entries()) {
      if (i === 0) continue;
      if (performance.now() - start + usual > budgetMs) return { tile: best, whole: false };
      // Its first run warms up, too.
      await this.#time(launches[i]!, 1);
      const taken = await this.#time(launches[i]!, repeats);
      if (taken < least * (best === USUAL_TILES.windowed ? MARGIN : 1)) [least, best] = [taken, tile];
    }
    return { tile: best, whole: true };
  }

  dispose(): void {
    for (const buffer of [this.#x, this.#w, this.#bias, this.#y, this.#beyond, this.#params]) buffer.destroy();
  }

  #launch(size: readonly [number, number], tile: Tile): Launch {
    const place = { stride: QUADS, offset: 0 };
    return convolution({
      n: 1, input: [SIDE, SIDE], output: [SIDE, SIDE], inQuads: QUADS, outQuads: QUADS, inLanes: 4, size, strides: [1, 1], rates: [1, 1],
      before: size[0] === 1 ? [0, 0] : [1, 1], x: place, y: place, activation: LINEAR, tiles: { pointwise: tile, windowed: tile },
    });
  }

  async #time({ kernel, params, workgroups }: Launch, repeats: number): Promise<number> {
    const { device, dialect } = this;
    device.queue.writeBuffer(this.#params, 0, new Uint32Array(params));
    const pipeline = pipelineOf(device, kernel, dialect);
    const storages = [this.#x, this.#w, this.#bias, this.#y, ...(dialect.precision === 'float16' ? [this.#beyond] : [])];
    const resources = [{ buffer: this.#params, size: Math.ceil(params.length / 4) * 16 }, ...storages.map(buffer => ({ buffer }))];
    const bindings = device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries: resources.map((resource, binding) => ({ binding, resource })) });
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, bindings);
    for (let i = 0; i < repeats; i++) pass.dispatchWorkgroups(workgroups);
    pass.end();
    const start = performance.now();
    device.queue.submit([encoder.finish()]);
    await device.queue.onSubmittedWorkDone();
    return performance.now() - start;
  }
}
