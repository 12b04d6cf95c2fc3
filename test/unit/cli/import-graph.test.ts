/** tfjs and ONNX models, imported and run: the same numbers as in tfjs, and refusals that say what does not fit. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { importModel, type ImportOptions } from '../../../src/cli/import.ts';
import { infer } from '../../../src/cli/infer.ts';
import type { InferEntry } from '../../../src/cli/infer-json.ts';
import { greyPng } from '../../../src/cli/io/png.ts';
import { isOverreadError, type ErrorCode } from '../../../src/errors.ts';
import { diskFiles } from '../../../src/runtime/node-files.ts';
import { readVerified } from '../../../src/runtime/verified.ts';
import { classifier, COLUMNS, ROWS, segmenter } from '../runtime/onnx-models.ts';
import { layersFiles } from '../../../src/architectures/layers-files.ts';
import { onnxOf } from '../../bench/pages/onnx.ts';

const FIXTURES = path.join(__dirname, '../../fixtures');
const quiet = { print: () => {}, note: () => {} };
const CLASSIFY = { task: 'classify', activation: 'sigmoid', gives: 'logits', range: '-1,1', labels: 'First,Second' };
const SEGMENT = { ...CLASSIFY, task: 'segment' };
let root: string;
beforeAll(async () => {
  root = fs.mkdtempSync(path.join(os.tmpdir(), 'overread-import-graph-'));
  for (const [name, network] of [['scores', classifier()], ['masks', segmenter()]] as const) {
    fs.writeFileSync(path.join(root, `${name}.onnx`), onnxOf(network));
    fs.mkdirSync(path.join(root, name));
    for (const [file, bytes] of await layersFiles(network)) fs.writeFileSync(path.join(root, name, file), bytes);
    network.dispose();
  }
  const values = Uint8Array.from({ length: 40 * 40 }, (_, i) => (i * 2654435761) >>> 24);
  fs.writeFileSync(path.join(root, 'picture.png'), greyPng(values, 40, 40));
});
afterAll(() => fs.rmSync(root, { recursive: true }));

const at = (name: string) => path.join(root, name);
const out = (id: string) => path.join(root, 'models', id);
const run = (file: string, options: Partial<ImportOptions>) => importModel(path.isAbsolute(file) ? file : at(file), { out: out('new'), ...options }, quiet);

async function expectError(code: ErrorCode, message: RegExp, running: Promise<unknown>): Promise<void> {
  const error = await running.then(() => undefined, (e: unknown) => e);
  expect((error as Error | undefined)?.message).toMatch(message);
  expect(isOverreadError(error) && error.code).toBe(code);
  expect(fs.existsSync(out('new'))).toBe(false);
}

async function entryOf(model: string): Promise<InferEntry> {
  const printed: string[] = [];
  await infer([at('picture.png')], { model, backend: 'wasm', json: true }, { print: line => printed.push(line), note: () => {} });
  return (JSON.parse(printed.join('\n')) as InferEntry[])[0]!;
}

test.each([['a layers model', 'scores', 'layers'], ['its model.json', 'scores/model.json', 'layers'], ['an ONNX file', 'scores.onnx', 'onnx']])('imports %s that scores', async (_, file, format) => {
  const id = file.replace(/[^a-z]/g, '-');
  expect(await run(file, { ...CLASSIFY, out: out(id), normalisation: 'percentile:1,99', fit: 'stretch' })).toBe(0);
  const { manifest } = await readVerified(diskFiles(out(id)));
  expect(manifest).toMatchObject({
    id, task: 'classify', graph: { format, url: format === 'onnx' ? 'model.onnx' : 'model.json' },
    input: { shape: [ROWS, COLUMNS, 3], valueRange: [-1, 1], normalisation: { kind: 'percentile', low: 1, high: 99 }, fit: 'stretch', channels: ['red', 'green', 'blue'] },
    output: { activation: 'sigmoid', gives: 'logits', targets: [{ label: 'First' }, { label: 'Second' }] },
  });
  expect(fs.readFileSync(path.join(out(id), 'README.md'), 'utf8')).toMatch(/percentiles 1 to 99 scaled to \[-1, 1\][^]*To fill in/);
});

test('the same network as layers and as ONNX gives the same scores and the same mask', async () => {
  for (const [name, options] of [['scores', CLASSIFY], ['masks', SEGMENT]] as const) {
    await run(name, { ...options, out: out(`${name}-a`) });
    await run(`${name}.onnx`, { ...options, out: out(`${name}-b`) });
  }
  const [a, b] = [await entryOf(out('scores-a')), await entryOf(out('scores-b'))];
  if (a.result?.kind !== 'scores' || b.result?.kind !== 'scores') throw new Error('expected scores');
  const wanted = a.result.scores;
  b.result.scores.forEach(({ label, logit }, i) => {
    expect(label).toBe(wanted[i]!.label);
    expect(logit).toBeCloseTo(wanted[i]!.logit, 4);
  });
  const pixels = async (id: string) => {
    const { result } = await entryOf(out(id));
    if (result?.kind !== 'labelmap') throw new Error('expected a mask');
    return result.segments.map(segment => segment.pixels);
  };
  const counts = await pixels('masks-a');
  expect(Math.max(...counts)).toBeGreaterThan(0);
  expect(await pixels('masks-b')).toEqual(counts);
});

test('imports a graph model; a size may be said again, but not changed', async () => {
  const options = { ...SEGMENT, labels: 'Bright', range: '0,1' };
  expect(await run(path.join(FIXTURES, 'tiny-graph'), { ...options, size: '32', out: out('tiny') })).toBe(0);
  const { manifest } = await readVerified(diskFiles(out('tiny')));
  expect(manifest).toMatchObject({ task: 'segment', graph: { format: 'graph' }, input: { shape: [32, 32, 1], channels: ['grey'] } });
  await expectError('cli/usage', /the input size of model\.json, \[any, 32, 32, 1\], got --size 64/, run(path.join(FIXTURES, 'tiny-graph'), { ...options, size: '64' }));
});

test('a model whose rows and columns are open wants --size', async () => {
  const folder = at('open');
  fs.cpSync(path.join(FIXTURES, 'tiny-bright'), folder, { recursive: true });
  const json = fs.readFileSync(path.join(folder, 'model.json'), 'utf8').replaceAll('[null,32,32,1]', '[null,null,null,1]');
  expect(json).toContain('[null,null,null,1]');
  fs.writeFileSync(path.join(folder, 'model.json'), json);
  const options = { ...SEGMENT, labels: 'Bright', range: '0,1' };
  await expectError('cli/usage', /--size, since model\.json leaves rows and columns open/, run('open', options));
  expect(await run('open', { ...options, size: '48', out: out('open') })).toBe(0);
  expect((await readVerified(diskFiles(out('open')))).manifest.input.shape).toEqual([48, 48, 1]);
});

test('a model whose file was changed after the import is refused', async () => {
  await run('scores.onnx', { ...CLASSIFY, out: out('tampered') });
  const file = path.join(out('tampered'), 'model.onnx');
  const bytes = fs.readFileSync(file);
  bytes[bytes.length - 60]! ^= 1;
  fs.writeFileSync(file, bytes);
  await expect(entryOf(out('tampered'))).rejects.toMatchObject({ code: 'model/corrupt' });
});

describe('refuses', () => {
  test('labels of the wrong number, or none', async () => {
    for (const file of ['scores', 'scores.onnx']) {
      await expectError('cli/usage', /Expected 2 labels for the outputs of .*, got 3 \(a, b, c\)/, run(file, { ...CLASSIFY, labels: 'a,b,c' }));
      await expectError('cli/usage', /--labels with 2 names/, run(file, { ...CLASSIFY, labels: undefined }));
    }
    await expectError('cli/usage', /Expected 1 \(the first channel is the background\) labels/, run('masks', { ...SEGMENT, activation: 'softmax' }));
  });
  test('what was not stated', async () => {
    await expectError('cli/usage', /Expected --task classify or segment, got none/, run('scores', {}));
    await expectError('cli/usage', /--activation sigmoid or softmax or none, got relu/, run('scores', { ...CLASSIFY, activation: 'relu' }));
    await expectError('cli/usage', /--range MIN,MAX with two numbers, the smaller first, got 1,0/, run('scores', { ...CLASSIFY, range: '1,0' }));
    await expectError('cli/usage', /--normalisation window:MIN,MAX with two numbers/, run('scores', { ...CLASSIFY, normalisation: 'window' }));
    await expectError('cli/usage', /no --as for a tfjs or ONNX model, got densenet121/, run('scores.onnx', { ...CLASSIFY, as: 'densenet121' }));
    await expectError('cli/usage', /no option for tfjs and ONNX models, got --task/, run('x.pt', { ...CLASSIFY, as: 'densenet121' }));
    await expectError('cli/usage', /Expected --as .*got none/, run('x.pt', {}));
  });
  test('a task that the outputs are not for', () => expectError('model/graph', /for --task segment in scores\.onnx, got 1: \[1, 2\]/, run('scores.onnx', SEGMENT)));
  test('an ONNX file that is cut short', async () => {
    fs.writeFileSync(at('short.onnx'), fs.readFileSync(at('scores.onnx')).subarray(0, 300));
    await expectError('model/graph', /got one that onnxruntime cannot load/, run('short.onnx', CLASSIFY));
  });
  test('a model.json that is cut short, or none of tfjs\'s; a weight file that is missing', async () => {
    const whole = fs.readFileSync(at('scores/model.json'));
    const files: [string, Buffer | string][] = [['short', whole.subarray(0, 100)], ['other', '{"nodes": []}'], ['lone', whole], ['outside', whole.toString().replace(/"[^"]+\.bin"/, '"../weights.bin"')]];
    for (const [name, content] of files) {
      fs.mkdirSync(at(name));
      fs.writeFileSync(at(`${name}/model.json`), content);
    }
    await expectError('model/checkpoint', /Expected JSON in model\.json/, run('short', CLASSIFY));
    await expectError('model/checkpoint', /without its modelTopology or weightsManifest/, run('other', CLASSIFY));
    await expectError('model/not-found', /Expected the weight file .*\.bin that model\.json names/, run('lone', CLASSIFY));
    await expectError('model/checkpoint', /inside the folder of model\.json.*got \.\.\/weights\.bin/, run('outside', CLASSIFY));
  });
  test('a graph with an operator that is not known', async () => {
    fs.cpSync(path.join(FIXTURES, 'tiny-graph'), at('unknown'), { recursive: true });
    const json = fs.readFileSync(at('unknown/model.json'), 'utf8');
    fs.writeFileSync(at('unknown/model.json'), json.replace('"op":"BiasAdd"', '"op":"Sharpen"'));
    await expectError('model/graph', /Sharpen/, run('unknown', { ...SEGMENT, labels: 'Bright' }));
  });
  test('several inputs', async () => {
    const json = JSON.parse(fs.readFileSync(path.join(FIXTURES, 'tiny-graph/model.json'), 'utf8')) as { modelTopology: { node: { name: string; op: string; input?: string[] }[] }; signature: { inputs: Record<string, object> } };
    const { node } = json.modelTopology;
    node.splice(1, 0, { ...node[0]!, name: 'second' });
    node.splice(2, 0, { ...node[0]!, name: 'sum', op: 'AddV2', input: ['image', 'second'] });
    node.find(({ name }) => name === 'conv')!.input![0] = 'sum';
    json.signature.inputs.second = { ...json.signature.inputs.image!, name: 'second:0' };
    fs.cpSync(path.join(FIXTURES, 'tiny-graph'), at('two'), { recursive: true });
    fs.writeFileSync(at('two/model.json'), JSON.stringify(json));
    await expectError('model/graph', /Expected one input.*got 2/, run('two', { ...SEGMENT, labels: 'Bright' }));
  });
});
