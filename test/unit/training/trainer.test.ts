/** The training loop on tiny networks, on WebAssembly, which is quick enough for a test. */
import { memory } from '@tensorflow/tfjs-core';
import { OverreadError } from '../../../src/errors.ts';
import { parseManifest } from '../../../src/manifest.ts';
import type { Device } from '../../../src/runtime/device.ts';
import { createRuntime, type TfjsRuntime } from '../../../src/runtime/runtime.ts';
import { readVerified, type VerifiedModel } from '../../../src/runtime/verified.ts';
import { tunedFiles, tunedManifest } from '../../../src/training/publish.ts';
import type { Example } from '../../../src/training/examples.ts';
import type { Recipe } from '../../../src/training/recipe.ts';
import { train, type Trained, type TrainingEvent, type TrainingJob, type TrainingTurns } from '../../../src/training/trainer.ts';
import { tinyFiles, tinyManifest, WASM } from '../runtime/tiny.ts';
import { discs, discSplit, memoryStore, recipe } from './made.ts';

// Seconds each on an idle machine; training shares the processor with every other test.
jest.setTimeout(240_000);

let runtime: TfjsRuntime;
let verified: VerifiedModel;
beforeAll(async () => {
  runtime = await createRuntime({ backend: 'wasm', wasmPath: WASM });
  verified = await readVerified(tinyFiles('tiny-unet'));
});
afterAll(() => runtime.dispose());

function job(changes: Partial<TrainingJob> = {}, of: Recipe = recipe()): TrainingJob {
  return { verified, recipe: of, examples: discSplit(verified.manifest), run: 'a run', allowSlow: true, ...changes };
}
const losses = ({ curve }: Trained) => curve.flatMap(({ loss }) => (loss === undefined ? [] : [loss]));

test('learns: the loss falls and validation gets better than the base; the same seed gives the same curve, another one another', async () => {
  const before = memory().numTensors;
  const events: TrainingEvent[] = [];
  const longer = recipe({ steps: 60, rate: 0.02, augmentation: { flip: 'both' }, validation: { every: 20 }, checkpointEvery: 60 });
  const first = await train(runtime, job({ onEvent: event => events.push(event) }, longer));
  const again = await train(runtime, job({}, { ...longer, steps: 6 }));
  const other = await train(runtime, job({}, recipe({ steps: 4, seed: 6 })));
  expect(losses(again)).toEqual(losses(first).slice(0, 6));
  expect(losses(other)[0]).not.toBe(losses(first)[0]);
  expect(losses(first)).toHaveLength(60);
  const mean = (of: number[]) => of.reduce((a, b) => a + b, 0) / of.length;
  expect(mean(losses(first).slice(-5))).toBeLessThan(0.8 * mean(losses(first).slice(0, 5)));
  const validations = first.curve.flatMap(({ validation }) => (validation === undefined ? [] : [validation]));
  expect(validations).toHaveLength(4);
  expect(Math.max(...validations)).toBeGreaterThan(validations[0]!);
  expect(first.ended).toBe('steps');
  expect(events[0]).toMatchObject({ kind: 'start', learning: first.weights.length, atOnce: 2 });
  // What is found in held-back pictures is told as it changes, and is what the metric is of.
  const shown = events.flatMap(event => (event.kind === 'validation' && event.predictions.kind === 'masks' ? [event.predictions.pictures] : []));
  expect(shown).toHaveLength(4);
  const dices = shown.map(pictures => mean(pictures.map(({ truth, found }) => (2 * truth.reduce((sum, t, i) => sum + Number(t && found[i]), 0)) / [...truth, ...found].reduce((a, b) => a + b, 0))));
  if (shown[0]!.length === job().examples.validation.length) dices.forEach((dice, i) => expect(dice).toBeCloseTo(validations[i]!, 5));
  expect(shown[0]!.every(({ grey, truth, columns, rows }) => Math.min(...grey) === 0 && Math.max(...grey) === 255 && truth.length === columns * rows)).toBe(true);
  expect(memory().numTensors).toBe(before);
});

test.each([['uniform', {}], ['cased', {}], ['cased', { accumulate: 2, memoryMiB: 1.3 }]] as const)('killed in the middle and gone on with (%s): as the run that was not killed, within 1e-5', async (sampler, changes) => {
  const manifest = parseManifest({ ...verified.manifest, input: { ...verified.manifest.input, tiling: { overlap: 'receptive-field', padding: 'edge' } } }, 'tiled');
  const tiled = { ...verified, manifest };
  const of = recipe({ sampler, patch: [16, 16], norms: 'trained', ...changes });
  const given = { verified: tiled, examples: discSplit(manifest, 40) };
  const whole = await train(runtime, job(given, of));
  const stop = new AbortController();
  const checkpoints = memoryStore();
  const stopped = train(runtime, job({ ...given, checkpoints, signal: stop.signal, onEvent: event => event.kind === 'step' && event.point.step === 5 && stop.abort() }, of));
  await expect(stopped).rejects.toMatchObject({ code: 'job/cancelled' });
  expect(checkpoints.bytes).toBeDefined();
  const events: TrainingEvent[] = [];
  const gone = await train(runtime, job({ ...given, checkpoints, onEvent: event => events.push(event) }, of));
  expect(events[0]).toMatchObject({ kind: 'start' });
  expect((events[0] as { step: number }).step).toBeGreaterThanOrEqual(5);
  expect(Math.max(...gone.weights.map((w, i) => Math.abs(w - whole.weights[i]!)))).toBeLessThan(1e-5);
  expect(gone.curve).toEqual(whole.curve);
});

test.each(['rrr', 'gradmask', 'activdiff', 'reversal'] as const)('guided by %s: another curve than without, the weights of the network alone, and as if never stopped after a stop', async kind => {
  const scores = await readVerified(tinyFiles('tiny-scores'));
  const sited = (of: Example[]) => of.map((example, i) => ({ ...example, site: i < of.length / 2 ? 'here' : 'there' }));
  const examples = { train: sited(discs(scores.manifest, 4, 1)), validation: sited(discs(scores.manifest, 4, 2)) };
  const plain = { loss: { kind: 'cross-entropy' }, augmentation: {}, steps: 6, validation: { every: 3 }, checkpointEvery: 3 };
  const of = recipe({ ...plain, guidance: { kind, weight: 1 } });
  const whole = await train(runtime, job({ verified: scores, examples }, of));
  const unguided = await train(runtime, job({ verified: scores, examples }, recipe(plain)));
  expect(losses(whole)).not.toEqual(losses(unguided));
  expect(whole.weights).toHaveLength(unguided.weights.length);
  const stop = new AbortController();
  const checkpoints = memoryStore();
  const stopped = train(runtime, job({ verified: scores, examples, checkpoints, signal: stop.signal, onEvent: event => event.kind === 'step' && event.point.step === 4 && stop.abort() }, of));
  await expect(stopped).rejects.toMatchObject({ code: 'job/cancelled' });
  const gone = await train(runtime, job({ verified: scores, examples, checkpoints }, of));
  expect(Math.max(...gone.weights.map((w, i) => Math.abs(w - whole.weights[i]!)))).toBeLessThan(1e-5);
  expect(memory().numTensors).toBe(0);
});

test('gradient reversal without sites, or of one only, is refused by name', async () => {
  const scores = await readVerified(tinyFiles('tiny-scores'));
  const of = recipe({ loss: { kind: 'cross-entropy' }, guidance: { kind: 'reversal', weight: 1 } });
  const examples = { train: discs(scores.manifest, 4, 1), validation: discs(scores.manifest, 2, 2) };
  await expect(train(runtime, job({ verified: scores, examples }, of))).rejects.toMatchObject({ code: 'dataset/invalid', message: expect.stringContaining("item '1-0' without one") });
  const one = { ...examples, train: examples.train.map(example => ({ ...example, site: 'here' })) };
  await expect(train(runtime, job({ verified: scores, examples: one }, of))).rejects.toMatchObject({ code: 'dataset/invalid', message: expect.stringContaining('only here') });
});

test('a lost device: training goes on from the last checkpoint, and ends as if nothing had been lost', async () => {
  const whole = await train(runtime, job());
  let turns = 0;
  const lossy: TrainingTurns = {
    turn: work => runtime.turn(device => {
      const turn = ++turns;
      // A device of its own from the fourth turn on, as after a loss.
      const own = turn < 4 ? first : second;
      Object.assign(own, { description: device.description, maxTensor: device.maxTensor });
      return turn === 3 ? Promise.reject(new OverreadError('device/lost', 'lost for this test')) : work(own);
    }),
  };
  const made = () => ({ guard: <T>(work: () => Promise<T>) => work() }) as Device;
  const [first, second] = [made(), made()];
  const events: TrainingEvent[] = [];
  const gone = await train(lossy, job({ onEvent: event => events.push(event) }));
  expect(events).toContainEqual({ kind: 'recovered', step: expect.any(Number), because: 'lost for this test' });
  expect(gone.weights).toEqual(whole.weights);
  expect(gone.curve).toEqual(whole.curve);
});

test('a device that is lost again and again is given up, saying so', async () => {
  let turns = 0;
  const lossy: TrainingTurns = { turn: work => (++turns > 1 ? Promise.reject(new OverreadError('device/lost', 'lost')) : runtime.turn(work)) };
  await expect(train(lossy, job())).rejects.toMatchObject({ code: 'device/lost' });
});

test('a loss that is no number stops at the last good checkpoint and names the batch', async () => {
  const { train: fitted, validation } = discSplit(verified.manifest);
  const bad = { ...fitted[2]!, weights: new Float32Array(fitted[2]!.picture.length).fill(NaN) };
  const checkpoints = memoryStore();
  const outcome = await train(runtime, job({ examples: { train: [fitted[0]!, fitted[1]!, bad], validation }, checkpoints }, recipe({ batch: 1, borderWeight: 1, checkpointEvery: 1, validation: { every: 1 } })));
  expect(outcome).toMatchObject({ ended: 'not-finite', failed: { loss: 'NaN', ids: [bad.id] } });
  expect(outcome.failed!.step).toBe(outcome.stepsDone + 1);
  expect(outcome.weights.every(Number.isFinite)).toBe(true);
  expect(checkpoints.writes).toBe(outcome.stepsDone);
});

test('weights that run away are caught before a checkpoint is made of them', async () => {
  const outcome = await train(runtime, job({}, recipe({ optimiser: { kind: 'sgd' }, rate: 1e38 })));
  expect(outcome.ended).toBe('not-finite');
  expect(outcome.weights.every(Number.isFinite)).toBe(true);
});

test('ends early when validation does not get better', async () => {
  const outcome = await train(runtime, job({}, recipe({ rate: 1e-12, steps: 40, validation: { every: 2, patience: 3 } })));
  expect(outcome.ended).toBe('early');
  expect(outcome.stepsDone).toBe(outcome.step + 6);
});

test('a batch that does not fit is computed in parts, to the same end; one picture that does not fit is refused before it runs', async () => {
  const of = { loss: { kind: 'cross-entropy' }, steps: 4, batch: 4 };
  const events: TrainingEvent[] = [];
  const whole = await train(runtime, job({}, recipe(of)));
  const parts = await train(runtime, job({ onEvent: event => events.push(event) }, recipe({ ...of, memoryMiB: 1 })));
  expect((events[0] as { atOnce: number }).atOnce).toBeLessThan(4);
  losses(parts).forEach((loss, i) => expect(loss).toBeCloseTo(losses(whole)[i]!, 4));
  await expect(train(runtime, job({}, recipe({ memoryMiB: 0.01 })))).rejects.toMatchObject({ code: 'device/limit' });
});

test('500 steps leave the memory where it was after 10', async () => {
  const bright = await readVerified(tinyFiles('tiny-bright'));
  const seen = new Map<number, number>();
  await train(runtime, job({
    verified: bright, examples: { train: discs(bright.manifest, 2, 1), validation: discs(bright.manifest, 2, 2) },
    onEvent: event => event.kind === 'checkpoint' && seen.set(event.step, memory().numTensors), checkpoints: memoryStore(),
  }, recipe({ steps: 500, batch: 1, checkpointEvery: 10, validation: { every: 100 }, optimiser: { kind: 'adamw' }, clipNorm: 1 })));
  expect(seen.size).toBe(50);
  expect(new Set(seen.values()).size).toBe(1);
});

test('WebAssembly is refused unless it is asked for', async () => {
  await expect(train(runtime, job({ allowSlow: false }))).rejects.toMatchObject({ code: 'device/unavailable', message: expect.stringMatching(/needs WebGPU or WebGL on a GPU/) });
});

test('what is trained becomes a model: its parent\'s manifest with a version, hashes and a record of its own, and it runs', async () => {
  const of = recipe({ layers: 'head', steps: 2 });
  const outcome = await train(runtime, job({}, of));
  const files = await runtime.turn(device => tunedFiles(device, verified, of, outcome));
  const measured = { value: 0.5 };
  const manifest = await tunedManifest(verified.manifest, 'tuned', files, {
    parent: { id: 'tiny-unet', version: '1.0.0', sha256: verified.identity.sha256 },
    dataset: { name: 'discs', licence: 'none', train: { items: 4, patients: 4 }, validation: { items: 3, patients: 3 } },
    recipe: { ...of }, step: outcome.step, steps: 2, backend: 'cpu', metrics: { dice: { base: measured, tuned: measured, difference: measured } }, trainedAt: '2026-01-01T00:00:00Z',
  });
  expect(manifest).toMatchObject({ id: 'tuned', version: '1.1.0', training: { parent: { id: 'tiny-unet' } }, notice: expect.stringMatching(/^Trained further on 4 patients/) });
  const model = await runtime.load({ location: 'here', read: async path => (path === 'manifest.json' ? new TextEncoder().encode(JSON.stringify(manifest)) : files.get(path)!) });
  model.dispose();
});

test('models that cannot learn here are refused by name', async () => {
  const graph = await readVerified(tinyFiles('tiny-graph'));
  await expect(train(runtime, job({ verified: graph }))).rejects.toMatchObject({ code: 'model/graph', message: expect.stringMatching(/layers model.*graph model/) });
  const probability = { ...verified, manifest: tinyManifest('tiny-unet', m => ({ ...m, output: { ...m.output, gives: 'probability' } })) };
  await expect(train(runtime, job({ verified: probability }))).rejects.toMatchObject({ code: 'model/graph' });
});
