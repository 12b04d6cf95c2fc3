import { gunzipSync } from 'node:zlib';
import { Exports } from '../../../extension/exports.ts';
import type { Audit } from '../../../extension/audit/audit.ts';
import type { OverreadError } from '../../../src/errors.ts';
import type { AuditedEvent } from '../../../src/audit/record.ts';
import { imageFromNifti } from '../../../src/image/nifti.ts';
import { mask } from '../export/results.ts';
import { stack } from '../export/sources.ts';
import { FakeViewer } from './fake-viewer.ts';

function setup() {
  const viewer = new FakeViewer();
  const events: AuditedEvent[] = [];
  const errors: OverreadError[] = [];
  const exports = new Exports({ audit: { record: async (event: AuditedEvent) => void events.push(event) } as unknown as Audit, services: viewer.services, cornerstone: viewer.cornerstone, report: error => errors.push(error) });
  return { exports, events, errors };
}

test('a mask of a volume is saved as NIfTI, on its slices, and audited', async () => {
  const saved: Blob[] = [];
  jest.spyOn(URL, 'createObjectURL').mockImplementation(blob => (saved.push(blob as Blob), 'blob:x'));
  jest.spyOn(URL, 'revokeObjectURL').mockImplementation(() => undefined);
  jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] });
  const link = { href: '', download: '', click: jest.fn() };
  Object.assign(globalThis, { document: { createElement: () => link } });
  const { reference } = await stack({ places: [2.5, 0, 5], oblique: true });
  const result = mask(reference);
  const { exports, events } = setup();
  await exports.nifti(result);
  expect([link.download, link.click.mock.calls.length]).toEqual(['tiny-net-1.2.3.nii.gz', 1]);
  const back = await imageFromNifti(new Uint8Array(gunzipSync(new Uint8Array(await saved[0]!.arrayBuffer()))), 'mask.nii');
  expect([...back.pixels]).toEqual([...result.labels]);
  back.indexToPatient!.forEach((v, i) => expect(Math.abs(v - reference.indexToPatient![i]!)).toBeLessThan(1e-4));
  expect(events).toMatchObject([{ action: 'export', details: { format: 'nifti' }, studyInstanceUID: reference.sources.map(source => 'studyInstanceUID' in source && source.studyInstanceUID)[0] }]);
  jest.useRealTimers();
  jest.restoreAllMocks();
});

test('no picture is taken of nothing, in words, and nothing is audited', async () => {
  const { exports, events, errors } = setup();
  await exports.picture();
  expect(errors).toMatchObject([{ code: 'input/no-pixels' }]);
  expect(events).toEqual([]);
});
