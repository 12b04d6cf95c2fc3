/** A model of several MR series: eval hands it all that an item has of them, each with its name, the reference first. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { evalItems } from '../../../src/evaluation/items.ts';
import { datasetIn } from '../../../src/cli/dataset-folder.ts';
import { greyPng } from '../../../src/cli/io/png.ts';
import type { Image } from '../../../src/image/image.ts';
import type { ModelManifest } from '../../../src/manifest.ts';
import { fakeRunner } from '../cli/fake-runner.ts';

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'overread-modalities-'));
afterAll(() => fs.rmSync(folder, { recursive: true }));

async function evaluated(modalities: (string | undefined)[]) {
  fs.writeFileSync(path.join(folder, 'mask.png'), greyPng(Uint8Array.of(0, 1), 2, 1));
  const images = modalities.map((modality, i) => {
    fs.writeFileSync(path.join(folder, `${i}.png`), greyPng(Uint8Array.of(i, 200), 2, 1));
    return { path: `${i}.png`, ...(modality && { modality }) };
  });
  const runner = fakeRunner();
  const manifest = { ...runner.manifest, input: { ...runner.manifest.input, modalities: ['T1', 'T2', 'FLAIR'] } } as unknown as ModelManifest;
  const given: Image[][] = [];
  const dataset = { schemaVersion: 1 as const, name: 'mri', licence: 'none', items: [{ id: 'one', patientId: 'p', images, mask: 'mask.png' }] };
  const { report } = await evalItems({
    runner: { ...runner, manifest, run: async read => { given.push([...read]); return runner.run(read); } },
    folder: datasetIn(folder, dataset) as Parameters<typeof evalItems>[0]['folder'],
    keepWorst: 0,
  });
  return { report, given };
}

test('all series that the model reads, by the data set\'s names, FLAIR first', async () => {
  const { report, given } = await evaluated(['T1', 'PD', 'FLAIR']);
  expect(given[0]!.map(({ modality, attributes }) => [modality, attributes.mrModality])).toEqual([['MR', 'FLAIR'], ['MR', 'T1']]);
  expect(new Set(given[0]!.map(({ sources: [source] }) => (source as { study?: string }).study))).toEqual(new Set(['one']));
  expect(report.metrics['dice']!.value).toBe(1);
});

test('an item with none of them is refused by name', async () => {
  const { report, given } = await evaluated(['PD', undefined]);
  expect(given).toEqual([]);
  expect(report.perItem[0]!.error).toMatchObject({ code: 'input/refused', message: expect.stringContaining('T1, T2, FLAIR') });
});
