import { baseMatrix, isOfSlide, scaleOn } from '../../../../extension/slides/target.ts';
import { level, slideDisplaySet } from './made-slide.ts';

const source = (sop: string, series = '1.2') => ({ sources: [{ studyInstanceUID: '1', seriesInstanceUID: series, sopInstanceUID: sop, frame: 1 }] });

describe('a slide of the viewer', () => {
  it('is counted in pixels of its finest level, whatever the label has', () => {
    expect(baseMatrix(slideDisplaySet())).toEqual({ columns: 4097, rows: 3001 });
    expect(baseMatrix(slideDisplaySet([level('1.2.9', 9000, 9000, 0.01, 'LABEL'), level('1.2.2', 1025, 751, 0.002)]))).toEqual({ columns: 1025, rows: 751 });
  });

  it('scales a coarser level by its spacing: its size is rounded up', () => {
    expect(scaleOn(slideDisplaySet(), { shape: [1025, 751, 1], spacingMm: [0.002, 0.002] })).toEqual([4, 4]);
    expect(scaleOn(slideDisplaySet(), { shape: [4097, 3001, 1], spacingMm: [0.0005, 0.0005] })).toEqual([1, 1]);
  });

  it('scales by size where the spacing is not stated, or says something else', () => {
    expect(scaleOn(slideDisplaySet(), { shape: [1025, 751, 1] })).toEqual([4097 / 1025, 3001 / 751]);
    expect(scaleOn(slideDisplaySet(), { shape: [1025, 751, 1], spacingMm: [0.001, 0.001] })).toEqual([4097 / 1025, 3001 / 751]);
  });

  it('has only the results of its own instances', () => {
    expect(isOfSlide(source('1.2.1'), slideDisplaySet())).toBe(true);
    expect(isOfSlide(source('1.2.7'), slideDisplaySet())).toBe(false);
    expect(isOfSlide(source('1.2.1', '1.3'), slideDisplaySet())).toBe(false);
    expect(isOfSlide({ sources: [{ file: 'a.png' }] }, slideDisplaySet())).toBe(false);
    expect(isOfSlide({ sources: [] }, slideDisplaySet())).toBe(false);
  });
});
