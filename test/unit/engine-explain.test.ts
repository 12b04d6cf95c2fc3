/** Saliency through the engine: both views, the gate, force, cancellation. */
import { Engine } from '../../src/engine.ts';
import type { Image } from '../../src/image/image.ts';
import type { ModelFiles, Progress } from '../../src/runtime/types.ts';
import type { SaliencyRequest } from '../../src/tasks/saliency/index.ts';
import { grey, SIDE, viewFolders } from './runtime/view-models.ts';

const GRADIENT: SaliencyRequest = { method: 'input-gradient', target: 'Bright' };

let engine: Engine;
let folders: Map<string, ModelFiles>;
let jobs = 0;
const explain = (id: string, images: Image[], more: { request?: SaliencyRequest; force?: boolean; jobId?: string } = {}, onProgress?: (progress: Progress) => void) =>
  engine.explain({ jobId: String(++jobs), location: `models/${id}/`, images, request: GRADIENT, ...more }, onProgress);

beforeAll(async () => {
  engine = new Engine({ backend: 'cpu', fetchModel: location => folders.get(location.split('/')[1]!)! });
  await engine.start();
  folders = new Map(await viewFolders());
});
afterAll(() => engine.dispose());

// The logit is 4 times the mean of PA and twice that of L.
test.each(['stacked', 'swapped', 'auxloss'])('%s: each view\'s map is its own, in whatever order they come', async id => {
  const [pa, lateral, ...others] = await explain(id, [grey(0.5, 'LL'), grey(0.25, 'PA')]);
  expect(others).toEqual([]);
  expect([pa!.view, lateral!.view]).toEqual(['PA', 'L']);
  expect(pa!.source.sources).toEqual([expect.objectContaining({ sopInstanceUID: '1.3.PA' })]);
  expect(lateral!.source.sources).toEqual([expect.objectContaining({ sopInstanceUID: '1.3.LL' })]);
  pa!.values.forEach(v => expect(v).toBeCloseTo(4 / SIDE ** 2, 6));
  lateral!.values.forEach(v => expect(v).toBeCloseTo(2 / SIDE ** 2, 6));
  for (const { saliency } of [pa!, lateral!]) expect(saliency.score).toBeCloseTo(4 * 0.25 + 2 * 0.5, 5);
});

test.each<[string, number]>([['stacked', 1], ['auxloss', 1]])('%s: one view alone has one map, of the score that it gets alone', async (id, score) => {
  const maps = await explain(id, [grey(0.5, 'LL')]);
  expect(maps.map(({ view }) => view)).toEqual(['L']);
  expect(maps[0]!.saliency.score).toBeCloseTo(score, 5);
  expect(maps[0]!.saliency.randomisation).toMatchObject({ layer: id === 'auxloss' ? 'head_l' : 'joint' });
});

test('two patients\' pictures, and two frontals, are refused as by a run', async () => {
  await expect(explain('stacked', [grey(0.2, 'PA'), grey(0.2, 'LL', '1.9')])).rejects.toMatchObject({ code: 'input/views' });
  await expect(explain('stacked', [grey(0.2, 'PA'), grey(0.2, 'AP')])).rejects.toMatchObject({ code: 'input/views' });
});

test('the gate tells the views apart, refuses, and is overruled by force, marked', async () => {
  const stages: string[] = [];
  const maps = await explain('gated', [grey(0.7), grey(0.2)], {}, ({ stage }) => stages.push(stage));
  expect(maps.map(({ view, source }) => [view, source.shape[0]])).toEqual([['PA', SIDE], ['L', SIDE]]);
  expect(maps[0]!.outOfDistribution).toMatchObject({ refused: false, threshold: 1.9 });
  expect(maps[0]!.timingMs.gate).toBeGreaterThan(0);
  expect(stages.slice(-6)).toEqual(['gate', 'gate', 'encode', 'infer', 'infer', 'infer']);
  await expect(explain('gated', [grey(0.9, 'PA')])).rejects.toMatchObject({ code: 'input/out-of-distribution', fields: { outOfDistribution: { refused: true } } });
  const [forced] = await explain('gated', [grey(0.9, 'PA')], { force: true });
  expect(forced!.outOfDistribution).toMatchObject({ refused: true, reason: expect.stringContaining('inverted') });
});

test('an unknown target is refused before the gate is asked; a network without a feature map has no Grad-CAM', async () => {
  const stages: string[] = [];
  const unknown = explain('gated', [grey(0.2, 'PA')], { request: { method: 'grad-cam', target: 'Dark' } }, ({ stage }) => stages.push(stage));
  await expect(unknown).rejects.toMatchObject({ code: 'config/invalid', fields: { expected: ['Bright'], got: 'Dark' } });
  expect(stages).toEqual([]);
  await expect(explain('stacked', [grey(0.2, 'PA')], { request: { method: 'grad-cam', target: 'Bright' } })).rejects.toMatchObject({ code: 'config/invalid' });
});

test('a job is cancelled by its id, which no other job may have meanwhile', async () => {
  const request: SaliencyRequest = { method: 'smooth-grad', target: 'Bright', samples: 1000 };
  let steps = 0;
  const run = explain('stacked', [grey(0.2, 'PA'), grey(0.2, 'LL')], { request, jobId: 'long' }, ({ fraction }) => {
    if (fraction !== undefined && ++steps === 3) engine.cancel('long');
  });
  await expect(explain('stacked', [grey(0.2, 'PA')], { jobId: 'long' })).rejects.toMatchObject({ code: 'job/busy' });
  await expect(run).rejects.toMatchObject({ code: 'job/cancelled' });
  expect(steps).toBe(3);
});

test('leaves no tensor behind', async () => {
  await explain('auxloss', [grey(0.2, 'PA'), grey(0.2, 'LL')]);
  const { tensors } = await engine.memory();
  await explain('auxloss', [grey(0.2, 'PA'), grey(0.2, 'LL')]);
  await explain('auxloss', [grey(0.2, 'LAO')]).catch(() => {});
  expect((await engine.memory()).tensors).toBe(tensors);
});
