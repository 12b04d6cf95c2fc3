import { dicomObjects } from '../../../src/export/exporters.ts';
import type { DicomObject } from '../../../src/export/part10.ts';
import { labelPlace, segmentPlace } from '../../../src/export/report-places.ts';
import { items, numbers, text, type Naturalized } from '../../../src/export/source.ts';
import type { PointsResult } from '../../../src/results/points.ts';
import { mask, points, scores } from './results.ts';
import { film, slide, stack } from './sources.ts';

const children = (item: Naturalized): readonly Naturalized[] => items(item.ContentSequence);
const named = (item: Naturalized): string => text(items(item.ConceptNameCodeSequence)[0]?.CodeValue) ?? '';
const groupsOf = (report: DicomObject): readonly Naturalized[] => children(report).filter(item => named(item) === '126010').flatMap(children);
/** As OHIF finds them: of each number that has any, the first without a name, else the first. */
const placesOf = (group: Naturalized): readonly Naturalized[] => children(group).filter(({ ValueType }) => ValueType === 'NUM').flatMap(number => {
  const found = children(number).filter(({ ValueType }) => ValueType === 'SCOORD' || ValueType === 'SCOORD3D');
  const place = found.find(({ ConceptNameCodeSequence }) => !ConceptNameCodeSequence) ?? found[0];
  return place ? [place] : [];
});

test.each(['DX', 'CT'])('every group of a report on %s has a name and a place on its picture, which OHIF asks of each', async kind => {
  const { reference, context } = kind === 'CT' ? await stack({ places: [12.5] }) : await film('DX', 130, 90);
  const counted = points(reference);
  // A class without a cell.
  const none: PointsResult = { ...counted, classes: counted.classes.map((of, i) => (i === 1 ? { ...of, count: 0, markers: 0 } : of)), coordinates: counted.coordinates.slice(0, 2), classOf: counted.classOf.slice(0, 1).fill(0), confidences: counted.confidences.slice(0, 1) };
  for (const result of [mask(reference), mask(reference, () => 0), scores(reference), counted, none]) {
    const [report] = dicomObjects(result, context).filter(({ Modality }) => Modality === 'SR');
    const groups = groupsOf(report!);
    expect(groups.length).toBeGreaterThan(0);
    for (const group of groups) {
      expect(text(children(group).find(item => named(item) === '121106')?.TextValue)).toMatch(/^.+ \(AI/);
      const [first] = placesOf(group);
      // On a picture, not in space: by the first, OHIF finds the picture.
      expect(first).toMatchObject({ ValueType: 'SCOORD', GraphicType: 'POLYLINE' });
      expect(children(first!)[0]!.ReferencedSOPSequence).toMatchObject([{ ReferencedSOPInstanceUID: context.sources[0]!.sopInstanceUID }]);
      const [columns, rows] = reference.shape;
      numbers(first!.GraphicData)!.forEach((v, i) => expect(v >= 0 && v <= (i % 2 ? rows : columns)).toBe(true));
    }
    const lines = groups.map(group => String(numbers(placesOf(group)[0]!.GraphicData)));
    if (result.kind !== 'labelmap') expect(new Set(lines).size).toBe(lines.length);
  }
});

test('a segment has the box around it on the slice that has most of it; one without pixels, a line at the edge', async () => {
  const { reference, context } = await stack({ places: [0, 2.5, 5] });
  const result = mask(reference, (x, y, slice) => (slice === 0 && x === 0 && y === 0) || (slice === 2 && x > 2 && x < 6 && y > 1 && y < 4) ? 1 : 0);
  const [box] = segmentPlace(result, 1, [0, 2], context);
  // From the outer corner of the first pixel to that of the last.
  expect(numbers(box!.GraphicData)).toEqual([3, 2, 6, 2, 6, 4, 3, 4, 3, 2]);
  expect(children(box!)[0]!.ReferencedSOPSequence).toMatchObject([{ ReferencedSOPInstanceUID: (reference.sources[2] as { sopInstanceUID: string }).sopInstanceUID }]);
  const [line] = segmentPlace(result, 2, [1, 2], context);
  expect(numbers(line!.GraphicData)).toEqual([0, 0.75 * reference.shape[1], reference.shape[0] / 50, 0.75 * reference.shape[1]]);
});

test('a slide has none: its first frame is no picture of it', () => {
  const { context } = slide();
  expect(labelPlace(0, 1, { ...context.sources[0]!, frame: 1 })).toEqual([]);
});
