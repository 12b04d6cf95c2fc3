import { memory } from '@tensorflow/tfjs-core';
import { Engine } from '../../src/engine.ts';
import type { LabelmapResult } from '../../src/results/result.ts';
import type { ModelFiles, Progress } from '../../src/runtime/types.ts';
import { asBytes, disc, picture, tinyFiles, tinyManifest, WASM } from './runtime/tiny.ts';

const engineOf = (fetchModel: (location: string) => ModelFiles = tinyFiles, keptModelBytes?: number) =>
  new Engine({ backend: 'wasm', wasmPath: WASM, fetchModel, keptModelBytes });

describe('Engine', () => {
  let engine: Engine;
  afterEach(async () => {
    await engine.dispose();
    expect(memory().numTensors).toBe(0);
  });

  test('runs a model by its location, and keeps it loaded', async () => {
    engine = engineOf();
    expect(await engine.start()).toMatchObject({ backend: 'wasm' });
    const stages: Progress['stage'][] = [];
    const first = (await engine.run({ jobId: 'a', location: 'tiny-bright', images: [disc(40, 40)] }, p => stages.push(p.stage))) as LabelmapResult;
    expect(first.timingMs.load).toBeGreaterThan(0);
    expect(stages[0]).toBe('download');
    expect(stages.slice(-4)).toEqual(['compile', 'encode', 'infer', 'decode']);
    const second = (await engine.run({ jobId: 'a', location: 'tiny-bright', images: [disc(40, 40)] })) as LabelmapResult;
    expect(second.timingMs.load).toBe(0);
    expect(second.labels).toEqual(first.labels);
    expect(await engine.memory()).toMatchObject({ models: 1 });
    engine.unload('tiny-bright');
    expect(await engine.memory()).toMatchObject({ models: 0, tensors: 0 });
  });

  test('describes a model without loading it', async () => {
    engine = engineOf();
    expect(await engine.describe('tiny-unet')).toMatchObject({ id: 'tiny-unet', notice: 'A test model. Not for diagnosis.' });
    expect(await engine.memory()).toMatchObject({ models: 0 });
  });

  test('two runs of a model that is not there yet load it once', async () => {
    const read: string[] = [];
    engine = engineOf(id => {
      const files = tinyFiles(id);
      return { ...files, read: (path, options) => (read.push(path), files.read(path, options)) };
    });
    await Promise.all(['a', 'b'].map(jobId => engine.run({ jobId, location: 'tiny-bright', images: [disc(8, 8)] })));
    expect(read.sort()).toEqual(['manifest.json', 'model.json', 'weights.bin']);
  });

  test('drops the model that was not used for longest when there are too many bytes', async () => {
    engine = engineOf(tinyFiles, 2500);
    for (const location of ['tiny-bright', 'tiny-softmax']) await engine.load(location);
    expect((await engine.memory()).models).toBe(2);
    await engine.load('tiny-bright');
    await engine.load('tiny-graph');
    expect((await engine.memory()).models).toBe(1);
    const { timingMs } = await engine.run({ jobId: 'a', location: 'tiny-graph', images: [disc(8, 8)] });
    expect(timingMs.load).toBe(0);
  });

  test('cancels a job by its id', async () => {
    engine = engineOf();
    const run = engine.run({ jobId: 'a', location: 'tiny-unet', images: [disc(40, 40)] }, ({ stage }) => stage === 'compile' && engine.cancel('a'));
    await expect(run).rejects.toMatchObject({ code: 'job/cancelled' });
    const again = await engine.run({ jobId: 'a', location: 'tiny-unet', images: [disc(40, 40)] });
    expect(again.kind).toBe('labelmap');
  });

  test('refuses a job id that is under way', async () => {
    engine = engineOf();
    const run = engine.run({ jobId: 'a', location: 'tiny-bright', images: [disc(8, 8)] });
    await expect(engine.run({ jobId: 'a', location: 'tiny-bright', images: [disc(8, 8)] })).rejects.toMatchObject({ code: 'job/busy' });
    await run;
  });

  describe('bad models, each by its name', () => {
    const cases: [string, ModelFiles | (() => never), object][] = [
      ['a folder that is not there', tinyFiles('no-such-model'), { code: 'model/not-found' }],
      ['a weight file with one byte changed', tinyFiles('tiny-bright', { 'weights.bin': new Uint8Array(40).fill(1) }), {
        code: 'model/corrupt',
        fields: { path: 'weights.bin', expected: tinyManifest('tiny-bright').graph.sha256['weights.bin'], got: expect.stringMatching(/^[0-9a-f]{64}$/) },
      }],
      ['a manifest with a missing field', tinyFiles('tiny-bright', { 'manifest.json': asBytes({ ...tinyManifest('tiny-bright'), license: undefined }) }), {
        code: 'model/manifest', message: expect.stringContaining('license'),
      }],
      ['a manifest that is no JSON', tinyFiles('tiny-bright', { 'manifest.json': new TextEncoder().encode('<!DOCTYPE html>') }), { code: 'model/manifest' }],
      ['a manifest that does not list the weights', changed(m => ({ ...m, graph: { ...m.graph, sha256: { 'model.json': m.graph.sha256['model.json']! } } })), {
        code: 'model/manifest', message: expect.stringContaining('weights.bin'),
      }],
      ['another input shape than the graph', changed(m => ({ ...m, input: { ...m.input, shape: [64, 64, 1] } })), { code: 'model/graph', message: expect.stringContaining('[1,64,64,1]') }],
      ['another number of targets than the graph', changed(m => ({ ...m, output: { ...m.output, targets: [m.output.targets[0]!, m.output.targets[0]!] } })), { code: 'model/graph' }],
      ['a graph of the other format', changed(m => ({ ...m, graph: { ...m.graph, format: 'graph' } })), { code: 'model/graph' }],
    ];
    test.each(cases)('%s', async (_, files, error) => {
      engine = engineOf(() => files as ModelFiles);
      await expect(engine.run({ jobId: 'a', location: 'x', images: [disc(8, 8)] })).rejects.toMatchObject(error);
    });

    test('a task that nobody knows, an activation that gives no mask', async () => {
      engine = engineOf(location => changed(m => (location === 'task' ? { ...m, task: 'divine' } : { ...m, output: { ...m.output, activation: 'none' } })));
      await expect(engine.run({ jobId: 'a', location: 'task', images: [disc(8, 8)] })).rejects.toMatchObject({ code: 'model/manifest', message: expect.stringContaining('divine') });
      await expect(engine.run({ jobId: 'a', location: 'none', images: [disc(8, 8)] })).rejects.toMatchObject({ code: 'model/manifest' });
    });

    test('a network that gives NaN', async () => {
      const broken = new Float32Array(10).fill(1);
      broken[9] = NaN;
      const weights = new Uint8Array(broken.buffer);
      const sha = Buffer.from(await crypto.subtle.digest('SHA-256', weights)).toString('hex');
      const manifest = tinyManifest('tiny-bright', m => ({ ...m, graph: { ...m.graph, sha256: { ...m.graph.sha256, 'weights.bin': sha } } }));
      engine = engineOf(() => tinyFiles('tiny-bright', { 'weights.bin': weights, 'manifest.json': asBytes(manifest) }));
      await expect(engine.run({ jobId: 'a', location: 'x', images: [disc(8, 8)] })).rejects.toMatchObject({ code: 'model/output', fields: { got: 'NaN' } });
    });
  });

  test('refuses pixels that are no numbers', async () => {
    engine = engineOf();
    const run = engine.run({ jobId: 'a', location: 'tiny-bright', images: [picture(4, 4, x => (x ? 1 : Infinity))] });
    await expect(run).rejects.toMatchObject({ code: 'input/unsupported-pixels' });
  });

  test('is of no use once it is disposed', async () => {
    engine = engineOf();
    await engine.start();
    await engine.dispose();
    await expect(engine.load('tiny-bright')).rejects.toMatchObject({ code: 'internal' });
  });
});

function changed(change: Parameters<typeof tinyManifest>[1]): ModelFiles {
  return tinyFiles('tiny-bright', { 'manifest.json': asBytes(tinyManifest('tiny-bright', change)) });
}
