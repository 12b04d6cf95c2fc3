import type { AutoRunRule } from '../../../extension/configuration.ts';
import { AutoRunner, type LoadedImage } from '../../../extension/auto-run.ts';
import { ResultsStore } from '../../../extension/results-store.ts';
import { Runner, type Engine } from '../../../extension/run.ts';
import { OverreadError } from '../../../src/errors.ts';
import type { Image } from '../../../src/image/image.ts';
import type { Result } from '../../../src/results/result.ts';
import { image, manifest, result, source, state as makeState, target } from './made.ts';

const settle = () => new Promise(resolve => setTimeout(resolve, 0));
const DX = ['DX', 'CR'];

/** A viewer with one image on screen, and an engine whose runs end when the test says so. */
function setup({ models = ['lung-unet'], modalities = DX, rules = [{ models, modalities }] as readonly AutoRunRule[], manifests = [manifest()], state = makeState() } = {}) {
  state.set({ catalogue: { entries: manifests.map(m => ({ location: `https://x/${m.id}/`, manifest: m })), problems: [] } });
  const images: LoadedImage[] = [{ viewportId: 'v', studyInstanceUID: '1', modality: 'CR', description: 'Thorax p.a.', bodyPart: 'CHEST', view: 'PA' }];
  const jobs: { sop: string; location: string; finish: (made?: Result) => void; fail: (error: OverreadError) => void }[] = [];
  const engine = {
    start: async () => result().device,
    run: jest.fn(async ({ images: [sent], location }: { images: Image[]; location: string }) => new Promise<Result>((resolve, reject) => {
      const [of] = sent!.sources as [ReturnType<typeof source>];
      const made = result(sent);
      jobs.push({ sop: of.sopInstanceUID, location, finish: (r = { ...made, model: { ...made.model, id: location.split('/').at(-2)! } }) => resolve(r), fail: reject });
    })),
  };
  const notify = jest.fn();
  const results = new ResultsStore();
  const targetsOf = jest.fn((study: string) => [target(source(`picture of ${study}`, 1, study))]);
  const runner = new Runner({
    viewer: {
      pickTargets: () => ({ targets: [target(source('by hand'))] }), isStillOpen: () => true, notify,
      readFrame: async ({ source: of }) => image(of),
    },
    engine: engine as unknown as Engine, results, state, onIdle: () => auto.look(),
  });
  const auto = new AutoRunner({
    autoRun: rules, runner, results, state,
    viewer: { loadedImages: () => images, pickTargets: (_, viewportId) => ({ targets: targetsOf(images.find(i => i.viewportId === viewportId)!.studyInstanceUID) }) },
  });
  // As the session does.
  state.subscribe(() => auto.look());
  return { auto, runner, engine, jobs, images, state, notify, results, targetsOf };
}

describe('an automatic run', () => {
  it('runs once on a study, keeps its result, and leaves what the user set alone', async () => {
    const { auto, jobs, state, results, notify } = setup({ state: makeState({ overlaysShown: false }) });
    auto.look();
    auto.look();
    await settle();
    expect(state.get().running).toMatchObject({ automatic: true });
    expect(jobs.map(job => job.sop)).toEqual(['picture of 1']);
    jobs[0]!.finish();
    await settle();
    auto.look();
    await settle();
    expect(jobs).toHaveLength(1);
    expect(results.all()).toHaveLength(1);
    expect(notify).not.toHaveBeenCalled();
    const { running, overlaysShown, autoNote, lastError } = state.get();
    expect({ running, overlaysShown, autoNote, lastError }).toEqual({ overlaysShown: false });
  });

  it.each([
    [{ bodyParts: ['chest'] }, 1], [{ bodyParts: ['HAND'] }, 0], [{ descriptions: ['p.a.'] }, 1], [{ descriptions: ['lateral', 'thorax'] }, 1],
    [{ descriptions: ['lateral'] }, 0], [{ bodyParts: ['CHEST'], descriptions: ['lateral'] }, 0], [{ modalities: ['CT'] }, 0],
  ])('with the rule %j runs %i times on a film of the chest', async (more, times) => {
    const { auto, jobs } = setup({ rules: [{ models: ['lung-unet'], modalities: DX, ...more }] });
    auto.look();
    await settle();
    expect(jobs).toHaveLength(times);
  });

  it('runs its models one after the other, and leaves out one that is not installed, in words', async () => {
    const { auto, jobs, state } = setup({ models: ['lung-unet', 'absent', 'second'], manifests: [manifest(), manifest({ id: 'second' })] });
    auto.look();
    await settle();
    expect(jobs).toHaveLength(1);
    jobs[0]!.finish();
    await settle();
    jobs[1]!.finish();
    await settle();
    expect(jobs.map(job => job.location)).toEqual(['https://x/lung-unet/', 'https://x/second/']);
    expect(state.get().autoNote).toBe('absent is to run by itself, but it is not installed.');
  });

  it.each<[string, Partial<LoadedImage>, object]>([
    ['of another modality', { modality: 'CT' }, {}],
    ['of a modality that the site left out', { modality: 'CR' }, { modalities: ['DX'] }],
    ['of a view that the model does not read', { view: 'L' }, { manifests: [manifest({ input: { ...manifest().input, viewPosition: ['PA'] } })] }],
    ['of a study that is not open', { studyInstanceUID: '9' }, {}],
  ])('does not start for an image %s', async (_, change, options) => {
    const { auto, jobs, images } = setup(options);
    images[0] = { ...images[0]!, ...change };
    auto.look();
    await settle();
    expect(jobs).toEqual([]);
  });

  it('waits until the image is there, and takes the picture that states a fitting view', async () => {
    const { auto, jobs, images, targetsOf } = setup({ manifests: [manifest({ input: { ...manifest().input, viewPosition: ['PA'] } })] });
    const [pa] = images.splice(0);
    auto.look();
    await settle();
    expect(jobs).toEqual([]);
    images.push({ ...pa!, viewportId: 'lateral', view: 'L' }, pa!);
    auto.look();
    await settle();
    expect(jobs).toHaveLength(1);
    expect(targetsOf).toHaveBeenCalledTimes(1);
  });

  it('waits for the user\'s run, also when that one fails', async () => {
    const { auto, runner, jobs } = setup();
    const mine = runner.run();
    auto.look();
    await settle();
    expect(jobs.map(job => job.sop)).toEqual(['by hand']);
    jobs[0]!.fail(new OverreadError('internal', 'broken'));
    await mine;
    await settle();
    expect(jobs.map(job => job.sop)).toEqual(['by hand', 'picture of 1']);
  });

  it('gives way to the user, says nothing of it, and comes back afterwards', async () => {
    const { auto, runner, jobs, state, results } = setup();
    auto.look();
    await settle();
    const mine = runner.run();
    await settle();
    expect(state.get().running).toMatchObject({ automatic: false });
    expect(jobs.map(job => job.sop)).toEqual(['picture of 1', 'by hand']);
    jobs[1]!.finish();
    expect(await mine).toBeDefined();
    expect(state.get().note).toBeUndefined();
    await settle();
    jobs[2]!.finish();
    await settle();
    expect(jobs[2]!.sop).toBe('picture of 1');
    expect(results.all()).toHaveLength(2);
  });

  it('does not repeat what was run on the same pictures before', async () => {
    const { auto, jobs, results } = setup();
    results.keep(result(image(source('picture of 1'))));
    auto.look();
    await settle();
    expect(jobs).toEqual([]);
  });

  it('is quiet about a refusal, for the study that it is of', async () => {
    const { auto, jobs, state, notify } = setup();
    auto.look();
    await settle();
    jobs[0]!.fail(new OverreadError('input/out-of-distribution', 'Not a chest radiograph.'));
    await settle();
    const { autoNote, lastError, refusal } = state.get();
    expect({ autoNote, lastError, refusal }).toEqual({ autoNote: 'Lung U-Net was not run by itself. Not a chest radiograph.' });
    expect(notify).not.toHaveBeenCalled();
    expect(jobs).toHaveLength(1);
    state.set({ openStudies: new Set() });
    expect(state.get().autoNote).toBeUndefined();
    state.set({ openStudies: new Set(['1']) });
    expect(state.get().autoNote).toMatch(/Not a chest/);
  });

  it('ends with its study, keeps nothing, and starts again when that is opened again', async () => {
    const { auto, jobs, state, results, notify } = setup();
    auto.look();
    await settle();
    state.set({ openStudies: new Set() });
    await settle();
    expect(state.get()).toMatchObject({ running: undefined });
    jobs[0]!.finish();
    await settle();
    expect(results.all()).toEqual([]);
    expect(notify).not.toHaveBeenCalled();
    state.set({ openStudies: new Set(['1']) });
    await settle();
    expect(jobs).toHaveLength(2);
  });

  it('stays away after the user cancelled it', async () => {
    const { auto, runner, jobs, state } = setup();
    auto.look();
    await settle();
    runner.cancel();
    await settle();
    auto.look();
    await settle();
    expect(jobs).toHaveLength(1);
    expect(state.get().autoNote).toBeUndefined();
  });
});
