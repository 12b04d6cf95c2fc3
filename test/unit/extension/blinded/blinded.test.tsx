import { renderToStaticMarkup } from 'react-dom/server';
import { BlindedReadings } from '../../../../extension/blinded/index.ts';
import { memoryReadings, type ReadingStore } from '../../../../extension/blinded/store.ts';
import { Comparer } from '../../../../extension/comparing/comparer.ts';
import type { Comparing } from '../../../../extension/comparing/index.ts';
import { ResultSets, type SegmentationsInHand } from '../../../../extension/comparing/sets.ts';
import { KeyTable } from '../../../../extension/panels/blinded-key.tsx';
import { addressOf, BlindedReading, BlindedSection } from '../../../../extension/panels/blinded-section.tsx';
import { ResultsStore } from '../../../../extension/results-store.ts';
import { Observable } from '../../../../extension/state.ts';
import { currentCase } from '../../../../extension/blinded/reading.ts';
import { unsealed } from '../../../../extension/blinded/export.ts';
import { image, result, source } from '../made.ts';

function setup({ store = memoryReadings(), open = new Set(['1']) }: { store?: ReadingStore; open?: Set<string> } = {}) {
  const results = new ResultsStore();
  const segmentations = { list: () => [{ id: 'seg', name: 'SEG', studyInstanceUID: '1' }], read: jest.fn(), setVisible: jest.fn(), hideNames: jest.fn() };
  const comparer = new Comparer({ results, segmentations: segmentations as unknown as SegmentationsInHand, sets: new ResultSets({ results, segmentations: segmentations as unknown as SegmentationsInHand }), settleMs: 0 });
  let seconds = 0;
  const audit = jest.fn();
  const showImage = jest.fn(() => true);
  const readings = new BlindedReadings({ comparer, store, audit, showImage, openStudies: () => open, now: () => new Date(Date.UTC(2026, 0, 1, 10, 0, seconds)) });
  const comparing = { comparer, openStudies: () => open, onScreen: new Observable({ unseen: false }) } as unknown as Comparing;
  const keep = (name: string, labels: number[], study = '1') => {
    const made = result(image(source('a', 1, study)), { labels: Uint8Array.from(labels), sha256: name });
    return results.keep({ ...made, segments: made.segments.map(of => ({ ...of, target: { ...of.target, color: [1, 2, 3] as [number, number, number] } })), model: { ...made.model, id: name, name: `Model ${name}` } });
  };
  const compare = async (study = '1') => {
    const [a, b] = [keep('red', [1, 1, 0, 0], study), keep('blue', [0, 1, 1, 0], study)];
    await comparer.compare(`result ${a.key}`, `result ${b.key}`);
    // Results that were replaced are compared again.
    while (comparer.state.get().phase.kind === 'running') await new Promise(resolve => setTimeout(resolve, 5));
    await readings.add();
  };
  const html = () => {
    const { reading } = readings.state.get();
    return renderToStaticMarkup(reading && currentCase(reading) ? <BlindedReading readings={readings} comparing={comparing} reading={reading} /> : <BlindedSection readings={readings} comparing={comparing} />);
  };
  return { results, comparer, readings, segmentations, open, showImage, compare, html, store, pass: (s: number) => (seconds += s) };
}

test('from start to end: nothing says whose results they are, and only they are drawn', async () => {
  const { comparer, readings, results, compare, html, segmentations, showImage, pass } = setup();
  await compare();
  await compare();
  expect(readings.state.get().cases).toHaveLength(2);
  await readings.start(5);
  expect(comparer.state.get()).toMatchObject({ blinded: true, view: 'difference', phase: { kind: 'shown', a: { name: 'A' }, b: { name: 'B' } } });
  expect(showImage).toHaveBeenCalledWith(expect.objectContaining({ sopInstanceUID: 'a' }));
  // The viewer's own masks are hidden, and have no names.
  expect(segmentations.hideNames).toHaveBeenLastCalledWith(true);
  expect(segmentations.setVisible).toHaveBeenLastCalledWith('seg', false);
  expect(comparer.present(results.all())).toHaveLength(1);
  comparer.setView('wipe');
  expect(comparer.present(results.all())).toEqual([]);
  // Not by their colours either.
  const apart = comparer.apart()!;
  expect(JSON.stringify([apart.a.result.kind === 'labelmap' && apart.a.result.segments, apart.b.result.kind === 'labelmap' && apart.b.result.segments])).not.toContain('[1,2,3]');
  for (const now of [html(), html()]) expect(now).not.toMatch(/red|blue|Model/);
  expect(html()).toContain('Case 1 of 2');
  pass(8);
  await readings.answer('first', 4);
  expect(html()).toContain('Case 2 of 2');
  pass(3);
  await readings.answer('neither', 1);
  const { reading } = readings.state.get();
  expect(reading!.answers.map(({ seconds, timesShown }) => [seconds, timesShown])).toEqual([[8, 1], [3, 1]]);
  expect(comparer.state.get()).toMatchObject({ blinded: false, phase: { kind: 'idle' } });
  expect(segmentations.hideNames).toHaveBeenLastCalledWith(false);
  const key = renderToStaticMarkup(<KeyTable cases={await unsealed(reading!, 'none')} read={2} />);
  expect(key).toMatch(/red 1\.0\.0.*preferred/);
  expect(key).toContain('p = 1.000');
  // The same cases once more.
  await readings.clear('keep');
  expect([readings.state.get().reading, readings.state.get().cases.length]).toEqual([undefined, 2]);
});

test('a reload goes on where it was, and says that the case was seen twice', async () => {
  const first = setup();
  await first.compare();
  await first.readings.start(5);
  const second = setup({ store: first.store });
  // Nothing is seen on the way: what is on is not known yet.
  const followed = second.readings.follow();
  expect(second.comparer.state.get().blinded).toBe(true);
  await followed;
  expect(second.comparer.state.get()).toMatchObject({ blinded: true, phase: { kind: 'shown' } });
  expect(second.html()).not.toMatch(/red|blue|Model/);
  await second.readings.answer('second', 5);
  expect(second.readings.state.get().reading!.answers[0]).toMatchObject({ choice: 'second', timesShown: 2 });
});

test('a case of a study that is not open waits for it', async () => {
  const { comparer, readings, open, compare, html } = setup();
  await compare();
  open.delete('1');
  (globalThis as { location?: unknown }).location = { href: 'https://pacs.example/overread?StudyInstanceUIDs=9' };
  await readings.start(5);
  expect(readings.state.get().isOpen).toBe(false);
  expect(html()).toMatch(/another study.*StudyInstanceUIDs=1"/);
  await readings.answer('first', 3);
  expect(readings.state.get().reading!.answers).toHaveLength(0);
  open.add('1');
  await readings.follow();
  expect(comparer.state.get().phase.kind).toBe('shown');
  delete (globalThis as { location?: unknown }).location;
});

test('a verdict is asked of one result alone, and cases cannot be changed while they are read', async () => {
  const { comparer, readings, compare, html } = setup();
  await compare();
  readings.setQuestion('verdict');
  await readings.start(2);
  expect(readings.state.get().reading!.cases).toHaveLength(2);
  expect(comparer.state.get()).toMatchObject({ alone: true, view: 'wipe' });
  expect(html()).toContain('Good enough');
  expect(html()).not.toContain('Side by side');
  await readings.remove(0);
  await readings.clear('remove');
  expect(readings.state.get().cases).toHaveLength(1);
  await readings.end();
  expect(readings.state.get().reading!.endedAt).toBeDefined();
  expect(comparer.state.get().blinded).toBe(false);
});

test('without a reading everything is seen, once that is known', async () => {
  const { comparer, readings } = setup();
  await readings.follow();
  expect([comparer.state.get().blinded, readings.state.get().isKnown]).toEqual([false, true]);
  const broken = setup({ store: { get: async () => { throw new Error('no store'); }, put: async () => undefined } });
  await broken.readings.follow();
  expect([broken.comparer.state.get().blinded, broken.readings.state.get().isKnown]).toEqual([false, true]);
});

test('a seed is a whole number', async () => {
  const { readings, compare } = setup();
  await compare();
  await readings.start(Number.NaN);
  expect(readings.state.get()).toMatchObject({ error: { code: 'config/invalid' } });
  expect(readings.state.get().reading).toBeUndefined();
});

test('another study is opened by this viewer\'s own address, with nothing else in it', () => {
  expect(addressOf('1.2', 'https://x/viewer/overread?StudyInstanceUIDs=9&token=1#y')).toBe('https://x/viewer/overread?StudyInstanceUIDs=1.2');
});
