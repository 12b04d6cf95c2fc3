import { Engine } from '../../src/engine.ts';
import { OverreadError } from '../../src/errors.ts';
import type { Image } from '../../src/image/image.ts';
import type { LabelmapResult, ScoresResult } from '../../src/results/result.ts';
import type { ModelFiles } from '../../src/runtime/types.ts';
import { asBytes, picture, tinyFiles, tinyManifest } from './runtime/tiny.ts';
import { folder, fused, fusionNetwork, grey, viewFolders } from './runtime/view-models.ts';

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

let engine: Engine;
let folders: Map<string, ModelFiles>;
let jobs = 0;
const run = (id: string, images: Image[], force?: boolean) => engine.run({ jobId: String(++jobs), location: `models/${id}/`, images, ...(force && { force }) });

beforeAll(async () => {
  engine = new Engine({ backend: 'cpu', fetchModel: location => folders.get(location.split('/')[1]!)! });
  await engine.start();
  folders = new Map([
    ...(await viewFolders()),
    ['headless', await folder('headless', fusionNetwork('stacked'), fused('auxloss'))],
    ['alone', await folder('alone', fusionNetwork('stacked'), {})],
    ['lungs', tinyFiles('tiny-bright', { 'manifest.json': asBytes(tinyManifest('tiny-bright', m => ({ ...m, input: { ...m.input, gate: 'gate' } }))) })],
    ['astray', tinyFiles('tiny-bright', { 'manifest.json': asBytes(tinyManifest('tiny-bright', m => ({ ...m, input: { ...m.input, gate: 'alone-scores' } }))) })],
    ['alone-scores', tinyFiles('tiny-scores')],
  ]);
});
afterAll(() => engine.dispose());

describe('a model of two views', () => {
  test.each(['stacked', 'swapped', 'auxloss'])('%s: from both, and from each alone, in whatever order they come', async id => {
    const result = (await run(id, [grey(0.5, 'LL'), grey(0.25, 'PA')])) as ScoresResult;
    const [score] = result.scores;
    expect(score!.logit).toBeCloseTo(2, 5);
    expect(score!.views.fused).toBeCloseTo(sigmoid(2), 5);
    expect(score!.views.PA).toBeCloseTo(sigmoid(1), 5);
    expect(score!.views.L).toBeCloseTo(sigmoid(1), 5);
    expect(result).toMatchObject({ viewsUsed: ['PA', 'L'], viewsMissing: [], viewsFrom: { PA: 'ViewPosition', L: 'ViewPosition' } });
    expect(result.source.sources).toEqual([expect.objectContaining({ sopInstanceUID: '1.3.PA' })]);
    expect(result.viewSources?.L?.sources).toEqual([expect.objectContaining({ sopInstanceUID: '1.3.LL' })]);
    expect('substitute' in result).toBe(false);
  });

  test('one view: the other is said to be missing, with what stood in', async () => {
    const pa = (await run('stacked', [grey(0.25, 'PA')])) as ScoresResult;
    expect(pa.scores[0]!.views).toEqual({ PA: expect.closeTo(sigmoid(1), 5) });
    expect(pa).toMatchObject({ viewsUsed: ['PA'], viewsMissing: ['L'], substitute: expect.stringContaining('missing L view') });
    const lateral = (await run('auxloss', [grey(0.25, 'LL')])) as ScoresResult;
    expect(lateral.scores[0]!.probability).toBeCloseTo(sigmoid(0.5), 5);
    expect(lateral).toMatchObject({ viewsUsed: ['L'], viewsMissing: ['PA'], substitute: expect.stringContaining('own head') });
  });

  test.each<[string, () => Image[], string]>([
    ['two frontals', () => [grey(0.2, 'PA'), grey(0.2, 'AP')], 'got 2 frontal views and no lateral'],
    ['two patients', () => [grey(0.2, 'PA'), grey(0.2, 'LL', '1.1', 'B')], 'got A and B'],
    ['two dates', () => [grey(0.2, 'PA'), grey(0.2, 'LL', '1.9')], 'got 1.1 and 1.9'],
    ['three pictures', () => [grey(0.2, 'PA'), grey(0.2, 'LL'), grey(0.2, 'RL')], 'got 3 pictures'],
    ['none', () => [], 'got 0 pictures'],
    ['an oblique', () => [grey(0.2, 'LAO')], 'states the view LAO'],
    ['no view', () => [grey(0.2)], 'states no view'],
  ])('%s are refused by name', async (_, images, message) => {
    await expect(run('stacked', images())).rejects.toMatchObject({ code: 'input/views', message: expect.stringContaining(message) });
  });

  test('leaves no tensor behind, refused or not', async () => {
    await run('auxloss', [grey(0.2, 'PA')]);
    const { tensors } = await engine.memory();
    await run('auxloss', [grey(0.2, 'PA'), grey(0.2, 'LL')]);
    await run('auxloss', [grey(0.2, 'LAO')]).catch(() => {});
    expect((await engine.memory()).tensors).toBe(tensors);
  });

  test('a graph whose inputs or outputs are not those of its fusion is refused', async () => {
    await expect(run('headless', [grey(0.2, 'PA')])).rejects.toMatchObject({ code: 'model/graph', message: expect.stringContaining('give 3 tensors') });
    await expect(run('alone', [grey(0.2, 'PA')])).rejects.toMatchObject({ code: 'model/graph', message: expect.stringContaining('one input') });
  });
});

describe('the gate', () => {
  test('tells the views apart, and the result says that it was a guess', async () => {
    const result = (await run('gated', [grey(0.7), grey(0.2)])) as ScoresResult;
    expect(result).toMatchObject({ viewsUsed: ['PA', 'L'], viewsFrom: { PA: 'classifier', L: 'classifier' } });
    expect(result.scores[0]!.logit).toBeCloseTo(4 * 0.2 + 2 * 0.7, 5);
    expect(result.outOfDistribution).toEqual({ score: expect.closeTo(1.4, 4), threshold: 1.9, refused: false });
    expect(result.timingMs.gate).toBeGreaterThan(0);
  });

  test('refuses an inverted picture by name, and reads it all the same when forced, marked', async () => {
    const error = { code: 'input/out-of-distribution', fields: expect.objectContaining({ outOfDistribution: expect.objectContaining({ refused: true }) }) };
    await expect(run('gated', [grey(0.9, 'PA')])).rejects.toMatchObject({ ...error, message: expect.stringMatching(/inverted grey scale: probability 1\.00 over 0\.50/) });
    expect((await run('gated', [grey(0.9, 'PA')], true)).outOfDistribution).toMatchObject({ refused: true, reason: expect.stringContaining('inverted') });
  });

  test('says which of two pictures it refuses', async () => {
    await expect(run('gated', [grey(0.2, 'PA'), grey(0.9, 'LL')])).rejects.toMatchObject({ message: expect.stringContaining('the lateral view: inverted grey scale') });
  });

  test('refuses a lateral handed to a frontal model, for a segmentation too', async () => {
    await expect(run('lungs', [grey(0.6)])).rejects.toMatchObject({ code: 'input/out-of-distribution', message: expect.stringContaining('lateral view where a frontal one is read') });
    const mask = (await run('lungs', [picture(32, 32, x => (x < 16 ? 0 : 0.5), { modality: 'DX' })])) as LabelmapResult;
    expect(mask.outOfDistribution?.refused).toBe(false);
  });

  test('a gate that is not there fails the run, and says whose gate it is', async () => {
    const bare = new Engine({ backend: 'cpu', fetchModel: location => (location.includes('gated') ? folders.get('gated')! : { location, read: () => Promise.reject(new OverreadError('model/not-found', 'There is none.')) }) });
    await expect(bare.run({ jobId: 'a', location: 'models/gated/', images: [grey(0.2, 'PA')] })).rejects.toMatchObject({ code: 'model/not-found', message: 'gated reads nothing without its gate gate, which lies in the folder beside it: There is none.' });
    await bare.dispose();
  });

  test('a model beside that is no gate fails the run', async () => {
    await expect(run('astray', [grey(0.2, 'PA')])).rejects.toMatchObject({ code: 'model/manifest', message: expect.stringContaining('no field gate') });
  });
});

test('a gate by itself gives the scores of its classes', async () => {
  const { scores, viewsUsed } = (await run('gate', [grey(0.2, 'PA')])) as ScoresResult;
  expect(scores.map(({ target: { label }, positive }) => [label, positive])).toEqual([['Frontal', true], ['Lateral', false], ['Inverted', false]]);
  expect(viewsUsed).toEqual(['PA']);
});
