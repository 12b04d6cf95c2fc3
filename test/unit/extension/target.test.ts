import { isStillOpen, pickTarget, shownImage } from '../../../extension/sources/target.ts';
import type { Services } from '../../../extension/types/ohif.ts';
import { FakeViewer } from './fake-viewer.ts';

describe('what a run reads', () => {
  it('is the current image of the active viewport', () => {
    const viewer = new FakeViewer();
    const displaySet = viewer.addSeries('d', ['a', 'b']);
    viewer.show('v', displaySet, 'image:b');
    expect(pickTarget(viewer.services, viewer.cornerstone)).toEqual({
      viewportId: 'v', displaySetInstanceUID: 'd', imageId: 'image:b',
      source: { studyInstanceUID: '1', seriesInstanceUID: '1.2', sopInstanceUID: 'b', frame: 1 },
    });
  });

  it('is refused, with what to do, when nothing is shown', () => {
    const viewer = new FakeViewer();
    const refused = expect.objectContaining({ code: 'input/no-pixels', message: expect.stringContaining('Click on an image') });
    expect(() => pickTarget(viewer.services, viewer.cornerstone)).toThrow(refused);
    viewer.show('v', viewer.addSeries('d', ['a']), 'an image of no display set');
    expect(() => pickTarget(viewer.services, viewer.cornerstone)).toThrow(refused);
  });

  it('is nothing while the viewer has not mounted', () => {
    const early = {
      viewportGridService: { getActiveViewportId: () => { throw new Error('not implemented'); }, getState: () => { throw new Error('not implemented'); } },
      cornerstoneViewportService: { getCornerstoneViewport: () => null },
    } as unknown as Services;
    expect(shownImage(early, 'v')).toBeUndefined();
    expect(() => pickTarget(early, new FakeViewer().cornerstone)).toThrow(expect.objectContaining({ code: 'input/no-pixels' }));
  });

  it('is still open until its study is closed or its image becomes another', () => {
    const viewer = new FakeViewer();
    viewer.show('v', viewer.addSeries('d', ['a']));
    const target = pickTarget(viewer.services, viewer.cornerstone);
    expect(isStillOpen(viewer.services, viewer.cornerstone, target)).toBe(true);
    viewer.images.get('image:a')!.instance = { ...viewer.images.get('image:a')!.instance, SOPInstanceUID: 'z' };
    expect(isStillOpen(viewer.services, viewer.cornerstone, target)).toBe(false);
    const closed = new FakeViewer();
    expect(isStillOpen(closed.services, closed.cornerstone, target)).toBe(false);
  });
});
