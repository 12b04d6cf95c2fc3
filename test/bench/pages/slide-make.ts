/** Cuts the region into the tiles that our plan has, normalises them as our engine does, and writes the model as ONNX too. */
import '@tensorflow/tfjs-backend-cpu';
import { io } from '@tensorflow/tfjs-core';
import { loadLayersModel } from '@tensorflow/tfjs-layers';
import { tileSourceOf } from '../../../src/image/tiles.ts';
import { parseManifest } from '../../../src/manifest.ts';
import { createRuntime } from '../../../src/runtime/runtime.ts';
import { fixedNormalisation } from '../../../src/tasks/fixed-normalisation.ts';
import { segmentPlan } from '../../../src/tasks/tiled-segment.ts';
import { encodePlane } from '../../../src/tensor/encode.ts';
import { onnxOf } from './onnx.ts';
import { fetched, region, type SlideTiles } from './slide-contract.ts';

window.makeSlide = async () => {
  const size = JSON.parse(new TextDecoder().decode(await fetched('/made/slide/region.json'))) as { columns: number; rows: number };
  const manifest = parseManifest(JSON.parse(new TextDecoder().decode(await fetched('/model/manifest.json'))), 'manifest');
  const runtime = await createRuntime({ backend: 'cpu' });
  const model = await runtime.load({ location: 'model', read: async path => new Uint8Array(await fetched(`/model/${path}`)) });
  const image = await region(size);
  const source = tileSourceOf(image);
  const { tiles } = segmentPlan(source, await model.receptiveField());
  const { spec, representableRange } = fixedNormalisation(image, manifest.input);
  const [rows, columns, channels] = manifest.input.shape as [number, number, number];
  const all = new Float32Array(tiles.length * rows * columns * channels);
  for (const [i, { input }] of tiles.entries()) {
    // The region is of whole tiles: none reaches over its end.
    const pixels = await source.read(input);
    const { tensor } = encodePlane({ ...image, shape: [columns, rows, 1], pixels, representableRange }, spec);
    all.set(await tensor.data(), i * rows * columns * channels);
    tensor.dispose();
  }
  const made: SlideTiles = { ...size, tiles: tiles.length, shape: [rows, columns, channels] };
  const json = JSON.parse(new TextDecoder().decode(await fetched('/model/model.json'))) as io.ModelJSON;
  const artifacts = await io.getModelArtifactsForJSON(json, async groups => [groups.flatMap(g => g.weights), await fetched('/model/weights.bin')]);
  const files: Record<string, BodyInit> = {
    'inputs.bin': all, 'tiles.json': JSON.stringify(made), 'model.onnx': onnxOf(await loadLayersModel(io.fromMemory(artifacts))),
  };
  for (const [file, body] of Object.entries(files)) await fetch(`/made/slide/${file}`, { method: 'PUT', body });
  return made;
};
