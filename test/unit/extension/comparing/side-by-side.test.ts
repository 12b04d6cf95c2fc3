import { SideBySide, SIDES } from '../../../../extension/comparing/side-by-side.ts';
import { FrameIndexes } from '../../../../extension/overlays/place.ts';
import type { GridLayout, GridState, GridViewport, Services } from '../../../../extension/types/ohif.ts';
import { FakeViewer } from '../fake-viewer.ts';
import { image, result, source } from '../made.ts';

function setup() {
  const viewer = new FakeViewer();
  viewer.addSeries('d', ['a', 'b']);
  viewer.addSeries('e', ['c'], { series: '1.3' });
  const place = (viewportId: string, uid: string, positionId: string, x: number): GridViewport => ({ viewportId, displaySetInstanceUIDs: [uid], positionId, x, y: 0, width: 0.5, height: 1 });
  let grid: GridState = { activeViewportId: 'v', viewports: new Map([['v', place('v', 'd', '0-0', 0)], ['w', place('w', 'e', '1-0', 0.5)]]), layout: { numRows: 1, numCols: 2, layoutType: 'grid' } };
  const layouts: GridLayout[] = [];
  const shown: [string, string][] = [];
  const services = {
    ...viewer.services,
    viewportGridService: {
      getState: () => grid, getActiveViewportId: () => grid.activeViewportId,
      setLayout: (layout: GridLayout) => {
        layouts.push(layout);
        const made = [0, 1].map(i => layout.findOrCreateViewport(i, `${i}-0`) as GridViewport & { viewportOptions?: { viewportId: string } });
        grid = { ...grid, activeViewportId: layout.activeViewportId ?? null, viewports: new Map(made.map(of => [of.viewportOptions?.viewportId ?? of.viewportId, of])) };
      },
      setDisplaySetsForViewport: ({ viewportId, displaySetInstanceUIDs: [uid] }: { viewportId: string; displaySetInstanceUIDs: readonly string[] }) => shown.push([viewportId, uid!]),
    },
  } as unknown as Services;
  const side = new SideBySide(services, new FrameIndexes(viewer.cornerstone));
  const kept = (sop: string, series = '1.2') => ({ key: sop, studyInstanceUID: '1', seriesInstanceUID: series, visible: true, result: result(image(source(sop, 1, '1', series))) });
  return { side, kept, layouts, shown, ids: () => [...grid.viewports.keys()], change: (next: GridState) => (grid = next), grid: () => grid };
}

test('two viewports of one image, tied by the viewer\'s synchronizers, and back to the layout of before', () => {
  const { side, kept, layouts, ids, grid } = setup();
  side.open(kept('b'));
  expect(ids()).toEqual([SIDES.a, SIDES.b]);
  const left = [...grid().viewports.values()][0] as GridViewport & { viewportOptions: { syncGroups: { type: string; id: string }[]; viewportType: string } };
  expect(left.displaySetInstanceUIDs).toEqual(['d']);
  expect(left.viewportOptions.syncGroups.map(({ type }) => type)).toEqual(['zoompan', 'voi', 'imageslice']);
  side.open(kept('b'));
  expect(layouts).toHaveLength(1);
  side.close();
  expect(ids()).toEqual(['v', 'w']);
  expect(grid().activeViewportId).toBe('v');
  side.close();
  expect(layouts).toHaveLength(2);
});

test('another case is shown in the same two viewports', () => {
  const { side, kept, shown } = setup();
  side.open(kept('a'));
  side.open(kept('c', '1.3'));
  expect(shown).toEqual([[SIDES.a, 'e'], [SIDES.b, 'e']]);
});

test('a layout that somebody else chose meanwhile stays, and is noticed once the two had been there', () => {
  const { side, kept, layouts, change, grid } = setup();
  const before = grid();
  expect(side.left()).toBe(false);
  side.open(kept('a'));
  const opened = grid();
  // The grid has not followed yet.
  change(before);
  expect(side.left()).toBe(false);
  change(opened);
  expect(side.left()).toBe(false);
  change(before);
  expect(side.left()).toBe(true);
  side.close();
  expect(layouts).toHaveLength(1);
});

test('what is not open is not shown', () => {
  const { side, kept, layouts } = setup();
  side.open(kept('elsewhere'));
  expect(layouts).toEqual([]);
});
