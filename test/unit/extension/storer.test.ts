import { ResultsStore } from '../../../extension/results-store.ts';
import { memoryDrafts, type Drafts } from '../../../extension/storage/drafts.ts';
import type { InstanceUIDs, Pacs } from '../../../extension/storage/pacs.ts';
import { Storer } from '../../../extension/storage/storer.ts';
import type { DicomJson } from '../../../src/dicom/dicomjson.ts';
import { OverreadError } from '../../../src/errors.ts';
import { readFile } from '../../../src/export/read/data-set.ts';
import { text, type Naturalized } from '../../../src/export/source.ts';
import { mask, scores } from '../export/results.ts';
import { film, type Sources } from '../export/sources.ts';

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

function page(pacs: FakePacs, drafts: Drafts = memoryDrafts()) {
  const results = new ResultsStore();
  const storer = new Storer({
    results, pacs, drafts, viewer: { instancesOf: () => [instance], algorithmOf: () => undefined, user: () => 'Reader^Rita' },
    writers: () => import('../../../extension/storage/writers.ts'),
  });
  results.subscribe(storer.onResults);
  const study = source.context.sources[0]!.studyInstanceUID;
  return { results, storer, studies: new Set([study]), status: (key: string) => storer.state.get().statuses.get(key) };
}

test('a result is stored once, read back, and comes back on another page without running', async () => {
  const pacs = new FakePacs();
  const drafts = memoryDrafts();
  const { results, storer, studies, status } = page(pacs, drafts);
  const { key } = results.keep(mask(source.reference));
  const other = results.keep(scores(source.reference)).key;
  storer.judge(other, 'rejected', 'a rib');
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
});

test.each([['before it was kept', 'before'], ['after it was kept, so that the answer was lost', 'after']] as const)('a store that fails at the second object, %s: it is named, and trying again stores nothing twice', async (_, moment) => {
  const pacs = new FakePacs();
  pacs[moment] = n => {
    if (n === 2) throw new OverreadError('network/unreachable', 'no answer');
  };
  const { results, storer, status } = page(pacs);
  const { key } = results.keep(mask(source.reference));
  expect(await storer.store(key)).toBe(false);
  expect(status(key)).toEqual({ kind: 'failed', message: expect.stringMatching(/^SR 2\.25\.\d+ is not stored \(1 of 2 are\): no answer/) });
  expect(await storer.store(key)).toBe(true);
  expect(pacs.kept.size).toBe(2);
});

test('a reload between the attempts keeps the objects and their UIDs, and no name of the patient', async () => {
  const pacs = new FakePacs();
  pacs.before = n => {
    if (n === 2) throw new OverreadError('network/unreachable', 'no answer');
  };
  const drafts = memoryDrafts();
  const first = page(pacs, drafts);
  const { key } = first.results.keep(mask({ ...source.reference, attributes: { patientID: 'P-1' } }));
  await first.storer.store(key);
  const kept = JSON.stringify(await drafts.all(), (_, value: unknown) => (ArrayBuffer.isView(value) || value instanceof ArrayBuffer ? 'bytes' : value));
  expect(kept).not.toMatch(/Müller|P-1|19700101/);
  const second = page(pacs, drafts);
  await second.storer.restore(second.studies);
  expect(second.results.get(key)!.result.kind).toBe('labelmap');
  expect(await second.storer.store(key)).toBe(true);
  expect(pacs.kept.size).toBe(2);
  for (const bytes of pacs.kept.values()) expect(text(readFile(bytes).set.PatientName)).toBe('Müller^Łucja');
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
