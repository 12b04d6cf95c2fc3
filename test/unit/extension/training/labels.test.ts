/** Labels of a browser: what is kept of a picture, whose it is, and how it becomes a data set or a zip. */
import { strFromU8, unzipSync } from 'fflate';
import { readArchive, writeArchive, zipped } from '../../../../extension/training/archive.ts';
import { LabelCollector } from '../../../../extension/training/collect.ts';
import { labelItem, type LabelItem, type Labels } from '../../../../extension/training/label-item.ts';
import { labelSet, teaches } from '../../../../extension/training/label-set.ts';
import { browserLabels, memoryDatabase } from '../../../../extension/training/label-store.ts';
import { nextToLabel } from '../../../../extension/training/next-to-label.ts';
import { pictureId, pseudonyms } from '../../../../extension/training/pseudonym.ts';
import { ResultsStore } from '../../../../extension/results-store.ts';
import type { Cornerstone } from '../../../../extension/types/ohif.ts';
import { parseManifest } from '../../../../src/manifest.ts';
import { parseDataset } from '../../../../src/training/dataset.ts';
import { parseRecipe } from '../../../../src/training/recipe.ts';
import { FakeViewer } from '../fake-viewer.ts';
import { image, manifest, result, source } from '../made.ts';

const NAMES = ['CANARY^ANNA', 'CANARY-4711'];
const secret = new Uint8Array(32).fill(7);

function item(id: string, patient: string, labels: Labels = { mask: { labels: Uint8Array.of(0, 1, 1, 0), classes: ['Background', 'Lung'] } }, before?: LabelItem): LabelItem {
  const of = image(source(id));
  of.pixels.set([10, 100, 200, 250]);
  return labelItem({ id, patient, collectedAt: '2026-01-02T03:04:05.000Z' }, of, labels, before);
}

describe('a labelled picture', () => {
  test('keeps nothing that says whose it is', () => {
    const of = { ...image(), frameOfReferenceUID: '1.2.840', attributes: { patientID: NAMES[1]!, seriesDescription: `${NAMES[0]} lateral`, bodyPartExamined: 'CHEST', mr: { protocolName: NAMES[0]! } } };
    const { pixels, summary } = labelItem({ id: 'a', patient: 'p', collectedAt: 'now' }, of, { findings: { Edema: 1 } });
    const text = JSON.stringify([pixels, summary]);
    for (const secretText of [...NAMES, 'CANARY', '1.2.840', '1.2.3', source().seriesInstanceUID]) expect(text).not.toContain(secretText);
    // The view that only the description says is kept, not the description.
    expect(pixels.image.attributes).toEqual({ viewPosition: 'L', bodyPartExamined: 'CHEST' });
  });

  test('is refused where its mask or objects lie off the grid, and where it is no plane', () => {
    const off = { labels: new Uint8Array(6), classes: ['Background', 'Lung'] };
    expect(() => item('a', 'p', { mask: off })).toThrow(/grid, 2 × 2 = 4 pixels, got 6/);
    expect(() => item('a', 'p', { mask: { ...off, labels: new Uint8Array(4), objects: new Int32Array(3) } })).toThrow(/got 3/);
    expect(() => labelItem({ id: 'a', patient: 'p', collectedAt: '' }, { ...image(), shape: [2, 1, 2] }, {})).toThrow(/one plane/);
  });

  test('takes findings and a mask one after the other', () => {
    const first = item('a', 'p', { findings: { Edema: 1, Mass: 0 } });
    const both = item('a', 'p', undefined, first);
    expect(both.summary).toMatchObject({ findings: { Edema: 1, Mass: 0 }, classes: ['Background', 'Lung'], covered: 0.5 });
    expect(item('a', 'p', { findings: { Mass: 1 } }, both).summary).toMatchObject({ findings: { Edema: 1, Mass: 1 }, covered: 0.5 });
  });
});

describe('hashes', () => {
  const instance = { StudyInstanceUID: '1', SeriesInstanceUID: '1.2', SOPInstanceUID: '1.2.3', PatientID: ' CANARY-4711 ', PatientName: 'x' };
  test('are of a patient over studies, of a study without a patient, and of this browser only', async () => {
    const of = await pseudonyms(instance, secret);
    const later = await pseudonyms({ ...instance, StudyInstanceUID: '2', SOPInstanceUID: '2.3', PatientID: 'CANARY-4711' }, secret);
    expect(later.patient).toBe(of.patient);
    expect(later.id).not.toBe(of.id);
    expect((await pseudonyms({ ...instance, IssuerOfPatientID: 'another hospital' }, secret)).patient).not.toBe(of.patient);
    const [nobody, another] = await Promise.all([pseudonyms({ ...instance, PatientID: '' }, secret), pseudonyms({ ...instance, PatientID: '', StudyInstanceUID: '2' }, secret)]);
    expect(nobody!.patient).not.toBe(another!.patient);
    expect((await pseudonyms(instance, new Uint8Array(32))).patient).not.toBe(of.patient);
    expect(of.patient).toMatch(/^[0-9a-f]{32}$/);
    await expect(pseudonyms({ ...instance, SOPInstanceUID: undefined }, secret)).rejects.toMatchObject({ code: 'input/no-pixels' });
  });
});

describe('as a data set', () => {
  const lung = manifest();
  const two = parseManifest({ ...lung, output: { ...lung.output, targets: [{ ...lung.output.targets[0]!, label: 'Heart' }, lung.output.targets[0]!] } }, 'two');

  test('masks are numbered by the model\'s targets; one class is the only target\'s, whatever it is called', () => {
    const drawn = item('b', 'q', { mask: { labels: Uint8Array.of(3, 0, 0, 0), classes: ['Background', 'x'] } });
    const { dataset, images } = labelSet([item('a', 'p'), drawn], lung);
    expect(parseDataset(dataset, 'here').items.map(({ patientId }) => patientId)).toEqual(['p', 'q']);
    expect([...images.get(dataset.items[1]!.mask!)!.pixels]).toEqual([1, 0, 0, 0]);
    const of = labelSet([item('a', 'p')], two);
    expect([...of.images.get(of.dataset.items[0]!.mask!)!.pixels]).toEqual([0, 2, 2, 0]);
    expect(of.dataset.maskClasses).toEqual(['Background', 'Heart', 'Lung']);
  });

  test('a class that the model does not know is refused by name, never taken for background', () => {
    const strange = item('a', 'p', { mask: { labels: Uint8Array.of(1, 2, 0, 0), classes: ['Background', 'Lung', 'Drain'] } });
    expect(() => labelSet([strange], lung)).toThrow(/got 'Drain'/);
    // One that no pixel has is no matter.
    expect(labelSet([item('a', 'p', { mask: { labels: Uint8Array.of(1, 0, 0, 0), classes: ['Background', 'Lung', 'Drain'] } })], lung).dataset.items).toHaveLength(1);
  });

  test('only pictures that say something to the model are its labels', () => {
    const { summary } = item('a', 'p');
    expect(teaches(lung, summary)).toBe(true);
    expect(teaches(lung, { ...summary, modality: 'MR' })).toBe(false);
    expect(teaches(lung, item('a', 'p', { findings: { Edema: 1 } }).summary)).toBe(false);
  });
});

describe('a zip', () => {
  test('of labels comes back as it went, its patients numbered anew', async () => {
    const items = [item('a1', 'hash-of-p'), item('b2', 'hash-of-p', { mask: { labels: Uint8Array.of(2, 0, 0, 0), classes: ['Background', 'Heart', 'Lung'], objects: Int32Array.of(1, 0, 0, 0) } }), item('c3', 'hash-of-q', { findings: { Edema: 0 } })];
    const bytes = await writeArchive(items);
    const files = unzipSync(bytes);
    const dataset = parseDataset(JSON.parse(strFromU8(files['dataset.json']!)), 'zip');
    expect(dataset.items.map(({ patientId }) => patientId)).toEqual(['patient-1', 'patient-1', 'patient-2']);
    expect(strFromU8(files['dataset.json']!)).not.toMatch(/hash-of|a1|b2/);
    const back = await readArchive(bytes, 'labels.zip', secret);
    expect(new Set(back.map(({ summary }) => summary.patient)).size).toBe(2);
    const [first, second, third] = back;
    const { pixels, representableRange: [low, high] } = first!.pixels.image;
    expect([...pixels].map(v => Math.round(((v - low) / (high - low)) * 255 * 100) / 100)).toEqual([10, 100, 200, 250]);
    expect(first!.pixels.image).toMatchObject({ modality: 'CR', attributes: { viewPosition: 'PA' } });
    // By names: 'Lung' is another number in each.
    const named = ({ pixels: { mask }, summary: { classes } }: LabelItem) => [...mask!].map(label => classes![label]);
    expect(named(first!)).toEqual(['Background', 'Lung', 'Lung', 'Background']);
    expect(named(second!)).toEqual(['Lung', 'Background', 'Background', 'Background']);
    expect([...second!.pixels.objects!]).toEqual([1, 0, 0, 0]);
    expect(third!.summary.findings).toEqual({ Edema: 0 });
  });

  test('that is none, or holds no data set, is refused by name', async () => {
    await expect(readArchive(Uint8Array.of(1, 2, 3), 'x.zip', secret)).rejects.toMatchObject({ code: 'dataset/invalid', message: expect.stringMatching(/x\.zip/) });
    await expect(readArchive(zipped(new Map([['a.txt', Uint8Array.of(1)]])), 'x.zip', secret)).rejects.toThrow(/dataset\.json/);
    await expect(writeArchive([])).rejects.toMatchObject({ code: 'dataset/invalid' });
  });
});

test('next to label are the pictures that the model is least sure of and that have no label', async () => {
  const results = new ResultsStore();
  const sure = (sop: string, code: number) => {
    const made = result(image(source(sop)), { labels: Uint8Array.of(1, 0, 0, 0) });
    results.keep({ ...made, probabilities: { values: Uint8Array.of(code, 0, 0, 0), labels: made.labels, operatingPoints: [0.5] } });
  };
  sure('sure', 199);
  sure('doubtful', 100);
  sure('labelled', 101);
  sure('in between', 150);
  results.keep(result(image(source('without probabilities'))));
  const labelled = new Set([await pictureId(source('labelled'), secret)]);
  const next = await nextToLabel(results.all(), 'lung-unet', labelled, secret);
  expect(next.map(({ source: { sopInstanceUID } }) => sopInstanceUID)).toEqual(['doubtful', 'in between', 'sure']);
  expect(next[0]!.uncertainty).toBeCloseTo(1, 2);
  expect(await nextToLabel(results.all(), 'another', labelled, secret)).toEqual([]);
});

test('pixels take as little room as they can, and come back as they were', async () => {
  const store = browserLabels(memoryDatabase());
  const sizes = [[0, 255, 7, 1], [0, 4095, 1, 2], [-1024, 3000, 0, 1], [0.5, 1, 2, 3], [70000, 0, 0, 0]].map(async (values, i) => {
    const of = image(source(`${i}`));
    of.pixels.set(values);
    await store.put([labelItem({ id: `${i}`, patient: 'p', collectedAt: `${i}` }, of, { findings: { A: 1 } })]);
    expect([...(await store.item(`${i}`))!.pixels.image.pixels]).toEqual(values);
    return (await store.item(`${i}`))!.summary.bytes;
  });
  expect(await Promise.all(sizes)).toEqual([4, 8, 8, 16, 16]);
});

describe('what is on the image', () => {
  function viewer() {
    const fake = new FakeViewer();
    const series = fake.addSeries('ds', ['1.2.3'], { attributes: { Modality: 'CR', PatientID: NAMES[1]!, BitsStored: 8 } });
    fake.show('v', series);
    const cornerstone = { ...fake.cornerstone, imageLoader: { loadAndCacheImage: async () => ({ rows: 2, columns: 2, numberOfComponents: 1, color: false, voxelManager: { getScalarData: () => [1, 2, 3, 4] } }) } } as unknown as Cornerstone;
    const results = new ResultsStore();
    const store = browserLabels(memoryDatabase());
    const collector = new LabelCollector({ services: fake.services, cornerstone, store, results: () => results.all(), readEdits: () => undefined, isOurs: () => false });
    return { fake, series, results, store, collector };
  }

  test('a model\'s mask and one that was drawn can be added; the same image replaces its label', async () => {
    const { fake, series, results, store, collector } = viewer();
    expect(collector.choices()).toEqual([]);
    const { key } = results.keep(result(image(source('1.2.3')), { labels: Uint8Array.of(1, 0, 0, 0) }));
    results.keep(result(image(source('9.9'))));
    const drawn = await fake.services.segmentationService.createLabelmapForDisplaySet(series, { label: 'Mine', segments: {} });
    expect(collector.choices()).toEqual([{ id: key, name: 'Lung U-Net' }, { id: drawn, name: 'Mine' }]);
    await collector.mask(key);
    expect(await store.summaries()).toMatchObject([{ classes: ['Background', 'Lung'], covered: 0.25 }]);
    fake.labelmaps.get(`${drawn} image:1.2.3`)!.scalars.set([0, 1, 1, 1]);
    await collector.mask(drawn);
    const [only, ...others] = await store.summaries();
    expect(others).toEqual([]);
    expect(only).toMatchObject({ covered: 0.75, classes: ['Background', 'Segment 1'] });
    expect([...(await store.item(only!.id))!.pixels.image.pixels]).toEqual([1, 2, 3, 4]);
    await expect(collector.mask('gone')).rejects.toMatchObject({ code: 'dataset/invalid' });
    await store.putRun({ location: 'm/', parentName: 'M', recipe: parseRecipe({ schemaVersion: 1, loss: { kind: 'dice' }, optimiser: { kind: 'adam' }, rate: 1, steps: 1, batch: 1 }, ''), labels: [], id: 'i', name: 'n', allowSlow: false, step: 0 }, Uint8Array.of(1));
    const before = await store.secret();
    await store.purge();
    expect([await store.summaries(), await store.item(only!.id), await store.run(), await store.checkpoint()]).toEqual([[], undefined, undefined, undefined]);
    expect(await store.secret()).not.toEqual(before);
  });
});
