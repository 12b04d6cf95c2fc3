/**
 * DenseNet-121 and ResNet-50 in full size against the real PyTorch, made on the fly (some 400 MB) and asked for by hand:
 *   FULL_SIZE=wasm,webgpu npx jest test/golden/full-size
 * WebGPU is Dawn on whatever adapter the Vulkan loader gives, SwiftShader where there is no other (there a ResNet-50
 * takes some ten minutes on two cores).
 */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { networkFromCheckpoint } from '../../src/architectures/from-checkpoint.ts';
import { layersFiles } from '../../src/architectures/layers-files.ts';
import { readCheckpoint } from '../../src/runtime/checkpoints/read.ts';
import { dawn, dawnMissing } from '../unit/runtime/dawn.ts';
import { decode, type Encoded, RELATIVE_TOLERANCE, relativeDifference, useBackend } from './torch-golden.ts';
import { loadLayersModel } from '@tensorflow/tfjs-layers';

type Golden = { networks: Record<'densenet121' | 'resnet50', { class: string; input: Encoded; logits: number[][] }> };

const python = ['python3', '/usr/bin/python3'].find(name => {
  try {
    execFileSync(name, ['-c', 'import torch'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
});
const asked = (process.env['FULL_SIZE'] ?? '').split(',').filter(Boolean);
const why = asked.length === 0 ? 'not asked for: set FULL_SIZE=wasm,webgpu' : python === undefined ? 'no python3 with torch (apt-get install python3-torch python3-torchvision)' : undefined;

if (why !== undefined) {
  test.skip(`full-size networks: ${why}`, () => undefined);
} else {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'overread-full-'));
  let golden: Golden;
  beforeAll(() => {
    execFileSync(python!, [path.join(__dirname, '../generators/torch-golden.py'), '--full', folder], { stdio: 'inherit' });
    golden = JSON.parse(fs.readFileSync(path.join(folder, 'golden.json'), 'utf8')) as Golden;
  }, 300_000);
  afterAll(() => fs.rmSync(folder, { recursive: true }));

  describe.each(asked)('on %s', backend => {
    test.each([
      ['densenet121', 'module.pt'], ['densenet121', 'module-legacy.pt'], ['densenet121', 'state.pt'],
      ['resnet50', 'module.pt'], ['resnet50', 'state.pt'],
    ] as const)('%s of %s gives PyTorch\'s logits', async (name, file) => {
      const made = await networkFromCheckpoint(name, readCheckpoint(new Uint8Array(fs.readFileSync(path.join(folder, `${name}-${file}`))), file));
      const files = await layersFiles(made);
      made.dispose();
      await chooseBackend(backend);
      const json = JSON.parse(new TextDecoder().decode(files.get('model.json'))) as tf.io.ModelJSON;
      const weightData = new Uint8Array(Buffer.concat([...files].filter(([f]) => f !== 'model.json').map(([, bytes]) => bytes))).buffer;
      const net = await loadLayersModel(tf.io.fromMemory({ modelTopology: json.modelTopology, weightSpecs: json.weightsManifest.flatMap(g => g.weights), weightData }));
      const { input, logits, class: twin } = golden.networks[name];
      const x = decode(input);
      const start = performance.now();
      const y = net.predict(x) as tf.Tensor;
      const difference = await relativeDifference(y, logits);
      console.log(`${name} (${twin}, ${file}) on ${backend}: largest difference ${difference.toExponential(2)} of the largest logit ${Math.max(...logits.flat().map(Math.abs)).toFixed(3)}, ${Math.round(performance.now() - start)} ms`);
      expect(difference).toBeLessThan(RELATIVE_TOLERANCE);
      [x, y, net].forEach(o => o.dispose());
    }, 3_600_000);
  });
}

async function chooseBackend(name: string): Promise<void> {
  if (name !== 'webgpu') return useBackend(name as 'wasm');
  const missing = dawnMissing();
  if (missing !== undefined) throw new Error(`WebGPU was asked for, but there is ${missing}`);
  if (!tf.findBackendFactory('webgpu')) {
    const { create, globals } = dawn();
    Object.assign(globalThis, globals);
    Object.defineProperty(globalThis, 'navigator', { value: { gpu: create([]), userAgent: 'Node.js' }, configurable: true, writable: true });
    await import('@tensorflow/tfjs-backend-webgpu');
  }
  if (!(await tf.setBackend('webgpu'))) throw new Error('tfjs could not start WebGPU');
}
