import dicomParser from 'dicom-parser';
import { ctSlice, mrSlice, type SlicePlane } from '../../../src/export/cross-section.ts';
import type { InstanceIdentity } from '../../../src/export/identity.ts';
import { decimalString, encodePart10, TransferSyntax, type DicomObject } from '../../../src/export/part10.ts';
import { radiograph } from '../../../src/export/radiograph.ts';
import { microscopicImage, secondaryCapture } from '../../../src/export/secondary-capture.ts';
import { slideLevelHeader } from '../../../src/export/slide.ts';
import { seededUid } from '../../../src/export/uid.ts';
import { imageFromFile } from '../../../src/image/file-image.ts';

const identity = (modality: string): InstanceIdentity => ({
  study: {
    studyInstanceUID: seededUid('study'), patientID: 'P-1', patientName: 'Müller^Łucja', patientBirthDate: '19700101', patientSex: 'F',
    studyDate: '20250102', studyTime: '030405', studyDescription: 'Über',
  },
  series: { seriesInstanceUID: seededUid('series'), seriesNumber: 3, modality, seriesDescription: 'Series' },
  sopInstanceUID: seededUid('instance'),
  instanceNumber: 7,
});

const columns = 6;
const rows = 5;
const pixels = Uint16Array.from({ length: columns * rows }, (_, i) => (i * 139) % 4096);
const rgb = Uint8Array.from({ length: columns * rows * 3 }, (_, i) => (i * 7) % 256);
const plane: SlicePlane = {
  frameOfReferenceUID: seededUid('frame'), imagePosition: [-10.5, 20, 1 / 3], imageOrientation: [1, 0, 0, 0, 1, 0], spacingMm: [0.75, 0.5], sliceSpacingMm: 2.5,
};
const parse = (object: DicomObject): dicomParser.DataSet => dicomParser.parseDicom(encodePart10(object));
const utf8 = (set: dicomParser.DataSet, tag: string): string => {
  const { dataOffset, length } = set.elements[tag]!;
  return new TextDecoder().decode(set.byteArray.subarray(dataOffset, dataOffset + length)).trimEnd();
};

describe('a radiograph', () => {
  const written = radiograph(identity('DX'), { columns, rows, pixels, bitsStored: 12 }, { kind: 'DX', view: 'PA', spacingMm: [0.2, 0.3], bodyPart: 'CHEST' });
  const set = parse(written);

  test('says what it is', () => {
    expect(set.string('x00020010')).toBe(TransferSyntax.explicitLittleEndian);
    expect(set.string('x00080016')).toBe('1.2.840.10008.5.1.4.1.1.1.1');
    expect(set.string('x00020003')).toBe(set.string('x00080018'));
    expect(set.string('x00080005')).toBe('ISO_IR 192');
    expect(utf8(set, 'x00100010')).toBe('Müller^Łucja');
    expect(utf8(set, 'x00081030')).toBe('Über');
    expect(set.string('x00185101')).toBe('PA');
    expect(set.string('x00200020')).toBe('L\\F');
    expect(set.string('x00181164')).toBe('0.2\\0.3');
    expect(set.string('x00280030')).toBe('0.2\\0.3');
    expect(set.string('x00280004')).toBe('MONOCHROME2');
    expect([set.uint16('x00280010'), set.uint16('x00280011'), set.uint16('x00280101'), set.uint16('x00280102')]).toEqual([rows, columns, 12, 11]);
    expect(set.intString('x00200011')).toBe(3);
    expect(set.intString('x00200013')).toBe(7);
    expect(set.elements.x00082218!.items![0]!.dataSet!.string('x00080100')).toBe('51185008');
  });

  test('has the pixels', async () => {
    const { dataOffset, length } = set.elements.x7fe00010!;
    expect(length).toBe(2 * pixels.length);
    const raw = set.byteArray.subarray(dataOffset, dataOffset + length);
    expect(Array.from(pixels, (_, i) => raw[2 * i]! | (raw[2 * i + 1]! << 8))).toEqual(Array.from(pixels));
    const image = await imageFromFile(encodePart10(written), 'pa.dcm');
    expect(Array.from(image.pixels)).toEqual(Array.from(pixels));
    expect(image.spacingMm).toEqual([0.3, 0.2]);
    expect(image.attributes.viewPosition).toBe('PA');
  });

  test('as MONOCHROME1 has them turned over, and reads back as the same picture', async () => {
    const inverse = radiograph(identity('DX'), { columns, rows, pixels, bitsStored: 12 }, {
      kind: 'DX', view: 'PA', spacingMm: [0.2, 0.2], monochrome1: true, window: { center: 1000, width: 500 },
    });
    const of = parse(inverse);
    expect(of.string('x00280004')).toBe('MONOCHROME1');
    expect(of.string('x20500020')).toBe('INVERSE');
    const { dataOffset } = of.elements.x7fe00010!;
    expect(of.byteArray[dataOffset]! | (of.byteArray[dataOffset + 1]! << 8)).toBe(4095 - pixels[0]!);
    // The window covers the same grey values: its centre lies as far from the other end.
    expect(of.floatString('x00281050')).toBe(4096 - 1000);
    const image = await imageFromFile(encodePart10(inverse), 'pa.dcm');
    const offset = image.pixels[0]! - pixels[0]!;
    expect(Array.from(image.pixels, (value) => value - offset)).toEqual(Array.from(pixels));
  });

  test('DX without a spacing is refused, CR goes without', () => {
    expect(() => radiograph(identity('DX'), { columns, rows, pixels }, { kind: 'DX' })).toThrow(expect.objectContaining({ code: 'config/invalid' }));
    const cr = parse(radiograph(identity('CR'), { columns, rows, pixels }, { kind: 'CR', view: 'LL' }));
    expect(cr.string('x00080016')).toBe('1.2.840.10008.5.1.4.1.1.1');
    expect(cr.string('x00200020')).toBe('P\\F');
    expect(cr.elements.x00181164).toBeUndefined();
  });

  test('pixels that do not fill it are refused', () => {
    expect(() => radiograph(identity('CR'), { columns: 7, rows, pixels }, { kind: 'CR' })).toThrow(expect.objectContaining({ code: 'input/inconsistent' }));
  });
});

test('a picture in colour and one of an odd number of bytes come back', async () => {
  const colour = await imageFromFile(encodePart10(microscopicImage(identity('GM'), { columns, rows, rgb })), 'rgb.dcm');
  expect(colour.channels).toBe(3);
  expect(Array.from(colour.pixels)).toEqual(Array.from(rgb));
  const odd = Uint8Array.from({ length: 15 }, (_, i) => i * 17);
  const grey = await imageFromFile(encodePart10(secondaryCapture(identity('OT'), { columns: 5, rows: 3, pixels: odd })), 'grey.dcm');
  expect(Array.from(grey.pixels)).toEqual(Array.from(odd));
});

test('an MR slice lies where it was put', async () => {
  const object = mrSlice(identity('MR'), { columns, rows, pixels, bitsStored: 12 }, plane, { bodyPart: 'BRAIN', mr: { scanningSequence: 'SE', echoTimeMs: 9 } });
  const set = parse(object);
  expect(set.string('x00200052')).toBe(plane.frameOfReferenceUID);
  expect(set.string('x00200032')!.split('\\').map(Number)).toEqual([-10.5, 20, expect.closeTo(1 / 3, 12)]);
  expect(set.string('x00180020')).toBe('SE');
  const image = await imageFromFile(encodePart10(object), 'mr.dcm');
  expect(image.spacingMm).toEqual([0.5, 0.75]);
  expect(image.indexToPatient?.slice(0, 4)).toEqual([0.5, 0, expect.anything(), -10.5]);
});

test('a CT slice reads in HU, negative ones too', async () => {
  const hu = Int16Array.from(pixels, (value) => value - 1024);
  const image = await imageFromFile(encodePart10(ctSlice(identity('CT'), { columns, rows, pixels: hu }, plane, { rescale: { slope: 2, intercept: -5 } })), 'ct.dcm');
  expect(Array.from(image.pixels)).toEqual(Array.from(hu, (value) => value * 2 - 5));
});

test('a slide\'s level counts its tiles', () => {
  const set = parse(slideLevelHeader(identity('SM'), { totalColumns: 1000, totalRows: 600, tileSize: 256, spacingMm: 0.0005, level: 0 }, {
    frameOfReferenceUID: seededUid('frame'), pyramidUID: seededUid('pyramid'), containerIdentifier: 'S1', encoding: { kind: 'native' },
  }));
  expect(set.intString('x00280008')).toBe(12);
  expect(set.uint32('x00480006')).toBe(1000);
  expect(set.uint32('x00480007')).toBe(600);
  expect(set.string('x00209311')).toBe('TILED_FULL');
  const measures = set.elements.x52009229!.items![0]!.dataSet!.elements.x00289110!.items![0]!.dataSet!;
  expect(measures.string('x00280030')).toBe('0.0005\\0.0005');
});

test('a keyword that DICOM does not have is a fault', () => {
  expect(() => encodePart10({ SOPClassUID: '1.2', SOPInstanceUID: '1.3', PatientNmae: 'x' })).toThrow(expect.objectContaining({ code: 'internal' }));
});

test.each([[1 / 3], [-1 / 3], [1e-9 / 7], [123456789.123456789], [-1.23456789e-12], [0.2], [1e20 / 3], [0]])('%p fits a decimal string', (value) => {
  const text = decimalString(value);
  expect(text.length).toBeLessThanOrEqual(16);
  expect(Math.abs(Number(text) - value)).toBeLessThanOrEqual(Math.abs(value) * 1e-8);
});
