import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { readInstance, tagOfKeyword, vrOfTag } from '../../../src/dicom/dicomjson.ts';
import { dataSet, joined, part10 as build, picture } from '../../fixtures/build-dicom.ts';
import { instance, part10, type Element } from '../cli/serve/part10.ts';

const datasetOf = (more: readonly Element[]) => readInstance(instance({ more })).dataset;

describe('the DICOM JSON model', () => {
  it('types its values', () => {
    const set = datasetOf([
      ['00080008', 'CS', 'DERIVED\\SECONDARY\\\\AXIAL'], ['00081030', 'LO', ''], ['00280030', 'DS', '0.5\\ .25 '], ['00200013', 'IS', '7 '],
      ['00280009', 'AT', Uint8Array.of(0x18, 0x00, 0x63, 0x10)], ['00204000', 'LT', ' a\\b '], ['0018605A', 'FL', 0.25],
      ['00082112', 'SQ', []], ['00081140', 'SQ', [[['00081155', 'UI', '1.2']], []]], ['00100010', 'PN', 'Yamada^Tarou=山田^太郎=やまだ^たろう'],
      ['00100000', 'UL', 12], ['00720082', 'SV', Uint8Array.of(0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff)],
    ]);
    expect(set).toMatchObject({
      '00080008': { vr: 'CS', Value: ['DERIVED', 'SECONDARY', null, 'AXIAL'] },
      '00280030': { vr: 'DS', Value: [0.5, 0.25] },
      '00200013': { vr: 'IS', Value: [7] },
      '00280009': { vr: 'AT', Value: ['00181063'] },
      '00204000': { vr: 'LT', Value: [' a\\b'] },
      '0018605A': { vr: 'FL', Value: [0.25] },
      '00081140': { vr: 'SQ', Value: [{ '00081155': { vr: 'UI', Value: ['1.2'] } }, {}] },
      '00100010': { vr: 'PN', Value: [{ Alphabetic: 'Yamada^Tarou', Ideographic: '山田^太郎', Phonetic: 'やまだ^たろう' }] },
      '00720082': { vr: 'SV', Value: [-2] },
    });
    expect(set['00081030']).toEqual({ vr: 'LO' });
    expect(set['00082112']).toEqual({ vr: 'SQ' });
    expect(set).not.toHaveProperty('00100000');
  });

  it('writes what JSON has no numbers for as text', () => {
    const set = datasetOf([['00189000', 'FD', new Uint8Array(new Float64Array([NaN, -Infinity, 1.5]).buffer)], ['00281052', 'DS', 'abc']]);
    expect(set['00189000']!.Value).toEqual(['NaN', '-inf', 1.5]);
    expect(set['00281052']!.Value).toEqual(['abc']);
  });

  it('gives the same from explicit, implicit, big endian and deflated files', () => {
    const attributes = { ...picture(), '00280120': 0xfffe, '00081140': [{ '00081155': '1.9' }] };
    const explicit = readInstance(build(attributes)).dataset;
    const without = ({ '00083002': _, '7FE00010': __, ...rest }: typeof explicit) => rest;
    const implicit = readInstance(build(attributes, '1.2.840.10008.1.2', { implicit: true }));
    const big = readInstance(build(attributes, '1.2.840.10008.1.2.2', { bigEndian: true }));
    const deflatedFile = joined([new Uint8Array(128), Buffer.from('DICM'), dataSet({ '00020010': '1.2.840.10008.1.2.1.99' }), deflateRawSync(dataSet(attributes))]);
    const deflated = readInstance(deflatedFile, (bytes) => inflateRawSync(bytes));
    expect(deflated.deflated).toBe(true);
    const { '00081140': references } = without(implicit.dataset);
    expect(references).toEqual({ vr: 'SQ', Value: [{ '00081155': { vr: 'UI', Value: ['1.9'] } }] });
    expect(without(deflated.dataset)).toEqual(without(explicit));
    expect(without(big.dataset)).toEqual(without(explicit));
    for (const tag of ['00280010', '0020000D', '00280103']) expect([tag, implicit.dataset[tag]]).toEqual([tag, explicit[tag]]);
  });

  it('refuses what cannot be placed: no UIDs, or UIDs that are paths', () => {
    expect(() => readInstance(instance({ study: '../x' }))).toThrow(expect.objectContaining({ code: 'input/inconsistent', message: expect.stringContaining('Study Instance UID') }));
    expect(() => readInstance(part10([['00080060', 'CS', 'CT']]))).toThrow(expect.objectContaining({ code: 'input/inconsistent' }));
    expect(() => readInstance(Buffer.from('nothing'))).toThrow(expect.objectContaining({ code: 'input/unreadable' }));
  });

  it('refuses an image whose pixel data is shorter than it says, or not there', () => {
    expect(() => readInstance(instance({ rows: 3 }))).toThrow(expect.objectContaining({ code: 'input/truncated', fields: { expected: 9, got: 6 } }));
    const headerOnly = part10([['00080016', 'UI', '1'], ['00080018', 'UI', '1'], ['0020000D', 'UI', '1'], ['0020000E', 'UI', '1'], ['00280010', 'US', 2]]);
    expect(() => readInstance(headerOnly)).toThrow(expect.objectContaining({ code: 'input/truncated' }));
  });

  it('refuses frames that it cannot tell apart', () => {
    const fragment = Uint8Array.of(1, 2);
    const file = instance({ frames: 2, transferSyntaxUID: '1.2.840.10008.1.2.5', pixels: { fragments: [fragment, fragment, fragment] } });
    expect(() => readInstance(file)).toThrow(expect.objectContaining({ code: 'input/inconsistent' }));
  });

  it('knows the shorter native frames of YBR_FULL_422', () => {
    const pixels = new Uint8Array(16);
    const file = instance({ rows: 2, columns: 2, frames: 2, pixels, more: [['00280002', 'US', 3], ['00280004', 'CS', 'YBR_FULL_422']] });
    expect(readInstance(file).pixels).toMatchObject({ kind: 'native', frames: 2, bitsPerFrame: 64 });
  });
});

describe('the dictionary', () => {
  it.each([['00100010', 'PN'], ['60023000', 'OW'], ['00090010', 'LO'], ['00091010', 'UN'], ['00080000', 'UL'], ['00280106', 'US'], ['99980001', 'UN'], ['00081140', 'SQ']])(
    '%s is %s', (tag, vr) => expect(vrOfTag(tag)).toBe(vr));
  it.each([['PatientName', '00100010'], ['0020000d', '0020000D'], ['NoSuchKeyword', undefined], ['toString', undefined]])(
    '%s is %s', (name, tag) => expect(tagOfKeyword(name)).toBe(tag));
});
