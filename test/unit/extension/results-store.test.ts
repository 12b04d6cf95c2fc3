import { ResultsStore } from '../../../extension/results-store.ts';
import { image, result, source, twoViews } from './made.ts';

describe('the results of a page', () => {
  it('keeps them by study', () => {
    const store = new ResultsStore();
    store.keep(result(image(source('a', 1, 'study 1'))));
    const second = store.keep(result(image(source('b', 1, 'study 2'))));
    expect(store.ofStudies(new Set(['study 2']))).toEqual([second]);
    expect(store.ofStudies(new Set())).toEqual([]);
    expect(store.all()).toHaveLength(2);
  });

  it('replaces a result of the same model, version, weights and frame, and shows it again', () => {
    const store = new ResultsStore();
    const first = store.keep(result());
    store.setVisible(first.key, false);
    const again = result();
    expect(store.keep(again)).toMatchObject({ key: first.key, visible: true });
    expect(store.all().map(kept => kept.result)).toEqual([again]);
  });

  it.each([
    ['version', () => result(image(), { version: '2.0.0' })],
    ['weights', () => result(image(), { sha256: 'b' })],
    ['frame', () => result(image(source('1.2.3', 2)))],
    ['instance', () => result(image(source('9')))],
  ])('keeps a result of another %s beside it', (_, other) => {
    const store = new ResultsStore();
    store.keep(result());
    store.keep(other());
    expect(store.all()).toHaveLength(2);
  });

  it('refuses a result of a picture that belongs to no study, and one of two series', () => {
    const store = new ResultsStore();
    const made = result();
    const on = (...sources: Parameters<typeof Object.assign>[1][]) => ({ ...made, source: { ...made.source, sources } });
    expect(() => store.keep(on({ file: 'a.png' }))).toThrow(expect.objectContaining({ code: 'input/inconsistent' }));
    expect(() => store.keep(on(source('a', 1, '1', 's1'), source('b', 1, '1', 's2')))).toThrow(expect.objectContaining({ code: 'input/inconsistent' }));
    expect(store.all()).toEqual([]);
  });

  it('keeps a result of two views of one study, beside one of the frontal alone, and refuses one of two studies', () => {
    const store = new ResultsStore();
    const both = twoViews();
    const { viewSources, ...single } = both;
    store.keep(both);
    store.keep({ ...single, viewSources: { PA: viewSources!.PA! } });
    expect(store.all().map(kept => kept.seriesInstanceUID)).toEqual(['s1', 's1']);
    expect(() => store.keep(twoViews(undefined, image(source('l', 1, 'another study', 's2'))))).toThrow(expect.objectContaining({ code: 'input/inconsistent' }));
    expect(store.all()).toHaveLength(2);
  });

  it('tells its listeners of changes, and of nothing else', () => {
    const store = new ResultsStore();
    const listener = jest.fn();
    const stop = store.subscribe(listener);
    const { key } = store.keep(result());
    const before = store.all();
    store.setVisible(key, true);
    store.remove('no such key');
    expect(listener).toHaveBeenCalledTimes(1);
    expect(store.all()).toBe(before);
    store.setVisible(key, false);
    expect(store.get(key)?.visible).toBe(false);
    stop();
    store.remove(key);
    expect(listener).toHaveBeenCalledTimes(2);
    expect(store.all()).toEqual([]);
  });
});
