import { Comparer } from '../../../../extension/comparing/comparer.ts';
import { OfferedComparisons } from '../../../../extension/comparing/offered.ts';
import { comparisonOf, describeSet, linkTo, parseComparison } from '../../../../extension/comparing/saved.ts';
import { ResultSets, type SegmentationsInHand } from '../../../../extension/comparing/sets.ts';
import { ResultsStore } from '../../../../extension/results-store.ts';
import type { LabelmapResult } from '../../../../src/results/result.ts';
import { image, result, source } from '../made.ts';

const none = { list: () => [], read: () => { throw new Error('none'); }, setVisible: () => undefined, hideNames: () => undefined } as unknown as SegmentationsInHand;

/** Of four pixels, the surer the further right. */
function mask(id: string, threshold = 0.5): LabelmapResult {
  const made = result({ ...image(source('a')), attributes: { patientID: 'PAT-7', seriesDescription: 'Thorax Mustermann' } }, { labels: Uint8Array.of(0, 0, 1, 1), sha256: id });
  const [lung] = made.segments;
  return {
    ...made, model: { ...made.model, id, name: id }, segments: [{ ...lung!, threshold }],
    probabilities: { values: Uint8Array.of(10, 60, 120, 190), labels: made.labels, operatingPoints: [0.5] },
  };
}

function setup(address = 'https://x/overread?StudyInstanceUIDs=1') {
  const results = new ResultsStore();
  const comparer = new Comparer({ results, segmentations: none, sets: new ResultSets({ results, segmentations: none }), settleMs: 0 });
  const copied: string[] = [];
  const offered = new OfferedComparisons({ comparer, openStudies: () => new Set(['1']), address, copyText: async text => void copied.push(text) });
  return { results, comparer, offered, copied };
}

async function compared() {
  const made = setup();
  const [a, b] = [made.results.keep(mask('one', 0.8)), made.results.keep(mask('two'))];
  await made.comparer.compare(`result ${a.key}`, `result ${b.key}`);
  made.comparer.setView('wipe');
  return made;
}

test('what is saved says which models at which thresholds, and nothing of the patient', async () => {
  const saved = (await compared()).offered.current()!;
  expect(saved).toMatchObject({ a: { model: { id: 'one' }, thresholds: [0.8] }, b: { model: { id: 'two' }, thresholds: [0.5] }, view: 'wipe' });
  for (const secret of ['PAT-7', 'Mustermann', '"1"', '1.2']) expect(JSON.stringify(saved)).not.toContain(secret);
  expect(describeSet(saved.a)).toBe('one 1.0.0 at 80 %');
  expect(describeSet({ kind: 'heatmap', model: { id: 'one', version: '1.0.0', sha256: '0' }, target: 'Effusion', method: 'grad-cam' })).toBe('one 1.0.0 of Effusion by Grad-CAM');
  expect(parseComparison(JSON.stringify(saved), 'a file')).toEqual(saved);
});

test('a link carries it in its fragment, and the study only where it is asked for', async () => {
  const { offered, copied } = await compared();
  (globalThis as { location?: unknown }).location = { href: 'https://x/viewer/overread?StudyInstanceUIDs=1&token=2' };
  await offered.copyLink(false);
  await offered.copyLink(true);
  delete (globalThis as { location?: unknown }).location;
  expect(copied.map(link => new URL(link).search)).toEqual(['', '?StudyInstanceUIDs=1']);
  expect(copied.map(link => comparisonOf(link))).toEqual([offered.current(), offered.current()]);
  expect(comparisonOf('https://x/overread?StudyInstanceUIDs=1#other')).toBeUndefined();
});

test('opened elsewhere it waits for its results, then is made, with the thresholds of then in a copy', async () => {
  const saved = (await compared()).offered.current()!;
  const { results, comparer, offered } = setup(linkTo(saved, 'https://x/overread', undefined));
  expect(offered.missing()).toEqual(['one 1.0.0 at 80 %', 'two 1.0.0 at 50 %']);
  await offered.make();
  expect(comparer.state.get().phase.kind).toBe('idle');
  const one = results.keep(mask('one'));
  results.keep(mask('two'));
  expect(offered.missing()).toEqual([]);
  await offered.make();
  const { phase, view } = comparer.state.get();
  expect([view, offered.state.get().saved]).toEqual(['wipe', undefined]);
  expect(phase).toMatchObject({ kind: 'shown', a: { name: 'one, at 80 % (copy 1)' }, b: { name: 'two' } });
  expect(results.get(one.key)!.result).toMatchObject({ segments: [{ threshold: 0.5 }] });
});

test('other weights under the same name are not what was meant', async () => {
  const saved = (await compared()).offered.current()!;
  const { results, offered } = setup(linkTo(saved, 'https://x/overread', undefined));
  const other = mask('one');
  results.keep({ ...other, model: { ...other.model, sha256: 'other' } });
  expect(offered.missing()).toHaveLength(2);
});

test.each([
  ['no JSON', 'x'], ['something else', '{"a":1}'], ['a key that is not known', JSON.stringify({ overreadComparison: 1, script: 'x' })], ['too much', JSON.stringify('x'.repeat(9000))],
])('%s is refused by name', (_, text) => {
  expect(() => parseComparison(text, 'notes.json')).toThrow(expect.objectContaining({ code: 'config/invalid', message: expect.stringContaining('got notes.json') }));
});

test('an address that cannot be read is told, and does not stop the viewer', () => {
  expect(setup('https://x/overread#overread-compare=%%%').offered.state.get().error?.code).toBe('config/invalid');
});

test('of the results on two films of a study those on the film that was meant are compared, and without its view it is said', async () => {
  const on = (id: string, sop: string, viewPosition: string) => {
    const of = mask(id);
    return { ...of, source: { ...of.source, sources: [source(sop)], attributes: { ...of.source.attributes, viewPosition } } };
  };
  const keepAll = (results: ResultsStore) => ['one', 'two'].flatMap(id => [results.keep(on(id, 'film 1', 'PA')), results.keep(on(id, 'film 2', 'LL'))]);
  const { results, comparer, offered } = setup('https://x/overread');
  const [a,, b] = keepAll(results);
  await comparer.compare(`result ${a!.key}`, `result ${b!.key}`);
  const saved = offered.current()!;
  expect(describeSet(saved.a)).toBe('one 1.0.0 on PA at 50 %');
  const made = async (of: object) => {
    const other = setup(linkTo(of as typeof saved, 'https://x/overread', undefined));
    const kept = keepAll(other.results);
    await other.offered.make();
    const { phase } = other.comparer.state.get();
    return { phase, kept, note: other.offered.state.get().note };
  };
  const again = await made(saved);
  expect(again.phase).toMatchObject({ kind: 'shown', a: { kept: { key: again.kept[0]!.key } }, b: { kept: { key: again.kept[2]!.key } } });
  expect(again.note).toBeUndefined();
  const { view: _a, ...withoutA } = saved.a, { view: _b, ...withoutB } = saved.b;
  const either = await made({ ...saved, a: withoutA, b: withoutB });
  expect(either.phase).toMatchObject({ kind: 'shown', a: { kept: { key: either.kept[1]!.key } }, b: { kept: { key: either.kept[3]!.key } } });
  expect(either.note).toMatch(/Choose A and B by hand/);
});

test('two masks of the viewer are two: one alone is not set against itself, and of three it is said', async () => {
  const opened = async (n: number) => {
    const list = () => Array.from({ length: n }, (_, i) => ({ id: `${i}`, name: `Mask ${i}`, studyInstanceUID: '1' }));
    const read = (id: string) => ({ key: `viewer ${id}`, studyInstanceUID: '1', seriesInstanceUID: '1.2', visible: true, result: mask(`mask ${id}`) });
    const segmentations = { ...none, list, read } as unknown as SegmentationsInHand;
    const results = new ResultsStore();
    const comparer = new Comparer({ results, segmentations, sets: new ResultSets({ results, segmentations }), settleMs: 0 });
    const saved = { overreadComparison: 1, a: { kind: 'labelmap' }, b: { kind: 'labelmap' }, view: 'wipe', divider: 0.5, withinPixels: 8 } as const;
    const offered = new OfferedComparisons({ comparer, openStudies: () => new Set(['1']), address: linkTo(saved, 'https://x/overread', undefined), copyText: async () => {} });
    const missing = offered.missing();
    await offered.make();
    return { missing, phase: comparer.state.get().phase, note: offered.state.get().note };
  };
  expect(await opened(1)).toMatchObject({ missing: ['a mask of the viewer'], phase: { kind: 'idle' } });
  const two = await opened(2);
  expect(two).toMatchObject({ missing: [], phase: { kind: 'shown', a: { name: 'Mask 1' }, b: { name: 'Mask 0' } } });
  expect(two.note).toBeUndefined();
  expect((await opened(3)).note).toMatch(/Choose A and B by hand/);
});
