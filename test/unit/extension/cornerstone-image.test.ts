import { readFrame } from '../../../extension/sources/cornerstone-image.ts';
import type { Cornerstone, DicomInstance } from '../../../extension/types/ohif.ts';

const UIDS = { StudyInstanceUID: '1', SeriesInstanceUID: '1.2', SOPInstanceUID: '1.2.3' };
const GREY: DicomInstance = { ...UIDS, Modality: 'CR', PhotometricInterpretation: 'MONOCHROME2', BitsStored: 12, PixelRepresentation: 0 };

interface Frame {
  rows: number; columns: number; data: ArrayLike<number>; numberOfComponents?: number; color?: boolean; preScale?: { enabled: boolean; scaled: boolean };
}

function host(instance: DicomInstance | undefined, frame?: Partial<Frame>): Cornerstone {
  const { data = [0, 1, 2, 4095, 4, 5], ...rest } = frame ?? {};
  const decoded = { rows: 2, columns: 3, numberOfComponents: 1, color: false, voxelManager: { getScalarData: () => data }, ...rest };
  return {
    metaData: { get: (type: string) => (type === 'instance' ? instance : undefined) },
    imageLoader: { loadAndCacheImage: async () => decoded },
  } as unknown as Cornerstone;
}

describe('a frame of the viewer', () => {
  it('comes with its geometry, spacing column first, and where it came from', async () => {
    const image = await readFrame(host({ ...GREY, ImagerPixelSpacing: ['0.2', '0.1'], ViewPosition: 'PA', BodyPartExamined: '' }), 'id');
    expect(image).toMatchObject({
      shape: [3, 2, 1], channels: 1, modality: 'CR', spacingMm: [0.1, 0.2], spacingSource: 'ImagerPixelSpacing', representableRange: [0, 4095],
      sources: [{ studyInstanceUID: '1', seriesInstanceUID: '1.2', sopInstanceUID: '1.2.3', frame: 1 }], attributes: { viewPosition: 'PA' },
    });
    expect(image.attributes).toEqual({ viewPosition: 'PA', photometricInterpretation: 'MONOCHROME2' });
    expect(image.indexToPatient).toBeUndefined();
    expect([...image.pixels]).toEqual([0, 1, 2, 4095, 4, 5]);
  });

  it.each([[[0, 0]], [['0.1']], [undefined], [['a', 'b']], [[-1, 1]]])('has no spacing when the image states %j', async PixelSpacing => {
    const image = await readFrame(host({ ...GREY, PixelSpacing: PixelSpacing as DicomInstance['PixelSpacing'] }), 'id');
    expect(image.spacingMm).toBeUndefined();
    expect(image.spacingSource).toBeUndefined();
  });

  it('is rescaled where the viewer has not, and only there', async () => {
    const ct = { ...GREY, Modality: 'CT', RescaleSlope: '2', RescaleIntercept: -1024 };
    const raw = await readFrame(host(ct), 'id');
    expect([...raw.pixels.slice(0, 3)]).toEqual([-1024, -1022, -1020]);
    const scaled = await readFrame(host(ct, { data: raw.pixels.slice(), preScale: { enabled: true, scaled: true } }), 'id');
    expect([...scaled.pixels]).toEqual([...raw.pixels]);
    expect(scaled.representableRange).toEqual([-1024, 7166]);
  });

  it('of MONOCHROME1 is larger where it is brighter', async () => {
    const image = await readFrame(host({ ...GREY, PhotometricInterpretation: 'MONOCHROME1', PixelPaddingValue: 0 }), 'id');
    // 0 is padding: white as stored; it becomes the darkest value that was measured.
    expect([...image.pixels]).toEqual([0, 4094, 4093, 0, 4091, 4090]);
  });

  it('of colour is RGB without alpha', async () => {
    const data = Uint8Array.from({ length: 24 }, (_, i) => i);
    const image = await readFrame(host({ ...UIDS, PhotometricInterpretation: 'RGB' }, { data, numberOfComponents: 4, color: true }), 'id');
    expect(image).toMatchObject({ channels: 3, modality: 'OT', representableRange: [0, 255] });
    expect([...image.pixels.slice(0, 6)]).toEqual([0, 1, 2, 4, 5, 6]);
  });

  it('of a tomographic image maps pixel centres to the patient', async () => {
    const image = await readFrame(host({
      ...GREY, Modality: 'CT', PixelSpacing: [2, 0.5], ImagePositionPatient: ['10', '20', '30'], ImageOrientationPatient: [1, 0, 0, 0, 1, 0], FrameOfReferenceUID: '9',
    }), 'id');
    expect(image.frameOfReferenceUID).toBe('9');
    expect(image.indexToPatient).toEqual([0.5, 0, 0, 10, 0, 2, 0, 20, 0, 0, 1, 30, 0, 0, 0, 1]);
  });

  it.each([
    ['input/no-pixels', undefined, {}],
    ['input/no-pixels', { ...GREY, SOPInstanceUID: undefined }, {}],
    ['input/inconsistent', GREY, { data: [1, 2, 3] }],
    ['input/inconsistent', { ...GREY, RescaleSlope: 0 }, {}],
    ['input/unsupported-pixels', { ...GREY, ModalityLUTSequence: [{}] }, {}],
    ['input/unsupported-pixels', GREY, { numberOfComponents: 2 }],
  ])('is refused with %s', async (code, instance, frame) => {
    await expect(readFrame(host(instance as DicomInstance | undefined, frame), 'id')).rejects.toMatchObject({ code });
  });

  it('says what the viewer said when it cannot load', async () => {
    const broken = { ...host(GREY), imageLoader: { loadAndCacheImage: () => Promise.reject({ error: new Error('404'), imageId: 'id' }) } };
    await expect(readFrame(broken as unknown as Cornerstone, 'id')).rejects.toMatchObject({ code: 'input/unreadable', message: expect.stringContaining('404') });
  });

  it('stops when it is cancelled while the viewer loads', async () => {
    const abort = new AbortController();
    const reading = readFrame(host(GREY), 'id', abort.signal);
    abort.abort();
    await expect(reading).rejects.toMatchObject({ code: 'job/cancelled' });
  });
});
