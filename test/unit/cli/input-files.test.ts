import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { inputFiles } from '../../../src/cli/input-files.ts';

let folder: string;
const put = (name: string, bytes: Buffer | string) => {
  fs.mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
  fs.writeFileSync(path.join(folder, name), bytes);
};
const relative = (files: readonly string[]) => files.map(f => path.relative(folder, f));

beforeEach(() => (folder = fs.mkdtempSync(path.join(os.tmpdir(), 'overread-inputs-'))));
afterEach(() => fs.rmSync(folder, { recursive: true }));

test('a walked folder gives what looks like an image, in the order of names', () => {
  const dicm = Buffer.concat([Buffer.alloc(128), Buffer.from('DICM')]);
  put('b/IM0001', dicm);
  put('b/bare', Buffer.concat([Buffer.from([0x08, 0x00, 0x05, 0x00]), Buffer.from('CS\x0a\x00ISO_IR 100')]));
  put('b/implicit', Buffer.from([0x08, 0x00, 0x00, 0x00, 4, 0, 0, 0, 1, 2, 3, 4]));
  put('a.png', 'not really');
  put('c.JPG', 'nor this');
  put('picture', Buffer.from([0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10]));
  put('photo', Buffer.from([0xff, 0xd8, 0xff, 0xe0]));
  put('DICOMDIR', dicm);
  put('notes.txt', 'Patient: nobody');
  put('empty', '');
  put('.hidden/x.dcm', dicm);
  const { files, skipped } = inputFiles([folder]);
  expect(relative(files)).toEqual(['a.png', 'b/IM0001', 'b/bare', 'b/implicit', 'c.JPG', 'photo', 'picture']);
  expect(relative(skipped)).toEqual(['DICOMDIR', 'empty', 'notes.txt']);
});

test('a named file is an input whatever it holds, and whether it exists', () => {
  put('notes.txt', 'text');
  const named = [path.join(folder, 'notes.txt'), path.join(folder, 'nothing.dcm')];
  expect(inputFiles(named)).toEqual({ files: named, skipped: [] });
});

test('nothing is read twice, and a link to a folder above does not loop', () => {
  put('a.png', 'x');
  fs.symlinkSync(folder, path.join(folder, 'loop'));
  const { files } = inputFiles([folder, path.join(folder, 'a.png')]);
  expect(relative(files)).toEqual(['a.png']);
});
