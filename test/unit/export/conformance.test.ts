import { dicomObjects } from '../../../src/export/exporters.ts';
import { keyObjects } from '../../../src/export/key-objects.ts';
import { encodePart10 } from '../../../src/export/part10.ts';
import { joinObjects, readObject, type ReadObject } from '../../../src/export/read/index.ts';
import { segmentation } from '../../../src/export/segmentation.ts';
import { tiledSegmentation } from '../../../src/export/tiled-segmentation.ts';
import type { HeatmapResult, Result } from '../../../src/results/result.ts';
import { heatmap, mask, points, scores } from './results.ts';
import { film, HEART, LUNG, MADE, multiFrame, slide, stack, type Sources } from './sources.ts';
import { dciodvfyErrors, hasDciodvfy, hasPixelMed, hasPydicom, pixelMedErrors, pydicomOf, type Excuse } from './validators.ts';

/** Messages of dciodvfy 2022 that are wrong. */
const EXCUSES: readonly Excuse[] = [
  { text: 'Error - Only valid for AnnotationCoordinateType of 3D - attribute <CommonZCoordinateValue> = <>', reason: 'The object does not have this attribute: the rule fires on its absence.' },
];
const LABELMAP_EXCUSES: readonly Excuse[] = [{ text: 'Error - Information Object Not found', reason: 'Label Map Segmentation Storage is of 2024, the validator of 2022.' }];

type Of = Pick<Sources, 'reference' | 'context'>;
const SOURCES: Readonly<Record<string, () => Promise<Of>>> = {
  'CT ascending': () => stack({ places: [0, 2.5, 5] }),
  'CT descending': () => stack({ places: [5, 2.5, 0] }),
  'CT shuffled': () => stack({ places: [2.5, 7.5, 0, 5] }),
  'CT gapped': () => stack({ places: [0, 10, 20], thicknessMm: 2 }),
  'CT oblique': () => stack({ places: [5, 0, 2.5], oblique: true }),
  'CT, one slice': () => stack({ places: [12.5] }),
  'MR oblique': () => stack({ modality: 'MR', places: [0, 2.5, 5], oblique: true }),
  'multi-frame CT': () => multiFrame([5, 0, 2.5]),
  DX: () => film('DX', 130, 90),
  CR: () => film('CR', 130, 90),
  slide: async () => slide(),
};

async function written(result: Result, { context }: Of, image?: Sources['image']): Promise<Uint8Array[]> {
  return dicomObjects(result, { ...context, user: 'Reader^Rita', verdict: { decision: 'rejected', reason: 'rib', decidedAt: '2026-01-01T00:00:00Z' } }, { ...(image && { image }), keyObjects: true }).map(object => encodePart10(object));
}

const back = async (files: readonly Uint8Array[], { context }: Of): Promise<ReadObject[]> => {
  const read: ReadObject[] = [];
  for (const file of files) {
    const object = await readObject(file, context.sources);
    if (object) read.push(object);
  }
  return [...joinObjects(read)];
};

describe.each(Object.entries(SOURCES))('on %s', (name, open) => {
  let of: Of;
  beforeAll(async () => {
    of = await open();
  });
  const all = async (): Promise<Uint8Array[]> => {
    const { reference } = of;
    const image = 'image' in of ? (of as Sources).image : undefined;
    return [
      ...(await written(mask(reference), of)), ...(await written(scores(reference), of)), ...(await written(heatmap(reference), of, image)),
      ...(reference.shape[2] === 1 ? await written(points(reference), of) : []),
    ];
  };

  (hasDciodvfy ? test : test.skip)('dciodvfy finds no error in any object', async () => {
    for (const file of await all()) expect(dciodvfyErrors(file, EXCUSES)).toEqual([]);
    const { reference, context } = of;
    expect(dciodvfyErrors(encodePart10(segmentation(mask(reference), context, 'LABELMAP')), LABELMAP_EXCUSES)).toEqual([]);
  });

  test('every result comes back as it was', async () => {
    const { reference } = of;
    const [labelmap] = await back(await written(mask(reference), of), of);
    expect(labelmap!.provenance.ours).toBe(true);
    expect(labelmap!.verdict).toEqual({ decision: 'rejected', reason: 'rib' });
    expect(kept(labelmap!.result!)).toEqual(kept(mask(reference)));
    const [report] = await back(await written(scores(reference), of), of);
    expect(report!.verdict).toEqual({ decision: 'rejected', reason: 'rib' });
    expect(kept(report!.result!)).toEqual(kept(scores(reference)));
    if (name === 'DX' || name === 'CR') {
      const [capture] = await back(await written(heatmap(reference), of, (of as Sources).image), of);
      expect(capture!.capture).toMatchObject({ target: 'Lung', sourceUID: of.context.sources[0]!.sopInstanceUID });
      const sent = heatmap(reference);
      const map = capture!.result as HeatmapResult;
      expect(map).toMatchObject({ kind: 'heatmap', range: sent.range, source: { shape: reference.shape, sources: reference.sources } });
      // In 256 steps, and clamped to the range as it is drawn.
      const [low, high] = sent.range;
      const worst = sent.values.reduce((most, value, i) => Math.max(most, Math.abs(map.values[i]! - Math.min(high, Math.max(low, value)))), 0);
      expect(worst).toBeLessThanOrEqual((high - low) / 509);
    } else {
      const [map] = await back(await written(heatmap(reference), of), of);
      expect(kept(map!.result!)).toEqual(kept(heatmap(reference)));
    }
    if (reference.shape[2] !== 1) return;
    const [counts] = await back(await written(points(reference), of), of);
    expect(kept(counts!.result!)).toEqual(kept(points(reference)));
  });
});

/** What of a result is written: all but colours, the attributes and channels of its source, and what only the running program knows. */
function kept(result: Result): unknown {
  const plain = (value: unknown): unknown => {
    if (ArrayBuffer.isView(value)) return [...(value as Float32Array)].map(v => (Number.isFinite(v) ? Math.round(v * 1e4) / 1e4 : null));
    if (typeof value === 'number') return Math.round(value * 1e6) / 1e6;
    if (Array.isArray(value)) return value.map(plain);
    if (value === null || typeof value !== 'object') return value;
    return Object.fromEntries(Object.entries(value).filter(([key, v]) => v !== undefined && !UNWRITTEN.has(key)).map(([key, v]) => [key, plain(v)]));
  };
  const { confidences: _, ...rest } = result as Result & { confidences?: unknown };
  return plain(rest.kind === 'heatmap' ? { ...rest, target: rest.target.label } : rest);
}
const UNWRITTEN = new Set(['color', 'category', 'attributes', 'channels', 'spacingSource', 'timingMs', 'reason', 'probabilities', 'spacingMm']);

(hasPydicom ? test : test.skip)('pydicom finds every voxel where it was put', async () => {
  const { reference, context } = await stack({ places: [5, 0, 2.5, 7.5], oblique: true });
  const result = mask(reference, (x, y, slice) => (x > 2 && y > 1 && slice !== 1 ? 1 + ((x + slice) % 2) : 0));
  const found = pydicomOf(encodePart10(segmentation(result, context)), `
out = []
iop = [float(v) for v in d.SharedFunctionalGroupsSequence[0].PlaneOrientationSequence[0].ImageOrientationPatient]
spacing = [float(v) for v in d.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0].PixelSpacing]
for frame, pixels in zip(d.PerFrameFunctionalGroupsSequence, d.pixel_array):
    ipp = numpy.array([float(v) for v in frame.PlanePositionSequence[0].ImagePositionPatient])
    segment = int(frame.SegmentIdentificationSequence[0].ReferencedSegmentNumber)
    for row, column in numpy.argwhere(pixels):
        out.append([segment, *(ipp + numpy.array(iop[:3]) * spacing[1] * column + numpy.array(iop[3:]) * spacing[0] * row).round(3).tolist()])
print(json.dumps(sorted(out)))`) as number[][];
  const m = reference.indexToPatient!;
  const [columns, rows] = reference.shape;
  const expected = [...result.labels].flatMap((label, i) => {
    const [x, y, slice] = [i % columns, Math.floor(i / columns) % rows, Math.floor(i / (columns * rows))];
    return label === 0 ? [] : [[label, ...[0, 4, 8].map(k => m[k]! * x + m[k + 1]! * y + m[k + 2]! * slice + m[k + 3]!)]];
  });
  const order = (a: readonly number[], b: readonly number[]): number => a.map((v, i) => v - b[i]!).find(d => Math.abs(d) > 1e-6) ?? 0;
  expect(found).toHaveLength(expected.length);
  found.sort(order).forEach((voxel, i) => expected.sort(order)[i]!.forEach((v, k) => expect(voxel[k]!).toBeCloseTo(v, 2)));
});

(hasPixelMed ? test : test.skip)('PixelMed finds no error in a report of each kind, in space and on a picture', async () => {
  const ct = await stack({ places: [12.5] });
  const dx = await film('DX', 130, 90);
  const reports = [...dicomObjects(scores(dx.reference), dx.context), ...dicomObjects(points(ct.reference), ct.context), ...dicomObjects(mask(ct.reference), ct.context)].filter(({ Modality }) => Modality === 'SR');
  expect(reports).toHaveLength(3);
  expect(pixelMedErrors(reports.map(object => encodePart10(object)))).toEqual([]);
}, 300_000);

test('no two writings share a UID, and none is the source\'s', async () => {
  const { reference, context } = await stack({ places: [0, 2.5] });
  const uids = [1, 2].flatMap(() => dicomObjects(mask(reference), context, { keyObjects: true })).flatMap(({ SOPInstanceUID, SeriesInstanceUID }) => [SOPInstanceUID, SeriesInstanceUID]);
  expect(new Set([...uids, ...context.sources.map(({ sopInstanceUID }) => sopInstanceUID)]).size).toBe(uids.length + context.sources.length);
});

test('pictures that are no DICOM images are refused, and so are sources that are not at hand', async () => {
  const { reference, context } = await film('DX', 130, 90);
  expect(() => dicomObjects(mask({ ...reference, sources: [{ file: 'a.png' }] }), context)).toThrow(expect.objectContaining({ code: 'input/refused' }));
  expect(() => dicomObjects(mask(reference), { sources: [] })).toThrow(expect.objectContaining({ code: 'input/inconsistent' }));
  expect(() => dicomObjects(heatmap(reference), context)).toThrow(expect.objectContaining({ code: 'input/refused' }));
  expect(() => keyObjects(scores(reference), { sources: [] })).toThrow(expect.objectContaining({ code: 'input/inconsistent' }));
});

describe('a mask of a slide, in tiles', () => {
  const of = slide(1300, 700);
  const labelAt = (x: number, y: number): number => (x > 1100 && y > 600 ? 2 : x < 3 && y < 3 ? 1 : 0);
  const tiled = (at: (x: number, y: number) => number, read?: object) => encodePart10(tiledSegmentation({
    ...MADE, source: of.reference, targets: [LUNG, HEART], glassTiles: 3, ...read,
    labelsIn: ({ x, y, columns, rows }) => {
      const labels = Uint8Array.from({ length: columns * rows }, (_, i) => at(x + (i % columns), y + Math.floor(i / columns)));
      return labels.some(v => v > 0) ? labels : undefined;
    },
  }, of.context));

  (hasDciodvfy ? test : test.skip)('has no error, with pixels and without', () => {
    for (const file of [tiled(labelAt), tiled(() => 0)]) expect(dciodvfyErrors(file, EXCUSES)).toEqual([]);
  });

  test('has frames where there are pixels only, and comes back pixel by pixel at its edges too', async () => {
    const { tiles, result } = (await readObject(tiled(labelAt), of.context.sources))!;
    expect(result).toBeUndefined();
    expect(tiles!.tiles.map(({ region }) => region)).toEqual([{ x: 0, y: 0, columns: 512, rows: 512 }, { x: 1024, y: 512, columns: 276, rows: 188 }]);
    for (const { region: { x, y, columns }, labels } of tiles!.tiles) {
      labels.forEach((label, i) => {
        if (label !== labelAt(x + (i % columns), y + Math.floor(i / columns))) throw new Error(`label ${label} at ${x + (i % columns)}, ${y + Math.floor(i / columns)}`);
      });
    }
    expect(tiles).toMatchObject({ model: { id: 'tiny-net', sha256: MADE.model.sha256 }, glassTiles: 3, source: { sources: of.reference.sources, shape: [1300, 700, 1] } });
    expect(tiles!.targets.map(({ label }) => label)).toEqual(['Lung', 'Herz (Größe)']);
    expect((await readObject(tiled(() => 0), of.context.sources))!.tiles!.tiles.flatMap(({ labels }) => [...labels]).every(v => v === 0)).toBe(true);
  });
});
