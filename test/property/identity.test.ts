import type { Session as SessionType } from '../../extension/session.ts';
import type { DicomInstance, DisplaySet, HostContext } from '../../extension/types/ohif.ts';
import { OverreadError } from '../../src/errors.ts';
import { readFile } from '../../src/export/read/data-set.ts';
import { items, numbers, text } from '../../src/export/source.ts';
import type { Image, InstanceReference } from '../../src/image/image.ts';
import { seededRandom } from '../../src/phantoms/random.ts';
import type { LabelmapResult } from '../../src/results/result.ts';
import { FakeViewer } from '../unit/extension/fake-viewer.ts';
import { manifest, result } from '../unit/extension/made.ts';

/** Runs that are under way; each ends when the test says so. */
interface Job {
  readonly of: InstanceReference;
  readonly finish: () => void;
  readonly fail: () => void;
}
let jobs: Job[] = [];
let random = seededRandom(1);
const MODELS = ['lung-unet', 'other-unet'];
const SIDE = 4;

/** What only the picture of this frame gives, read by this model: its number in the bits of a mask. */
const codeOf = (imageId: string, model: string): number => 1 + 2 * FRAMES.indexOf(imageId) + MODELS.indexOf(model);
const labelsOf = (code: number): Uint8Array => Uint8Array.from({ length: SIDE * SIDE }, (_, i) => (code >> i) & 1);
const codeIn = (labels: ArrayLike<number>): number => Array.from(labels).reduce((code, v, i) => code + (v > 0 ? 1 << i : 0), 0);
const FRAMES: string[] = [];

jest.mock('../../src/engine-client.ts', () => ({
  connectEngine: () => ({
    start: async () => result().device,
    explain: () => new Promise(() => undefined),
    run: ({ location, images: [sent] }: { location: string; images: Image[] }, { signal }: { signal: AbortSignal }) => new Promise<LabelmapResult>((resolve, reject) => {
      const of = sent!.sources[0] as InstanceReference;
      const id = location.split('/').at(-2)!;
      const made = result(sent, { labels: labelsOf(codeOf(imageIdOf(of), id)) });
      jobs.push({ of, finish: () => resolve({ ...made, model: { ...made.model, id, name: id } }), fail: () => reject(new OverreadError('internal', 'failed')) });
      // A worker may answer all the same.
      if (random.chance(0.5)) signal.addEventListener('abort', () => reject(new OverreadError('job/cancelled', 'cancelled')));
    }),
  }),
}));

const imageIdOf = ({ sopInstanceUID, frame }: InstanceReference): string => `image:${sopInstanceUID}#${frame}`;
const settle = (ms = 0) => new Promise(resolve => setTimeout(resolve, ms));

/** Three studies of two series, one of several instances, one of an instance of several frames. */
function studies(viewer: FakeViewer): DisplaySet[][] {
  return ['1', '2', '3'].map(study => ['1', '2'].map(series => {
    const uid = `1.${study}.${series}`;
    const frames = series === '1' ? [[`${uid}.1`, 1], [`${uid}.2`, 1], [`${uid}.3`, 1]] as const : [[`${uid}.1`, 1], [`${uid}.1`, 2], [`${uid}.1`, 3]] as const;
    const instances = frames.map(([sop, frameNumber]): DicomInstance & Record<string, unknown> => ({
      StudyInstanceUID: `1.${study}`, SeriesInstanceUID: uid, SOPInstanceUID: sop, SOPClassUID: '1.2.840.10008.5.1.4.1.1.1', Modality: 'CR', ViewPosition: 'PA', frameNumber,
      Rows: SIDE, Columns: SIDE, PatientID: `patient ${study}`, PatientOrientation: ['L', 'F'], StudyDate: '20260101', ...(series === '2' && { NumberOfFrames: 3 }),
    }));
    const imageIds = instances.map((instance, i) => {
      const imageId = `image:${String(instance.SOPInstanceUID)}#${frames[i]![1]}`;
      viewer.images.set(imageId, { instance, columns: SIDE, rows: SIDE });
      FRAMES.push(imageId);
      return imageId;
    });
    return { displaySetInstanceUID: `set ${uid}`, StudyInstanceUID: `1.${study}`, SeriesInstanceUID: uid, Modality: 'CR', imageIds, instances };
  }));
}

async function setup() {
  const page = new EventTarget();
  Object.assign(globalThis, { location: { href: 'https://viewer.example/', host: 'viewer.example' }, addEventListener: page.addEventListener.bind(page), removeEventListener: page.removeEventListener.bind(page) });
  jest.spyOn(globalThis, 'fetch').mockImplementation(async input => Response.json(String(input).endsWith('index.json') ? MODELS.map(id => ({ id })) : manifest({ id: String(input).split('/').at(-2), name: String(input).split('/').at(-2) })));
  const viewer = new FakeViewer();
  const all = studies(viewer);
  const kept = new Map<string, Uint8Array>();
  const sentTo = new Map<string, string>();
  const client = {
    storeInstances: async ({ studyInstanceUID, datasets: [dataset] }: { studyInstanceUID: string; datasets: ArrayBuffer[] }) => {
      await settle(random.integer(3));
      const bytes = new Uint8Array(dataset!);
      const uid = text(readFile(bytes).set.SOPInstanceUID)!;
      kept.set(uid, bytes);
      sentTo.set(uid, studyInstanceUID);
    },
    retrieveInstance: async ({ sopInstanceUID }: { sopInstanceUID: string }) => kept.get(sopInstanceUID)!.slice().buffer,
    searchForInstances: async () => [],
  };
  const heard = new Set<() => void>();
  const silent = { EVENTS: {}, subscribe: () => ({ unsubscribe: () => undefined }) };
  const base = { EVENTS: {}, subscribe: (_: string, callback: () => void) => (heard.add(callback), { unsubscribe: () => heard.delete(callback) }) };
  const services = Object.fromEntries(
    ['displaySetService', 'viewportGridService', 'cornerstoneViewportService', 'segmentationService', 'uiNotificationService', 'toolbarService']
      .map(name => [name, { ...(name === 'segmentationService' ? silent : base), show: () => undefined, refreshToolbarState: () => undefined, ...(viewer.services as unknown as Record<string, object>)[name] }]),
  );
  const cornerstone = {
    ...viewer.cornerstone, eventTarget: new EventTarget(), Enums: { Events: { STACK_NEW_IMAGE: 'new', IMAGE_RENDERED: 'rendered', IMAGE_LOADED: 'loaded' } },
    // Pixels arrive when they arrive.
    imageLoader: { loadAndCacheImage: async () => (await settle(random.integer(4)), { rows: SIDE, columns: SIDE, voxelManager: { getScalarData: () => new Uint8Array(SIDE * SIDE) } }) },
  };
  const { Session } = await import('../../extension/session.ts');
  const session: SessionType = new Session({
    servicesManager: { services }, commandsManager: {}, appConfig: {},
    extensionManager: {
      getModuleEntry: () => ({ exports: { getCornerstoneLibraries: () => ({ cornerstone, cornerstoneTools: viewer.tools }) } }),
      getActiveDataSource: () => [{ retrieve: { getWadoDicomWebClient: () => client } }],
    },
  } as unknown as HostContext);
  return { session, viewer, all, kept, sentTo, tell: () => [...heard].forEach(callback => callback()) };
}

afterEach(() => jest.restoreAllMocks());

test('1,000 random switches of study, series, frame and model while results come in: none on another image, none stored under another study', async () => {
  const { session, viewer, all, kept, sentTo, tell } = await setup();
  random = seededRandom(20260301);
  jobs = [];
  const pick = <T>(of: readonly T[]): T => of[random.integer(of.length)]!;
  let [study, series, frame] = [all[0]!, all[0]![0]!, 0];
  const counts = { switches: 0, runs: 0, finished: 0, drawn: 0, late: 0 };
  const show = () => {
    viewer.displaySets = [...study];
    viewer.show('v', series, series.imageIds![frame]);
    tell();
  };
  const actions: Record<string, [weight: number, act: () => void]> = {
    study: [2, () => {
      study = pick(all);
      series = pick(study);
      frame = random.integer(3);
      // Through the work list OHIF takes every segmentation down; within a mode it does not.
      if (random.chance(0.5)) {
        session.leave();
        viewer.segmentations.clear();
        viewer.representations.clear();
        viewer.labelmaps.clear();
        show();
        session.enter();
      } else show();
    }],
    series: [3, () => { series = pick(study); show(); }],
    frame: [4, () => { frame = random.integer(3); show(); }],
    model: [2, () => session.chooseModel(pick(MODELS))],
    run: [5, () => { counts.runs++; void session.runner.run(); }],
    cancel: [1, () => session.runner.cancel()],
    finish: [5, () => {
      const [job] = jobs.splice(random.integer(Math.max(1, jobs.length)), 1);
      if (!job) return;
      counts.finished++;
      if (job.of.studyInstanceUID !== study[0]!.StudyInstanceUID) counts.late++;
      if (random.chance(0.1)) job.fail();
      else job.finish();
    }],
    store: [2, () => { const all = session.results.all(); if (all.length > 0) void session.storer.store(pick(all).key); }],
    judge: [1, () => { const all = session.results.all(); if (all.length > 0) session.storer.judge(pick(all).key, pick(['accepted', 'rejected'])); }],
    remove: [0.3, () => { const all = session.results.all(); if (all.length > 0) session.results.remove(pick(all).key); }],
  };
  const total = Object.values(actions).reduce((sum, [weight]) => sum + weight, 0);
  const next = (): string => {
    let left = random.next() * total;
    return Object.entries(actions).find(([, [weight]]) => (left -= weight) < 0)![0];
  };
  const check = (history: string) => {
    for (const { result: of } of session.results.all()) {
      const [source] = of.source.sources as InstanceReference[];
      const [code, wanted] = [codeIn((of as LabelmapResult).labels), codeOf(imageIdOf(source!), of.model.id)];
      if (code !== wanted) throw new Error(`${imageIdOf(source!)} has a result of code ${code}, not ${wanted}, after${history}`);
    }
    for (const { segmentationId, visible } of viewer.representations.values()) {
      for (const id of viewer.segmentations.get(segmentationId)!.imageIds) {
        const { referencedImageId, scalars } = viewer.labelmaps.get(id)!;
        const code = codeIn(scalars);
        if (code === 0 || !visible) continue;
        counts.drawn++;
        if (!MODELS.some(model => codeOf(referencedImageId, model) === code)) throw new Error(`${referencedImageId} shows ${code}, which is none of its own, after${history}`);
      }
    }
  };

  session.enter();
  show();
  await settle(20);
  let history = '';
  while (counts.switches < 1000) {
    const name = next();
    if (['study', 'series', 'frame', 'model'].includes(name)) counts.switches++;
    actions[name]![1]();
    history = `${history.slice(-120)} ${name}`;
    if (random.chance(0.4)) await settle(random.integer(2));
    check(history);
  }
  for (const { finish } of jobs) finish();
  await settle(200);
  check('end');

  for (const [uid, bytes] of kept) {
    const { set } = readFile(bytes);
    const where = text(set.StudyInstanceUID)!;
    expect([uid, sentTo.get(uid), text(set.PatientID)]).toEqual([uid, where, `patient ${where.split('.')[1]!}`]);
    const evidence = items(set.CurrentRequestedProcedureEvidenceSequence);
    const referenced = [set, ...evidence].flatMap(of => items(of.ReferencedSeriesSequence)).flatMap(of => items(of.ReferencedInstanceSequence ?? of.ReferencedSOPSequence)).map(of => text(of.ReferencedSOPInstanceUID)!);
    // Its own segmentation, which a report of measurements names too, has a UID of ours.
    expect(referenced.filter(of => of.startsWith(`${where}.`)).length).toBeGreaterThan(0);
    expect(referenced.filter(of => !of.startsWith(`${where}.`) && !kept.has(of))).toEqual([]);
    expect(evidence.map(of => text(of.StudyInstanceUID)).filter(of => of !== where)).toEqual([]);
    if (text(set.Modality) !== 'SEG') continue;
    const [frameGroup] = items(set.PerFrameFunctionalGroupsSequence);
    const source = items(items(frameGroup!.DerivationImageSequence)[0]!.SourceImageSequence)[0]!;
    const code = new DataView(pixelData(bytes)).getUint16(0, true);
    const imageId = `image:${text(source.ReferencedSOPInstanceUID)!}#${numbers(source.ReferencedFrameNumber)?.[0] ?? 1}`;
    expect([uid, MODELS.map(model => codeOf(imageId, model))]).toEqual([uid, expect.arrayContaining([code])]);
  }
  // Unless all of this happened, nothing was shown.
  expect(counts.finished).toBeGreaterThan(100);
  expect(counts.late).toBeGreaterThan(20);
  expect(counts.drawn).toBeGreaterThan(500);
  expect(kept.size).toBeGreaterThan(50);
  expect(session.results.all().length).toBeGreaterThan(10);
  session.leave();
});

function pixelData(file: Uint8Array): ArrayBuffer {
  const { elements, bytes } = readFile(file);
  const { offset, length } = elements.find(({ tag }) => tag === '7FE00010')!;
  return bytes.slice(offset, offset + length).buffer;
}
