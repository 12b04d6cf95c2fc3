import { growthOf, growthSeries, type TimedCount } from '../../../src/results/growth.ts';
import { PLATE_WELLS, wellOf } from '../../../src/results/plate.ts';
import { growthCsv, parsePlateCsv } from '../../../src/export/plate-csv.ts';

const HOUR = 3_600_000;
const START = Date.UTC(2026, 0, 1);
const grown = (subject: string, hours: number, count: number, condition?: string): TimedCount => ({ at: START + hours * HOUR, count, subject, ...(condition && { condition }) });
/** Doubles in so many hours, but for a little. */
const culture = (subject: string, doubling: number, condition?: string, wobble = 0.02) => [0, 12, 24, 36, 48].map((hours, i) => grown(subject, hours, 100 * 2 ** (hours / doubling) * (1 + (i % 2 ? wobble : -wobble)), condition));

test('counts that double have a doubling time, with an interval around it', () => {
  const [{ growth, points }] = growthSeries(culture('A01', 20)) as [ReturnType<typeof growthSeries>[number]];
  expect(growth.kind).toBe('growing');
  if (growth.kind !== 'growing') return;
  expect(growth.doublingHours).toBeCloseTo(20, 0);
  expect(growth.doublingInterval!.low).toBeLessThan(20);
  expect(growth.doublingInterval!.high).toBeGreaterThan(20);
  expect(growth.doublingInterval!.high - growth.doublingInterval!.low).toBeLessThan(4);
  expect(points.map(({ hours }) => hours)).toEqual([0, 12, 24, 36, 48]);
});

test('wells of one condition are one series, in the order of their names, and time runs from the first picture of all', () => {
  const counts = [...culture('B10', 30, 'drug').reverse(), ...culture('B2', 20, 'control').map(c => ({ ...c, at: c.at + HOUR })), ...culture('B3', 20, 'control')];
  expect(growthSeries(counts).map(({ name, subjects, points }) => [name, subjects, points.length])).toEqual([['control', ['B3', 'B2'], 10], ['drug', ['B10'], 5]]);
  expect(growthSeries(counts)[0]!.points[1]!.hours).toBe(1);
  expect(growthSeries(counts, 'subject').map(({ name }) => name)).toEqual(['B2', 'B3', 'B10']);
});

test.each<[string, TimedCount[], RegExp]>([
  ['one time', [grown('A', 0, 5), grown('A', 0, 6)], /two times or more are needed, there is one$/],
  ['no cells but once', [grown('A', 0, 0), grown('A', 5, 6)], /there is one beside 1 without cells/],
  ['nothing', [grown('A', 0, 0)], /there are none/],
  ['counts that fall', [grown('A', 0, 80), grown('A', 10, 40), grown('A', 20, 20)], /^the counts fall, by half in 10\.0 h$/],
  ['counts that stay', [grown('A', 0, 80), grown('A', 10, 80)], /stay the same/],
  ['a rise within the noise', [grown('A', 0, 80), grown('A', 10, 120), grown('A', 20, 70), grown('A', 30, 110)], /cannot be told from none \(95 %/],
])('no doubling time of %s', (_, counts, reason) => {
  const [{ growth }] = growthSeries(counts) as [ReturnType<typeof growthSeries>[number]];
  expect(growth).toMatchObject({ kind: 'none', reason: expect.stringMatching(reason) as string });
});

test('two points have a doubling time without an interval, and pictures without cells are left out and told', () => {
  expect(growthOf([{ hours: 0, count: 10 }, { hours: 24, count: 40 }, { hours: 30, count: 0 }])).toMatchObject({ kind: 'growing', doublingHours: expect.closeTo(12, 9) as number, leftOut: 1 });
  expect(growthOf([{ hours: 0, count: 10 }, { hours: 24, count: 40 }])).not.toHaveProperty('doublingInterval');
});

test('a plate has 96 wells, and a text names one of them or none', () => {
  expect(PLATE_WELLS).toHaveLength(96);
  expect([PLATE_WELLS[0], PLATE_WELLS[95]]).toEqual([{ name: 'A01', row: 0, column: 0 }, { name: 'H12', row: 7, column: 11 }]);
  for (const [text, name] of [['Well B3', 'B03'], ['plate_B03_day2', 'B03'], ['h12', 'H12'], ['B3 and b03', 'B03'], ['A-1', 'A01']] as const) expect(wellOf(text)?.name).toBe(name);
  for (const text of ['B13', 'I3', 'B3 C4', 'CAB3', 'B30x', 'Day 2', 'B0', '']) expect(wellOf(text)).toBeUndefined();
});

describe('a plate map', () => {
  test('says wells of series and conditions of wells', () => {
    const { wellOfSeries, conditionOf } = parsePlateCsv('series,well,condition\nfirst,a1,drug\nsecond,A01,drug\nthird,B2,\n', 'map.csv');
    expect([...wellOfSeries]).toEqual([['first', 'A01'], ['second', 'A01'], ['third', 'B02']]);
    expect([...conditionOf]).toEqual([['A01', 'drug']]);
  });

  test.each<[string, string, RegExp]>([
    ['other columns', 'position,condition\nA1,x\n', /column well, and series or condition .* in map\.csv, got position, condition/],
    ['the well alone', 'well\nA1\n', /got well/],
    ['no well', 'well,condition\nZ9,x\n', /a well from A1 to H12 in line 2 of map\.csv|in line 2 in map\.csv, got 'Z9'/],
    ['two conditions', 'well,condition\nA1,x\nA01,y\n', /one condition of A01 in map\.csv, got x and y/],
    ['a series without a name', 'series,well\n,A1\n', /a series in line 2/],
  ])('refuses %s', (_, text, message) => {
    expect(() => parsePlateCsv(text, 'map.csv')).toThrow(expect.objectContaining({ code: 'dataset/invalid', message: expect.stringMatching(message) as string }));
  });
});

test('growth as CSV has a line a picture, and says why there is no doubling time', () => {
  const text = growthCsv(growthSeries([...culture('A01', 20, '=drug'), grown('B01', 0, 4)]));
  const [header, first] = text.split('\r\n');
  expect(header).toBe('series,subject,condition,time,hours,count,low,high,level,doubling_hours,doubling_low,doubling_high,no_growth_because');
  expect(first).toMatch(/^"?'=drug"?,A01,"?'=drug"?,2026-01-01T00:00:00\.000Z,0,98,,,,\d/);
  expect(text).toMatch(/B01,B01,,2026.*,,,,,,,"counts at two times or more are needed, there is one"/);
});
