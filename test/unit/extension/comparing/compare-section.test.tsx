import { renderToStaticMarkup } from 'react-dom/server';
import { Comparer, type ComparisonPhase } from '../../../../extension/comparing/comparer.ts';
import type { Comparing } from '../../../../extension/comparing/index.ts';
import { OfferedComparisons } from '../../../../extension/comparing/offered.ts';
import { compareSets } from '../../../../extension/comparing/pair.ts';
import { ResultSets, type SegmentationsInHand } from '../../../../extension/comparing/sets.ts';
import { CompareButton, CompareSection } from '../../../../extension/panels/compare-section.tsx';
import { formatDistance } from '../../../../extension/panels/compare-numbers.tsx';
import { ResultsStore } from '../../../../extension/results-store.ts';
import { Observable } from '../../../../extension/state.ts';
import { referenceOf } from '../../../../src/image/image.ts';
import { dotsOn } from '../../../../src/results/dots.ts';
import type { Result } from '../../../../src/results/result.ts';
import { image, result, score, scoresResult, source } from '../made.ts';

const none: SegmentationsInHand = { list: () => [], read: () => { throw new Error('none'); }, setVisible: () => undefined, hideNames: () => undefined };
const other = <R extends Result>(of: R, name = 'Other'): R => ({ ...of, model: { ...of.model, id: name, name, sha256: name } });

function comparing(of: readonly Result[], segmentations = none) {
  const results = new ResultsStore();
  const kept = of.map(one => results.keep(one));
  const sets = new ResultSets({ results, segmentations });
  const comparer = new Comparer({ results, segmentations, sets });
  const openStudies = () => new Set(['1']);
  const offered = new OfferedComparisons({ comparer, openStudies, address: 'https://x/overread', copyText: async () => undefined });
  return { comparer, kept, openStudies, offered, onScreen: new Observable({ unseen: false }) } as unknown as Comparing & { readonly kept: readonly { readonly key: string }[] };
}

/** As it is after two were compared. */
function shown(a: Result, b: Result, within = 8): string {
  const made = comparing([a, b]);
  const { comparer, kept } = made;
  const [one, two] = kept.map(({ key }) => comparer.sets.get(`result ${key}`)!);
  const pair = compareSets(one!, two!, within);
  const phase: ComparisonPhase = { kind: 'shown', pair, a: one!, b: two!, shown: { a: one!.kept, b: two!.kept } };
  comparer.state.set({ asked: { a: one!.id, b: two!.id }, phase });
  return renderToStaticMarkup(<CompareSection comparing={made} />);
}

const a = result(image(source('a')), { labels: Uint8Array.of(1, 1, 1, 0) });
const b = other(result(image(source('a')), { labels: Uint8Array.of(0, 1, 1, 0) }));

test('every result of the open study and every mask of the viewer can be chosen', () => {
  const viewer = { ...none, list: () => [{ id: 'seg', name: 'SEG of last year', studyInstanceUID: '1' }, { id: 'far', name: 'Of another study', studyInstanceUID: '2' }] };
  const html = renderToStaticMarkup(<CompareSection comparing={comparing([a, b], viewer)} />);
  for (const text of ['Lung U-Net', '>Other<', 'SEG of last year', 'Choose what to compare with', 'Keep a copy of A']) expect(html).toContain(text);
  expect(html).not.toContain('Of another study');
  expect(renderToStaticMarkup(<CompareSection comparing={comparing([])} />)).toBe('');
});

test('a card offers it where there is something to compare with', () => {
  const made = comparing([a, b, scoresResult()]);
  expect(renderToStaticMarkup(<CompareButton comparing={made} kept={made.kept[0] as never} />)).toContain('Compare with another');
  expect(renderToStaticMarkup(<CompareButton comparing={made} kept={made.kept[2] as never} />)).toBe('');
});

test('masks have a legend with sizes, the numbers, and what is the truth in them', () => {
  const html = shown(a, b);
  for (const text of ['Both', 'Only Lung U-Net', 'Only Other', 'Hausdorff 95 %', 'px', 'with Other taken for the truth', 'Wipe', 'Side by side']) expect(html).toContain(text);
  // 2 of 3 and 2 pixels agree.
  expect(html).toMatch(/Dice<\/th><td>0\.800/);
  expect(html).toMatch(/A larger than B by<\/th><td>\+50\.0 %/);
});

test('markers say how many are matched, extra and missed, within what, and against whom', () => {
  const picture = referenceOf({ ...image(source('a'), [100, 100]), spacingMm: [0.001, 0.001] });
  const dots = (points: number[]) => dotsOn(picture, '2026-01-01T00:00:00Z', { coordinates: Float32Array.from(points), classOf: new Uint8Array(points.length / 2), labels: ['Cell'] });
  const { editedAt: _, ...counted } = dots([12, 10]);
  const html = shown(dots([10, 10, 50, 50]), other(counted, 'Counter'));
  expect(html).toMatch(/Matched<\/th><td>1<.*\(extra\)<\/th><td>1<.*\(missed\)<\/th><td>0</);
  expect(html).toMatch(/F1<\/th><td>0\.667/);
  expect(html).toContain('8 pixels (8.0 µm)');
  expect(html).toContain('with Counter taken for the truth');
});

test('scores of another set of views say so', () => {
  expect(shown({ ...scoresResult(), viewsUsed: ['PA', 'L'] }, other({ ...scoresResult(), viewsUsed: ['PA'] }))).toMatch(/read PA and L, and Other PA: a difference may come from that/);
  expect(shown(scoresResult(), other(scoresResult()))).not.toMatch(/may come from that/);
});

test('scores stand beside each other, the widest apart first, and what only one knows is named', () => {
  const html = shown(scoresResult([score('Effusion', 0.7), score('Edema', 0.2), score('Nodule', 0.1)]), other(scoresResult([score('Effusion', 0.6), score('Edema', 0.6)])));
  expect(html).toMatch(/Edema<\/th><td>0\.20<\/td><td>▲ 0\.60<\/td><td>−0\.40.*Effusion/);
  expect(html).toContain('both say the same for 1 of 2');
  expect(html).toContain('only Lung U-Net speaks of it: Nodule');
  // They are not on the image.
  expect(html).not.toContain('Wipe');
});

test('a comparison that was saved is offered, with what it still wants', () => {
  const made = comparing([a, b]);
  made.offered.state.set({ saved: { overreadComparison: 1, a: { kind: 'labelmap', model: { id: 'gone', version: '2.0.0', sha256: 'x' }, thresholds: [0.7] }, b: { kind: 'labelmap' }, view: 'wipe', divider: 0.5, withinPixels: 8 } });
  expect(renderToStaticMarkup(<CompareSection comparing={made} />)).toMatch(/Saved comparison: gone 2\.0\.0 at 70 % and a mask of the viewer.*Not there yet: gone 2\.0\.0.*disabled=""[^>]*data-overread="compare-make"/);
});

test('a refusal is shown in words', () => {
  const made = comparing([a, b]);
  made.comparer.state.set({ asked: { a: `result ${made.kept[0]!.key}`, b: `result ${made.kept[1]!.key}` }, phase: { kind: 'error', error: Object.assign(new Error('on other grids'), { code: 'input/inconsistent' }) as never } });
  expect(renderToStaticMarkup(<CompareSection comparing={made} />)).toMatch(/Not compared.*on other grids/);
});

test.each([[{ pixels: 1 }, '1 pixel'], [{ pixels: 8, mm: 0.004 }, '8 pixels (4.0 µm)'], [{ pixels: 3, mm: 1.5 }, '3 pixels (1.5 mm)']])('%p is %s', (of, text) => {
  expect(formatDistance(of)).toBe(text);
});
