import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { readDatasetFolder, readIds } from '../../../src/cli/dataset-folder.ts';

let folder: string;
beforeEach(() => (folder = fs.mkdtempSync(path.join(os.tmpdir(), 'overread-dataset-'))));
afterEach(() => fs.rmSync(folder, { recursive: true }));
const put = (name: string, text: string) => {
  fs.writeFileSync(path.join(folder, name), text);
  return path.join(folder, name);
};

test('a data set is given by its folder or by its file', async () => {
  const json = { schemaVersion: 1, name: 's', licence: 'CC0', items: [{ id: 'a', patientId: '1', images: [{ path: 'a.png' }] }] };
  const file = put('dataset.json', JSON.stringify(json));
  for (const where of [folder, file]) {
    const read = readDatasetFolder(where);
    expect(read.dataset.name).toBe('s');
    put('dots.csv', 'x,y\n');
    expect(await read.text('dots.csv')).toBe('x,y\n');
    await expect(read.image('a.png')).rejects.toThrow(path.join(folder, 'a.png'));
  }
});

test('says which file is missing or no JSON', () => {
  expect(() => readDatasetFolder(folder)).toThrow(path.join(folder, 'dataset.json'));
  put('dataset.json', '{');
  expect(() => readDatasetFolder(folder)).toThrow('Expected JSON');
});

test('ids from text, from an array and from one array of several', () => {
  expect([...readIds(put('a.txt', '# validation\n12\r\n\n 13 \n'))]).toEqual(['12', '13']);
  expect([...readIds(put('a.json', '["x", 7]'))]).toEqual(['x', '7']);
  const split = put('split.json', '{"train":["1"],"validation":["2","3"]}');
  expect([...readIds(split, 'validation')]).toEqual(['2', '3']);
  expect(() => readIds(split)).toThrow('train, validation');
  expect(() => readIds(split, 'test')).toThrow("'test'");
  expect(() => readIds(put('b.json', '[["x"]]'))).toThrow('Expected ids');
});
