/**
 * Somebody else's networks of volumes, brainchop's MeshNet, by manifest alone: imported as the command does, run on a
 * part of a T1 by our engine, and by stock tfjs on the same numbers. Needs what is not copied into the project.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { loadLayersModel } from '@tensorflow/tfjs-layers';
import { importModel, type ImportOptions } from '../../src/cli/import.ts';
import type { Image } from '../../src/image/image.ts';
import { imageFromNifti } from '../../src/image/nifti.ts';
import type { Placed } from '../../src/image/resample.ts';
import { infer } from '../../src/infer.ts';
import type { LabelmapResult } from '../../src/results/result.ts';
import { diskFiles } from '../../src/runtime/node-files.ts';
import { installWebGPU } from '../../src/runtime/node-webgpu.ts';
import { createRuntime } from '../../src/runtime/runtime.ts';
import type { ModelFiles } from '../../src/runtime/types.ts';
import { cropped, sized } from '../bench/meshnet/sized.ts';
import { dawnMissing } from '../unit/runtime/dawn.ts';
import { WASM } from '../unit/runtime/tiny.ts';

jest.mock('webgpu', () => jest.requireActual<typeof import('../unit/runtime/dawn.ts')>('../unit/runtime/dawn.ts').dawn());

const MESHNET = path.join(__dirname, '../../../shared/models-third-party/meshnet');
const STATED = { task: 'segment', activation: 'softmax', gives: 'logits', range: '0,1', grid: 'LIA:1', labels: 'White Matter,Grey Matter' };
/** As brainchop feeds each of them. */
const MODELS: Readonly<Record<string, Omit<ImportOptions, 'out'>>> = {
  model5_gw_ae: { ...STATED, normalisation: 'percentile:0,100' },
  model20chan3cls: { ...STATED, normalisation: 'percentile:5,95:unclipped' },
};
/** Voxels whose two best classes are this close may fall to either side: the last digits differ. */
const TIE = 1e-4;

const here = existsSync(MESHNET);
if (!here) console.warn(`Skipped: brainchop's MeshNet, since there is no ${MESHNET}.`);
const noGpu = dawnMissing();
if (here && noGpu) console.warn(`Skipped: brainchop's MeshNet on WebGPU, since there is ${noGpu}.`);

(here ? describe : describe.skip)('MeshNet by manifest alone', () => {
  let folder: string;
  let t1: Image & Placed;
  const files = new Map<string, ModelFiles>();

  beforeAll(async () => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'overread-meshnet-'));
    t1 = (await imageFromNifti(readFileSync(path.join(MESHNET, 't1_crop.nii.gz')), 't1')) as Image & Placed;
    for (const [name, stated] of Object.entries(MODELS)) {
      const out = path.join(folder, name.replaceAll('_', '-'));
      await importModel(path.join(MESHNET, name), { ...stated, out }, { print: () => {}, note: () => {} });
      files.set(name, diskFiles(out));
    }
  }, 240_000);
  afterAll(() => rmSync(folder, { recursive: true }));

  const cases: [string, 'wasm' | 'webgpu', number][] = [['model5_gw_ae', 'wasm', 40], ['model20chan3cls', 'wasm', 32], ['model5_gw_ae', 'webgpu', 16]];
  test.each(cases)('%s on %s at %i³: the labels of stock tfjs', async (name, backend, side) => {
    if (backend === 'webgpu') {
      if (noGpu) return;
      await installWebGPU();
    }
    const image = cropped(t1, side, [84, 110, 120]);
    const runtime = await createRuntime({ backend, allowSoftware: true, wasmPath: WASM });
    try {
      const model = await runtime.load(await sized(files.get(name)!, side));
      const { labels, source } = (await infer(runtime, model, [image])) as LabelmapResult;
      model.dispose();
      expect(tf.memory().numTensors).toBe(0);
      expect(source.shape).toEqual([side, side, side]);

      const { values, logits } = await stock(await sized(files.get(name)!, side), image, name === 'model5_gw_ae' ? [0, 100] : [5, 95]);
      const wrong: number[] = [];
      const found = new Set<number>();
      for (let i = 0; i < values.length; i++) {
        // The tensor's axes are the volume's, turned about: [L, I, A] where the volume's columns run to L, rows to I, slices to A.
        const [slice, row, column] = [i % side, Math.floor(i / side) % side, Math.floor(i / side ** 2)];
        const label = labels[(slice * side + row) * side + column]!;
        const scores = [...logits.subarray(3 * i, 3 * i + 3)];
        const best = scores.indexOf(Math.max(...scores));
        found.add(label);
        if (label !== best && Math.max(...scores) - scores[label]! > TIE) wrong.push(i);
      }
      expect(wrong).toEqual([]);
      expect(found.size).toBeGreaterThan(1);
    } finally {
      runtime.dispose();
    }
  }, 240_000);
});

/** brainchop's own way, in a few lines: transposed to [x, y, z], scaled between two order statistics, all at once. */
async function stock(model: ModelFiles, { pixels, shape: [side] }: Image, [low, high]: readonly [number, number]): Promise<{ values: Float32Array; logits: Float32Array }> {
  const sorted = Float32Array.from(pixels).sort();
  const at = (percent: number) => {
    const position = (percent / 100) * (sorted.length - 1);
    const before = Math.floor(position);
    return sorted[before]! + (sorted[Math.min(before + 1, sorted.length - 1)]! - sorted[before]!) * (position - before);
  };
  const [min, max] = [at(low), at(high)];
  const values = new Float32Array(pixels.length);
  for (let z = 0, i = 0; z < side; z++) for (let y = 0; y < side; y++) for (let x = 0; x < side; x++, i++) values[(x * side + y) * side + z] = (pixels[i]! - min) / (max - min);
  const json = JSON.parse(new TextDecoder().decode(await model.read('model.json'))) as tf.io.ModelJSON;
  const artifacts = await tf.io.getModelArtifactsForJSON(json, async groups => {
    const weights = await model.read(groups[0]!.paths[0]!);
    return [groups[0]!.weights, new Uint8Array(weights).buffer];
  });
  const network = await loadLayersModel(tf.io.fromMemory(artifacts));
  const input = tf.tensor(values, [1, side, side, side, 1]);
  const output = network.predict(input) as tf.Tensor;
  const logits = (await output.data()) as Float32Array;
  network.dispose();
  tf.dispose([input, output]);
  return { values, logits };
}
