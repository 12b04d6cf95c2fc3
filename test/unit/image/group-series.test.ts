import { encode } from 'fast-png';
import type { SynthesisRule } from '../../../src/dicom/synthesis.ts';
import { groupSeries, type InputFile } from '../../../src/image/group-series.ts';
import { part10, picture, slice, type Attributes } from '../../fixtures/build-dicom.ts';

const file = (name: string, content: Attributes | Uint8Array): InputFile => ({
  name,
  read: async () => (content instanceof Uint8Array ? content : part10(content)),
});

test('slices of a series make one volume, radiographs and pictures one image each', async () => {
  const { inputs, refused } = await groupSeries([
    file('b.dcm', slice(5)), file('x.dcm', picture({ '0020000E': '1.9' })), file('a.dcm', slice(0)),
    file('y.dcm', picture({ '0020000E': '1.9', '00080018': '1.9.2' })), file('p.png', encode({ width: 1, height: 1, data: new Uint8Array(1), channels: 1 })),
  ]);
  expect(refused).toEqual([]);
  expect(inputs.map((i) => [i.files, i.modality])).toEqual([[['b.dcm', 'a.dcm'], 'CT'], [['x.dcm'], 'CR'], [['y.dcm'], 'CR'], [['p.png'], undefined]]);
  const images = await Promise.all(inputs.map((i) => i.open()));
  expect(images.map((i) => i.shape)).toEqual([[3, 2, 2], [3, 2, 1], [3, 2, 1], [1, 1, 1]]);
});

test('two series are two volumes', async () => {
  const { inputs } = await groupSeries([file('a', slice(0)), file('b', slice(0, { '0020000E': '7.7' }))]);
  expect(inputs.map((i) => i.files)).toEqual([['a'], ['b']]);
});

test('frames that make no volume are an image each', async () => {
  const cine = picture({ '00280008': 2, '7FE00010': Array.from({ length: 12 }, (_, i) => i) });
  const { inputs } = await groupSeries([file('cine', cine)]);
  expect(inputs.map((i) => i.frame)).toEqual([1, 2]);
  expect((await inputs[1]!.open()).pixels[0]).toBe(6);
});

test('each file that is no image has its own error; the others are read', async () => {
  const { inputs, refused } = await groupSeries([
    file('text', Buffer.from('no image at all, only text')), file('sr', picture({ '00280010': undefined, '7FE00010': undefined })),
    file('seg', picture({ '00080016': '1.2.840.10008.5.1.4.1.1.66.4' })), file('good', picture()),
    { name: 'gone', read: () => Promise.reject(new Error('ENOENT')) },
  ]);
  expect(inputs.map((i) => i.files)).toEqual([['good']]);
  expect(refused.map((r) => [r.file, r.error.code])).toEqual([
    ['text', 'input/unreadable'], ['sr', 'input/no-pixels'], ['seg', 'input/refused'], ['gone', 'internal'],
  ]);
});

test('a series with a gap is refused when it is opened, with the numbers', async () => {
  const { inputs } = await groupSeries([0, 5, 15].map((z) => file(`z${z}`, slice(z))));
  await expect(inputs[0]!.open()).rejects.toMatchObject({ code: 'input/geometry', message: expect.stringContaining('10 mm, after z5') });
});

test('pictures, frames and volumes count as synthesised by a rule of the site', async () => {
  const named = { '0008103E': 'MRCAT water' };
  const cine = picture({ '00280008': 2, '7FE00010': Array.from({ length: 12 }, (_, i) => i), '0020000E': '1.8', ...named });
  const files = [file('a', slice(0, named)), file('b', slice(5, named)), file('x', picture({ '0020000E': '1.9', ...named })), file('cine', cine)];
  const said = async (rules?: readonly SynthesisRule[]) => {
    const { inputs } = await groupSeries(files, undefined, rules);
    return Promise.all(inputs.map(async input => (await input.open()).attributes.synthesised));
  };
  expect(await said()).toEqual([undefined, undefined, undefined, undefined]);
  expect(await said([{ descriptions: ['mrcat'] }])).toEqual(Array(4).fill(expect.stringMatching(/rule of this site/)));
});

test('cancel', async () => {
  const controller = new AbortController();
  const { inputs } = await groupSeries([file('a', slice(0))]);
  controller.abort();
  await expect(groupSeries([file('a', slice(0))], controller.signal)).rejects.toMatchObject({ code: 'job/cancelled' });
  await expect(inputs[0]!.open(controller.signal)).rejects.toMatchObject({ code: 'job/cancelled' });
});
