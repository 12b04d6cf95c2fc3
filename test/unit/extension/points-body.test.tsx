import { renderToStaticMarkup } from 'react-dom/server';
import type { Counting } from '../../../extension/counting/index.ts';
import { GrowthPlot, logTicks } from '../../../extension/panels/growth-plot.tsx';
import { PointsBody } from '../../../extension/panels/points-body.tsx';
import { ResultsStore } from '../../../extension/results-store.ts';
import { Observable } from '../../../extension/state.ts';
import { growthSeries } from '../../../src/results/growth.ts';
import type { PointsResult } from '../../../src/results/points.ts';
import { points } from './counting/made-points.ts';

function html(result: PointsResult, { editing = false, rois = [] as object[] } = {}): string {
  const kept = new ResultsStore().keep(result);
  const counting = {
    dotting: { state: new Observable({ classIndex: 1, erasing: false, ...(editing && { key: kept.key }) }) },
    density: { state: new Observable({}) },
    rois: { state: new Observable({ rois: rois.map(roi => ({ key: kept.key, ...roi })) }) },
  } as unknown as Counting;
  return renderToStaticMarkup(<PointsBody counting={counting} kept={kept} result={result} />);
}

const spaced = { ...points().source, spacingMm: [0.5, 0.5] as const };

describe('the card of a count', () => {
  test('has the count with its interval, by class, and cells a mm²', () => {
    const { classes, total } = points();
    const interval = { low: 298.4, high: 331, level: 0.9 };
    const card = html(points({ source: spaced, total: { ...total, count: 312.4, interval, cellsPerMm2: 1240.4 }, classes: classes.map(c => ({ ...c, cellsPerMm2: 3 })) }));
    for (const text of ['>312<', '90 %: 298 – 331', 'Live', 'Dead', '/ mm²', '1,240']) expect(card).toContain(text);
    expect(card).not.toContain('no pixel spacing');
  });

  test('says why there are no cells/mm², and what a reader has to know', () => {
    const card = html(points({ remarks: ['saturated picture', 'no PixelSpacing: no cells/mm²'] }));
    expect(card).toContain('states no pixel spacing');
    expect(card).toContain('saturated picture');
    expect(card).not.toContain('no PixelSpacing');
    expect(card).not.toContain('Show density');
  });

  test('says when a reader corrected it, and offers classes while it is edited', () => {
    const card = html(points({ editedAt: '2026-03-01T08:00:00.000Z' }), { editing: true });
    expect(card).toContain('Corrected by the reader');
    expect(card).toMatch(/aria-pressed="true"[^>]*data-class="1"/);
    // A model's classes are its own.
    expect(card).not.toContain('Add class');
  });

  test('has a row for each region', () => {
    const roi = { annotationUID: 'r', viewportId: 'v', name: 'Rectangle 1', classes: [4, 2], markers: 6, areaPixels: 100, density: 5.8 };
    expect(html(points(), { rois: [roi] }).replace(/<[^>]+>/g, ' ')).toMatch(/Rectangle 1\s+4 Live, 2 Dead; density 5\.8\s+6\s/);
  });

  test('offers the density of a count that has one', () => {
    const card = html(points({ density: new Float32Array(2 * 100 * 80) })).replace(/<[^>]+>/g, ' ');
    expect(card).toMatch(/Show\s+density\s+Show\s+count map/);
  });
});

test('growth is a point a count with its interval, and a line where it was fitted', () => {
  const counts = [0, 24, 48, 72].map((hours, i) => ({ at: hours * 3_600_000, count: 10 * 2 ** i, subject: 'B03', interval: { low: 9 * 2 ** i, high: 11 * 2 ** i, level: 0.9 } }));
  const plot = renderToStaticMarkup(<GrowthPlot series={growthSeries(counts)} />);
  expect(plot.match(/data-overread="growth-point"/g)).toHaveLength(4);
  expect(plot).toContain('stroke-dasharray');
  // On a logarithmic axis every doubling is as high.
  const heights = [...plot.matchAll(/cy="([\d.]+)"/g)].map(found => Number(found[1]));
  expect(heights[0]! - heights[1]!).toBeCloseTo(heights[2]! - heights[3]!, 6);
  expect(renderToStaticMarkup(<GrowthPlot series={growthSeries([{ at: 0, count: 0, subject: 'A01' }])} />)).toBe('');
});

test.each([[8, 64, [5, 10, 20, 50, 100]], [12, 12, [10, 20]], [3, 40_000, [1, 10, 100, 1000, 10_000, 100_000]]])('an axis from %p to %p has the ticks %p', (low, high, ticks) => {
  expect(logTicks(low, high).map(tick => Number(tick.toPrecision(3)))).toEqual(expect.arrayContaining(ticks.filter(tick => tick >= low && tick <= high)));
});
