/** What is held back of a data set, so that something can be measured on it. */
import type { DatasetFiles } from '../../../src/training/dataset.ts';
import { readTrainingData } from '../../../src/training/read-data.ts';
import { picture, tinyManifest } from '../runtime/tiny.ts';
import { recipe } from './made.ts';

const manifest = tinyManifest('tiny-scores', m => ({ ...m, input: { ...m.input, viewPosition: undefined } }));
const [label] = manifest.output.targets.map(target => target.label);

function files(values: readonly (0 | 1)[]): DatasetFiles {
  const items = values.map((value, i) => ({ id: `${i}`, patientId: `p${i}`, images: [{ path: `${i}` }], labels: { [label!]: value } }));
  return { dataset: { schemaVersion: 1, name: 'made', licence: 'CC0', items }, image: async path => picture(32, 32, (x, y) => ((x * 7 + y * 3 + Number(path)) % 50)), text: () => Promise.reject(new Error('none')) };
}
const kinds = (of: readonly { readonly labels?: Float32Array }[]) => [...new Set(of.map(({ labels }) => labels![0]))].sort();

test('of scores a split is looked for that holds both kinds back, whatever the seed', async () => {
  for (const seed of [1, 2, 3, 4, 5]) {
    const { examples: { train, validation } } = await readTrainingData(files([1, 0, 0, 0, 0, 0, 0, 1]), manifest, recipe({ seed, validation: { share: 0.25, every: 6 } }), undefined);
    expect([kinds(train), kinds(validation), validation.length]).toEqual([[0, 1], [0, 1], 2]);
  }
});

test('where none is, or the given one has none, it is refused: there would be nothing to measure', async () => {
  await expect(readTrainingData(files([1, 0, 0, 0]), manifest, recipe(), undefined)).rejects.toMatchObject({ code: 'dataset/invalid', message: expect.stringMatching(/held-back patients with and without/) });
  await expect(readTrainingData(files([1, 0, 1, 0, 0]), manifest, recipe(), { train: ['0', '1', '2'], validation: ['3', '4'] })).rejects.toThrow(/nothing could be measured/);
});
