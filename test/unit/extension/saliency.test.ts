import { Explainer, defaultMethod, type ExplainEngine, type ExplainViewer } from '../../../extension/saliency.ts';
import { SaliencyMaps } from '../../../extension/saliency-maps.ts';
import { findTarget } from '../../../extension/saliency-pictures.ts';
import { FrameIndexes } from '../../../extension/overlays/place.ts';
import type { State } from '../../../extension/state.ts';
import { OverreadError } from '../../../src/errors.ts';
import type { InstanceReference } from '../../../src/image/image.ts';
import type { SaliencyResult } from '../../../src/tasks/saliency/index.ts';
import { FakeViewer } from './fake-viewer.ts';
import { image, source, state as makeState, target } from './made.ts';
import { kept, saliencyMap, scores, scoresOfTwo } from './made-saliency.ts';

type Job = Parameters<ExplainEngine['explain']>[0];
type Options = NonNullable<Parameters<ExplainEngine['explain']>[1]>;

/** An engine that answers each request when the test says so, and does not hear of cancellations. */
function setup({ isOpen = true, change = {}, maps }: { isOpen?: boolean; change?: Partial<State>; maps?: SaliencyMaps } = {}) {
  const requests: { job: Job; options: Options; answer: (maps: readonly SaliencyResult[]) => void; fail: (error: Error) => void }[] = [];
  const engine: ExplainEngine = {
    explain: (job, options = {}) => new Promise((answer, fail) => requests.push({ job, options, answer, fail })),
  };
  const viewer: ExplainViewer = {
    findTarget: jest.fn((of: InstanceReference) => target(of)),
    isStillOpen: jest.fn(() => isOpen),
    readFrame: jest.fn(async of => image(of.source)),
  };
  const state = makeState(change);
  const explainer = new Explainer({ viewer, engine, state, ...(maps && { maps }) });
  return { explainer, viewer, requests, state, phase: () => explainer.state.get().phase, asked: () => explainer.state.get().asked };
}

const settle = () => new Promise(resolve => setTimeout(resolve, 0));

describe('the method to begin with', () => {
  it.each([['webgpu', 'grad-cam'], ['webgl', 'grad-cam'], ['cpu', 'grad-cam'], ['wasm', 'occlusion']] as const)('on %s is %s', (backend, method) => {
    expect(defaultMethod({ backend })).toBe(method);
  });

  it('is occlusion for a network whose layers cannot be entered', () => {
    expect(defaultMethod({ backend: 'webgpu' }, 'onnx')).toBe('occlusion');
    expect(defaultMethod({ backend: 'webgpu' }, 'graph')).toBe('occlusion');
  });

  it('is the one that was chosen last, but not where it cannot be had', async () => {
    const { explainer, asked } = setup();
    void explainer.explain(kept(), 'Lung', 'smooth-grad');
    void explainer.explain(kept(), 'Effusion');
    expect(asked()).toEqual({ key: 'k', label: 'Effusion', method: 'smooth-grad' });
    const { device } = scores();
    void explainer.explain(kept(scores({ device: { ...device, backend: 'wasm' } }), 'on wasm'), 'Lung');
    expect(asked()!.method).toBe('occlusion');
    void explainer.explain(kept(), 'Lung');
    expect(asked()!.method).toBe('smooth-grad');
  });
});

describe('a request', () => {
  it('reads each picture once more and shows a map on each, in the same colours', async () => {
    const { explainer, requests, viewer, phase, state } = setup();
    const done = explainer.explain(kept(scoresOfTwo()), 'Lung');
    expect(phase()).toMatchObject({ kind: 'running', progress: { text: 'Reading the image' } });
    await settle();
    const [{ job, answer }] = requests as [(typeof requests)[0]];
    expect(job).toMatchObject({ location: 'https://x/lung-unet/', request: { target: 'Lung', method: 'grad-cam' } });
    expect(job).not.toHaveProperty('force');
    expect(job.images.map(of => of.sources[0])).toEqual([source('pa', 1, '1', '1.2'), source('l', 1, '1', '1.3')]);
    expect(viewer.readFrame).toHaveBeenCalledTimes(2);
    answer([saliencyMap(job.images[0]!, { range: [0, 3], view: 'PA' }), saliencyMap(job.images[1]!, { range: [0, 9], view: 'L' })]);
    await done;
    expect(phase()).toMatchObject({ kind: 'shown', maps: [{ view: 'PA', range: [0, 3] }, { view: 'L', range: [0, 9] }] });
    expect(explainer.maps().map(({ studyInstanceUID, seriesInstanceUID, visible }) => [studyInstanceUID, seriesInstanceUID, visible])).toEqual([['1', '1.2', true], ['1', '1.3', true]]);
    expect(state.get().device?.backend).toBe('webgpu');
  });

  it('says how far it is, and that the map is checked at the end', async () => {
    const { explainer, requests, phase } = setup();
    void explainer.explain(kept(), 'Lung');
    await settle();
    const { onProgress } = requests[0]!.options;
    onProgress!({ stage: 'infer', fraction: 0.5 });
    expect(phase()).toMatchObject({ kind: 'running', progress: { text: 'Running the model', percent: 50 } });
    onProgress!({ stage: 'infer', fraction: 1 });
    expect(phase()).toMatchObject({ kind: 'running', progress: { text: 'Checking the map' } });
  });

  it('lets through what the user let through for the score', async () => {
    const { explainer, requests } = setup();
    void explainer.explain(kept(scores({ outOfDistribution: { score: 1, threshold: 0.5, refused: true } })), 'Lung');
    await settle();
    expect(requests[0]!.job.force).toBe(true);
  });

  it('gives way to the newest: it is cancelled, and nothing of it is shown', async () => {
    const { explainer, requests, phase, asked } = setup();
    const first = explainer.explain(kept(), 'Lung');
    await settle();
    const second = explainer.explain(kept(), 'Effusion');
    await settle();
    expect(requests.map(({ options }) => options.signal!.aborted)).toEqual([true, false]);
    requests[0]!.options.onProgress!({ stage: 'infer', fraction: 0.9 });
    expect(phase()).toMatchObject({ kind: 'running', progress: { text: 'Reading the image' } });
    requests[0]!.answer([saliencyMap()]);
    await first;
    expect([phase().kind, explainer.maps()]).toEqual(['running', []]);
    requests[1]!.answer([saliencyMap(image(), { label: 'Effusion' })]);
    await second;
    expect(asked()!.label).toBe('Effusion');
    expect(explainer.maps().map(({ result }) => result.kind === 'heatmap' && result.target.label)).toEqual(['Effusion']);
  });

  it('takes the map before it down at once', async () => {
    const { explainer, requests } = setup();
    const first = explainer.explain(kept(), 'Lung');
    await settle();
    requests[0]!.answer([saliencyMap()]);
    await first;
    expect(explainer.maps()).toHaveLength(1);
    void explainer.explain(kept(), 'Effusion');
    expect(explainer.maps()).toEqual([]);
  });

  it('is one, however often the same is asked for', async () => {
    const { explainer, requests } = setup();
    for (let i = 0; i < 5; i++) void explainer.explain(kept(), 'Lung');
    await settle();
    expect(requests).toHaveLength(1);
    expect(requests[0]!.options.signal!.aborted).toBe(false);
  });

  it('is not made again for a map that is kept, and shows it though it was hidden', async () => {
    const { explainer, requests, phase } = setup();
    const first = explainer.explain(kept(), 'Lung');
    await settle();
    requests[0]!.answer([saliencyMap()]);
    await first;
    explainer.change({ visible: false });
    expect(explainer.maps()).toEqual([]);
    await explainer.explain(kept(), 'Lung');
    expect([requests.length, phase().kind, explainer.maps().length]).toEqual([1, 'shown', 1]);
  });

  it('can be cancelled, and asked again', async () => {
    const { explainer, requests, phase, asked } = setup();
    const first = explainer.explain(kept(), 'Lung');
    await settle();
    explainer.cancel();
    expect([phase().kind, asked()?.label, requests[0]!.options.signal!.aborted]).toEqual(['idle', 'Lung', true]);
    requests[0]!.answer([saliencyMap()]);
    await first;
    expect(phase().kind).toBe('idle');
    void explainer.explain(kept(), 'Lung');
    await settle();
    expect(requests).toHaveLength(2);
  });

  it('ends with the score: nothing is drawn, and a late answer changes nothing', async () => {
    const { explainer, requests, phase, asked } = setup();
    const first = explainer.explain(kept(), 'Lung');
    await settle();
    explainer.end();
    requests[0]!.answer([saliencyMap()]);
    await first;
    expect([phase().kind, asked(), explainer.maps()]).toEqual(['idle', undefined, []]);
  });
});

describe('a refusal', () => {
  const error = (code: string, message: RegExp) => ({ kind: 'error', error: { code, message: expect.stringMatching(message) } });

  it('is the engine\'s, word for word, with no map left on screen', async () => {
    const { explainer, requests, phase } = setup();
    const done = explainer.explain(kept(), 'Lung', 'grad-cam');
    await settle();
    requests[0]!.fail(new OverreadError('device/unavailable', 'Choose occlusion, which works there.'));
    await done;
    expect(phase()).toMatchObject(error('device/unavailable', /^Choose occlusion/));
    expect(explainer.maps()).toEqual([]);
  });

  it('says that a picture is not open', async () => {
    const { explainer, viewer, requests, phase } = setup();
    jest.mocked(viewer.findTarget).mockImplementation(of => (of.sopInstanceUID === 'l' ? undefined : target(of)));
    await explainer.explain(kept(scoresOfTwo()), 'Lung');
    expect(phase()).toMatchObject(error('job/stale', /Open its study again/));
    expect(requests).toEqual([]);
  });

  it.each([
    ['a model that is gone', { catalogue: { entries: [], problems: [] } }, scores()],
    ['another version of the model', {}, scores({ model: { ...scores().model, version: '0.9.0' } })],
  ])('names %s', async (_, change, of) => {
    const { explainer, phase, requests } = setup({ change });
    await explainer.explain(kept(of), 'Lung');
    expect(phase()).toMatchObject(error('model/not-found', /there is: /));
    expect(requests).toEqual([]);
  });

  it.each([
    ['of another picture', [saliencyMap(image(source('another')))], 'internal'],
    ['of another score', [saliencyMap(image(), { label: 'Effusion' })], 'internal'],
    ['by another method', [saliencyMap(image(), { method: 'occlusion' })], 'internal'],
    ['of no picture', [], 'internal'],
    ['twice of one picture', [saliencyMap(), saliencyMap()], 'internal'],
    ['of other weights', [saliencyMap(image(), { model: { ...scores().model, sha256: 'b' } })], 'job/stale'],
  ])('throws maps away that are %s', async (_, maps, code) => {
    const { explainer, requests, phase } = setup();
    const done = explainer.explain(kept(), 'Lung');
    await settle();
    requests[0]!.answer(maps);
    await done;
    expect(phase()).toMatchObject({ kind: 'error', error: { code } });
    expect(explainer.maps()).toEqual([]);
    void explainer.explain(kept(), 'Lung');
    await settle();
    expect(requests).toHaveLength(2);
  });

  it('comes when the study was closed meanwhile; the maps wait for it', async () => {
    const { explainer, viewer, requests, phase } = setup({ isOpen: false });
    const done = explainer.explain(kept(), 'Lung');
    await settle();
    requests[0]!.answer([saliencyMap()]);
    await done;
    expect(phase()).toMatchObject(error('job/stale', /closed/));
    jest.mocked(viewer.isStillOpen).mockReturnValue(true);
    await explainer.explain(kept(), 'Lung');
    expect([phase().kind, requests.length]).toEqual(['shown', 1]);
  });
});

describe('the maps that are kept', () => {
  const asked = (label: string) => ({ key: 'k', label, method: 'grad-cam' as const });

  it('are bounded in bytes; the longest unused goes first, the newest stays whatever it weighs', () => {
    const maps = new SaliencyMaps(40); // a map of 2 × 2 has 16
    maps.keep(asked('a'), [saliencyMap()]);
    maps.keep(asked('b'), [saliencyMap()]);
    expect(maps.get(asked('a'))).toHaveLength(1);
    maps.keep(asked('c'), [saliencyMap()]);
    expect(['a', 'b', 'c'].map(label => maps.get(asked(label)) !== undefined)).toEqual([true, false, true]);
    maps.keep(asked('large'), [saliencyMap(image(source(), [8, 8]))]);
    expect(['a', 'c', 'large'].map(label => maps.get(asked(label)) !== undefined)).toEqual([false, false, true]);
  });

  it('are of one result, score and method', () => {
    const maps = new SaliencyMaps();
    maps.keep(asked('a'), [saliencyMap()]);
    expect(maps.get({ ...asked('a'), key: 'other' })).toBeUndefined();
    expect(maps.get({ ...asked('a'), method: 'occlusion' })).toBeUndefined();
  });
});

describe('the picture of a score', () => {
  it('is found in any open display set of its study, shown or not', () => {
    const viewer = new FakeViewer();
    viewer.addSeries('other', ['x'], { series: '9' });
    viewer.addSeries('d', ['a', 'b']);
    const frames = new FrameIndexes(viewer.cornerstone);
    const find = (...of: Parameters<typeof source>) => findTarget(viewer.services, frames, source(...of));
    expect(find('b')).toMatchObject({ displaySetInstanceUID: 'd', imageId: 'image:b', source: source('b') });
    expect([find('b', 2), find('b', 1, '9'), find('b', 1, '1', '9'), find('c')]).toEqual([undefined, undefined, undefined, undefined]);
  });
});
