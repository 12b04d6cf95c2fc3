import fc from 'fast-check';
import { dicomObjects } from '../../src/export/exporters.ts';
import { encodePart10 } from '../../src/export/part10.ts';
import { readFile, bytesOf } from '../../src/export/read/data-set.ts';
import { joinObjects, readObject } from '../../src/export/read/index.ts';
import { segmentation } from '../../src/export/segmentation.ts';
import { items, numbers } from '../../src/export/source.ts';
import { measureSegments } from '../../src/results/measure.ts';
import { stopsOf } from '../../src/results/probability-planes.ts';
import type { HeatmapResult, LabelmapResult, Result, ScoresResult } from '../../src/results/result.ts';
import type { PointsResult } from '../../src/results/points.ts';
import { film, LUNG, MADE, stack, type Sources } from '../unit/export/sources.ts';

const RUNS = { numRuns: 8, seed: 20260302 } as const;
const TARGETS = ['one', 'two', 'three'].map(label => ({ ...LUNG, label }));

/** Small volumes whose slices lie in any order. */
const volume = fc.record({ columns: fc.integer({ min: 1, max: 9 }), rows: fc.integer({ min: 1, max: 9 }), order: fc.integer({ min: 1, max: 4 }).chain(n => fc.shuffledSubarray(Array.from({ length: n }, (_, i) => i), { minLength: n, maxLength: n })), oblique: fc.boolean() });
const open = ({ columns, rows, order, oblique }: { columns: number; rows: number; order: readonly number[]; oblique: boolean }): Promise<Sources> => stack({ columns, rows, places: order.map(i => 2.5 * i), oblique });
const random = (seed: number) => {
  let state = seed % 2147483646 + 1;
  return () => (state = (state * 48271) % 2147483647) / 2147483647;
};

async function back(result: Result, { context }: Sources): Promise<Result> {
  const read = [];
  for (const object of dicomObjects(result, context)) read.push((await readObject(encodePart10(object), context.sources))!);
  return joinObjects(read).find(object => object.result)!.result!;
}

function maskOn({ reference: source }: Sources, seed: number, share: number): LabelmapResult {
  const next = random(seed);
  const labels = Uint8Array.from({ length: source.shape[0] * source.shape[1] * source.shape[2] }, () => (next() < share ? 1 + Math.floor(3 * next()) : 0));
  return { ...MADE, kind: 'labelmap', source, labels, segments: measureSegments(labels, TARGETS, source) };
}

test('masks of any shape, empty, sparse or full, on slices in any order, come back voxel by voxel, as BINARY and as LABELMAP', async () => {
  await fc.assert(fc.asyncProperty(volume, fc.nat(), fc.constantFrom(0, 0.02, 0.5, 1), async (spec, seed, share) => {
    const sources = await open(spec);
    const sent = maskOn(sources, seed, share);
    for (const type of ['BINARY', 'LABELMAP'] as const) {
      const got = (await readObject(encodePart10(segmentation(sent, sources.context, type)), sources.context.sources))!.result as LabelmapResult;
      expect(got.source.sources).toEqual(sent.source.sources);
      expect([...got.labels]).toEqual([...sent.labels]);
      expect(got.segments.map(({ pixels }) => pixels)).toEqual(sent.segments.map(({ pixels }) => pixels));
    }
  }), RUNS);
});

test('probabilities are written FRACTIONAL in half percents, rounded down, each frame on its own slice, and read back from half upwards', async () => {
  await fc.assert(fc.asyncProperty(volume, fc.nat(), fc.constantFrom(0.3, 0.5, 0.123), async (spec, seed, operatingPoint) => {
    const sources = await open(spec);
    const mask = maskOn(sources, seed, 0.5);
    const [columns, rows, slices] = mask.source.shape;
    const next = random(seed + 1);
    const stops = stopsOf(operatingPoint);
    const probability = Float32Array.from({ length: TARGETS.length * mask.labels.length }, () => next());
    const values = Uint8Array.from(probability, p => stops.filter(stop => p >= stop).length);
    const sent: LabelmapResult = { ...mask, probabilities: { values, operatingPoints: TARGETS.map(() => operatingPoint), labels: mask.labels } };
    const file = encodePart10(segmentation(sent, sources.context, 'FRACTIONAL'));
    const read = readFile(file);
    expect([read.set.SegmentationFractionalType, numbers(read.set.MaximumFractionalValue)]).toEqual(['PROBABILITY', [200]]);
    const pixels = bytesOf(read, read.elements, '7FE00010')!;
    const plane = columns * rows;
    const seen = new Set<string>();
    for (const [i, frame] of items(read.set.PerFrameFunctionalGroupsSequence).entries()) {
      const segment = numbers(items(frame.SegmentIdentificationSequence)[0]!.ReferencedSegmentNumber)![0]! - 1;
      const uid = String(items(items(frame.DerivationImageSequence)[0]!.SourceImageSequence)[0]!.ReferencedSOPInstanceUID);
      const slice = sent.source.sources.findIndex(source => 'sopInstanceUID' in source && source.sopInstanceUID === uid);
      seen.add(`${segment} ${slice}`);
      const from = segment * mask.labels.length + slice * plane;
      for (let k = 0; k < plane; k++) {
        const [got, true_] = [pixels[i * plane + k]! / 200, probability[from + k]!];
        // Down to the last half percent, or to the operating point where that lies between.
        if (!(got <= true_ + 1e-6 && true_ - got < 0.01)) throw new Error(`pixel ${k} of slice ${slice}, segment ${segment}: ${got} for ${true_}`);
      }
    }
    // Random planes of a few pixels are hardly ever empty: those that are left out have nothing to show.
    expect(seen.size).toBeGreaterThanOrEqual(plane > 3 ? slices * TARGETS.length : 1);
    const labels = Uint8Array.from(mask.labels, (_, k) => TARGETS.reduce((label, __, s) => (values[s * mask.labels.length + k]! > 0 && Math.floor([0, ...stops][values[s * mask.labels.length + k]!]! * 200 + 1e-9) >= 100 ? s + 1 : label), 0));
    const got = (await readObject(file, sources.context.sources))!.result as LabelmapResult;
    expect([...got.labels]).toEqual([...labels]);
  }), RUNS);
});

test('heat maps on volumes come back to the last bit', async () => {
  await fc.assert(fc.asyncProperty(volume, fc.nat(), fc.float({ noNaN: true, min: -1000, max: 1000 }), async (spec, seed, scale) => {
    const sources = await open(spec);
    const next = random(seed);
    const values = Float32Array.from({ length: spec.columns * spec.rows * spec.order.length }, () => scale * (next() - 0.5));
    const sent: HeatmapResult = { ...MADE, kind: 'heatmap', source: sources.reference, values, range: [-Math.abs(scale), Math.abs(scale)], target: LUNG };
    const got = (await back(sent, sources)) as HeatmapResult;
    expect([...got.values]).toEqual([...values]);
    expect(got.source.sources).toEqual(sent.source.sources);
  }), RUNS);
});

test('any scores and any markers come back as they were', async () => {
  const sources = await film('DX', 31, 17);
  const { reference: source } = sources;
  const probability = fc.double({ min: 0, max: 1, noNaN: true });
  await fc.assert(fc.asyncProperty(fc.array(fc.tuple(probability, fc.double({ min: -50, max: 50, noNaN: true }), fc.option(probability, { nil: undefined })), { minLength: 1, maxLength: 5 }), async all => {
    const sent: ScoresResult = {
      ...MADE, kind: 'scores', source, viewsUsed: ['PA'], viewsMissing: [], viewsFrom: { PA: 'ViewPosition' },
      scores: all.map(([p, logit, operatingPoint], i) => ({ target: { ...LUNG, label: `finding ${i}` }, probability: p, logit, ...(operatingPoint !== undefined && { operatingPoint }), positive: operatingPoint !== undefined && p >= operatingPoint, views: {} })),
    };
    const got = (await back(sent, sources)) as ScoresResult;
    // Written as binary64, read through decimals: fourteen digits hold.
    const said = ({ scores }: ScoresResult) => scores.map(({ target: { label }, probability: p, logit, operatingPoint, positive }) => [label, p.toPrecision(14), logit.toPrecision(14), operatingPoint?.toPrecision(14), positive]);
    expect(said(got)).toEqual(said(sent));
  }), RUNS);
  await fc.assert(fc.asyncProperty(fc.array(fc.tuple(fc.double({ min: 0, max: 30, noNaN: true }), fc.double({ min: 0, max: 16, noNaN: true }), fc.nat(2)), { maxLength: 40 }), async markers => {
    const ordered = [...markers].sort(([, , a], [, , b]) => a - b);
    const classes = TARGETS.map((target, i) => ({ target, count: markers.filter(([, , of]) => of === i).length + 0.25, markers: markers.filter(([, , of]) => of === i).length }));
    const sent: PointsResult = {
      ...MADE, kind: 'points', source, coordinates: Float32Array.from(ordered.flatMap(([x, y]) => [x, y])), classOf: Uint8Array.from(ordered, ([, , of]) => of), confidences: new Float32Array(ordered.length).fill(NaN), classes,
      total: { count: markers.length + 0.75, markers: markers.length },
    };
    const got = (await back(sent, sources)) as PointsResult;
    expect([...got.classOf]).toEqual([...sent.classOf]);
    got.coordinates.forEach((v, i) => expect(Math.abs(v - sent.coordinates[i]!)).toBeLessThan(1e-5));
    expect(got.classes.map(({ count, markers: n }) => [count, n])).toEqual(classes.map(({ count, markers: n }) => [count, n]));
  }), RUNS);
});
