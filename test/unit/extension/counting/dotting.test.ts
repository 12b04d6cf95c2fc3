import { Dotting } from '../../../../extension/counting/dotting.ts';
import { PointEdits } from '../../../../extension/counting/point-edits.ts';
import { ResultsStore } from '../../../../extension/results-store.ts';
import type { Memo } from '../../../../extension/types/annotations.ts';
import { dotsOn, dotTarget } from '../../../../src/results/dots.ts';
import type { PointsResult } from '../../../../src/results/points.ts';
import { points, surface } from './made-points.ts';

function setup(result = points()) {
  const page = new EventTarget();
  const results = new ResultsStore();
  const { key } = results.keep(result);
  const history: Memo[] = [];
  const edits = new PointEdits({ results, history: { push: memo => history.push(memo) } });
  const now = () => results.get(key)!.result as PointsResult;
  const dotting = new Dotting({ page: page as unknown as Window, results, edits, surfaces: () => [surface([{ key, result: now() }])] });
  const following = dotting.follow();
  /** @returns whether the viewer is left to hear of it */
  const send = (type: string, more: object = {}) => {
    const event = Object.defineProperties(new Event(type, { cancelable: true }), Object.fromEntries(Object.entries(more).map(([name, value]) => [name, { value }])));
    const heard = jest.fn();
    page.addEventListener(type, heard, { once: true });
    page.dispatchEvent(event);
    page.removeEventListener(type, heard);
    return heard.mock.calls.length === 1;
  };
  /** At index coordinates of the image. */
  const at = (x: number, y: number) => ({ clientX: 30 + 2 * (x + 0.5), clientY: 10 + 2 * (y + 0.5), target: 'image' });
  const press = (x: number, y: number, more: object = {}) => send('mousedown', { button: 0, ...at(x, y), ...more });
  return { results, key, edits, dotting, following, history, now, send, press, at };
}

describe('setting markers by click and key', () => {
  it('leaves everything to the viewer while it is off, beside the image, and for other buttons', () => {
    const { dotting, key, press, send, now } = setup();
    const before = now();
    expect(press(5, 5)).toBe(true);
    expect(send('keydown', { key: '2', target: null })).toBe(true);
    dotting.start(key);
    expect(press(5, 5, { button: 1 })).toBe(true);
    expect(press(5, 5, { target: 'another element' })).toBe(true);
    expect(press(150, 5)).toBe(true);
    expect(send('keydown', { key: 'z', target: null })).toBe(true);
    expect(send('keydown', { key: '1', ctrlKey: true, target: null })).toBe(true);
    expect(send('keydown', { key: '2', target: { closest: () => ({}) } })).toBe(true);
    expect(now()).toBe(before);
  });

  it('sets where it is pressed, re-classes what is there, and counts a slipped click once', () => {
    const { dotting, key, press, send, now } = setup();
    dotting.start(key);
    expect(press(30, 60)).toBe(false);
    expect([...now().coordinates.slice(-2)]).toEqual([30, 60]);
    expect(now().total.count).toBe(4);
    press(30, 60);
    expect(now().total.count).toBe(4);
    expect(send('keydown', { key: '2', target: null })).toBe(false);
    press(10, 21); // within reach of the first marker
    expect([...now().classOf]).toEqual([1, 1, 0, 0]);
    expect(send('dblclick', { ...{ clientX: 60, clientY: 60, target: 'image' } })).toBe(false);
  });

  it('deletes with Shift, with Delete under the pointer, and in its own mode', () => {
    const { dotting, key, press, send, now, at } = setup();
    dotting.start(key);
    press(50, 40, { shiftKey: true });
    expect([...now().classOf]).toEqual([0, 0]);
    press(50, 40, { shiftKey: true });
    expect(now().classOf).toHaveLength(2);
    send('mousemove', at(90, 70));
    expect(send('keydown', { key: 'Delete', target: null })).toBe(false);
    expect(now().classOf).toHaveLength(1);
    // Nothing is under the pointer now: the viewer may delete what it has selected.
    expect(send('keydown', { key: 'Delete', target: null })).toBe(true);
    dotting.setErasing(true);
    press(10, 20);
    expect(now().total.count).toBe(0);
  });

  it('knows the classes that are there, and ends with Escape and with what is edited', () => {
    const { dotting, key, results, send } = setup();
    dotting.start(key);
    send('keydown', { key: '9', target: null });
    expect(dotting.state.get()).toMatchObject({ key, classIndex: 0 });
    expect(send('keydown', { key: 'Escape', target: null })).toBe(false);
    expect(dotting.state.get().key).toBeUndefined();
    dotting.start(key);
    results.remove(key);
    dotting.look();
    expect(dotting.state.get().key).toBeUndefined();
  });

  it('hears nothing once it is unsubscribed', () => {
    const { dotting, key, press, following } = setup();
    dotting.start(key);
    following.unsubscribe();
    expect(press(5, 5)).toBe(true);
  });
});

describe('edits', () => {
  it('are steps of the viewer\'s history, there and back', () => {
    const { edits, key, history, now, results } = setup();
    const original = now();
    edits.edit(key, { kind: 'remove', marker: 0 });
    edits.edit(key, { kind: 'add', x: 1, y: 1, classIndex: 0 });
    const edited = now();
    expect(results.get(key)!.unedited).toBe(original);
    history[1]!.restoreMemo(true);
    history[0]!.restoreMemo(true);
    expect(now()).toBe(original);
    expect(results.get(key)!.unedited).toBeUndefined();
    history[0]!.restoreMemo(false);
    history[1]!.restoreMemo(false);
    expect(now()).toBe(edited);
    edits.discard(key);
    expect(now()).toBe(original);
    history[2]!.restoreMemo(true);
    expect(now()).toBe(edited);
  });

  it('do not come back over another run\'s count, and what changes nothing is no step', () => {
    const { edits, key, history, now, results } = setup();
    edits.edit(key, { kind: 'remove', marker: 7 });
    expect(history).toHaveLength(0);
    edits.edit(key, { kind: 'remove', marker: 0 });
    const { key: again } = results.keep(points({ createdAt: 'later' }));
    expect(again).toBe(key);
    history[0]!.restoreMemo(true);
    expect(now().createdAt).toBe('later');
  });

  it('of dots by hand have more classes, a model\'s have not', () => {
    const dots = dotsOn(points().source, 'now');
    const { edits, key, now } = setup(dots);
    edits.setTargets(key, ['Cell', 'Dead'].map(dotTarget));
    expect(now().classes.map(({ target }) => target.label)).toEqual(['Cell', 'Dead']);
    const model = setup();
    model.edits.setTargets(model.key, ['A', 'B', 'C'].map(dotTarget));
    expect(model.now().classes).toHaveLength(2);
  });
});
