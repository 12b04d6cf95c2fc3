/**
 * Peak memory of a model over generated slides, against their size. Run by hand, from the repository's folder:
 *
 *   node --import ./test/generators/typescript.mjs test/bench/slide-memory.ts --sizes 4000,40000 --tiles 529 --json FILE
 *
 * Each size is a process of its own, whose peak resident memory counts all that it did: headers, frames from the disk, the
 * network on wasm, tiles kept on disk, the mask. With `--tiles N` only N tiles are made, spread evenly over the whole
 * slide; without it all of them. With `--backend webgpu` the network runs on Dawn, on an adapter that is asked for WebGPU's default
 * limits and a model that may take 1 GiB, and all GPU buffers that stand at once are counted. Slides are made tile by tile into `.cache/slides` and kept there.
 */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { DemoOutput } from '../../src/cli/demo/output.ts';
import { writeSlideStudy } from '../../src/cli/demo/slide.ts';
import { writeSlideMask } from '../../src/cli/io/slide-mask.ts';
import { TileLog } from '../../src/cli/io/tile-log.ts';
import { openModel } from '../../src/cli/open-model.ts';
import { slidesAmong } from '../../src/cli/slide-inputs.ts';
import { installWebGPU } from '../../src/runtime/node-webgpu.ts';
import { countBuffers, DEFAULT_LIMITS } from './meshnet/buffers.ts';

const { values } = parseArgs({
  options: {
    sizes: { type: 'string', default: '4000,40000' },
    tiles: { type: 'string' },
    model: { type: 'string', default: 'nuclei-unet' },
    models: { type: 'string' },
    json: { type: 'string' },
    slides: { type: 'string', default: '.cache/slides' },
    backend: { type: 'string', default: 'wasm' },
    child: { type: 'string' },
  },
});

interface Row {
  readonly size: number;
  readonly tiles: number;
  readonly made: number;
  readonly unread: number;
  readonly seconds: number;
  readonly megapixelsPerSecond: number;
  readonly maskSeconds: number;
  readonly maskBytes: number;
  readonly peakBeforeMaskBytes: number;
  readonly peakBytes: number;
  readonly backend: string;
  /** Of WebGPU: buffers that stood at once, and the largest. */
  readonly gpu?: { readonly peakBytes: number; readonly largestBytes: number };
}

function* others(count: number, wanted: ReadonlySet<number>): Generator<number, void> {
  for (let i = 0; i < count; i++) if (!wanted.has(i)) yield i;
}

/** One size, in this process. */
async function measure(size: number): Promise<Row> {
  const folder = path.join(values.slides, String(size), 'slide');
  const files = fs.readdirSync(folder).filter(name => name.endsWith('.dcm')).map(name => path.join(folder, name));
  const webgpu = values.backend === 'webgpu';
  if (webgpu) await installWebGPU(true);
  const buffers = countBuffers();
  const runner = await openModel({ model: values.model, ...(values.models && { models: values.models }), ...(webgpu ? { backend: 'webgpu', deviceLimits: DEFAULT_LIMITS, gpuMemory: 1024 } : { backend: 'wasm' }) }, () => {});
  const { slides: [reading] } = await slidesAmong(files);
  const slide = await reading!.open();
  const work = fs.mkdtempSync(path.join(os.tmpdir(), 'overread-slide-memory-'));
  let log: TileLog | undefined;
  let pixels = 0;
  const start = performance.now();
  const result = await runner.runTiles({ source: slide }, {
    onRun: ({ fingerprint, tiles }) => {
      log = TileLog.create(path.join(work, 'mask.tiles'), fingerprint);
      if (values.tiles === undefined) return [];
      const step = tiles / Math.min(tiles, Number(values.tiles));
      const wanted = new Set(Array.from({ length: Math.min(tiles, Number(values.tiles)) }, (_, i) => Math.floor(i * step)));
      return others(tiles, wanted);
    },
    onTile: tile => {
      if ('error' in tile) return;
      log!.append(tile);
      pixels += tile.labels.length;
    },
  });
  const seconds = (performance.now() - start) / 1000;
  const peakBeforeMask = process.resourceUsage().maxRSS * 1024;
  const before = performance.now();
  const mask = writeSlideMask(path.join(work, 'mask'), log!, result, runner.manifest, 0);
  const maskSeconds = (performance.now() - before) / 1000;
  const maskBytes = fs.statSync(mask.file).size;
  fs.rmSync(work, { recursive: true });
  await slide.close();
  await runner.close();
  return {
    size, tiles: result.tiles, made: result.labelled, unread: result.unread.length, seconds, megapixelsPerSecond: pixels / 1e6 / seconds,
    maskSeconds, maskBytes, peakBeforeMaskBytes: peakBeforeMask, peakBytes: process.resourceUsage().maxRSS * 1024, backend: runner.device.adapter,
    ...(webgpu && { gpu: { peakBytes: buffers.peak, largestBytes: buffers.largest } }),
  };
}

async function main(): Promise<void> {
  if (values.child !== undefined) {
    process.stdout.write(`\n${JSON.stringify(await measure(Number(values.child)))}\n`, () => process.exit(0));
    return;
  }
  const rows: Row[] = [];
  for (const size of values.sizes.split(',').map(Number)) {
    const out = path.join(values.slides, String(size));
    if (!fs.existsSync(path.join(out, 'slide'))) await writeSlideStudy(new DemoOutput(out, 1, `slide ${size}`), size);
    const { stdout, status, stderr } = spawnSync(process.execPath, [...process.execArgv, process.argv[1]!, ...process.argv.slice(2), '--child', String(size)], { encoding: 'utf8', maxBuffer: 2 ** 26 });
    if (status !== 0) throw new Error(`size ${size}: ${stderr}`);
    const row = JSON.parse(stdout.trim().split('\n').at(-1)!) as Row;
    rows.push(row);
    console.log(`${size} × ${size}: ${row.made} of ${row.tiles} tiles in ${row.seconds.toFixed(0)} s (${row.megapixelsPerSecond.toFixed(2)} megapixels/s), mask ${row.maskSeconds.toFixed(0)} s, peak before it ${(row.peakBeforeMaskBytes / 2 ** 20).toFixed(0)} MiB, peak ${(row.peakBytes / 2 ** 20).toFixed(0)} MiB${row.gpu ? `, of GPU buffers ${(row.gpu.peakBytes / 2 ** 20).toFixed(1)} MiB` : ''}`);
  }
  const ratio = rows.at(-1)!.peakBytes / rows[0]!.peakBytes;
  console.log(`peak of the last to the first: ${ratio.toFixed(3)}`);
  if (values.json) {
    const machine = { cpu: os.cpus()[0]?.model ?? 'unknown', cores: os.cpus().length, memoryBytes: os.totalmem(), node: process.version, load: os.loadavg()[0] };
    fs.writeFileSync(values.json, `${JSON.stringify({ at: new Date().toISOString(), machine, model: values.model, tiles: values.tiles ?? 'all', rows, peakRatio: ratio }, undefined, 2)}\n`);
  }
}

await main();
