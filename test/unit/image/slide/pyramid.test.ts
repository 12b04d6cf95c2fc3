import { chooseLevel } from '../../../../src/image/slide/choose-level.ts';
import { slidePyramid } from '../../../../src/image/slide/pyramid.ts';
import { slideJson, TILE, type SlideSpec } from '../../../fixtures/build-slide.ts';

const base: SlideSpec = { sop: '1.1', columns: 100, rows: 60 };
const half: SlideSpec = { sop: '1.2', columns: 50, rows: 30, spacing: '0.001\\0.001' };
const quarter: SlideSpec = { sop: '1.3', columns: 25, rows: 15, spacing: '0.002\\0.002' };
const pyramidOf = (...specs: SlideSpec[]) => slidePyramid(specs.map(slideJson));
const failure = (work: () => unknown) => {
  try {
    work();
  } catch (error) {
    return error as { code: string; message: string };
  }
  throw new Error('expected a refusal');
};

describe('the levels of a slide', () => {
  test('come the finest first, from instances in any order; pictures beside the slide are left out by name', () => {
    const { levels, leftOut, opticalPath } = pyramidOf(half, { ...quarter, sop: '1.7', flavour: 'LABEL' }, quarter, base, { ...half, sop: '1.8', flavour: 'OVERVIEW' }, { ...half, sop: '1.9', flavour: 'THUMBNAIL' });
    expect(levels.map(({ columns, rows, downsample, spacingMm, image }) => [columns, rows, downsample, spacingMm, image.sopInstanceUID])).toEqual([
      [100, 60, 1, [0.0005, 0.0005], '1.1'], [50, 30, 2, [0.001, 0.001], '1.2'], [25, 15, 4, [0.002, 0.002], '1.3'],
    ]);
    expect(opticalPath).toBe('1');
    expect(leftOut).toEqual([
      { sopInstanceUID: '1.7', reason: expect.stringContaining('LABEL') }, { sopInstanceUID: '1.8', reason: expect.stringContaining('OVERVIEW') }, { sopInstanceUID: '1.9', reason: expect.stringContaining('THUMBNAIL') },
    ]);
  });

  test('tiles of TILED_FULL are counted row by row', () => {
    const [{ grid }] = pyramidOf(base).levels as [ReturnType<typeof pyramidOf>['levels'][number]];
    expect([grid.across, grid.down, grid.present]).toEqual([7, 4, 28]);
    expect([grid.frameAt(0, 0), grid.frameAt(6, 0), grid.frameAt(0, 1), grid.frameAt(6, 3)].map(address => address!.frameNumber)).toEqual([1, 7, 8, 28]);
  });

  test('tiles of TILED_SPARSE lie where they say; others are not there', () => {
    const { grid } = pyramidOf({ ...base, sparse: [{ x: 2 * TILE, y: TILE }, { x: 0, y: 0 }] }).levels[0]!;
    expect(grid.present).toBe(2);
    expect([grid.frameAt(0, 0), grid.frameAt(2, 1), grid.frameAt(1, 0)]).toEqual([{ sopInstanceUID: '1.1', frameNumber: 2 }, { sopInstanceUID: '1.1', frameNumber: 1 }, undefined]);
  });

  test('one optical path of several is chosen by its identifier, never guessed', () => {
    const two = { ...base, paths: ['bright', 'dapi'] };
    expect(failure(() => pyramidOf(two))).toMatchObject({ code: 'input/refused', message: expect.stringContaining('bright, dapi') });
    expect(failure(() => slidePyramid([slideJson(two)], { opticalPath: 'red' }))).toMatchObject({ code: 'input/refused', message: expect.stringContaining('bright, dapi') });
    const frame = (opticalPath: string) => slidePyramid([slideJson(two)], { opticalPath }).levels[0]!.grid.frameAt(1, 0)!.frameNumber;
    expect([frame('bright'), frame('dapi')]).toEqual([2, 30]);
    const sparse = { ...base, paths: ['a', 'b'], sparse: [{ x: 0, y: 0, path: 'a' }, { x: 0, y: 0, path: 'b' }] };
    expect(slidePyramid([slideJson(sparse)], { opticalPath: 'b' }).levels[0]!.grid.frameAt(0, 0)!.frameNumber).toBe(2);
  });

  test('levels that name their one path each in their own way are one path', () => {
    expect(pyramidOf(base, { ...half, paths: ['2'] }).levels).toHaveLength(2);
    expect(failure(() => pyramidOf(base, { ...base, sop: '1.5', paths: ['2'] })).message).toContain('2 optical paths');
  });

  test('the parts of a concatenation are one image; a missing one is named', () => {
    const part = (sop: string, first: number, frames: number): SlideSpec => ({ ...base, sop, frames, more: [['00209161', 'UI', '7.7'], ['00209163', 'US', 2], ['00209228', 'UL', first]] });
    const { levels } = pyramidOf(part('1.6', 10, 18), part('1.5', 0, 10));
    expect(levels).toHaveLength(1);
    expect([levels[0]!.grid.frameAt(2, 1), levels[0]!.grid.frameAt(3, 1)]).toEqual([{ sopInstanceUID: '1.5', frameNumber: 10 }, { sopInstanceUID: '1.6', frameNumber: 1 }]);
    expect(failure(() => pyramidOf(part('1.6', 10, 18)))).toMatchObject({ code: 'input/inconsistent', message: expect.stringContaining('begins with frame 1 is missing') });
    expect(failure(() => pyramidOf(part('1.5', 0, 28)))).toMatchObject({ code: 'input/inconsistent', message: expect.stringContaining('has 2 parts, got 1') });
  });

  test.each<[string, readonly SlideSpec[], string, string]>([
    ['several focal planes of TILED_FULL', [{ ...base, more: [['00480303', 'UL', 3]] }], 'input/unsupported-pixels', 'one focal plane, got 3'],
    ['several focal planes of TILED_SPARSE', [{ ...base, sparse: [{ x: 0, y: 0, z: '0' }, { x: 0, y: 0, z: '0.002' }] }], 'input/unsupported-pixels', 'one focal plane'],
    ['tiles that lie on no grid', [{ ...base, sparse: [{ x: 5, y: 0 }] }], 'input/unsupported-pixels', 'column 6, row 1'],
    ['a tile outside', [{ ...base, sparse: [{ x: 10 * TILE, y: 0 }] }], 'input/unsupported-pixels', 'column 161'],
    ['two tiles at one place', [{ ...base, sparse: [{ x: 0, y: 0 }, { x: 0, y: 0 }] }], 'input/inconsistent', 'Two tiles'],
    ['no place for a tile', [{ ...base, frames: 28, without: ['00209311'] }], 'input/inconsistent', 'a place for each of 28 tiles'],
    ['too few frames', [{ ...base, frames: 27 }], 'input/inconsistent', 'has 28 frames, but this one has 27'],
    ['two slides', [base, { ...half, more: [['00200052', 'UI', '5.5']] }], 'input/refused', 'different frame of reference'],
    ['two images of one size', [base, { ...base, sop: '1.5' }], 'input/inconsistent', '100 × 60'],
    ['labels only', [{ ...base, flavour: 'LABEL' }], 'input/no-pixels', 'LABEL'],
    ['no size', [{ ...base, without: ['00480006'] }], 'input/inconsistent', 'TotalPixelMatrixColumns'],
    ['a size of nothing', [{ ...base, more: [['00480007', 'UL', 0]] }], 'input/inconsistent', 'TotalPixelMatrixRows'],
    ['another kind of object', [{ ...base, more: [['00080016', 'UI', '1.2.840.10008.5.1.4.1.1.2']] }], 'input/refused', 'Whole Slide'],
    ['a rescale that is no number', [{ ...base, samples: 1, more: [['00281052', 'DS', '0'], ['00281053', 'DS', 'NaN']] }], 'input/inconsistent', 'RescaleSlope'],
    ['an infinite rescale', [{ ...base, samples: 1, more: [['00281052', 'DS', 'Infinity'], ['00281053', 'DS', '1']] }], 'input/inconsistent', 'RescaleIntercept'],
    ['a slope of 0', [{ ...base, samples: 1, more: [['00281052', 'DS', '0'], ['00281053', 'DS', '0']] }], 'input/inconsistent', 'slope other than 0'],
    ['no instance UID', [{ ...base, without: ['0020000D'] }], 'input/inconsistent', 'StudyInstanceUID'],
    ['four samples a pixel', [{ ...base, more: [['00280002', 'US', 4], ['00280004', 'CS', 'CMYK']] }], 'input/unsupported-pixels', 'CMYK'],
  ])('are refused for %s', (_, specs, code, said) => {
    expect(failure(() => pyramidOf(...specs))).toMatchObject({ code, message: expect.stringContaining(said) });
  });

  test('a slide of 1 × 1 pixels is one', () => {
    const { levels: [level] } = pyramidOf({ ...base, columns: 1, rows: 1, frames: 1 });
    expect(level).toMatchObject({ columns: 1, rows: 1, grid: { across: 1, down: 1, present: 1 } });
  });
});

describe('the level that a model reads', () => {
  const slide = pyramidOf(base, half, quarter);

  test('is the finest where the model does not say, and the result says so', () => {
    expect(chooseLevel(slide)).toMatchObject({ index: 0, chosenBy: 'finest', reason: expect.stringContaining('the finest of 3 levels') });
    expect(chooseLevel(pyramidOf(base)).reason).toContain('the only level');
  });

  test.each([[0.0005, 0], [0.00065, 0], [0.0008, 1], [0.0011, 1], [0.0016, 2], [0.0029, 2]])('for %d mm is that of the nearest pixels: %d', (wanted, index) => {
    expect(chooseLevel(slide, wanted)).toMatchObject({ index, chosenBy: 'spacing' });
  });

  test('none is taken whose pixels are of quite another size, but the one that the user names', () => {
    expect(failure(() => chooseLevel(slide, 0.00025))).toMatchObject({ code: 'input/refused', message: expect.stringContaining('0.25 µm') });
    expect(failure(() => chooseLevel(slide, 0.01)).message).toContain('0.5 µm, 1 µm, 2 µm');
    expect(chooseLevel(slide, 0.01, 2)).toMatchObject({ index: 2, chosenBy: 'user' });
    expect(failure(() => chooseLevel(slide, undefined, 3))).toMatchObject({ code: 'config/invalid', message: expect.stringContaining('from 0 to 2') });
  });

  test('a slide that does not say its spacing is refused by a model that wants one, and read by another', () => {
    const plain = pyramidOf({ ...base, spacing: undefined });
    expect(failure(() => chooseLevel(plain, 0.0005))).toMatchObject({ code: 'input/refused', message: expect.stringContaining('does not say its pixel spacing') });
    expect(chooseLevel(plain).level.spacingMm).toBeUndefined();
    expect(chooseLevel(pyramidOf({ ...base, spacing: '0\\0.0005' })).level.spacingMm).toBeUndefined();
  });
});
