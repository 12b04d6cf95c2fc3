import fs from 'node:fs';
import { encode } from 'fast-png';
import fc from 'fast-check';
import { checkInside, pointRecords, type PointRecord } from '../../../src/export/point-records.ts';
import { parsePointsCsv, pointsCsv } from '../../../src/export/points-csv.ts';
import { parsePointsGeoJson, pointsGeoJson } from '../../../src/export/points-geojson.ts';
import { parsePointsPng, pointsPng } from '../../../src/export/points-png.ts';
import type { CountedClass } from '../../../src/results/points.ts';

const POINTS: readonly PointRecord[] = [
  { x: 3, y: 4.25, className: 'Lymphocyte, small', confidence: 0.75 },
  { x: 0, y: 0, className: '=cmd()', confidence: 1 },
  { x: 12.5, y: 7, className: 'say "yes"', confidence: 0 },
];

test('a result\'s markers become records with their class and confidence', () => {
  const classes = ['a', 'b'].map(label => ({ target: { label, concept: { codeValue: '1', codingSchemeDesignator: 'SCT', codeMeaning: label } }, count: 1, markers: 1 })) satisfies CountedClass[];
  expect(pointRecords({ coordinates: Float32Array.of(1, 2, 3.5, 4), classOf: Uint8Array.of(1, 0), confidences: Float32Array.of(0.5, 1), classes }))
    .toEqual([{ x: 1, y: 2, className: 'b', confidence: 0.5 }, { x: 3.5, y: 4, className: 'a', confidence: 1 }]);
});

describe('CSV', () => {
  test('comes back as it was written, formulas defused', () => {
    const text = pointsCsv(POINTS);
    expect(text.split('\r\n')[0]).toBe('x,y,class,confidence');
    expect(text).toContain("'=cmd()");
    expect(parsePointsCsv(text, 'a.csv')).toEqual(POINTS);
  });

  test('any points come back to a thousandth of a pixel', () => {
    const point = fc.record({ x: fc.double({ min: -0.5, max: 1e5, noNaN: true }), y: fc.double({ min: -0.5, max: 1e5, noNaN: true }), className: fc.string({ minLength: 1 }).filter(s => s.trim() === s && !/^'[=+\-@]/.test(s)) });
    fc.assert(fc.property(fc.array(point), points => {
      const read = parsePointsCsv(pointsCsv(points), 'a.csv');
      expect(read.map(({ className }) => className)).toEqual(points.map(({ className }) => className));
      read.forEach(({ x, y }, i) => expect(Math.hypot(x - points[i]!.x, y - points[i]!.y)).toBeLessThan(0.001));
    }), { numRuns: 50 });
  });

  test.each<[string, string, PointRecord[]]>([
    ['the dots of a data set', 'x,y\n110,1\n153,2\n', [{ x: 110, y: 1 }, { x: 153, y: 2 }]],
    ['columns in any order and case, semicolons, a byte-order mark', '\uFEFFClass;Y;X\r\nA;1;2\r\n', [{ x: 2, y: 1, className: 'A' }]],
    ['no points at all', 'x,y\n', []],
  ])('reads %s', (_, text, points) => expect(parsePointsCsv(text, 'a.csv')).toEqual(points));

  test.each<[string, string, RegExp]>([
    ['other columns', 'column,row\n1,2\n', /Expected the columns x, y .* in dots\.csv, .*got 'column', 'row'/],
    ['a column that nobody would read', 'x,y,z\n1,2,3\n', /got 'x', 'y', 'z'/],
    ['a column twice', 'x,y,x\n1,2,3\n', /each once/],
    ['no header', '1,2\n3,4\n', /got '1', '2'/],
    ['an empty file', '', /got an empty file/],
    ['a decimal comma', 'x;y\n1,5;2\n', /number as x in line 2 of dots\.csv, got '1,5'/],
    ['a line that ends too soon', 'x,y\n1,2\n3\n', /number as y in line 3/],
    ['a confidence in percent', 'x,y,confidence\n1,2,95\n', /confidence from 0 to 1 in line 2/],
  ])('refuses %s', (_, text, message) => {
    expect(() => parsePointsCsv(text, 'dots.csv')).toThrow(expect.objectContaining({ code: 'dataset/invalid', message: expect.stringMatching(message) as string }));
  });
});

describe('GeoJSON', () => {
  test('counts from the corner, as QuPath does, and comes back', () => {
    const text = pointsGeoJson(POINTS, new Map([['=cmd()', [255, 0, 0]]]), () => 'id');
    const { type, features } = JSON.parse(text) as { type: string; features: { geometry: unknown; properties: unknown }[] };
    expect(type).toBe('FeatureCollection');
    expect(features[1]).toEqual({ type: 'Feature', id: 'id', geometry: { type: 'MultiPoint', coordinates: [[0.5, 0.5]] }, properties: { objectType: 'annotation', classification: { name: '=cmd()', color: [255, 0, 0] } } });
    expect(parsePointsGeoJson(text, 'a.geojson')).toEqual(POINTS.map(({ confidence: _, ...point }) => point));
  });

  test('reads a bare list and single points without a class', () => {
    const feature = { type: 'Feature', geometry: { type: 'Point', coordinates: [10.5, 20.5] }, properties: { objectType: 'detection' } };
    expect(parsePointsGeoJson(JSON.stringify([feature]), 'a')).toEqual([{ x: 10, y: 20 }]);
    expect(parsePointsGeoJson(JSON.stringify({ ...feature, properties: { classification: { names: ['Tumor', 'Positive'] } } }), 'a')).toEqual([{ x: 10, y: 20, className: 'Positive' }]);
  });

  test.each<[string, unknown, RegExp]>([
    ['outlines', [{ type: 'Feature', geometry: { type: 'Polygon', coordinates: [] } }], /Expected points in a\.geojson, got a Polygon as feature 1/],
    ['something else', { type: 'Topology' }, /got Topology/],
    ['a place of words', [{ type: 'Feature', geometry: { type: 'Point', coordinates: ['1', 2] } }], /two numbers a point .* got \["1",2\]/],
  ])('refuses %s', (_, json, message) => {
    expect(() => parsePointsGeoJson(JSON.stringify(json), 'a.geojson')).toThrow(expect.objectContaining({ code: 'dataset/invalid', message: expect.stringMatching(message) as string }));
  });

  test('refuses what is no JSON', () => expect(() => parsePointsGeoJson('x,y', 'a.geojson')).toThrow(/Expected GeoJSON in a\.geojson/));
});

describe('PNG', () => {
  test('has a pixel a point, and keeps those that share one', async () => {
    const points = [{ x: 2.2, y: 1, className: 'b' }, { x: 1.9, y: 1.1, className: 'a' }, { x: 5, y: 3 }];
    const { points: read, columns, rows } = await parsePointsPng(await pointsPng(points, ['a', 'b'], [6, 4]), ['a', 'b'], 'a.png');
    expect([columns, rows]).toEqual([6, 4]);
    expect(read).toHaveLength(3);
    expect(read.map(({ className }) => className).sort()).toEqual(['a', 'a', 'b']);
    expect(read).toContainEqual({ x: 2, y: 1, className: 'b' });
    for (const { x, y } of read.slice(0, 2)) expect(Math.hypot(x - 2, y - 1)).toBeLessThan(2);
  });

  test('white dots are all of the first class', async () => {
    const data = new Uint8Array(12);
    data[0] = data[7] = 255;
    expect((await parsePointsPng(encode({ width: 4, height: 3, data, depth: 8, channels: 1 }), ['a', 'b'], 'a.png')).points).toEqual([{ x: 0, y: 0, className: 'a' }, { x: 3, y: 1, className: 'a' }]);
  });

  test('refuses spots, values without a class, and colours', async () => {
    const png = (data: Uint8Array, channels: 1 | 3) => parsePointsPng(encode({ width: 4, height: data.length / channels / 4, data, depth: 8, channels }), ['a', 'b'], 'a.png');
    await expect(png(Uint8Array.of(1, 1, 0, 0, 1, 1, 0, 0), 1)).rejects.toThrow(/Expected a pixel a point in a\.png, got spots: 3 of 4/);
    await expect(png(Uint8Array.of(1, 0, 3, 0), 1)).rejects.toThrow(/grey values from 1 to 2 for a, b in a\.png, got values up to 3/);
    await expect(png(Uint8Array.of(255, 0, 0, 0, 0, 0, 0, 255, 0, 0, 0, 0), 3)).rejects.toThrow(/got 2 colours/);
  });

  test('refuses a class that has no value', async () => {
    await expect(pointsPng([{ x: 0, y: 0, className: 'c' }], ['a'], [2, 2])).rejects.toMatchObject({ code: 'dataset/invalid' });
  });
});

test('points beside their picture are refused', () => {
  expect(() => checkInside([{ x: 0, y: 0 }, { x: 9.5, y: 0 }], [10, 10], 'a.csv')).not.toThrow();
  expect(() => checkInside([{ x: 0, y: 0 }, { x: 10, y: 3 }], [10, 10], 'a.csv')).toThrow(/1 of 2 in a\.csv lie outside, the first at 10, 3/);
});

const VGG = '../shared/data/cells/unstated/vgg/dev';
(fs.existsSync(VGG) ? test : test.skip)('the dot pictures of the VGG set give the points of its CSV files', async () => {
  for (const id of ['002', '004']) {
    const { points } = await parsePointsPng(new Uint8Array(fs.readFileSync(`${VGG}/${id}dots.png`)), ['Cell'], id);
    const listed = parsePointsCsv(fs.readFileSync(`${VGG}/dots/${id}.csv`, 'utf8'), id);
    const key = ({ x, y }: PointRecord) => `${x},${y}`;
    expect(points.map(key).sort()).toEqual(listed.map(key).sort());
  }
});
