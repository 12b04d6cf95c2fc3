import { MarkerCanvas, type View } from '../../../extension/overlays/marker-canvas.ts';
import { clusterStep, shortCount, type MarkerSet } from '../../../extension/overlays/marker-drawing.ts';
import { MarkerIndex } from '../../../extension/overlays/marker-index.ts';

/** An element of a page, or a canvas, that writes down what is drawn on it. */
class FakeElement {
  readonly style: Record<string, string> = {};
  readonly dataset: Record<string, string> = {};
  readonly children: FakeElement[] = [];
  readonly drawn: { kind: string; at: readonly number[] }[] = [];
  readonly ownerDocument: FakePage;
  className = '';
  textContent = '';
  hidden = false;
  isConnected = true;
  width = 0;
  height = 0;
  clears = 0;

  constructor(readonly name: string, page: FakePage) { this.ownerDocument = page; }
  setAttribute(): void { /* none is read */ }
  append(...more: FakeElement[]): void { this.children.push(...more); }
  remove(): void { this.isConnected = false; }
  getContext() {
    const note = (kind: string) => (...args: unknown[]) => { this.drawn.push({ kind, at: args.filter(arg => typeof arg === 'number') }); };
    const nothing = () => undefined;
    return {
      canvas: this, clearRect: () => { this.clears++; this.drawn.length = 0; }, drawImage: note('marker'), fillText: note('number'),
      beginPath: nothing, arc: nothing, fill: nothing, stroke: nothing, lineTo: nothing, closePath: nothing,
    };
  }
}
class FakePage {
  readonly defaultView = { devicePixelRatio: 1 };
  createElement(name: string): FakeElement { return new FakeElement(name, this); }
}

function setOf(coordinates: number[], scale: MarkerSet['scale'] = [1, 1]): MarkerSet {
  const classOf = new Uint8Array(coordinates.length / 2);
  return { key: 'k', scale, colors: [[1, 2, 3, 255]], index: new MarkerIndex({ coordinates: Float32Array.from(coordinates), classOf }, 1) };
}

function setup(view: View) {
  const page = new FakePage();
  let root!: FakeElement;
  let shown: View | undefined = view;
  const canvas = new MarkerCanvas(page as unknown as Document, element => { root = element as unknown as FakeElement; }, () => shown);
  const look = (change: Partial<View> | undefined) => {
    shown = change && { ...view, ...change };
    canvas.paint();
  };
  look({});
  const layer = root.children[0]!;
  /** Where the middles of markers are on the page, within the viewport. */
  const places = () => {
    const [dx, dy] = /translate\((.+)px, (.+)px\)/.exec(layer.style['transform']!)!.slice(1).map(Number) as [number, number];
    return layer.drawn.filter(({ kind }) => kind === 'marker').map(({ at: [x, y] }) => [x! + 7 + dx, y! + 7 + dy].map(Math.round));
  };
  return { root, layer, look, places };
}

const VIEW: View = { toPage: [2, 0, 0, 2, 10, 20], size: [100, 80], sets: [setOf([5, 10, 30, 20])], labels: [] };

describe('markers over a viewport', () => {
  it('lie on their pixels\' middles, through any camera', () => {
    const { places, look } = setup(VIEW);
    // 2 · (5 + ½) + 10, 2 · (10 + ½) + 20, within the half pixel that sprites are rounded to.
    const close = (wanted: number[][]) => places().forEach((place, i) => place.forEach((v, axis) => expect(Math.abs(v - wanted[i]![axis]!)).toBeLessThanOrEqual(1)));
    close([[21, 41], [71, 61]]);
    look({ toPage: [0, 2, -2, 0, 90, 5] });
    close([[90 - 21, 5 + 11], [90 - 41, 5 + 61]]);
    look({ toPage: [-1.5, 0, 0, 1.5, 100, 0] });
    close([[100 - 8.25, 15.75], [100 - 45.75, 30.75]]);
    look({ sets: [setOf([5, 10], [4, 4])], toPage: [0.5, 0, 0, 0.5, 10, 20] });
    close([[21, 41]]);
  });

  it('are moved as a whole while the image is panned, and drawn again when it has gone too far', () => {
    const { layer, look, places } = setup(VIEW);
    expect(layer.clears).toBe(1);
    for (const [x, y] of [[3, 0], [20, -12], [25, 19]] as const) look({ toPage: [2, 0, 0, 2, 10 + x, 20 + y] });
    expect(layer.clears).toBe(1);
    expect(places()[0]).toEqual([21 + 25, 41 + 19].map(v => expect.closeTo(v, -0.5)));
    look({ toPage: [2, 0, 0, 2, 10 + 40, 20] });
    expect(layer.clears).toBe(2);
  });

  it.each<[string, Partial<View>]>([
    ['another zoom', { toPage: [2.1, 0, 0, 2.1, 10, 20] }],
    ['a rotation', { toPage: [0, 2, -2, 0, 90, 20] }],
    ['a flip', { toPage: [-2, 0, 0, 2, 90, 20] }],
    ['other markers', { sets: [setOf([5, 10])] }],
    ['another size of the viewport', { size: [120, 80] }],
  ])('are drawn again after %s', (_, change) => {
    const { layer, look } = setup(VIEW);
    look(change);
    expect(layer.clears).toBe(2);
  });

  it('are hidden with what they lie on', () => {
    const { root, look } = setup(VIEW);
    expect(root.hidden).toBe(false);
    look(undefined);
    expect(root.hidden).toBe(true);
  });

  it('become clusters with their number where too many can be seen, and none is lost', () => {
    const many = Array.from({ length: 5000 }, (_, i) => [i % 100, Math.floor(i / 100)]).flat();
    const { root, layer, look } = setup({ ...VIEW, toPage: [1, 0, 0, 1, 0, 0], sets: [setOf(many)] });
    expect(root.dataset['clustered']).toBe('true');
    expect(layer.drawn.some(({ kind }) => kind === 'marker')).toBe(false);
    expect(layer.drawn.filter(({ kind }) => kind === 'number').length).toBeGreaterThan(1);
    look({ sets: [setOf(many)], toPage: [8, 0, 0, 8, 0, 0] });
    expect(root.dataset['clustered']).toBe('false');
  });

  it('have labels beside regions, which move with the image', () => {
    const labels = [{ at: [5, 10] as const, text: '12 cells' }];
    const { root, look } = setup({ ...VIEW, labels });
    const [, label] = root.children;
    expect([label!.textContent, label!.style['transform']]).toEqual(['12 cells', 'translate(20px, 40px)']);
    look({ labels, toPage: [2, 0, 0, 2, 13, 20] });
    expect(label!.style['transform']).toBe('translate(23px, 40px)');
    look({ labels: [] });
    expect(label!.isConnected).toBe(false);
  });
});

test('a cluster\'s square is a power of two, about as large on screen at every zoom', () => {
  for (const zoom of [0.03, 0.4, 1, 3, 17]) {
    const step = clusterStep([zoom, 0, 0, zoom, 0, 0], 1);
    expect(Math.log2(step) % 1).toBe(0);
    expect(step * zoom).toBeGreaterThanOrEqual(46);
    if (step > 1) expect(step * zoom).toBeLessThan(92);
  }
});

test.each([[7, '7'], [999, '999'], [1000, '1.0k'], [1299, '1.2k'], [34_567, '34k']])('%p cells are written %p', (count, text) => expect(shortCount(count)).toBe(text));
