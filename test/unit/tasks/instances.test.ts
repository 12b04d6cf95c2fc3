/** Objects as a manifest asks for them: the pixel rule, the finding, its thresholds and edits, tiles, the command line. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import '@tensorflow/tfjs-backend-cpu';
import { dispose, setBackend, tensor4d, type Tensor } from '@tensorflow/tfjs-core';
import { decode } from 'fast-png';
import { buildUNet } from '../../../src/architectures/unet.ts';
import { inferFiles } from '../../../src/cli/infer-files.ts';
import { infer } from '../../../src/cli/infer.ts';
import { objectsOfResult } from '../../../src/evaluation/objects.ts';
import { parseManifest, type ModelManifest } from '../../../src/manifest.ts';
import { editedLabelmap } from '../../../src/results/edit.ts';
import type { LabelmapResult } from '../../../src/results/result.ts';
import { rethreshold } from '../../../src/results/rethreshold.ts';
import { receptiveField } from '../../../src/runtime/receptive-field.ts';
import type { LoadedModel } from '../../../src/runtime/types.ts';
import { pixelRule } from '../../../src/tasks/pixel-rule.ts';
import { labelmapOf, segment } from '../../../src/tasks/segment.ts';
import { segmentWhole } from '../../../src/tasks/tiled-segment.ts';
import { fakeRunner } from '../cli/fake-runner.ts';
import { picture, tinyManifest } from '../runtime/tiny.ts';

const [COLUMNS, ROWS] = [8, 4];
const target = (label: string, operatingPoint: number) => ({ label, concept: { codeValue: '1', codingSchemeDesignator: '99TEST', codeMeaning: label }, operatingPoint });
const INSTANCES = { edge: 'Rim', minimumPixels: 2, minimumMarkerPixels: 1 };
const OUTPUT: Partial<ModelManifest['output']> = { activation: 'sigmoid', gives: 'logits', targets: [target('Cell', 0.5), target('Rim', 0.4)], instances: INSTANCES };
const manifest = (output: Partial<ModelManifest['output']> = {}) => tinyManifest('tiny-bright', m => ({ ...m, input: { ...m.input, shape: [ROWS, COLUMNS, 1], fit: 'stretch' }, output: { ...OUTPUT, ...output } as ModelManifest['output'] }));

beforeAll(() => setBackend('cpu'));

describe('the edge of objects', () => {
  const rule = pixelRule(manifest());
  test.each<[string, number[], number]>([
    ['is drawn over an object that is far surer', [9, 0.1], 2],
    ['is not there below its operating point', [9, -1], 1],
    ['is nowhere alone', [-1, 9], 0],
    ['is there at its operating point, in logits', [0, Math.log(0.4 / 0.6)], 2],
  ])('%s', (_, logits, label) => {
    expect(rule(Float32Array.from([7, ...logits]), 1)).toBe(label);
  });
});

describe('manifests that are refused', () => {
  const json = (output: object, more: object = {}) => ({ ...manifest(), ...more, output: { ...manifest().output, ...output } });
  test.each<[string, object, object, RegExp]>([
    ['an edge that is no target', { instances: { ...INSTANCES, edge: 'Wall' } }, {}, /output\.instances\.edge: expected one of several labels of output\.targets \(Cell, Rim\), got Wall/],
    ['an edge alone', { targets: [target('Rim', 0.4)] }, {}, /output\.instances\.edge: expected one of several labels/],
    ['an edge of a softmax', { activation: 'softmax' }, {}, /output\.instances\.edge: expected output\.activation sigmoid/],
    ['objects of scores', {}, { task: 'classify' }, /output\.instances: expected none but for the task segment/],
    ['an object of no pixels', { instances: { ...INSTANCES, minimumPixels: 0 } }, {}, /output\.instances\.minimumPixels/],
  ])('%s', (_, output, more, message) => {
    expect(() => parseManifest(json(output, more), 'a manifest')).toThrow(message);
  });

  test('one without an edge is none of them', () => {
    expect(parseManifest(json({ instances: { minimumPixels: 2, minimumMarkerPixels: 1 } }), 'a manifest').output.instances).toBeDefined();
  });
});

/** Two cells that touch along a rim of column 3 and 4, and a speck. */
async function found(): Promise<LabelmapResult> {
  const m = manifest();
  const pictures = [{ image: picture(COLUMNS, ROWS, x => x, { spacingMm: [0.5, 0.5] }) }];
  const encoded = segment.encode(pictures, m);
  const logits = Float32Array.from({ length: ROWS * COLUMNS }, (_, i) => i).map(i => {
    const [x, y] = [i % COLUMNS, Math.floor(i / COLUMNS)];
    return (y < 2 && x > 0 && x < 7) || (x === 0 && y === 3) ? 3 : -3;
  });
  const values = tensor4d(Float32Array.from({ length: logits.length * 2 }, (_, i) => (i % 2 === 0 ? logits[i / 2]! : [3, 4].includes((i >> 1) % COLUMNS) ? 0.5 : -2)), [1, ROWS, COLUMNS, 2]);
  const finding = await segment.decode([values], encoded, pictures, m);
  dispose([...encoded.inputs, values]);
  return finding as LabelmapResult;
}

const rows = (values: ArrayLike<number>) => Array.from({ length: ROWS }, (_, y) => Array.from(values).slice(y * COLUMNS, (y + 1) * COLUMNS).join(''));

test('a finding has its objects, counted and measured; its mask agrees with them', async () => {
  const { labels, instances, segments } = await found();
  expect(rows(instances!.labels)).toEqual(['01112220', '01112220', '00000000', '00000000']);
  expect(rows(labels)).toEqual(['01122110', '01122110', '00000000', '00000000']);
  expect(segments.map(({ pixels }) => pixels)).toEqual([8, 4]);
  expect(instances).toMatchObject({ count: 2, atBorder: 2, sizes: { median: 6 } });
});

test('a moved threshold makes the objects again, and back', async () => {
  const result = await found();
  const joined = rethreshold(result, [0.5, 0.9]);
  expect(joined.instances!.count).toBe(1);
  expect(rows(joined.labels)).toEqual(['01111110', '01111110', '00000000', '00000000']);
  const back = rethreshold(joined, [0.5, 0.4]);
  expect(back.labels).toBe(result.labels);
  expect(back.instances).toBe(result.instances);
  // With other thresholds on both, the rule is still that the edge lies over the object.
  expect(rows(rethreshold(result, [0.3, 0.35]).labels)[0]).toBe('01122110');
});

test('a reader\'s change makes the objects again and leaves the mask as it was drawn', async () => {
  const result = await found();
  const drawn = result.labels.map(label => Number(label !== 0));
  drawn[3 * COLUMNS] = 1;
  const edited = editedLabelmap(result, drawn, () => undefined, '2026-01-01T00:00:00.000Z');
  expect(edited.instances!.count).toBe(1);
  expect(edited.labels[3 * COLUMNS]).toBe(1);
  expect(result.instances!.count).toBe(2);
});

test('a mask without output.instances has none, and its touching parts are the objects of eval', async () => {
  const source = picture(COLUMNS, ROWS, x => x);
  const plain = labelmapOf(Uint8Array.from((await found()).labels), source, manifest({ instances: undefined } as never)) as LabelmapResult;
  expect(plain.instances).toBeUndefined();
  expect(Math.max(...Array.from(objectsOfResult(plain)))).toBe(1);
  expect(objectsOfResult(await found())).toEqual((await found()).instances!.labels);
});

test('objects that cross the borders of tiles are whole', async () => {
  const tile = 24;
  const network = buildUNet({ inputShape: [tile, tile], depth: 1, width: 2, weights: { seed: 3 } });
  const large = buildUNet({ inputShape: [64, 64], depth: 1, width: 2, weights: { seed: 3 } });
  const instances = { minimumPixels: 1, minimumMarkerPixels: 1 };
  const of = (side: number) => tinyManifest('tiny-bright', m => ({
    ...m, input: { ...m.input, shape: [side, side, 1], normalisation: { kind: 'zscore' }, tiling: { overlap: 'receptive-field', padding: 'edge' } }, output: { ...m.output, instances },
  }));
  const image = picture(64, 64, (x, y) => 120 + 80 * Math.sin(x * 0.7 + Math.cos(y * 1.3) * 3) + x / 2);
  const predict = async ([input]: readonly Tensor[]) => [network.predict(input!) as Tensor];
  const tiled = await segmentWhole({ manifest: of(tile), predict } as unknown as LoadedModel, image, { field: receptiveField(network) });

  const encoded = segment.encode([{ image }], of(64));
  const output = large.predict(encoded.inputs[0]!) as Tensor;
  const whole = await segment.decode([output], encoded, [{ image }], of(64));
  expect(tiled.instances).toEqual(whole.instances);
  expect(tiled.instances!.count).toBeGreaterThan(1);
  expect(tiled.instances!.sizes!.maximum).toBeGreaterThan(100);
  dispose([...encoded.inputs, output]);
  [network, large].forEach(net => net.dispose());
});

describe('infer --instances', () => {
  let out: string;
  beforeEach(() => (out = fs.mkdtempSync(path.join(os.tmpdir(), 'overread-instances-'))));
  afterEach(() => fs.rmSync(out, { recursive: true }));

  test('writes the objects as a 16-bit PNG, and tells their number and sizes', async () => {
    const result = await found();
    const many = { ...result, instances: { ...result.instances!, labels: result.instances!.labels.map(object => object * 300) } };
    const fake = fakeRunner();
    const run = async (images: Parameters<typeof fake.run>[0]) => ({ ...(await fake.run(images)), ...many }) as LabelmapResult;
    const image = picture(COLUMNS, ROWS, x => x, { modality: 'DX' });
    const { entries } = await inferFiles([{ files: ['a.png'], images: [{ files: ['a.png'], open: async () => image }] }], { runner: { ...fake, run }, out, instances: true });
    const printed = entries[0]!.result;
    if (printed?.kind !== 'labelmap') throw new Error('expected a labelmap');
    expect(printed.objects).toEqual({ count: 2, atBorder: 2, pixels: result.instances!.sizes, areaMm2: expect.objectContaining({ median: 1.5 }), file: expect.stringMatching(/\.instances\.png$/) });
    const png = decode(fs.readFileSync(printed.objects!.file!));
    expect([png.width, png.height, png.depth, png.channels]).toEqual([COLUMNS, ROWS, 16, 1]);
    expect(Array.from(png.data)).toEqual(Array.from(many.instances.labels));
  });

  test('is refused without a folder, and for a model that tells no objects apart', async () => {
    await expect(infer(['a.png'], { model: 'tiny-bright', instances: true })).rejects.toMatchObject({ code: 'cli/usage', message: expect.stringContaining('--out') });
    const file = path.join(out, 'a.dcm');
    fs.writeFileSync(file, '');
    const quiet = { print: () => {}, note: () => {} };
    await expect(infer([file], { model: 'tiny-bright', models: path.join(__dirname, '../../fixtures'), backend: 'wasm', instances: true, out }, quiet)).rejects.toMatchObject({ code: 'cli/usage', message: expect.stringContaining('output.instances') });
  });
});
