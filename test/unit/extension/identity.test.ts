import { frameKey, instanceReference, isResultOf, sameSource, sourcesOf } from '../../../extension/identity.ts';
import { image, result, source, twoViews } from './made.ts';

describe('which image a result is of', () => {
  const uids = { StudyInstanceUID: '1', SeriesInstanceUID: '1.2', SOPInstanceUID: '1.2.3' };

  it('takes the frame from the viewer, 1 where there is none', () => {
    expect(instanceReference(uids)).toEqual(source());
    expect(instanceReference({ ...uids, frameNumber: '7' })?.frame).toBe(7);
    expect(instanceReference({ ...uids, frameNumber: 'x' })?.frame).toBe(1);
  });

  it.each(['StudyInstanceUID', 'SeriesInstanceUID', 'SOPInstanceUID'] as const)('is unknown without the %s', key => {
    expect(instanceReference({ ...uids, [key]: undefined })).toBeUndefined();
  });

  it('tells frames of one instance apart', () => {
    expect(frameKey(source('1', 1))).not.toBe(frameKey(source('1', 11)));
    expect(frameKey(source('1.1', 1))).not.toBe(frameKey(source('1', 11)));
  });

  it.each([
    [source('9')], [source('1.2.3', 2)], [source('1.2.3', 1, '9')], [source('1.2.3', 1, '1', '9')], [{ file: '1.2.3' }], [undefined],
  ])('is not that of %j', other => {
    expect(sameSource(source(), other)).toBe(false);
  });

  it('is exactly what was sent: none missing, none other, none changed in order', () => {
    const made = result(image(source('a')));
    expect(isResultOf(made, [source('a')])).toBe(true);
    expect(isResultOf(made, [source('b')])).toBe(false);
    expect(isResultOf(made, [])).toBe(false);
    const two = { ...made, source: { ...made.source, sources: [source('a'), source('b')] } };
    expect(isResultOf(two, [source('a'), source('b')])).toBe(true);
    expect(isResultOf(two, [source('b'), source('a')])).toBe(false);
    expect(isResultOf(two, [source('a')])).toBe(false);
  });

  it('is that of both views, in whatever order they were sent', () => {
    const [pa, lateral] = [source('pa', 1, '1', 's1'), source('l', 1, '1', 's2')];
    const made = twoViews();
    expect(sourcesOf(made)).toEqual([pa, lateral]);
    expect(isResultOf(made, [pa, lateral])).toBe(true);
    expect(isResultOf(made, [lateral, pa])).toBe(true);
    for (const asked of [[pa], [pa, pa], [pa, lateral, source('x')], [pa, source('l', 1, '9', 's2')]]) expect(isResultOf(made, asked)).toBe(false);
  });
});
