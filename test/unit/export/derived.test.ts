import { readFileSync } from 'node:fs';
import path from 'node:path';
import { cielabOf, srgbOf } from '../../../src/export/cielab.ts';
import { dateTime } from '../../../src/export/derived.ts';
import { OVERREAD_VERSION } from '../../../src/version.ts';
import { packBits } from '../../../src/export/segmentation.ts';

test('objects state the version of the package', () => {
  const { version } = JSON.parse(readFileSync(path.join(__dirname, '../../../package.json'), 'utf8')) as { version: string };
  expect(OVERREAD_VERSION).toBe(version);
});

test.each([[[255, 255, 255], [65535, 32896, 32896]], [[0, 0, 0], [0, 32896, 32896]]] as const)('%p is %p in CIELab', (rgb, lab) => {
  cielabOf(rgb).forEach((v, i) => expect(Math.abs(v - lab[i]!)).toBeLessThan(120));
});

test('colours come back within one step of 255', () => {
  for (const rgb of [[64, 196, 255], [255, 120, 60], [1, 2, 3], [200, 10, 90]] as const) srgbOf(cielabOf(rgb)).forEach((v, i) => expect(Math.abs(v - rgb[i]!)).toBeLessThanOrEqual(1));
});

test('bits of a frame need not begin at a byte', () => {
  expect([...new Uint8Array(packBits([Uint8Array.of(1, 0, 1), Uint8Array.of(0, 1, 1), Uint8Array.of(1, 1, 1)], 3))]).toEqual([0b11110101, 1]);
});

test('a moment is written in UTC, with its offset', () => {
  expect(dateTime('2026-03-04T05:06:07.890Z')).toBe('20260304050607.890+0000');
});
