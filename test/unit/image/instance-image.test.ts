import { isInstanceReference } from '../../../src/image/image.ts';
import { imageFromInstance, volumeFromInstances } from '../../../src/image/instance-image.ts';
import { part10, picture, slice, UID, type Attributes } from '../../fixtures/build-dicom.ts';

const image = (attributes: Attributes) => imageFromInstance(part10(attributes));
const values = async (attributes: Attributes) => Array.from((await image(attributes)).pixels);
const eight = { '00280100': 8, '00280101': 8, '00280102': 7 };
const colour = { ...eight, '00280002': 3, '00280004': 'RGB', '00280010': 1, '00280011': 2 };

describe('grey', () => {
  test('stored values are modality values when the file says nothing', async () => {
    const plain = await image(picture());
    expect(plain).toMatchObject({ modality: 'CR', shape: [3, 2, 1], channels: 1, representableRange: [0, 4095] });
    expect([...plain.pixels]).toEqual([0, 100, 200, 300, 400, 500]);
    expect(plain.sources).toEqual([{ studyInstanceUID: UID.study, seriesInstanceUID: UID.series, sopInstanceUID: '1.2.3.4.5', frame: 1 }]);
  });

  test('rescale', async () => {
    expect(await values(picture({ '00281053': '2.5', '00281052': '-10' }))).toEqual([-10, 240, 490, 740, 990, 1240]);
  });

  test('modality LUT', async () => {
    const table = { '00283000': [{ '00283002': [3, 100, 16], '00283006': [7, 8, 9] }] };
    expect(await values(picture({ ...table, '7FE00010': [0, 100, 101, 102, 103, 4000] }))).toEqual([7, 7, 8, 9, 9, 9]);
    await expect(values(picture({ '00283000': [{ '00283002': [5, 100, 16], '00283006': [7, 8, 9] }] }))).rejects.toMatchObject({ code: 'input/inconsistent', fields: { expected: 5, got: 3 } });
  });

  test('MONOCHROME1: larger is brighter', async () => {
    expect(await values(picture({ '00280004': 'MONOCHROME1' }))).toEqual([4095, 3995, 3895, 3795, 3695, 3595]);
    expect(await values(picture({ '00280004': 'MONOCHROME1', '00281053': '-1', '00281052': '4095' }))).toEqual([0, 100, 200, 300, 400, 500]);
  });

  test('padding is filled with the darkest measured value, in MONOCHROME1 too', async () => {
    expect(await values(picture({ '00280120': 0 }))).toEqual([100, 100, 200, 300, 400, 500]);
    expect(await values(picture({ '00280120': 0, '00280121': 200 }))).toEqual([300, 300, 300, 300, 400, 500]);
    expect(await values(picture({ '00280120': 0, '00280004': 'MONOCHROME1' }))).toEqual([3595, 3995, 3895, 3795, 3695, 3595]);
    expect(await values(slice(0, { '00280103': 1, '00280101': 16, '00280102': 15, '00280120': 0xf830, '7FE00010': [0xf830, 24, 1024, 2000, 24, 24] }))).toEqual([-1000, -1000, 0, 976, -1000, -1000]);
  });
});

describe('colour', () => {
  test('RGB, pixel by pixel and in planes', async () => {
    expect(await values(picture({ ...colour, '7FE00010': Uint8Array.from([1, 2, 3, 4, 5, 6]) }))).toEqual([1, 2, 3, 4, 5, 6]);
    expect(await values(picture({ ...colour, '00280006': 1, '7FE00010': Uint8Array.from([1, 4, 2, 5, 3, 6]) }))).toEqual([1, 2, 3, 4, 5, 6]);
  });

  test('deeper RGB is scaled to 0..255', async () => {
    const deep = { ...colour, '00280100': 16, '00280101': 16, '00280102': 15, '7FE00010': [0, 257, 65535, 514, 0, 257] };
    expect(await values(picture(deep))).toEqual([0, 1, 255, 2, 0, 1]);
  });

  test('YBR_FULL: black, white, and the primaries as JFIF defines them', async () => {
    const ybr = { ...colour, '00280004': 'YBR_FULL' };
    expect(await values(picture({ ...ybr, '7FE00010': Uint8Array.from([0, 128, 128, 255, 128, 128]) }))).toEqual([0, 0, 0, 255, 255, 255]);
    expect(await values(picture({ ...ybr, '7FE00010': Uint8Array.from([76, 85, 255, 29, 255, 107]) }))).toEqual([254, 0, 0, 0, 0, 254]);
  });

  test('YBR_FULL_422: two pixels share their chrominance', async () => {
    const shared = { ...colour, '00280004': 'YBR_FULL_422', '7FE00010': Uint8Array.from([76, 76, 85, 255]) };
    expect(await values(picture(shared))).toEqual([254, 0, 0, 254, 0, 0]);
  });

  test('palette', async () => {
    const palette = {
      ...eight, '00280004': 'PALETTE COLOR', '00281101': [3, 1, 16], '00281102': [3, 1, 16], '00281103': [3, 1, 16],
      '00281201': [0, 257, 65535], '00281202': [0, 514, 0], '00281203': [65535, 0, 0], '7FE00010': Uint8Array.from([0, 1, 2, 3, 4, 255]),
    };
    const [a, b, c] = [[0, 0, 255], [1, 2, 0], [255, 0, 0]];
    expect(await values(picture(palette))).toEqual([a, a, b, c, c, c].flat());
    expect((await image(picture(palette))).channels).toBe(3);
    const short = { ...palette, '00281201': [0] };
    await expect(values(picture(short))).rejects.toMatchObject({ code: 'input/inconsistent' });
    const packed = { '00281101': [3, 0, 8], '00281102': [3, 0, 8], '00281103': [3, 0, 8], '00281201': Uint8Array.from([1, 2, 3]), '00281202': Uint8Array.from([4, 5, 6]), '00281203': Uint8Array.from([7, 8, 9]) };
    expect((await values(picture({ ...palette, ...packed }))).slice(0, 9)).toEqual([1, 4, 7, 2, 5, 8, 3, 6, 9]);
  });
});

describe('place and spacing', () => {
  test('a radiograph has spacing and its source, and no place even when it states one', async () => {
    const radiograph = await image(picture({ '00181164': '0.2\\0.1', '00200032': '0\\0\\0', '00200037': '1\\0\\0\\0\\1\\0', '00185101': 'PA' }));
    expect(radiograph).toMatchObject({ spacingMm: [0.1, 0.2], spacingSource: 'ImagerPixelSpacing', attributes: { viewPosition: 'PA' } });
    expect(radiograph.indexToPatient).toBeUndefined();
    expect(radiograph.sliceSpacingMm).toBeUndefined();
  });

  test('spacing that is not stated, or 0, is absent', async () => {
    expect(await image(picture())).not.toHaveProperty('spacingMm');
    expect(await image(picture({ '00280030': '0\\0' }))).not.toHaveProperty('spacingMm');
  });

  test('a CT slice has a place', async () => {
    const { indexToPatient, frameOfReferenceUID, spacingMm } = await image(slice(-7));
    expect(indexToPatient).toEqual([0.25, 0, 0, 0, 0, 0.5, 0, 0, 0, 0, 1, -7, 0, 0, 0, 1]);
    expect(frameOfReferenceUID).toBe(UID.frameOfReference);
    expect(spacingMm).toEqual([0.25, 0.5]);
  });
});

describe('volumes', () => {
  const stack = (...slices: Attributes[]) => volumeFromInstances(slices.map((s) => part10(s)));

  test('are sorted by place, not by number, each slice with its own rescale', async () => {
    const volume = await stack(slice(5, { '00200013': 1 }), slice(-5, { '00200013': 2, '00281053': '2' }), slice(0, { '00200013': 3 }));
    expect(volume).toMatchObject({ shape: [3, 2, 3], sliceSpacingMm: 5, spacingMm: [0.25, 0.5], spacingSource: 'PixelSpacing' });
    expect(volume.sources.map((s) => isInstanceReference(s) && s.sopInstanceUID)).toEqual(['1.2.3.4.950', '1.2.3.4.1000', '1.2.3.4.1050']);
    expect([...volume.pixels.subarray(0, 2), ...volume.pixels.subarray(6, 8)]).toEqual([-1024, -824, -1024, -924]);
    expect(volume.representableRange).toEqual([-1024, 7166]);
    expect(volume.indexToPatient?.slice(8, 12)).toEqual([0, 0, 5, -5]);
  });

  test.each([
    ['duplicates', [slice(0), slice(0), slice(5)], '0 mm apart'],
    ['a gap', [slice(0), slice(5), slice(15)], 'widest step is 10 mm'],
    ['two series', [slice(0), slice(5, { '0020000E': '9.9' })], 'one series'],
    ['two frames of reference', [slice(0), slice(5, { '00200052': '9.9' })], 'one frame of reference'],
    ['two sizes', [slice(0), slice(5, { '00280010': 1, '7FE00010': [0, 1, 2] })], 'one size'],
    ['two orientations', [slice(0), slice(5, { '00200037': '0\\1\\0\\0\\0\\-1' })], 'parallel'],
    ['a slice without a place', [slice(0), slice(5, { '00200032': undefined })], 'ImagePositionPatient'],
    ['a slice without spacing', [slice(0), slice(5, { '00280030': undefined })], 'pixel spacing'],
  ])('refuse %s with the numbers', async (_, slices, message) => {
    await expect(stack(...slices)).rejects.toMatchObject({ code: 'input/geometry', message: expect.stringContaining(message) });
  });

  test('a radiograph is no slice', async () => {
    await expect(stack(picture(), picture())).rejects.toMatchObject({ code: 'input/geometry' });
  });
});

describe('multi-frame', () => {
  const enhanced = (positions: readonly number[], more: Attributes = {}): Attributes => slice(0, {
    '00280008': positions.length, '00200032': undefined, '00200037': undefined, '00280030': undefined, '00281052': undefined, '00281053': undefined,
    '7FE00010': positions.flatMap((_, f) => [0, 1, 2, 3, 4, 5].map((v) => v + 10 * f)),
    '52009229': [{ '00209116': [{ '00200037': '1\\0\\0\\0\\1\\0' }], '00289110': [{ '00280030': '2\\3' }] }],
    '52009230': positions.map((z) => ({ '00209113': [{ '00200032': `0\\0\\${z}` }], '00289145': [{ '00281053': '1', '00281052': `${z * 100}` }] })),
    ...more,
  });

  test('an enhanced CT is a volume, its frames sorted and rescaled each by its own', async () => {
    const volume = await image(enhanced([2, 0, 1]));
    expect(volume).toMatchObject({ shape: [3, 2, 3], spacingMm: [3, 2], spacingSource: 'SharedFunctionalGroups', sliceSpacingMm: 1 });
    expect(volume.sources.map((s) => isInstanceReference(s) && s.frame)).toEqual([2, 3, 1]);
    expect([...volume.pixels.subarray(0, 2), ...volume.pixels.subarray(6, 8), ...volume.pixels.subarray(12, 14)]).toEqual([10, 11, 120, 121, 200, 201]);
  });

  test('one frame of it has its own place', async () => {
    const frame = await imageFromInstance(part10(enhanced([2, 0, 1])), { frame: 3 });
    expect(frame.shape).toEqual([3, 2, 1]);
    expect(frame.indexToPatient?.[11]).toBe(1);
    expect(frame.pixels[0]).toBe(120);
  });

  test('frames without a place make no volume: one has to be chosen', async () => {
    const cine = picture({ '00080060': 'US', '00280008': 2, '7FE00010': Array.from({ length: 12 }, (_, i) => i) });
    await expect(image(cine)).rejects.toMatchObject({ code: 'input/geometry' });
    expect([...(await imageFromInstance(part10(cine), { frame: 2 })).pixels]).toEqual([6, 7, 8, 9, 10, 11]);
    await expect(imageFromInstance(part10(cine), { frame: 3 })).rejects.toMatchObject({ code: 'input/refused' });
  });
});

test('an instance without UIDs is known by its file, or refused', async () => {
  const bytes = part10(picture({ '00080018': undefined }));
  expect((await imageFromInstance(bytes, { file: 'a.dcm' })).sources).toEqual([{ file: 'a.dcm' }]);
  await expect(imageFromInstance(bytes)).rejects.toMatchObject({ code: 'input/inconsistent' });
});
