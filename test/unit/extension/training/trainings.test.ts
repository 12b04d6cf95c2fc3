/** A training as the panel has it in hand: begun, paused, cut off, gone on with, kept, rolled back. */
import { Trainings, type TrainingChoice } from '../../../../extension/training/trainings.ts';
import { labelItem } from '../../../../extension/training/label-item.ts';
import { browserLabels, memoryDatabase, type LabelStore } from '../../../../extension/training/label-store.ts';
import { defaultChoice, recipeOf } from '../../../../extension/training/recipes.ts';
import { Versions, type ModelKeeper } from '../../../../extension/training/versions.ts';
import type { EngineTrainingJob, TrainingCallOptions } from '../../../../src/engine-training.ts';
import { OverreadError } from '../../../../src/errors.ts';
import type { FineTuned } from '../../../../src/fine-tune.ts';
import type { TrainingRecord } from '../../../../src/manifest.ts';
import type { KeptModel } from '../../../../src/runtime/kept-files.ts';
import { image, manifest, source } from '../made.ts';

const device = { backend: 'webgpu', adapter: 'a GPU', software: false, reason: '' } as const;
const record: TrainingRecord = {
  parent: { id: 'lung-unet', version: '1.0.0', sha256: 'a'.repeat(64) },
  dataset: { name: 'here', licence: 'none', train: { items: 2, patients: 2 }, validation: { items: 1, patients: 1 } },
  recipe: {}, step: 4, steps: 10, backend: 'webgpu (a GPU)', metrics: {}, trainedAt: '2026-01-02T03:04:05.000Z',
};

/** An engine that trains ten steps of no work, a checkpoint at every fourth, and stops where it is told to. */
class FakeEngine {
  jobs: EngineTrainingJob[] = [];
  /** Thrown after so many steps. */
  fails: { readonly after: number; readonly error: OverreadError } | undefined;
  readonly describe = async () => manifest();

  readonly fineTune = (job: EngineTrainingJob, { onEvent, checkpoints }: TrainingCallOptions = {}) => {
    this.jobs.push(job);
    let paused = false;
    const work = async (): Promise<FineTuned> => {
      const stored = await checkpoints?.read();
      const from = stored ? stored[0]! : 0;
      const curve = Array.from({ length: from }, (_, i) => ({ step: i + 1, loss: 1 }));
      onEvent?.({ kind: 'start', device, step: from, learning: 1, layers: 1, atOnce: 1, curve });
      for (let step = from + 1; step <= 10; step++) {
        if (this.fails && step > this.fails.after) throw this.fails.error;
        await new Promise(resolve => setTimeout(resolve, 1));
        onEvent?.({ kind: 'step', point: { step, loss: 1 / step }, of: 10 });
        if (step % 4 === 0 || paused) await checkpoints?.write(Uint8Array.of(step));
        if (paused) throw new OverreadError('job/cancelled', 'stopped');
      }
      const tuned = { ...manifest(), id: job.id, name: job.name!, version: '1.1.0', training: record };
      return { manifest: tuned, files: new Map([['model.json', Uint8Array.of(1)]]), card: '# card', report: { ...record, ended: 'steps', seconds: 1, stepsPerSecond: 10, refused: [], alike: [], curve } };
    };
    return { result: work(), pause: () => { paused = true; } };
  };
}

async function panel() {
  const store = browserLabels(memoryDatabase());
  await store.put(['a', 'b', 'c'].map(id => labelItem({ id, patient: id, collectedAt: id }, image(source(id)), { mask: { labels: Uint8Array.of(0, 1, 0, 0), classes: ['Background', 'Lung'] } })));
  const engine = new FakeEngine();
  return { store, engine, trainings: new Trainings({ engine, store }) };
}

const choice = (change: Partial<TrainingChoice> = {}): TrainingChoice => ({
  location: 'https://x.invalid/models/lung-unet/', manifest: manifest(), labels: ['a', 'b', 'c'], id: 'lung-unet-tuned-1', name: 'Lung U-Net, tuned 1', allowSlow: false,
  recipe: recipeOf({ ...defaultChoice(manifest()), steps: 10 }, manifest()), ...change,
});

const reached = async (trainings: Trainings, test: () => boolean) => {
  if (test()) return;
  await new Promise<void>(resolve => {
    const end = trainings.state.subscribe(() => {
      if (!test()) return;
      end();
      resolve();
    });
  });
};

test('pauses with a checkpoint, and another page goes on from it to the end', async () => {
  const { store, engine, trainings } = await panel();
  const run = trainings.start(choice());
  await reached(trainings, () => trainings.state.get().underWay?.phase === 'training');
  trainings.pause();
  expect(trainings.state.get().underWay!.phase).toBe('pausing');
  await run;
  const { step } = (await store.run())!;
  expect(step).toBeGreaterThan(0);
  // All that was learnt is shown, not only what was shown last.
  expect(trainings.state.get().curve.at(-1)!.step).toBe(step);
  expect(trainings.state.get()).toMatchObject({ stored: { step }, note: `Paused at step ${step} of 10.`, underWay: undefined, error: undefined });
  // It is neither begun anew nor forgotten.
  await trainings.start(choice());
  expect(engine.jobs).toHaveLength(1);
  const page = new Trainings({ engine, store });
  await page.look();
  expect(page.state.get().stored).toMatchObject({ step, id: 'lung-unet-tuned-1' });
  await page.resume();
  expect(engine.jobs[1]).toMatchObject({ location: engine.jobs[0]!.location, recipe: engine.jobs[0]!.recipe, id: 'lung-unet-tuned-1', name: 'Lung U-Net, tuned 1' });
  expect(engine.jobs[1]!.dataset.items.map(({ id }) => id)).toEqual(['a', 'b', 'c']);
  expect(page.state.get()).toMatchObject({ outcome: { tuned: { manifest: { id: 'lung-unet-tuned-1' } }, beside: engine.jobs[0]!.location } });
  // Until it is kept, a page that is closed can come back to it.
  expect(await store.run()).toBeDefined();
  await page.discard();
  expect([await store.run(), await store.checkpoint(), page.state.get().outcome]).toEqual([undefined, undefined, undefined]);
});

test('a full disk ends it by name, with what was written before; what never began is not offered again', async () => {
  const { store, engine, trainings } = await panel();
  let room = 1;
  const full: LabelStore = { ...store, putRun: async (run, checkpoint) => {
    if (checkpoint && room-- <= 0) throw new OverreadError('store/invalid', 'The browser has no room left');
    return store.putRun(run, checkpoint);
  } };
  const crowded = new Trainings({ engine, store: full });
  await crowded.start(choice());
  expect(crowded.state.get()).toMatchObject({ error: { code: 'store/invalid' }, stored: { step: 4 } });
  expect(await store.checkpoint()).toEqual(Uint8Array.of(4));
  expect(await store.summaries()).toHaveLength(3);
  await crowded.discard();
  engine.fails = { after: 0, error: new OverreadError('device/unavailable', 'no GPU') };
  await trainings.start(choice());
  expect(trainings.state.get()).toMatchObject({ error: { code: 'device/unavailable' }, stored: undefined });
  expect(await store.run()).toBeUndefined();
});

test('labels that were removed since it began are missed by name', async () => {
  const { store, engine, trainings } = await panel();
  engine.fails = { after: 5, error: new OverreadError('device/lost', 'gone') };
  await trainings.start(choice());
  expect(trainings.state.get()).toMatchObject({ stored: { step: 4 }, error: { code: 'device/lost' } });
  await store.remove('b');
  await trainings.resume();
  expect(trainings.state.get().error).toMatchObject({ code: 'dataset/invalid', message: expect.stringMatching(/3 labels.*got 2/) });
});

describe('versions', () => {
  function keeper(): ModelKeeper & { readonly kept: Map<string, KeptModel> } {
    const kept = new Map<string, KeptModel>();
    const files = new Map<string, ReadonlyMap<string, Uint8Array>>();
    return {
      kept,
      keep: async (model, of) => { kept.set(model.location, model); files.set(model.location, of); },
      update: async model => void kept.set(model.location, model),
      remove: async ({ location }) => void kept.delete(location),
      all: async () => [...kept.values()],
      files: async ({ location }) => files.get(location)!,
    };
  }
  const base = { location: 'https://x.invalid/models/lung-unet/', manifest: manifest() };
  const tuned = (id: string, parent: string): FineTuned => ({
    manifest: { ...manifest(), id, name: `Lung U-Net, tuned ${id.at(-1)}`, version: '1.1.0', training: { ...record, parent: { ...record.parent, id: parent } } },
    files: new Map([['model.json', Uint8Array.of(1)], ['weights.bin', Uint8Array.of(2)]]), card: '# card', report: { ...record, ended: 'steps', seconds: 1, stepsPerSecond: 1, refused: [], alike: [], curve: [] },
  });

  test('lie beside their parent, are numbered on, and leave the catalogue and come back', async () => {
    const versions = new Versions(keeper());
    expect(versions.next(base, ['lung-unet'])).toEqual({ id: 'lung-unet-tuned-1', name: 'Lung U-Net, tuned 1' });
    const first = await versions.keep(tuned('lung-unet-tuned-1', 'lung-unet'), base.location);
    expect(first.location).toBe('https://x.invalid/models/lung-unet-tuned-1/');
    expect([...(await versions.files(first)).keys()].sort()).toEqual(['README.md', 'manifest.json', 'model.json', 'report.json', 'weights.bin']);
    const ids = () => versions.merged({ entries: [base], problems: [] }).entries.map(({ manifest: { id } }) => id);
    expect(versions.next(versions.merged({ entries: [base], problems: [] }).entries[1]!, ids())).toEqual({ id: 'lung-unet-tuned-2', name: 'Lung U-Net, tuned 2' });
    await versions.keep(tuned('lung-unet-tuned-2', 'lung-unet-tuned-1'), first.location);
    expect(ids()).toEqual(['lung-unet', 'lung-unet-tuned-1', 'lung-unet-tuned-2']);
    await versions.setInstalled(versions.state.get().versions[1]!, false);
    expect(ids()).toEqual(['lung-unet', 'lung-unet-tuned-2']);
    // Where the first of the line may not be run, none of its children may.
    expect(versions.merged({ entries: [], problems: [] }).entries).toEqual([]);
    await versions.remove(versions.state.get().versions[0]!);
    expect(ids()).toEqual(['lung-unet']);
  });
});
