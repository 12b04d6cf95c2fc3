import type { StoreSettings } from '../../../extension/configuration.ts';
import { SlideMask } from '../../../extension/slides/mask.ts';
import { SlideResults, type KeptSlide } from '../../../extension/slides/slide-results.ts';
import { ResultsStore } from '../../../extension/results-store.ts';
import { memoryDrafts, type Drafts } from '../../../extension/storage/drafts.ts';
import type { InstanceUIDs, Pacs } from '../../../extension/storage/pacs.ts';
import { memorySlideDrafts, MOST_BYTES, type SlideDrafts } from '../../../extension/storage/slide-drafts.ts';
import { Storer } from '../../../extension/storage/storer.ts';
import type { AuditedEvent } from '../../../src/audit/record.ts';
import type { DicomJson } from '../../../src/dicom/dicomjson.ts';
import { OverreadError } from '../../../src/errors.ts';
import { readFile } from '../../../src/export/read/data-set.ts';
import { text, type Naturalized } from '../../../src/export/source.ts';
import type { InstanceReference } from '../../../src/image/image.ts';
import { heatmap, mask, scores } from '../export/results.ts';
import { film, LUNG, MADE, slide, type Sources } from '../export/sources.ts';

/** A PACS in memory that can fail. */
class FakePacs implements Pacs {
  readonly kept = new Map<string, Uint8Array>();
  stores = 0;
  /** Called before an object is kept. */
  before: (n: number) => void = () => {};
  /** Called after: the answer is lost. */
  after: (n: number) => void = () => {};

  async store(_: string, bytes: Uint8Array): Promise<void> {
    const n = ++this.stores;
    this.before(n);
    this.kept.set(text(readFile(bytes).set.SOPInstanceUID)!, bytes);
    this.after(n);
  }

  async retrieve({ sopInstanceUID }: InstanceUIDs): Promise<Uint8Array> {
    const bytes = this.kept.get(sopInstanceUID);
    if (!bytes) throw new OverreadError('network/status', 'HTTP status 404');
    return bytes;
  }

  async list(): Promise<DicomJson[]> {
    return [...this.kept.values()].map(bytes => readFile(bytes).set).map(set => ({
      '00080016': { vr: 'UI', Value: [text(set.SOPClassUID)] }, '00080018': { vr: 'UI', Value: [text(set.SOPInstanceUID)] }, '0020000E': { vr: 'UI', Value: [text(set.SeriesInstanceUID)] },
    }));
  }
}

let source: Sources;
let instance: Naturalized;
beforeAll(async () => {
  source = await film('DX', 130, 90);
  instance = readFile(source.files[0]!).set;
});

function page(pacs: FakePacs, drafts: Drafts = memoryDrafts(), instances: readonly Naturalized[] = [instance], settings: Partial<StoreSettings> = {}, of: Pick<Sources, 'context'> = source, slideDrafts: SlideDrafts = memorySlideDrafts()) {
  const slides = new SlideResults();
  const audited: AuditedEvent[] = [];
  const results = new ResultsStore();
  const storer = new Storer({
    results, pacs, drafts, settings: { results: ['labelmap', 'scores', 'points', 'heatmap'], segmentation: 'BINARY', keyObjects: false, ...settings }, audit: event => audited.push(event), slides, slideDrafts, viewer: { instancesOf: () => instances, imageOf: async () => source.image!, algorithmOf: () => undefined, user: () => 'Reader^Rita' },
    writers: () => import('../../../extension/storage/writers.ts'),
  });
  results.subscribe(storer.onResults);
  const study = of.context.sources[0]!.studyInstanceUID;
  slides.subscribe(storer.onSlides);
  return { results, slides, storer, audited, studies: new Set([study]), status: (key: string) => storer.state.get().statuses.get(key) };
}

test('a result is stored once, read back, and comes back on another page without running', async () => {
  const pacs = new FakePacs();
  const drafts = memoryDrafts();
  const { results, storer, studies, status } = page(pacs, drafts);
  const { key } = results.keep(mask(source.reference));
  const other = results.keep(scores(source.reference)).key;
  storer.judge(other, 'rejected', 'a rib');
  storer.judge(key, 'accepted');
  await storer.storeAll(studies);
  await storer.store(key);
  expect(status(key)).toEqual({ kind: 'stored', instances: [expect.any(String), expect.any(String)] });
  expect(pacs.kept.size).toBe(3);
  expect(pacs.stores).toBe(3);
  expect(await drafts.all()).toEqual([]);
  const later = page(pacs, drafts);
  await later.storer.open(later.studies);
  expect(later.results.all().map(({ result }) => result.kind).sort()).toEqual(['labelmap', 'scores']);
  expect(later.results.get(key)!.result).toMatchObject({ kind: 'labelmap', labels: mask(source.reference).labels, model: { id: 'tiny-net' } });
  expect(later.status(key)!.kind).toBe('stored');
  expect(later.storer.state.get().verdicts.get(other)).toMatchObject({ decision: 'rejected', reason: 'a rib' });
  expect(later.storer.state.get().verdicts.get(key)).toMatchObject({ decision: 'accepted' });
});

test('the PACS goes away at the second object: it is named, what is kept is true, and trying again stores nothing twice', async () => {
  const pacs = new FakePacs();
  let away = false;
  pacs.before = n => {
    if (n >= 2) away = true;
    if (away) throw new OverreadError('network/unreachable', 'no answer');
  };
  const retrieve = pacs.retrieve.bind(pacs);
  pacs.retrieve = async of => {
    if (away) throw new OverreadError('network/unreachable', 'no answer');
    return retrieve(of);
  };
  const { results, storer, status } = page(pacs);
  const { key } = results.keep(mask(source.reference));
  expect(await storer.store(key)).toBe(false);
  expect(status(key)).toEqual({ kind: 'failed', message: expect.stringMatching(/^SR 2\.25\.\d+ is not stored \(1 of 2 are\): no answer/) });
  expect(await storer.store(key)).toBe(false);
  pacs.before = () => undefined;
  away = false;
  expect(await storer.store(key)).toBe(true);
  expect(pacs.kept.size).toBe(2);
});

test('an answer that was lost after the object was kept is no failure', async () => {
  const pacs = new FakePacs();
  pacs.after = n => {
    if (n === 2) throw new OverreadError('network/unreachable', 'no answer');
  };
  const { results, storer, status } = page(pacs);
  const { key } = results.keep(mask(source.reference));
  expect(await storer.store(key)).toBe(true);
  expect(status(key)).toMatchObject({ kind: 'stored', instances: [...pacs.kept.keys()] });
  expect([pacs.kept.size, pacs.stores]).toEqual([2, 2]);
});

test('one of two objects is refused every time: the other is stored once, the refused one is named with its reason, and other results go on', async () => {
  const pacs = new FakePacs();
  const sent: string[] = [];
  const store = pacs.store.bind(pacs);
  pacs.store = async (study, bytes) => {
    const { Modality, SOPInstanceUID } = readFile(bytes).set;
    sent.push(text(SOPInstanceUID)!);
    if (text(Modality) === 'SEG') throw new OverreadError('network/status', 'HTTP status 409 (it does not take objects of this class)');
    return store(study, bytes);
  };
  const { results, storer, audited, studies, status } = page(pacs);
  const { key } = results.keep(mask(source.reference));
  const other = results.keep(scores(source.reference)).key;
  await storer.storeAll(studies);
  await storer.store(key);
  expect(status(key)).toEqual({ kind: 'failed', message: expect.stringMatching(/^SEG 2\.25\.\d+ is not stored \(0 of 2 are\): .*409 \(it does not take objects of this class\)/) });
  expect(status(other)!.kind).toBe('stored');
  expect(pacs.kept.size).toBe(1);
  expect(audited.map(({ action, outcome, error, stored }) => [action, outcome, error, stored?.length])).toEqual([
    ['store', 'failure', 'network/status', 0], ['store', 'success', undefined, 1], ['store', 'failure', 'network/status', 0],
  ]);
  // The same object at each attempt.
  expect(new Set(sent).size).toBe(2);
});

test('two clicks at once, and another after it was stored, store it once', async () => {
  const pacs = new FakePacs();
  const { results, storer } = page(pacs);
  const { key } = results.keep(mask(source.reference));
  await Promise.all([storer.store(key), storer.store(key), storer.storeAll(new Set([results.get(key)!.studyInstanceUID]))]);
  expect(await storer.store(key)).toBe(true);
  expect([pacs.kept.size, pacs.stores]).toEqual([2, 2]);
});

test('a reload between the run and the store: the result is back, and what is stored is what was run', async () => {
  const drafts = memoryDrafts();
  const pacs = new FakePacs();
  const run = mask(source.reference);
  page(pacs, drafts).results.keep(run);
  const later = page(pacs, drafts);
  await later.storer.open(later.studies);
  const [kept] = later.results.all();
  expect(await later.storer.store(kept!.key)).toBe(true);
  const third = page(pacs, drafts);
  await third.storer.open(third.studies);
  expect(third.results.all().map(({ result }) => result)).toMatchObject([{ kind: 'labelmap', labels: run.labels, createdAt: run.createdAt }]);
  expect(await drafts.all()).toEqual([]);
});

test('a reload between the attempts keeps the objects and their UIDs, and no name of the patient', async () => {
  const pacs = new FakePacs();
  pacs.before = n => {
    if (n === 2) throw new OverreadError('network/unreachable', 'no answer');
  };
  const drafts = memoryDrafts();
  const first = page(pacs, drafts);
  const { key } = first.results.keep(mask({ ...source.reference, attributes: { patientID: 'P-1', seriesDescription: 'Thorax of Müller', mr: { protocolName: 'Müller' } } }));
  await first.storer.store(key);
  const kept = JSON.stringify(await drafts.all(), (_, value: unknown) => (ArrayBuffer.isView(value) || value instanceof ArrayBuffer ? 'bytes' : value));
  expect(kept).not.toMatch(/Müller|P-1|19700101/);
  const second = page(pacs, drafts, [{ ...instance, SeriesInstanceUID: (source.reference.sources[0] as InstanceReference).seriesInstanceUID, SeriesDescription: 'Thorax of Müller' } as unknown as Naturalized]);
  await second.storer.restore(second.studies);
  // What the series is called comes from the viewer again.
  expect(second.results.get(key)!.result).toMatchObject({ kind: 'labelmap', source: { attributes: { seriesDescription: 'Thorax of Müller' } } });
  expect(await second.storer.store(key)).toBe(true);
  expect(pacs.kept.size).toBe(2);
  for (const bytes of pacs.kept.values()) expect(text(readFile(bytes).set.PatientName)).toBe('Müller^Łucja');
});

test('a heat map of a film is stored over its picture, and comes back as an overlay where the viewer lists the capture', async () => {
  const pacs = new FakePacs();
  const { results, storer, status } = page(pacs);
  const { key } = results.keep(heatmap(source.reference));
  expect(await storer.store(key)).toBe(true);
  const later = page(pacs, memoryDrafts(), [instance, ...[...pacs.kept.values()].map(bytes => readFile(bytes).set)]);
  await later.storer.open(later.studies);
  expect(later.results.get(key)!.result).toMatchObject({ kind: 'heatmap', target: { label: 'Lung' } });
  expect(later.status(key)!.kind).toBe('stored');
  expect(status(key)!.kind).toBe('stored');
  // Captures of others are not even fetched.
  const strange = page(pacs);
  await strange.storer.open(strange.studies);
  expect(strange.results.all()).toEqual([]);
});

test('a server that gives back something else has not stored it', async () => {
  const pacs = new FakePacs();
  pacs.retrieve = async () => source.files[0]!;
  const { results, storer, status } = page(pacs);
  const { key } = results.keep(scores(source.reference));
  expect(await storer.store(key)).toBe(false);
  expect(status(key)).toMatchObject({ kind: 'failed', message: expect.stringContaining('another object') });
});

test('a result that is changed after it was stored is not stored', async () => {
  const pacs = new FakePacs();
  const { results, storer, status } = page(pacs);
  const { key } = results.keep(mask(source.reference));
  await storer.store(key);
  results.replaceMask(key, { ...mask(source.reference), editedAt: '2026-03-04T06:00:00.000Z' });
  expect(status(key)).toBeUndefined();
  await storer.store(key);
  expect(pacs.kept.size).toBe(4);
});

test('a refused write of an image that is no DICOM object says why', async () => {
  const pacs = new FakePacs();
  const { results, storer, status } = page(pacs);
  const { key } = results.keep(scores({ ...source.reference, sources: [{ ...source.reference.sources[0]!, sopInstanceUID: '1.2.3' } as never] }));
  expect(await storer.store(key)).toBe(false);
  expect(status(key)).toMatchObject({ kind: 'failed', message: expect.stringContaining('not at hand') });
  expect(pacs.kept.size).toBe(0);
});

test('what a site does not store is not stored, and its masks are written as it says', async () => {
  const pacs = new FakePacs();
  const { results, storer, audited, studies } = page(pacs, memoryDrafts(), [instance], { results: ['labelmap'], segmentation: 'LABELMAP', keyObjects: true });
  results.keep(mask(source.reference));
  results.keep(scores(source.reference));
  storer.judge(results.all()[0]!.key, 'rejected', 'Mrs Müller');
  await storer.storeAll(studies);
  expect([...pacs.kept.values()].map(bytes => text(readFile(bytes).set.SOPClassUID)).sort()).toEqual(['1.2.840.10008.5.1.4.1.1.66.7', '1.2.840.10008.5.1.4.1.1.88.22', '1.2.840.10008.5.1.4.1.1.88.59']);
  // What a reader wrote may name somebody: it is no part of the audit.
  expect(audited[0]).toMatchObject({ action: 'verdict', details: { decision: 'rejected' } });
  expect(JSON.stringify(audited)).not.toMatch(/Müller/);
});

describe('a mask of a slide', () => {
  const of = slide(1300, 700);
  const level = () => readFile(of.files[0]!).set;
  const labels = Uint8Array.from({ length: 200 * 100 }, (_, i) => (i % 7 === 0 ? 1 : 0));
  const kept = (change: Partial<KeptSlide> = {}): KeptSlide => {
    const mask = new SlideMask({ columns: 1300, rows: 700, tiles: 1 });
    mask.put(0, { x: 1000, y: 500, columns: 200, rows: 100 }, labels);
    return {
      ...MADE, key: 'slide 1', fingerprint: '1', source: of.reference, studyInstanceUID: of.context.sources[0]!.studyInstanceUID, targets: [LUNG], mask, status: 'done', ms: 1, visible: true, ...change,
    };
  };
  const open = (pacs: FakePacs, slideDrafts?: SlideDrafts) => page(pacs, memoryDrafts(), [level()], {}, of, slideDrafts);
  const region = { x: 1000, y: 500, columns: 200, rows: 100 };

  test('is stored once, and comes back on another page tile by tile', async () => {
    const pacs = new FakePacs();
    const { slides, storer, audited, status } = open(pacs);
    slides.keep(kept());
    await Promise.all([storer.storeSlide('slide 1'), storer.storeSlide('slide 1')]);
    expect(await storer.storeSlide('slide 1')).toBe(true);
    expect([pacs.stores, status('slide 1')!.kind, audited]).toMatchObject([1, 'stored', [{ action: 'store', outcome: 'success', studyInstanceUID: of.context.sources[0]!.studyInstanceUID }]]);
    const later = open(pacs);
    await later.storer.open(later.studies);
    const [loaded] = later.slides.all();
    expect(loaded).toMatchObject({ status: 'done', model: { id: 'tiny-net' }, stored: { glassTiles: 0 } });
    expect(later.status(loaded!.key)!.kind).toBe('stored');
    expect([...loaded!.mask.labelsIn({ x: 1000, y: 500, columns: 200, rows: 100 })!]).toEqual([...labels]);
    expect([loaded!.mask.pixelsOf(1), loaded!.mask.missing, loaded!.mask.labelAt(5, 5)]).toEqual([labels.filter(v => v === 1).length, 0, 0]);
    // What came from the PACS is not stored again.
    expect(await later.storer.storeSlide(loaded!.key)).toBe(true);
    expect(pacs.stores).toBe(1);
  });

  test('that failed is the same object at the next attempt, and another one when it was read further', async () => {
    const pacs = new FakePacs();
    pacs.before = () => { throw new OverreadError('network/unreachable', 'no answer'); };
    const { slides, storer, status } = open(pacs);
    const slide = kept();
    slides.keep(slide);
    expect(await storer.storeSlide('slide 1')).toBe(false);
    expect(status('slide 1')).toMatchObject({ kind: 'failed', message: 'no answer' });
    pacs.before = () => undefined;
    slides.update('slide 1', { status: 'running' });
    expect(status('slide 1')).toBeUndefined();
    slides.update('slide 1', { status: 'done' });
    expect(await storer.storeSlide('slide 1')).toBe(true);
    expect(pacs.kept.size).toBe(1);
  });

  test('that is not stored is back on another page, as far as it came, until it is removed, and names nobody', async () => {
    const drafts = memorySlideDrafts();
    const { slides } = open(new FakePacs(), drafts);
    const slide = kept({ status: 'running', source: { ...of.reference, attributes: { ...of.reference.attributes, patientID: 'P-1' } } });
    slide.mask.leaveOut({ reason: 'bright', indices: Uint32Array.of(3), regions: Uint32Array.of(0, 0, 5, 5) });
    slides.keep(slide);
    slides.update('slide 1', { status: 'stopped' });
    expect(JSON.stringify(await drafts.all())).not.toMatch(/P-1|Müller/);
    const later = open(new FakePacs(), drafts);
    await later.storer.open(later.studies);
    const [back] = later.slides.all();
    expect(back).toMatchObject({ status: 'stopped', fingerprint: '1', targets: [LUNG], mask: { bytes: slide.mask.bytes, glass: { indices: Uint32Array.of(3) }, plane: slide.mask.plane } });
    expect([...back!.mask.labelsIn(region)!]).toEqual([...labels]);
    expect(back!.mask.pixelsOf(1)).toBe(slide.mask.pixelsOf(1));
    later.slides.remove('slide 1');
    expect(await drafts.all()).toEqual([]);
  });

  test('that was sent when the page went is not sent again, and is no draft any more', async () => {
    const pacs = new FakePacs();
    const drafts = memorySlideDrafts();
    const before = open(pacs, drafts);
    before.slides.keep(kept());
    const retrieve = pacs.retrieve.bind(pacs);
    pacs.retrieve = async () => { throw new OverreadError('network/unreachable', 'no answer'); };
    pacs.after = () => { throw new OverreadError('network/unreachable', 'no answer'); };
    expect(await before.storer.storeSlide('slide 1')).toBe(false);
    pacs.retrieve = retrieve;
    const later = open(pacs, drafts);
    await later.storer.restore(later.studies);
    expect(await later.storer.storeSlide('slide 1')).toBe(true);
    expect([pacs.stores, pacs.kept.size, await drafts.all()]).toEqual([1, 1, []]);
  });

  test('that is too large to be kept says so', async () => {
    const drafts = memorySlideDrafts();
    const { slides, storer } = open(new FakePacs(), drafts);
    const slide = kept();
    Object.defineProperty(slide.mask, 'bytes', { value: MOST_BYTES + 1 });
    slides.keep(slide);
    expect(storer.state.get().slideNote).toMatch(/too large \(64 MB\)/);
    expect(await drafts.all()).toEqual([]);
  });

  test.each([['is not whole', { status: 'stopped' as const }], ['has tiles that could not be read', {}]])('that %s is not stored', async (_, change) => {
    const pacs = new FakePacs();
    const { slides, storer } = open(pacs);
    const slide = kept(change);
    if (!('status' in change)) slide.mask.fail(1, { x: 0, y: 0, columns: 10, rows: 10 }, new OverreadError('input/unreadable', 'no'));
    slides.keep(slide);
    expect(await storer.storeSlide('slide 1')).toBe(false);
    expect(pacs.stores).toBe(0);
  });
});
