import '@tensorflow/tfjs-backend-cpu';
import { dispose, setBackend, tensor2d, zeros } from '@tensorflow/tfjs-core';
import type { Image } from '../../../src/image/image.ts';
import { parseManifest, type ModelManifest } from '../../../src/manifest.ts';
import { classify } from '../../../src/tasks/classify.ts';
import { taskOf } from '../../../src/tasks/index.ts';
import { viewOfImage } from '../../../src/tasks/views.ts';
import { disc, picture, tinyManifest } from '../runtime/tiny.ts';

type Output = ModelManifest['output'];
const target = (label: string, operatingPoint?: number) => ({ label, concept: { codeValue: label, codingSchemeDesignator: '99TEST', codeMeaning: label }, ...(operatingPoint !== undefined && { operatingPoint }) });
const manifestWith = (output: Partial<Output>, input: object = {}) =>
  tinyManifest('tiny-bright', m => ({ ...m, task: 'classify', input: { ...m.input, ...input }, output: { activation: 'sigmoid', gives: 'logits', targets: [target('A'), target('B')], ...output } }));
const pa = (viewPosition?: string) => disc(20, 20, { modality: 'DX', attributes: viewPosition === undefined ? {} : { viewPosition } });
const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

beforeAll(() => setBackend('cpu'));

async function decoded(values: number[], manifest: ModelManifest, image: Image = pa('PA')) {
  const pictures = [{ image, ...viewOfImage(image, manifest) }];
  const encoded = classify.encode(pictures, manifest);
  const output = tensor2d([values]);
  try {
    return await classify.decode([output], encoded, pictures, manifest);
  } finally {
    dispose([...encoded.inputs]);
    output.dispose();
  }
}

test('is the task classify of the registry', () => expect(taskOf(manifestWith({}))).toBe(classify));

describe('accept refuses as a segmentation does', () => {
  test.each<[string, Image, object]>([
    ['a CT', disc(20, 20, { modality: 'CT' }), { expected: ['CR', 'DX', 'OT'], got: 'CT' }],
    ['a lateral view', pa('LL'), { expected: ['PA', 'AP'], got: 'LL' }],
    ['a volume', disc(20, 20, { modality: 'DX', shape: [20, 10, 2] }), { expected: 1, got: 2 }],
  ])('%s', (_, image, fields) => {
    expect(() => classify.accept([image], manifestWith({}))).toThrow(expect.objectContaining({ code: 'input/refused', fields: expect.objectContaining(fields) }));
  });
});

describe('multi-label scores', () => {
  test('are sigmoids of the logits, against their operating points, 0.5 where none is stated', async () => {
    const { kind, scores } = await decoded([-1, 2], manifestWith({ targets: [target('A', 0.2), target('B')] }));
    expect(kind).toBe('scores');
    expect(scores.map(s => s.target.label)).toEqual(['A', 'B']);
    expect(scores[0]).toMatchObject({ logit: -1, operatingPoint: 0.2, positive: true });
    expect(scores[0]!.probability).toBeCloseTo(sigmoid(-1), 6);
    expect(scores[1]).toMatchObject({ logit: 2, positive: true });
    expect('operatingPoint' in scores[1]!).toBe(false);
    const low = await decoded([-1, -0.01], manifestWith({ targets: [target('A', 0.3), target('B')] }));
    expect(low.scores.map(s => s.positive)).toEqual([false, false]);
  });

  test('stay finite at logits that overflow', async () => {
    const { scores } = await decoded([-1000, 1000], manifestWith({}));
    expect(scores.map(s => s.probability)).toEqual([0, 1]);
  });

  test('are calibrated by temperature, or by Platt for each target; the logit stays the network\'s', async () => {
    const warm = await decoded([2, -4], manifestWith({ calibration: { kind: 'temperature', value: 2 } }));
    expect(warm.scores.map(s => s.logit)).toEqual([2, -4]);
    expect(warm.scores[0]!.probability).toBeCloseTo(sigmoid(1), 6);
    expect(warm.scores[1]!.probability).toBeCloseTo(sigmoid(-2), 6);
    const platt = await decoded([2, -4], manifestWith({ calibration: { kind: 'platt', targets: [{ a: 0.5, b: 0.25 }, { a: 2, b: 7 }] } }));
    expect(platt.scores[0]!.probability).toBeCloseTo(sigmoid(1.25), 6);
    expect(platt.scores[1]!.probability).toBeCloseTo(sigmoid(-1), 6);
  });

  test('the operating point is set against the calibrated probability', async () => {
    const at = (value: number) => manifestWith({ targets: [target('A', 0.8), target('B')], calibration: { kind: 'temperature', value } });
    expect((await decoded([2, 0], at(1))).scores[0]!.positive).toBe(true); // 0.881
    expect((await decoded([2, 0], at(2))).scores[0]!.positive).toBe(false); // 0.731
  });

  test('given as probabilities keep them, with the logit that they have', async () => {
    const { scores } = await decoded([0.25, 1], manifestWith({ gives: 'probability' }));
    expect(scores.map(s => s.probability)).toEqual([0.25, 1]);
    expect(scores[0]!.logit).toBeCloseTo(Math.log(1 / 3), 6);
    expect(Number.isFinite(scores[1]!.logit)).toBe(true);
    await expect(decoded([0.25, 3], manifestWith({ gives: 'probability' }))).rejects.toMatchObject({ code: 'model/output', fields: { got: 3 } });
  });
});

describe('operating-point normalisation', () => {
  const normalised = (points: (number | undefined)[]) => manifestWith({ gives: 'probability', targets: points.map((p, i) => target(`T${i}`, p)), operatingPointNormalisation: 'torchxrayvision' });

  test('puts the operating point at 0.5, as torchxrayvision does', async () => {
    // Worked by hand after op_norm: 0.05/(2·0.1), 1 − 0.9/(2·0.9), 1 − 0.45/(2·0.9).
    const { scores } = await decoded([0.05, 0.1, 0.55], normalised([0.1, 0.1, 0.1]));
    expect(scores[0]!.probability).toBeCloseTo(0.25, 6);
    expect(scores[1]!.probability).toBeCloseTo(0.5, 6);
    expect(scores[2]!.probability).toBeCloseTo(0.75, 6);
    expect(scores.map(s => s.operatingPoint)).toEqual([0.5, 0.5, 0.5]);
    expect([scores[0]!.positive, scores[2]!.positive]).toEqual([false, true]);
  });

  test('a target that its authors did not test stays as it is and is never positive', async () => {
    const { scores } = await decoded([0.9, 0.9], normalised([0.1, undefined]));
    expect(scores[1]).toMatchObject({ positive: false });
    expect(scores[1]!.probability).toBeCloseTo(0.9, 6);
    expect('operatingPoint' in scores[1]!).toBe(false);
  });
});

describe('softmax scores', () => {
  const softmax = (more: Partial<Output> = {}) => manifestWith({ activation: 'softmax', ...more });

  test('share one; the likeliest is positive where no operating point is stated', async () => {
    const { scores } = await decoded([0, Math.log(3)], softmax());
    expect(scores.map(s => s.probability)).toEqual([expect.closeTo(0.25, 6), expect.closeTo(0.75, 6)]);
    expect(scores.map(s => s.positive)).toEqual([false, true]);
  });

  test('may have a background before the targets, which may be the likeliest', async () => {
    const { scores } = await decoded([Math.log(6), 0, Math.log(3)], softmax());
    expect(scores.map(s => s.target.label)).toEqual(['A', 'B']);
    expect(scores.map(s => s.probability)).toEqual([expect.closeTo(0.1, 6), expect.closeTo(0.3, 6)]);
    expect(scores.map(s => s.positive)).toEqual([false, false]);
    const pointed = await decoded([Math.log(6), 0, Math.log(3)], softmax({ targets: [target('A'), target('B', 0.25)] }));
    expect(pointed.scores.map(s => s.positive)).toEqual([false, true]);
  });

  test('temperature flattens them', async () => {
    const { scores } = await decoded([0, 2 * Math.log(3)], softmax({ calibration: { kind: 'temperature', value: 2 } }));
    expect(scores[1]!.probability).toBeCloseTo(0.75, 6);
  });
});

describe('views', () => {
  test('the view that the image states', async () => {
    const { scores, viewsUsed, viewsMissing, viewsFrom } = await decoded([0, 0], manifestWith({}), pa('AP'));
    expect(scores[0]!.views).toEqual({ PA: 0.5 });
    expect([viewsUsed, viewsMissing, viewsFrom]).toEqual([['PA'], [], { PA: 'ViewPosition' }]);
    const lateral = await decoded([0, 0], manifestWith({}, { viewPosition: ['LL', 'RL'] }), pa('LL'));
    expect(lateral.viewsUsed).toEqual(['L']);
    expect(lateral.scores[1]!.views).toEqual({ L: 0.5 });
  });

  test('where the image does not say, the only one that the model reads, marked as assumed', async () => {
    expect(await decoded([0, 0], manifestWith({}), pa())).toMatchObject({ viewsUsed: ['PA'], viewsFrom: { PA: 'assumed' } });
  });

  test('none where the model reads both or says nothing of views', async () => {
    for (const viewPosition of [['PA', 'LL'], undefined]) {
      const result = await decoded([0, 0], manifestWith({}, { viewPosition }), pa());
      expect(result).toMatchObject({ viewsUsed: [], viewsMissing: [], viewsFrom: {} });
      expect(result.scores[0]!.views).toEqual({});
    }
  });
});

describe('refuses', () => {
  test('an output of another shape', async () => {
    const manifest = manifestWith({});
    const image = picture(8, 8, x => x);
    const encoded = classify.encode([{ image }], manifest);
    for (const shape of [[1, 3], [2, 2], [1, 1, 2], [1, 1, 1, 2]]) {
      await expect(classify.decode([zeros(shape)], encoded, [{ image }], manifest)).rejects.toMatchObject({ code: 'model/output', fields: { got: shape } });
    }
  });

  test('activation none', () => expect(decoded([0, 0], manifestWith({ activation: 'none' }))).rejects.toMatchObject({ code: 'model/manifest' }));

  const wrong: [string, string, Partial<Output>, string][] = [
    ['Platt pairs of another number than targets', 'classify', { calibration: { kind: 'platt', targets: [{ a: 1, b: 0 }] } }, 'expected 2 pairs, one a target, got 1'],
    ['Platt pairs for a softmax', 'classify', { activation: 'softmax', calibration: { kind: 'platt', targets: [{ a: 1, b: 0 }, { a: 1, b: 0 }] } }, 'expected kind temperature'],
    ['a calibration that turns the order round', 'classify', { calibration: { kind: 'platt', targets: [{ a: -1, b: 0 }, { a: 1, b: 0 }] } }, 'output.calibration.targets.0.a'],
    ['a temperature of 0', 'classify', { calibration: { kind: 'temperature', value: 0 } }, 'output.calibration.value'],
    ['a calibration of probabilities', 'classify', { gives: 'probability', calibration: { kind: 'temperature', value: 2 } }, 'it works on logits'],
    ['a calibration of a segmentation', 'segment', { calibration: { kind: 'temperature', value: 2 } }, 'expected none for the task segment'],
    ['normalisation of a segmentation', 'segment', { operatingPointNormalisation: 'torchxrayvision' }, 'expected none for the task segment'],
    ['normalisation of a softmax', 'classify', { activation: 'softmax', operatingPointNormalisation: 'torchxrayvision' }, 'expected output.activation sigmoid'],
  ];
  test.each(wrong)('a manifest with %s', (_, task, output, message) => {
    const plain = manifestWith({});
    expect(() => parseManifest({ ...plain, task, output: { ...plain.output, ...output } }, 'test')).toThrow(message);
  });
});
