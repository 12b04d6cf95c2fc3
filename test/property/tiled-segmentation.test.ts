import fc from 'fast-check';
import { encodePart10 } from '../../src/export/part10.ts';
import { readObject } from '../../src/export/read/index.ts';
import { tiledSegmentation } from '../../src/export/tiled-segmentation.ts';
import { LUNG, MADE, pyramid } from '../unit/export/sources.ts';
import { hasPydicom, pydicomOver } from '../unit/export/validators.ts';

/** Sides around those of a tile and those of several, and a level of three. */
const side = fc.oneof(fc.integer({ min: 1, max: 1300 }), fc.constantFrom(1, 511, 512, 513, 1023, 1024, 1025));
const box = fc.record({ x: fc.double({ min: 0, max: 1, noNaN: true }), y: fc.double({ min: 0, max: 1, noNaN: true }), width: fc.nat(90), height: fc.nat(90), label: fc.integer({ min: 1, max: 3 }) });
const spec = fc.record({ columns: side, rows: side, levels: fc.constantFrom([1], [1, 2], [1, 3, 7]), level: fc.nat(2), boxes: fc.array(box, { maxLength: 6 }) });
const TARGETS = ['one', 'two', 'three'].map(label => ({ ...LUNG, label }));

/** For each pair of files, a segmentation and its plane: how far its frames lie from where the slide's pixels are, mm, and how many pixels differ. */
const COMPARE = `
out = []
for i in range(1, len(sys.argv), 2):
    d = pydicom.dcmread(sys.argv[i])
    columns, rows = int(d.TotalPixelMatrixColumns), int(d.TotalPixelMatrixRows)
    wanted = numpy.fromfile(sys.argv[i + 1], dtype=numpy.uint8).reshape(rows, columns)
    got = numpy.zeros_like(wanted)
    spacing = [float(v) for v in d.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0].PixelSpacing]
    along = numpy.array([float(v) for v in d.ImageOrientationSlide])
    origin = d.TotalPixelMatrixOriginSequence[0]
    origin = numpy.array([float(origin.XOffsetInSlideCoordinateSystem), float(origin.YOffsetInSlideCoordinateSystem)])
    pixels = d.pixel_array.reshape(-1, int(d.Rows), int(d.Columns))
    beyond, off, overlapping = 0, 0.0, 0
    for frame, plane in zip(d.PerFrameFunctionalGroupsSequence, pixels):
        place = frame.PlanePositionSlideSequence[0]
        x, y = int(place.ColumnPositionInTotalImagePixelMatrix) - 1, int(place.RowPositionInTotalImagePixelMatrix) - 1
        at = origin + along[:2] * spacing[1] * x + along[3:5] * spacing[0] * y
        off = max(off, *abs(at - [float(place.XOffsetInSlideCoordinateSystem), float(place.YOffsetInSlideCoordinateSystem)]))
        part = got[y:y + plane.shape[0], x:x + plane.shape[1]]
        inside = plane[:part.shape[0], :part.shape[1]]
        beyond += int(plane.sum()) - int(inside.sum())
        overlapping += int((part[inside > 0] > 0).sum())
        part[inside > 0] = int(frame.SegmentIdentificationSequence[0].ReferencedSegmentNumber)
    out.append([columns, rows, len(pixels), int((got > 0).sum()), int((got != wanted).sum()), beyond, overlapping, float(off)])
print(json.dumps(out))`;

/** Of the runs of the first test, for the second. */
const written: Uint8Array[] = [];
const planes: { readonly columns: number; readonly rows: number; readonly pixels: number }[] = [];

test('masks of slides of any size, on any level, come back pixel by pixel', async () => {
  await fc.assert(fc.asyncProperty(spec, async ({ columns: width, rows: height, levels, level, boxes }) => {
    const { references, context } = pyramid(width, height, levels);
    const source = references[level % references.length]!;
    const [columns, rows] = source.shape;
    const labels = new Uint8Array(columns * rows);
    for (const { x, y, width: w, height: h, label } of boxes) {
      const [left, top] = [Math.round(x * (columns - 1)), Math.round(y * (rows - 1))];
      for (let v = top; v <= Math.min(rows - 1, top + h); v++) labels.fill(label, v * columns + left, v * columns + Math.min(columns, left + w + 1));
    }
    const file = encodePart10(tiledSegmentation({
      ...MADE, source, targets: TARGETS,
      labelsIn: ({ x, y, columns: w, rows: h }) => {
        const part = new Uint8Array(w * h);
        for (let v = 0; v < h; v++) part.set(labels.subarray((y + v) * columns + x, (y + v) * columns + x + w), v * w);
        return part.some(value => value > 0) ? part : undefined;
      },
    }, context));
    const read = (await readObject(file, context.sources))!;
    const got = new Uint8Array(columns * rows);
    // One that fits in a single frame is no tiled mask.
    if (read.tiles) for (const { region, labels: part } of read.tiles.tiles) for (let v = 0; v < region.rows; v++) got.set(part.subarray(v * region.columns, (v + 1) * region.columns), (region.y + v) * columns + region.x);
    else if (read.result?.kind === 'labelmap') got.set(read.result.labels);
    else throw new Error('nothing came back');
    expect(Buffer.from(got).equals(labels)).toBe(true);
    expect((read.tiles?.source ?? read.result!.source).sources).toEqual(source.sources);
    written.push(file, labels);
    planes.push({ columns, rows, pixels: labels.filter(value => value > 0).length });
  }), { numRuns: 14, seed: 20260504 });
  expect(planes.filter(({ pixels }) => pixels > 0).length).toBeGreaterThan(5);
});

(hasPydicom ? test : test.skip)('pydicom finds the same pixels, with no offset', () => {
  const found = pydicomOver(written, COMPARE) as number[][];
  expect(found).toHaveLength(planes.length);
  found.forEach(([columns, rows, , pixels, different, beyond, overlapping, offMm], i) => {
    expect({ columns, rows, pixels, different, beyond, overlapping }).toEqual({ ...planes[i], different: 0, beyond: 0, overlapping: 0 });
    expect(offMm).toBeLessThan(1e-9);
  });
});
