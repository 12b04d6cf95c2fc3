import fs from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { PUBLISHED_CHECKPOINTS, type PublishedCheckpoint } from '../../../src/architectures/published-checkpoints.ts';
import { importModel, type ImportOptions } from '../../../src/cli/import.ts';
import { isOverreadError, type ErrorCode } from '../../../src/errors.ts';
import { parseManifest } from '../../../src/manifest.ts';
import { buildNetwork } from '../../../src/runtime/network.ts';
import { diskFiles } from '../../../src/runtime/node-files.ts';
import { readVerified } from '../../../src/runtime/verified.ts';
import { decode, type Encoded, goldenBytes, goldenJson, relativeDifference, RELATIVE_TOLERANCE } from '../../golden/torch-golden.ts';

const GOLDEN = path.join(__dirname, '../../golden');
const golden = goldenJson<{ input: Encoded; logits: number[][] }>('densenet/golden.json');
const said: string[] = [];
const quiet = { print: (line: string) => said.push(line), note: (line: string) => said.push(line) };

let folder: string;
beforeEach(() => {
  said.length = 0;
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'overread-import-'));
});
afterEach(() => fs.rmSync(folder, { recursive: true }));

const out = (id = 'small') => path.join(folder, 'models', id);
/** `file` is a golden checkpoint, an absolute path or an address. */
const run = (file: string | undefined, options: Partial<ImportOptions>, published?: Record<string, PublishedCheckpoint>) =>
  importModel(file && !/^(\/|https?:)/.test(file) ? path.join(GOLDEN, file) : file, { as: 'densenet', out: out(), labels: 'a,b,c', ...options }, quiet, published);

async function expectError(code: ErrorCode, message: RegExp, running: Promise<unknown>): Promise<void> {
  const error = await running.then(() => undefined, (e: unknown) => e);
  expect(isOverreadError(error) && error.code).toBe(code);
  expect((error as Error).message).toMatch(message);
  // Whole or not at all.
  expect(fs.existsSync(out())).toBe(false);
  expect(fs.existsSync(path.dirname(out())) ? fs.readdirSync(path.dirname(out())) : []).toEqual([]);
}

test.each(['densenet/state.pt', 'densenet/module-legacy.pt', 'densenet/model.safetensors'])('imports %s to a model that the engine loads, with PyTorch\'s logits', async file => {
  expect(await run(file, { size: '64' })).toBe(0);
  const verified = await readVerified(diskFiles(out()));
  expect(verified.manifest).toMatchObject({
    id: 'small', task: 'classify', input: { shape: [64, 64, 1], valueRange: [-1024, 1024], normalisation: { kind: 'representable' }, fit: 'crop' },
    output: { activation: 'sigmoid', gives: 'logits', targets: [{ label: 'a' }, { label: 'b' }, { label: 'c' }] },
  });
  await tf.setBackend('cpu');
  const network = await buildNetwork(verified);
  const x = decode(golden.input);
  const square = tf.image.resizeBilinear(x, [64, 64]);
  const [y] = (await network.forward([tf.slice(square, [0, 0, 0, 0], [1, 64, 64, 1])])) as [tf.Tensor];
  expect(y.shape).toEqual([1, 3]);
  network.dispose();

  // The golden input is no square: the same files, read at its size.
  const json = JSON.parse(fs.readFileSync(path.join(out(), 'model.json'), 'utf8')) as { modelTopology: { config: { layers: { config: Record<string, unknown> }[] } } };
  const inputLayer = json.modelTopology.config.layers[0]!.config;
  const key = Object.keys(inputLayer).find(k => /batch_?input_?shape/i.test(k))!;
  inputLayer[key] = [null, ...golden.input.shape.slice(1)];
  const resized = await buildNetwork({
    ...verified,
    manifest: { ...verified.manifest, input: { ...verified.manifest.input, shape: golden.input.shape.slice(1) } },
    files: new Map([...verified.files, ['model.json', new TextEncoder().encode(JSON.stringify(json))]]),
  });
  expect(await relativeDifference((await resized.forward([x]))[0]!, golden.logits)).toBeLessThan(RELATIVE_TOLERANCE);
  resized.dispose();
  expect(fs.readFileSync(path.join(out(), 'README.md'), 'utf8')).toMatch(/To fill in/);
});

test('labels may be a file, one a line; a label without a standard code has a private one', async () => {
  const list = path.join(folder, 'labels.txt');
  fs.writeFileSync(list, 'Atelectasis\nPleural_Thickening\nPleural Thickening\n');
  await run('densenet/state.pt', { labels: list, size: '32' });
  const { output } = parseManifest(JSON.parse(fs.readFileSync(path.join(out(), 'manifest.json'), 'utf8')), 'test');
  expect(output.targets.map(t => [t.label, t.concept.codingSchemeDesignator, t.concept.codeValue])).toEqual([
    ['Atelectasis', 'SCT', '46621007'], ['Pleural_Thickening', '99OVERREAD', 'PLEURAL_THICKENI'], ['Pleural Thickening', '99OVERREAD', 'LABEL_3'],
  ]);
});

describe('a published model, fetched by its name', () => {
  let server: http.Server;
  let answer: (response: http.ServerResponse) => void;
  let address: string;
  beforeAll(async () => {
    server = http.createServer((_, response) => answer(response));
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
    address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/release/net.pt`;
  });
  afterAll(() => new Promise(resolve => server.close(resolve)));

  // The real facts on three labels, of a network small enough for a test.
  const tiny = (): Record<string, PublishedCheckpoint> => {
    const real = PUBLISHED_CHECKPOINTS['xrv-densenet121-res224-all'];
    return { tiny: { ...real, architecture: 'densenet' as 'densenet121', address, size: 32, labels: real.labels.slice(0, 3), operatingPoints: [0.25, null, 0.75], ppv80Thresholds: [0.5, 0.6, 0.7] } };
  };

  test('brings its labels, operating points, thresholds, scaling and citation', async () => {
    // In two pieces, so that no length is sent.
    answer = response => { response.write(goldenBytes('densenet/module.pt')); response.end(); };
    expect(await run(undefined, { as: 'tiny', labels: undefined }, tiny())).toBe(0);
    const { manifest } = await readVerified(diskFiles(out()));
    expect(manifest.output.targets.map(t => [t.label, t.operatingPoint, t.ppv80Threshold])).toEqual([
      ['Atelectasis', 0.25, 0.5], ['Consolidation', undefined, 0.6], ['Infiltration', 0.75, 0.7],
    ]);
    expect(manifest.input).toMatchObject({ valueRange: [-1024, 1024], shape: [32, 32, 1], viewPosition: expect.arrayContaining(['PA', 'AP']) as unknown });
    expect(manifest.license).toBe('Apache-2.0');
    expect(fs.readFileSync(path.join(out(), 'README.md'), 'utf8')).toContain(address);
    expect(said.slice(0, 2)).toEqual([`Downloading ${address}`, '  The server does not say how large it is.']);
  });

  test('its size and progress are told', async () => {
    const bytes = goldenBytes('densenet/module.pt');
    answer = response => response.setHeader('content-length', bytes.length).end(bytes);
    expect(await run(undefined, { as: 'tiny', labels: undefined }, tiny())).toBe(0);
    const size = `${(bytes.length / 2 ** 20).toFixed(1)} MiB`;
    expect(said[1]).toBe(`  ${size}`);
    expect(said).toContain(`  100 % of ${size}`);
  });

  test('an HTTP error, an error page and a broken download are told apart', async () => {
    answer = response => { response.statusCode = 404; response.end(); };
    await expectError('network/status', /HTTP 404/, run(undefined, { as: 'tiny', labels: undefined }, tiny()));
    answer = response => response.end('<html>Sign in</html>');
    await expectError('model/checkpoint', /error page/, run(undefined, { as: 'tiny', labels: undefined }, tiny()));
    answer = response => { response.setHeader('content-length', 1000); response.write('PK'); setTimeout(() => response.destroy(), 20); };
    await expectError('input/truncated', /ended after \d+ of 1000 bytes/, run(undefined, { as: 'tiny', labels: undefined }, tiny()));
  });

  test('an address that nobody answers', () =>
    expectError('network/unreachable', /Expected to reach http:\/\/127\.0\.0\.1:9\/.*Without a network, copy the file here/, run('http://127.0.0.1:9/x.pt', {})));
});

test('the facts of each published model fit together', () => {
  for (const facts of Object.values<PublishedCheckpoint>(PUBLISHED_CHECKPOINTS)) {
    expect(facts.labels).toHaveLength(18);
    expect(facts.operatingPoints).toHaveLength(18);
    expect(facts.ppv80Thresholds ?? facts.labels).toHaveLength(18);
    expect(facts.address).toMatch(/^https:\/\/github\.com\/mlmed\/torchxrayvision\/releases\//);
  }
});

describe('refuses', () => {
  const cut = (file: string) => {
    const whole = fs.readFileSync(path.join(GOLDEN, file));
    const short = path.join(folder, 'short.pt');
    fs.writeFileSync(short, whole.subarray(0, Math.floor(whole.length / 2)));
    return short;
  };

  test('a label list of the wrong length', () =>
    expectError('cli/usage', /Expected 3 labels, one an output of state\.pt, got 2 \(a, b\)/, run('densenet/state.pt', { labels: 'a,b' })));
  test('no labels', () => expectError('cli/usage', /Expected --labels with 3 names.*got none/, run('densenet/state.pt', { labels: undefined })));
  test('a label twice, or an empty one', async () => {
    await expectError('cli/usage', /got b twice/, run('densenet/state.pt', { labels: 'b,a,b' }));
    await expectError('cli/usage', /got an empty one/, run('densenet/state.pt', { labels: 'a,,b' }));
  });
  test('a truncated .pt, zip or legacy', async () => {
    await expectError('input/truncated', /short\.pt is cut short/, run(cut('densenet/state.pt'), {}));
    await expectError('input/truncated', /short\.pt ends too early/, run(cut('densenet/module-legacy.pt'), {}));
  });
  test('a pickle that calls os.system', () =>
    expectError('model/checkpoint', /wants to call system of the Python module posix/, run('checkpoints/hostile.pt', {})));
  test('a file that is not there', () => expectError('model/not-found', /got none\. Check the path/, run('densenet/none.pt', {})));
  test('another architecture', async () => {
    await expectError('model/checkpoint', /no tensor fc\.weight/, run('densenet/state.pt', { as: 'resnet50' }));
    await expectError('model/checkpoint', /of another shape \(features\.conv0\.weight: expected \[64, 1, 7, 7\], got \[6, 1, 7, 7\]/, run('densenet/state.pt', { as: 'densenet121' }));
  });
  test('a name, an id, a size that it does not know', async () => {
    await expectError('cli/usage', /Expected --as densenet121, .*xrv-densenet121-res224-all.*got vgg/, run('densenet/state.pt', { as: 'vgg' }));
    await expectError('cli/usage', /model id of lower-case letters/, run('densenet/state.pt', { out: path.join(folder, 'My Model') }));
    await expectError('cli/usage', /--size from 32 to 4096, got 8/, run('densenet/state.pt', { size: '8' }));
    await expectError('cli/usage', /a checkpoint FILE, got none/, run(undefined, {}));
  });
  test('to write over a folder, but for a model folder by --force', async () => {
    await run('densenet/state.pt', { size: '32' });
    const again = (options: Partial<ImportOptions>) => run('densenet/state.pt', { size: '32', ...options });
    await expect(again({})).rejects.toThrow(/which exists.*--force/);
    await expect(again({ force: true })).resolves.toBe(0);
    fs.rmSync(path.join(out(), 'manifest.json'));
    fs.writeFileSync(path.join(out(), 'precious.txt'), 'x');
    await expect(again({ force: true })).rejects.toThrow(/has no manifest\.json/);
    expect(fs.existsSync(path.join(out(), 'precious.txt'))).toBe(true);
  });
});
