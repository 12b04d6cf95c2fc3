/** Our engine: the network alone, and the whole of a run in tiles. */
import { tensor4d, type Tensor } from '@tensorflow/tfjs-core';
import { tileSourceOf, type TileSource } from '../../../src/image/tiles.ts';
import { runTiles } from '../../../src/run-tiles.ts';
import { createRuntime } from '../../../src/runtime/runtime.ts';
import type { LoadedModel, Runtime } from '../../../src/runtime/types.ts';
import { absoluteSum, description, fetched, inputs, region, type SlideTiles } from './slide-contract.ts';

let runtime: Runtime;
let model: LoadedModel;
let made: SlideTiles;
let tiles: Float32Array[];
let source: TileSource;

async function one(values: Float32Array): Promise<number> {
  const x = tensor4d(values, [1, ...made.shape]);
  const [y] = await model.predict([x]) as [Tensor];
  const output = await y.data();
  x.dispose();
  y.dispose();
  return absoluteSum(output);
}

window.slide = {
  async open(backend) {
    made = await description();
    tiles = await inputs(made);
    source = tileSourceOf(await region(made));
    runtime = await createRuntime({ backend, allowSoftware: true, wasmPath: '/tfjs-wasm/' });
    model = await runtime.load({ location: 'model', read: async path => new Uint8Array(await fetched(`/model/${path}`)) });
    await one(tiles[0]!);
    return runtime.device.adapter;
  },
  async network() {
    const start = performance.now();
    let sum = 0;
    for (const tile of tiles) sum += await one(tile);
    return { ms: performance.now() - start, sum };
  },
  async whole() {
    const start = performance.now();
    let sum = 0;
    await runTiles(runtime, model, source, { onTile: tile => { if ('labels' in tile) for (const label of tile.labels) sum += Number(label > 0); } });
    return { ms: performance.now() - start, sum };
  },
};
