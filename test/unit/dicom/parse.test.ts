import { deflateSync } from 'fflate';
import { parseDicom } from '../../../src/dicom/parse.ts';
import { readImageInstance } from '../../../src/dicom/instance.ts';
import { dataSet, joined, part10, picture, UID } from '../../fixtures/build-dicom.ts';

const EXPLICIT = '1.2.840.10008.1.2.1';
const IMPLICIT = '1.2.840.10008.1.2';
const BIG = '1.2.840.10008.1.2.2';

describe('parseDicom', () => {
  const bare = dataSet(picture());
  const meta = dataSet({ '00020010': EXPLICIT });

  test.each([
    ['Part 10', part10(picture()), EXPLICIT],
    ['no preamble', joined([meta, bare]), EXPLICIT],
    ['no meta information, explicit', bare, EXPLICIT],
    ['no meta information, implicit', dataSet(picture(), { implicit: true }), IMPLICIT],
    ['no meta information, big endian', dataSet(picture(), { bigEndian: true }), BIG],
    ['implicit', part10(picture(), IMPLICIT, { implicit: true }), IMPLICIT],
    ['big endian', part10(picture(), BIG, { bigEndian: true }), BIG],
    ['a Node Buffer', Buffer.from(part10(picture())), EXPLICIT],
  ])('reads %s', (_, bytes, transferSyntaxUID) => {
    const parsed = parseDicom(bytes);
    expect(parsed.transferSyntaxUID).toBe(transferSyntaxUID);
    expect(parsed.set.string('0020000D')).toBe(UID.study);
    expect(parsed.set.uint16('00280011')).toBe(3);
  });

  test('reads a deflated data set', () => {
    const deflated = joined([new Uint8Array(128), Uint8Array.from([0x44, 0x49, 0x43, 0x4d]), dataSet({ '00020010': '1.2.840.10008.1.2.1.99' }), deflateSync(bare)]);
    expect(parseDicom(deflated).set.uint16('00280011')).toBe(3);
    expect(() => parseDicom(deflated.subarray(0, deflated.length - 20))).toThrow(expect.objectContaining({ code: 'input/truncated' }));
  });

  test('says what a file that is no DICOM starts with', () => {
    expect(() => parseDicom(Buffer.from('%PDF-1.7 and so on, long enough'))).toThrow(expect.objectContaining({ code: 'input/unreadable', message: expect.stringContaining('%PDF') }));
    expect(() => parseDicom(new Uint8Array(0))).toThrow(expect.objectContaining({ code: 'input/unreadable' }));
  });

  test('a file cut anywhere is refused, or gives the pixels that it had: never fewer', () => {
    const whole = part10(picture());
    for (let length = 0; length < whole.length; length++) {
      let refused = false;
      try {
        readImageInstance(whole.subarray(0, length));
      } catch (error) {
        refused = true;
        expect((error as { code?: string }).code).toMatch(/^input\/(unreadable|truncated|no-pixels|inconsistent)$/);
      }
      if (!refused) throw new Error(`a file cut to ${length} of ${whole.length} bytes was taken for whole`);
    }
  });
});

describe('readImageInstance', () => {
  test('reads what a model may ask for', () => {
    const instance = readImageInstance(part10(picture({ '00100020': 'P1', '0008103E': 'Thorax', '00180015': 'CHEST', '00185101': 'PA', '00200020': 'L\\F', '00281050': '40', '00281051': '400' })));
    expect(instance).toMatchObject({
      modality: 'CR', patientID: 'P1', seriesDescription: 'Thorax', bodyPartExamined: 'CHEST', viewPosition: 'PA', patientOrientation: ['L', 'F'],
      studyInstanceUID: UID.study, window: { center: 40, width: 400 }, pixelFormat: { rows: 2, columns: 3, bitsStored: 12, signed: false },
    });
  });

  test('takes the view from its code where ViewPosition is absent', () => {
    const coded = picture({ '00540220': [{ '00080100': 'R-10214', '00080102': 'SRT' }] });
    expect(readImageInstance(part10(coded)).viewPosition).toBe('PA');
    expect(readImageInstance(part10(coded, IMPLICIT, { implicit: true })).viewPosition).toBe('PA');
  });

  test('decodes text by its character set', () => {
    const description = 'Schädel';
    expect(readImageInstance(part10(picture({ '00080005': 'ISO_IR 192', '0008103E': new TextEncoder().encode(description) }))).seriesDescription).toBe(description);
    expect(readImageInstance(part10(picture({ '00080005': 'ISO_IR 100', '0008103E': Buffer.from(description, 'latin1') }))).seriesDescription).toBe(description);
  });

  test.each([
    ['an object without an image', { '00280010': undefined, '7FE00010': undefined, '00080060': 'SR' }, 'input/no-pixels'],
    ['an image without its pixels', { '7FE00010': undefined }, 'input/truncated'],
    ['no rows', { '00280010': undefined }, 'input/inconsistent'],
    ['0 rows', { '00280010': 0 }, 'input/inconsistent'],
    ['4 samples', { '00280002': 4, '00280004': 'CMYK' }, 'input/unsupported-pixels'],
    ['a retired photometric interpretation', { '00280002': 3, '00280004': 'YBR_PARTIAL_422' }, 'input/unsupported-pixels'],
    ['RGB of one sample', { '00280004': 'RGB' }, 'input/inconsistent'],
    ['64 bits', { '00280100': 64, '00280101': 64, '00280102': 63 }, 'input/unsupported-pixels'],
    ['12 bits allocated', { '00280100': 12, '00280101': 12, '00280102': 11 }, 'input/unsupported-pixels'],
    ['more bits stored than allocated', { '00280101': 17, '00280102': 16 }, 'input/inconsistent'],
    ['frames that are no number', { '00280008': '1A' }, 'input/inconsistent'],
    ['a rescale slope of 0', { '00281053': '0', '00281052': '0' }, 'input/inconsistent'],
    ['a rescale slope of NaN', { '00281053': 'NaN', '00281052': '0' }, 'input/inconsistent'],
    ['an infinite rescale intercept', { '00281053': '1', '00281052': 'Infinity' }, 'input/inconsistent'],
    ['a rescale slope that overflows', { '00281053': '1e999', '00281052': '0' }, 'input/inconsistent'],
  ])('refuses %s', (_, more, code) => {
    expect(() => readImageInstance(part10(picture(more)))).toThrow(expect.objectContaining({ name: 'OverreadError', code }));
  });

  test.each([
    ['1.2.840.10008.1.2.4.102', 'video'],
    ['1.2.840.10008.1.2.4.94', 'JPIP'],
    ['1.2.3.4.5', 'unknown'],
  ])('refuses the transfer syntax %s by name', (uid, name) => {
    expect(() => readImageInstance(part10(picture(), uid))).toThrow(expect.objectContaining({ code: 'input/unsupported-transfer-syntax', message: expect.stringContaining(name) }));
  });
});
