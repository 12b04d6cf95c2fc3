import fs from 'node:fs';
import path from 'node:path';
import { PNG } from 'pngjs';
import { InstanceStore, type LeftOut } from '../../../../src/cli/serve/store/instance-store.ts';
import type { DicomJson } from '../../../../src/dicom/dicomjson.ts';
import { embedded, partsOf, removeFolders, stowBody, temporaryFolder, write, type Embedded } from './embedded.ts';
import { instance } from './part10.ts';

let server: Embedded | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});
afterAll(removeFolders);

const INSTANCE = 'studies/1.2.3/series/1.2.3.1/instances/1.2.3.1.1';

async function serveFiles(files: Record<string, Uint8Array>): Promise<Embedded> {
  const folder = temporaryFolder();
  for (const [name, bytes] of Object.entries(files)) write(folder, name, bytes);
  return (server = await embedded(folder));
}

const json = async (address: string): Promise<DicomJson[]> => (await fetch(address)).json() as Promise<DicomJson[]>;
const values = (sets: DicomJson[], tag: string): unknown[] => sets.map((s) => s[tag]?.Value?.[0]);

describe('QIDO-RS', () => {
  const three = () => serveFiles({
    'a.dcm': instance({ study: '1.1', series: '1.1.1', sop: '1.1.1.1', name: 'Müller^Ann', id: 'A-1', date: '20240110', modality: 'DX' }),
    'sub/b1.dcm': instance({ study: '1.2', series: '1.2.1', sop: '1.2.1.1', name: 'Smith^Bob', id: 'B-1', date: '20240220', modality: 'CT', more: [['00080050', 'SH', 'ACC7'], ['00081030', 'LO', 'Chest CT'], ['00200013', 'IS', '2']] }),
    'sub/b2.dcm': instance({ study: '1.2', series: '1.2.1', sop: '1.2.1.2', name: 'Smith^Bob', id: 'B-1', date: '20240220', modality: 'CT', more: [['00080050', 'SH', 'ACC7'], ['00081030', 'LO', 'Chest CT'], ['00200013', 'IS', '1']] }),
    'sub/b3.dcm': instance({ study: '1.2', series: '1.2.2', sop: '1.2.2.1', name: 'Smith^Bob', id: 'B-1', date: '20240220', modality: 'SEG', more: [['00080050', 'SH', 'ACC7'], ['00200011', 'IS', '9']] }),
    'c.dcm': instance({ study: '1.3', series: '1.3.1', sop: '1.3.1.1', name: 'Smithers^Cid', id: 'C-1', date: '20231231', modality: 'MR' }),
  });

  it.each([
    ['', ['1.2', '1.1', '1.3']],
    ['limit=1', ['1.2']],
    ['limit=1&offset=1', ['1.1']],
    ['offset=7', []],
    ['PatientName=smith*', ['1.2', '1.3']],
    ['00100010=SMITH^B?B', ['1.2']],
    ['PatientName=ann&fuzzymatching=true', ['1.1']],
    ['PatientName=muller&fuzzymatching=true', ['1.1']],
    ['PatientName=muller*', ['1.1']],
    ['PatientID=*-1', ['1.2', '1.1', '1.3']],
    ['PatientID=b-1', []],
    ['StudyDate=20240101-20240131', ['1.1']],
    ['StudyDate=20240110-', ['1.2', '1.1']],
    ['StudyDate=-20240110', ['1.1', '1.3']],
    ['StudyDate=20231231', ['1.3']],
    ['ModalitiesInStudy=SEG', ['1.2']],
    ['ModalitiesInStudy=MR,DX', ['1.1', '1.3']],
    ['ModalitiesInStudy=MR\\DX', ['1.1', '1.3']],
    ['StudyInstanceUID=1.1,1.3', ['1.1', '1.3']],
    ['StudyInstanceUID=1.1\\1.2', ['1.2', '1.1']],
    ['StudyInstanceUID=1', []],
    ['AccessionNumber=ACC7', ['1.2']],
    ['StudyDescription=*CT', ['1.2']],
    ['StudyDescription=', ['1.2', '1.1', '1.3']],
  ])('studies?%s', async (parameters, expected) => {
    const { dicomWeb } = await three();
    expect(values(await json(`${dicomWeb}/studies?${parameters}`), '0020000D')).toEqual(expected);
  });

  it('counts series and instances, names every modality, and gives what includefield asks for', async () => {
    const { dicomWeb } = await three();
    const [study] = await json(`${dicomWeb}/studies?StudyInstanceUID=1.2&includefield=00280010`);
    expect(study).toMatchObject({
      '00080061': { vr: 'CS', Value: ['CT', 'SEG'] }, '00201206': { vr: 'IS', Value: [2] }, '00201208': { vr: 'IS', Value: [3] },
      '00280010': { vr: 'US', Value: [2] }, '00081190': { vr: 'UR', Value: [`${dicomWeb}/studies/1.2`] },
      '00100010': { vr: 'PN', Value: [{ Alphabetic: 'Smith^Bob' }] },
    });
    expect(study).not.toHaveProperty('7FE00010');
  });

  it('lists series and instances by their numbers', async () => {
    const { dicomWeb } = await three();
    expect(values(await json(`${dicomWeb}/studies/1.2/series`), '0020000E')).toEqual(['1.2.1', '1.2.2']);
    expect(values(await json(`${dicomWeb}/studies/1.2/series?Modality=CT`), '00201209')).toEqual([2]);
    expect(values(await json(`${dicomWeb}/studies/1.2/series/1.2.1/instances`), '00080018')).toEqual(['1.2.1.2', '1.2.1.1']);
    expect(await json(`${dicomWeb}/studies/9.9/series`)).toEqual([]);
  });

  it('says which parameters are no attributes', async () => {
    const { dicomWeb } = await three();
    const response = await fetch(`${dicomWeb}/studies?PatientNmae=x`);
    expect(response.headers.get('warning')).toContain('PatientNmae');
    expect(await response.json()).toHaveLength(3);
  });
});

describe('WADO-RS', () => {
  it('gives metadata with small values in it and large ones by address', async () => {
    const large = Buffer.alloc(3000, 7);
    const bytes = instance({ more: [
      ['00091010', 'OB', large], ['00091011', 'OB', Uint8Array.of(1, 2)], ['0028106A', 'FL', 0.5],
      ['00081140', 'SQ', [[['00081155', 'UI', '1.9'], ['00091010', 'OB', large]]]],
    ] });
    const { dicomWeb } = await serveFiles({ 'a.dcm': bytes });
    const [set] = await json(`${dicomWeb}/${INSTANCE}/metadata`);
    expect(set!['00091011']).toEqual({ vr: 'OB', InlineBinary: 'AQI=' });
    expect(set!['0028106A']).toEqual({ vr: 'FL', Value: [0.5] });
    expect(set!['00083002']).toEqual({ vr: 'UI', Value: ['1.2.840.10008.1.2.1'] });
    expect(set!['7FE00010']).toEqual({ vr: 'OB', BulkDataURI: `${dicomWeb}/${INSTANCE}/bulkdata/7FE00010` });
    const nested = (set!['00081140']!.Value as DicomJson[])[0]!['00091010']!.BulkDataURI!;
    for (const address of [set!['00091010']!.BulkDataURI!, nested]) {
      expect(Buffer.from(await (await fetch(address)).arrayBuffer()).equals(large)).toBe(true);
    }
    expect(await json(`${dicomWeb}/studies/1.2.3/metadata`)).toEqual([set]);
    expect(await json(`${dicomWeb}/studies/1.2.3/series/1.2.3.1/metadata`)).toEqual([set]);
  });

  it('gives the file back, byte for byte, single or multipart', async () => {
    const bytes = instance();
    const { dicomWeb } = await serveFiles({ 'a.dcm': bytes });
    const single = await fetch(`${dicomWeb}/${INSTANCE}`, { headers: { accept: 'application/dicom' } });
    expect(Buffer.from(await single.arrayBuffer()).equals(bytes)).toBe(true);
    const [part] = await partsOf(await fetch(`${dicomWeb}/studies/1.2.3`, { headers: { accept: 'multipart/related; type="application/dicom"' } }));
    expect(part!.body.equals(bytes)).toBe(true);
  });

  it('transcodes nothing and says so', async () => {
    const { dicomWeb } = await serveFiles({ 'a.dcm': instance() });
    const accept = (ts: string) => ({ headers: { accept: `multipart/related; type="application/dicom"; transfer-syntax=${ts}` } });
    const refused = await fetch(`${dicomWeb}/${INSTANCE}`, accept('1.2.840.10008.1.2.4.50'));
    expect(refused.status).toBe(406);
    expect(JSON.stringify(await refused.json())).toContain('1.2.840.10008.1.2.1');
    expect((await fetch(`${dicomWeb}/${INSTANCE}`, accept('*'))).status).toBe(200);
  });

  it('cuts native frames', async () => {
    const pixels = Uint8Array.from({ length: 12 }, (_, i) => i + 1);
    const { dicomWeb } = await serveFiles({ 'a.dcm': instance({ rows: 2, columns: 2, frames: 3, pixels }) });
    const parts = await partsOf(await fetch(`${dicomWeb}/${INSTANCE}/frames/3,1`, { headers: { accept: 'multipart/related; type="application/octet-stream"; transfer-syntax=*' } }));
    expect(parts.map((p) => [...p.body])).toEqual([[9, 10, 11, 12], [1, 2, 3, 4]]);
    expect(parts[0]!.headers).toContain('application/octet-stream; transfer-syntax=1.2.840.10008.1.2.1');
    expect((await fetch(`${dicomWeb}/${INSTANCE}/frames/4`)).status).toBe(404);
    expect((await fetch(`${dicomWeb}/${INSTANCE}/frames/0`)).status).toBe(404);
  });

  it('cuts one-bit frames that do not start at a byte', async () => {
    // Three frames of 3 × 3 bits, lowest bit first: 100000001, 010101010, 111111111.
    const bits = '100000001' + '010101010' + '111111111';
    const pixels = Uint8Array.from({ length: 4 }, (_, i) => [...bits.slice(8 * i, 8 * i + 8)].reduce((byte, bit, k) => byte | (Number(bit) << k), 0));
    const { dicomWeb } = await serveFiles({ 'a.dcm': instance({ rows: 3, columns: 3, frames: 3, bits: 1, pixels }) });
    const parts = await partsOf(await fetch(`${dicomWeb}/${INSTANCE}/frames/1,2,3`));
    expect(parts.map((p) => [...p.body])).toEqual([[0b00000001, 1], [0b10101010, 0], [0xff, 1]]);
  });

  const jpeg = (fill: number, end: boolean) => Uint8Array.from([0xff, 0xd8, fill, fill, ...(end ? [0xff, 0xd9] : [fill, fill])]);
  const fragments = [jpeg(1, false), jpeg(2, true), jpeg(3, true)];
  it.each([['an offset table', [0, 28]], ['end markers', undefined]])('joins the fragments of a frame by %s', async (_, offsets) => {
    const { dicomWeb } = await serveFiles({
      'a.dcm': instance({ frames: 2, transferSyntaxUID: '1.2.840.10008.1.2.4.50', pixels: { fragments, ...(offsets && { offsets }) } }),
    });
    const response = await fetch(`${dicomWeb}/${INSTANCE}/frames/1,2`);
    expect(response.headers.get('content-type')).toContain('image/jpeg');
    const parts = await partsOf(response);
    expect(parts.map((p) => [...p.body])).toEqual([[...fragments[0]!, ...fragments[1]!], [...fragments[2]!]]);
    expect(parts[0]!.headers).toContain('transfer-syntax=1.2.840.10008.1.2.4.50');
  });

  it('renders a PNG by the window of the object', async () => {
    const { dicomWeb } = await serveFiles({ 'a.dcm': instance({ more: [['00281050', 'DS', '3'], ['00281051', 'DS', '4']] }) });
    for (const address of ['rendered', 'frames/1/rendered', 'thumbnail']) {
      const response = await fetch(`${dicomWeb}/${INSTANCE}/${address}`);
      expect(response.headers.get('content-type')).toBe('image/png');
      const picture = PNG.sync.read(Buffer.from(await response.arrayBuffer()));
      expect([picture.width, picture.height]).toEqual([3, 2]);
      expect([...picture.data].filter((_, i) => i % 4 === 0)).toEqual([0, 64, 128, 191, 255, 255]);
    }
  });

  it('answers 404 and 405 with a reason', async () => {
    const { dicomWeb } = await serveFiles({ 'a.dcm': instance() });
    for (const address of ['studies/9', `${INSTANCE}9/frames/1`, 'nothing', `${INSTANCE}/bulkdata/00100010`]) {
      expect([address, (await fetch(`${dicomWeb}/${address}`)).status]).toEqual([address, 404]);
    }
    const refused = await fetch(`${dicomWeb}/studies`, { method: 'DELETE' });
    expect([refused.status, refused.headers.get('allow')]).toEqual([405, 'GET, POST']);
  });
});

describe('STOW-RS', () => {
  it('stores on disk, and it is there after a restart', async () => {
    const folder = temporaryFolder();
    server = await embedded(folder);
    const bytes = instance();
    const response = await fetch(`${server.dicomWeb}/studies`, stowBody([bytes]));
    expect(response.status).toBe(200);
    const answer = (await response.json()) as DicomJson;
    expect(answer).not.toHaveProperty('00081198');
    expect((answer['00081199']!.Value as DicomJson[])[0]).toMatchObject({ '00081155': { vr: 'UI', Value: ['1.2.3.1.1'] } });
    expect(fs.readFileSync(path.join(folder, '1.2.3/1.2.3.1/1.2.3.1.1.dcm')).equals(bytes)).toBe(true);
    await server.close();
    server = await embedded(folder);
    expect(values(await json(`${server.dicomWeb}/studies`), '0020000D')).toEqual(['1.2.3']);
    const [frame] = await partsOf(await fetch(`${server.dicomWeb}/${INSTANCE}/frames/1`));
    expect([...frame!.body]).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it('takes the same bytes again, and refuses other content under the same UID', async () => {
    const { dicomWeb } = await serveFiles({ 'a.dcm': instance() });
    expect((await fetch(`${dicomWeb}/studies`, stowBody([instance()]))).status).toBe(200);
    const refused = await fetch(`${dicomWeb}/studies`, stowBody([instance({ name: 'Other' })]));
    expect(refused.status).toBe(409);
    const [failure] = ((await refused.json()) as DicomJson)['00081198']!.Value as DicomJson[];
    expect(failure).toMatchObject({ '00081155': { vr: 'UI', Value: ['1.2.3.1.1'] }, '00081197': { vr: 'US', Value: [0x0111] } });
    expect(JSON.stringify(failure)).toContain('other content');
    expect(refused.headers.get('warning')).toContain('other content');
    expect(values(await json(`${dicomWeb}/studies`), '00100010')).toEqual([{ Alphabetic: 'Doe^Jane' }]);
  });

  it('refuses every truncation, and keeps the good ones of a mixed request', async () => {
    const { dicomWeb, store } = await serveFiles({});
    const whole = instance({ pixels: { fragments: [Uint8Array.of(0xff, 0xd8, 0xff, 0xd9)] }, transferSyntaxUID: '1.2.840.10008.1.2.4.50' });
    const native = instance();
    const cuts = [whole.subarray(0, -2), whole.subarray(0, -8), whole.subarray(0, -14), native.subarray(0, -1), native.subarray(0, -7), native.subarray(0, 400), native.subarray(0, 140), native.subarray(0, 100)];
    for (const cut of cuts) expect([cut.length, (await fetch(`${dicomWeb}/studies`, stowBody([cut]))).status]).toEqual([cut.length, 409]);
    // Five pixel bytes and a pad byte, where six were promised by 2 × 4 pixels.
    expect((await fetch(`${dicomWeb}/studies`, stowBody([instance({ columns: 4 })]))).status).toBe(409);
    expect(store.size).toBe(0);
    const mixed = await fetch(`${dicomWeb}/studies`, stowBody([native, cuts[0]!]));
    expect(mixed.status).toBe(202);
    const answer = (await mixed.json()) as DicomJson;
    expect([answer['00081199']!.Value!.length, answer['00081198']!.Value!.length, store.size]).toEqual([1, 1, 1]);
  });

  it('refuses an instance of another study, and UIDs that are none', async () => {
    const folder = temporaryFolder();
    server = await embedded(folder);
    expect((await fetch(`${server.dicomWeb}/studies/9.9`, stowBody([instance()]))).status).toBe(409);
    for (const study of ['..', '../../x', '1..2', '.1']) {
      expect([study, (await fetch(`${server.dicomWeb}/studies`, stowBody([instance({ study })]))).status]).toEqual([study, 409]);
    }
    expect(fs.readdirSync(folder).filter((f) => f !== '.overread')).toEqual([]);
  });

  it('refuses bodies that are not multipart DICOM', async () => {
    const { dicomWeb } = await serveFiles({});
    const post = (type: string, body: string) => fetch(`${dicomWeb}/studies`, { method: 'POST', headers: { 'content-type': type }, body });
    expect((await post('application/json', '{}')).status).toBe(415);
    expect((await post('multipart/related; type="application/dicom"; boundary=b', 'nothing')).status).toBe(400);
    expect((await post('multipart/related; type="application/dicom"; boundary=b', '--b\r\nContent-Type: application/dicom\r\n\r\nxx')).status).toBe(400);
    expect((await post('multipart/related; type="application/dicom"; boundary=b', '--b--\r\n')).status).toBe(400);
  });
});

describe('the folder', () => {
  it('leaves out what is no DICOM, and says why', async () => {
    const folder = temporaryFolder();
    write(folder, 'good.dcm', instance());
    write(folder, 'notes.txt', 'hello');
    write(folder, 'twice.dcm', instance({ name: 'Other' }));
    write(folder, '.hidden/x.dcm', instance({ sop: '7.7' }));
    let left: readonly LeftOut[] = [];
    const store = await InstanceStore.open(folder, (files) => (left = files));
    expect(store.size).toBe(1);
    expect(left.map(({ file, error }) => [file, error.code, error.message])).toEqual([
      ['notes.txt', 'input/unreadable', expect.stringMatching(/^Expected a DICOM Part 10 file/)],
      ['twice.dcm', 'store/invalid', expect.stringContaining('good.dcm')],
    ]);
  });

  it('opens from its index, sees changed files, and survives a broken index', async () => {
    const folder = temporaryFolder();
    const file = write(folder, 'a.dcm', instance());
    await InstanceStore.open(folder);
    const index = path.join(folder, '.overread/index.jsonl');
    fs.writeFileSync(index, fs.readFileSync(index, 'utf8').replace('Doe^Jane', 'From^Index'));
    const name = (store: InstanceStore) => store.dataset(store.instances('1.2.3')[0]!)['00100010']!.Value;
    expect(name(await InstanceStore.open(folder))).toEqual([{ Alphabetic: 'From^Index' }]);
    fs.writeFileSync(file, instance({ name: 'Changed^Name' }));
    expect(name(await InstanceStore.open(folder))).toEqual([{ Alphabetic: 'Changed^Name' }]);
    fs.writeFileSync(index, '{"overreadIndex":1}\n{broken');
    expect(name(await InstanceStore.open(folder))).toEqual([{ Alphabetic: 'Changed^Name' }]);
  });

  it('is refused where it cannot be one', async () => {
    const file = write(temporaryFolder(), 'file', 'x');
    await expect(InstanceStore.open(path.join(file, 'below'))).rejects.toMatchObject({ code: 'store/invalid' });
  });
});
