/** Small files that would keep a careless reader busy for ever, or run it out of its stack. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { zipSync } from 'fflate';
import { importModel } from '../../../src/cli/import.ts';
import { isOverreadError } from '../../../src/errors.ts';

let folder: string;
beforeEach(() => (folder = fs.mkdtempSync(path.join(os.tmpdir(), 'overread-endless-'))));
afterEach(() => fs.rmSync(folder, { recursive: true }));

const text = (s: string) => `X${String.fromCharCode(s.length)}\0\0\0${s}`;
const byte = (n: number) => String.fromCharCode(n);

/** A module whose children are those that the memo holds under `children`. */
const moduleOf = (children: readonly number[]) =>
  `cnet\nNet\n)\x81}(${text('_parameters')}}${text('_buffers')}}${text('_modules')}}(${children.map((c, i) => `${text(`c${i}`)}h${byte(c)}`).join('')}uub`;
/** Forty modules, each but the first with the one before it twice as a child: 2^39 paths. */
const doubling = Array.from({ length: 40 }, (_, i) => `${moduleOf(i === 0 ? [] : [i - 1, i - 1])}q${byte(i)}0`).join('') + `h${byte(39)}`;
const wrapsItself = `}q\0${text('state_dict')}h\0s`;
const callsItself = `ctorch._tensor\n_rebuild_from_type_v2\n]q\0(ctorch._tensor\n_rebuild_from_type_v2\nNh\0eR`;
const tensor = (shape: string, stride: string) =>
  `}${text('w')}ctorch._utils\n_rebuild_tensor_v2\n((${text('storage')}ctorch\nFloatStorage\n${text('0')}${text('cpu')}K\x04tQK\0(${shape}t(${stride}t\x89}tRs`;
const longInteger = `\x8a\x09${'\x01'.repeat(9)}`;

test.each([
  ['modules that share children without end', doubling, /more than 100000 modules/],
  ['a state dict in itself', wrapsItself, /holds itself/],
  ['a call with itself as argument', callsItself, /wants to call _rebuild_from_type_v2/],
  ['a stride that no number holds', tensor('K\x02', longInteger), /does not lie within its storage/],
])('%s is refused, at once', async (_, pickle, message) => {
  const file = path.join(folder, 'net.pt');
  const bytes = Uint8Array.from(`\x80\x02${pickle}.`, c => c.charCodeAt(0));
  fs.writeFileSync(file, zipSync({ 'net/data.pkl': bytes, 'net/data/0': new Uint8Array(16) }, { level: 0 }));
  const error = await importModel(file, { as: 'densenet', labels: 'a', out: path.join(folder, 'net') }, { print() {}, note() {} }).then(() => undefined, (e: unknown) => e);
  expect(isOverreadError(error) && error.code).toBe('model/checkpoint');
  expect((error as Error).message).toMatch(message);
}, 10_000);
