import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import dicomParser from 'dicom-parser';
import { decode } from 'fast-png';
import { writeDemo, type DemoReport } from '../../../src/cli/demo.ts';
import { writeDemoDataset } from '../../../src/cli/demo/dataset.ts';
import { readDatasetFolder } from '../../../src/cli/dataset-folder.ts';
import { imageFromFile } from '../../../src/image/file-image.ts';
import { imageFromJpeg } from '../../../src/image/jpeg.ts';
import { histologyRegion, histologySlide } from '../../../src/phantoms/histology.ts';

let folder: string;
let report: DemoReport;
const read = (file: string): Buffer => fs.readFileSync(path.join(folder, file));

beforeAll(async () => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'overread-demo-'));
  report = await writeDemo({ out: folder, seed: 3, small: true, slideSize: 1024 });
});
afterAll(() => fs.rmSync(folder, { recursive: true, force: true }));

interface Read {
  readonly file: string;
  readonly set: dicomParser.DataSet;
}
const instances = (): Read[] => report.files.filter((file) => file.endsWith('.dcm')).map((file) => ({ file, set: dicomParser.parseDicom(read(file)) }));

test('each folder is one study of one patient, and no instance comes twice', () => {
  const studyOf = new Map<string, string>();
  const patientOf = new Map<string, string>();
  const seen = new Set<string>();
  for (const { file, set } of instances()) {
    const top = file.split(/[/\\]/)[0]!;
    const [study, patient, instance] = [set.string('x0020000d')!, set.string('x00100020')!, set.string('x00080018')!];
    expect(studyOf.get(top) ?? study).toBe(study);
    expect(patientOf.get(top) ?? patient).toBe(patient);
    studyOf.set(top, study);
    patientOf.set(top, patient);
    expect(seen.has(instance)).toBe(false);
    seen.add(instance);
  }
  expect([...studyOf.keys()].sort()).toEqual(['brain', 'chest', 'chest-bedside', 'histology', 'slide']);
  expect(new Set(studyOf.values()).size).toBe(5);
  expect(new Set(patientOf.values()).size).toBe(5);
});

test('chest films say their view and spacing, one of them is MONOCHROME1', () => {
  const films = instances().filter(({ file }) => file.startsWith('chest'));
  expect(films.map(({ set }) => set.string('x00185101')).sort()).toEqual(['AP', 'LL', 'PA']);
  for (const { set } of films) expect(set.floatString('x00181164')).toBeGreaterThan(0.3);
  expect(films.filter(({ set }) => set.string('x00280004') === 'MONOCHROME1')).toHaveLength(1);
});

test('the truth names instances that are there, and lies on their pixels', async () => {
  const known = new Map(instances().map(({ file, set }) => [set.string('x00080018')!, file]));
  const { truth } = JSON.parse(read('truth/truth.json').toString()) as { truth: DemoReport['truth'] };
  expect(truth).toHaveLength(report.truth.length);
  for (const entry of truth) {
    expect(entry.sopInstanceUIDs.every((uid) => known.has(uid))).toBe(true);
    expect(fs.existsSync(path.join(folder, 'truth', entry.file))).toBe(true);
    if (entry.kind !== 'mask' && entry.kind !== 'instances') continue;
    const image = await imageFromFile(read(known.get(entry.sopInstanceUIDs[0]!)!), 'demo.dcm');
    const mask = decode(read(path.join('truth', entry.file)));
    expect([mask.width, mask.height]).toEqual(image.shape.slice(0, 2));
    // Lungs and nuclei alike are darker than the rest, whatever the photometric interpretation.
    let inside = 0;
    let insideCount = 0;
    let all = 0;
    for (let i = 0; i < mask.data.length; i++) {
      const value = image.pixels[i * image.channels]!;
      all += value;
      if (mask.data[i]) {
        inside += value;
        insideCount++;
      }
    }
    if (entry.classes.includes('nucleus') || entry.file.includes('pa')) expect(inside / insideCount).toBeLessThan(all / mask.data.length);
    expect(insideCount).toBeGreaterThan(100);
  }
});

test('the four sequences lie in one frame of reference and one grid', () => {
  const slices = instances().filter(({ file }) => file.startsWith('brain'));
  expect(new Set(slices.map(({ set }) => set.string('x00200052'))).size).toBe(1);
  const bySeries = new Map<string, string[]>();
  for (const { set } of slices) {
    const series = set.string('x0020000e')!;
    bySeries.set(series, [...(bySeries.get(series) ?? []), set.string('x00200032')!]);
  }
  expect(bySeries.size).toBe(4);
  expect(new Set([...bySeries.values()].map((positions) => positions.sort().join())).size).toBe(1);
});

test('the slide\'s tiles decode to the region that they show, at every level', async () => {
  const slide = histologySlide({ seed: 5, width: 1024, height: 1024 });
  const levels = instances().filter(({ file }) => file.startsWith('slide'));
  expect(levels.map(({ set }) => set.uint32('x00480006')).sort((a, b) => b! - a!)).toEqual([1024, 256]);
  for (const { set } of levels) {
    const across = Math.ceil(set.uint32('x00480006')! / 256);
    const downsample = 1024 / set.uint32('x00480006')!;
    const pixelData = set.elements.x7fe00010!;
    const frames = set.intString('x00280008')!;
    expect(pixelData.fragments).toHaveLength(frames);
    expect(pixelData.basicOffsetTable).toEqual(pixelData.fragments!.map((fragment) => fragment.offset));
    expect(set.floatString('x00282112')).toBeGreaterThan(3);
    const frame = frames > 1 ? across + 1 : 0;
    const bytes = dicomParser.readEncapsulatedPixelDataFromFragments(set, pixelData, frame);
    const { pixels } = await imageFromJpeg(bytes.subarray(0, bytes.lastIndexOf(0xd9) + 1), 'tile.jpg');
    const region = histologyRegion(slide, downsample, (frame % across) * 256, Math.floor(frame / across) * 256, 256, 256);
    let sum = 0;
    for (let i = 0; i < pixels.length; i++) sum += Math.abs(pixels[i]! - region.rgb[i]!);
    expect(sum / pixels.length).toBeLessThan(12);
  }
});

test('the same seed writes the same bytes', async () => {
  const again = fs.mkdtempSync(path.join(os.tmpdir(), 'overread-demo-'));
  try {
    const { files } = await writeDemo({ out: again, seed: 3, small: true, slideSize: 1024, only: ['histology', 'slide'] });
    for (const file of files.filter((name) => name.endsWith('.dcm'))) expect(fs.readFileSync(path.join(again, file)).equals(read(file))).toBe(true);
  } finally {
    fs.rmSync(again, { recursive: true, force: true });
  }
});

test.each(['chest', 'histology'] as const)('a %s data set is one that Overread reads', (kind) => {
  const out = path.join(folder, `set-${kind}`);
  writeDemoDataset({ kind, out, n: 3, seed: 1, size: 96 });
  const { dataset } = readDatasetFolder(out);
  expect(dataset.items).toHaveLength(3);
  for (const item of dataset.items) {
    const image = decode(fs.readFileSync(path.join(out, item.images[0]!.path)));
    const truth = decode(fs.readFileSync(path.join(out, (item.mask ?? item.instances)!)));
    expect([truth.width, truth.height]).toEqual([image.width, image.height]);
    expect(truth.data.some((value) => value > 0)).toBe(true);
  }
  expect(new Set(dataset.items.map(({ patientId }) => patientId)).size).toBe(3);
});
