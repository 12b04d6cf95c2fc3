import * as echarts from 'echarts';
import { aucOver } from '../../../src/metrics/auc.ts';
import { bootstrapIntervals, type Interval } from '../../../src/metrics/bootstrap.ts';
import { seededRandom } from '../../../src/phantoms/random.ts';
import type { Method, Outcome } from './trial.ts';

const mean = (of: readonly number[]) => of.reduce((a, b) => a + b, 0) / of.length;

/** 95 % of the mean AUC over seeds: pictures, each a patient of its own, and seeds are both drawn again. */
function intervalOf(outcomes: readonly Outcome[], truths: readonly boolean[]): Interval {
  const random = seededRandom(7);
  const areas = outcomes.map(({ scores }) => aucOver(scores, truths));
  const [interval] = bootstrapIntervals(truths.map((_, i) => String(i)), weights => [mean(outcomes.map(() => areas[random.integer(outcomes.length)]!(weights)!))]);
  return interval!;
}

/** As {@link intervalOf}, of how much higher the AUC is than another method's with the same seed on the same pictures. */
function differenceOf(outcomes: readonly Outcome[], others: readonly Outcome[], truths: readonly boolean[]): Interval & { readonly value: number } {
  const random = seededRandom(7);
  const areas = outcomes.map(({ scores }, i) => [aucOver(scores, truths), aucOver(others[i]!.scores, truths)] as const);
  const [interval] = bootstrapIntervals(truths.map((_, i) => String(i)), weights => [mean(outcomes.map(() => {
    const [own, other] = areas[random.integer(outcomes.length)]!;
    return own(weights)! - other(weights)!;
  }))]);
  return { value: mean(outcomes.map(({ auc }, i) => auc - others[i]!.auc)), ...interval! };
}

/** The report's files by name. */
export function writeReport(methods: readonly Method[], results: ReadonlyMap<string, readonly Outcome[]>, truths: readonly boolean[], setting: object): ReadonlyMap<string, string> {
  const rows = methods.map(({ name, guidance }) => {
    const outcomes = results.get(name)!;
    return {
      name, weight: guidance?.weight, ...(guidance && { aboveBaseline: differenceOf(outcomes, results.get('baseline')!, truths) }), auc: mean(outcomes.map(({ auc }) => auc)), interval: intervalOf(outcomes, truths), aucBySeed: outcomes.map(({ auc }) => auc),
      aucOfMarker: mean(outcomes.map(({ aucOfMarker }) => aucOfMarker)), saliencyIou: mean(outcomes.map(({ saliencyIou }) => saliencyIou)), saliencyIouBySeed: outcomes.map(({ saliencyIou }) => saliencyIou),
    };
  });
  const three = (value: number) => value.toFixed(3);
  const table = [
    '| method | weight | test AUC (95 %) | above baseline, paired (95 %) | by seed | AUC of the marker | saliency IoU |', '| --- | --- | --- | --- | --- | --- | --- |',
    ...rows.map(r => `| ${r.name} | ${r.weight ?? '–'} | ${three(r.auc)} (${three(r.interval.low)}–${three(r.interval.high)}) | ${r.aboveBaseline ? `${three(r.aboveBaseline.value)} (${three(r.aboveBaseline.low)} to ${three(r.aboveBaseline.high)})` : '–'} | ${r.aucBySeed.map(three).join(', ')} | ${three(r.aucOfMarker)} | ${three(r.saliencyIou)} |`),
  ].join('\n');
  return new Map([['results.json', `${JSON.stringify({ ...setting, methods: rows }, undefined, 1)}\n`], ['table.md', `${table}\n`], ['plot.svg', plot(rows)]]);
}

function plot(rows: readonly { readonly name: string; readonly auc: number; readonly interval: Interval; readonly saliencyIou: number }[]): string {
  const chart = echarts.init(null, null, { renderer: 'svg', ssr: true, width: 760, height: 300 });
  const names = rows.map(({ name }) => name);
  const axes = (gridIndex: number) => ({ gridIndex, type: 'category' as const, data: names, axisLabel: { interval: 0, fontSize: 10 } });
  chart.setOption({
    animation: false, textStyle: { fontFamily: 'sans-serif' },
    title: [{ text: 'Test AUC, 95 %', left: 40, textStyle: { fontSize: 13 } }, { text: 'Saliency in the mask, IoU', left: 420, textStyle: { fontSize: 13 } }],
    grid: [{ left: 40, width: 320, top: 40, bottom: 40 }, { left: 420, width: 320, top: 40, bottom: 40 }],
    xAxis: [axes(0), axes(1)], yAxis: [{ gridIndex: 0, min: 0.4, max: 1 }, { gridIndex: 1, min: 0 }],
    series: [
      { type: 'bar', xAxisIndex: 0, yAxisIndex: 0, data: rows.map(({ auc }) => auc), itemStyle: { color: '#0072b2' } },
      {
        type: 'custom', xAxisIndex: 0, yAxisIndex: 0, data: rows.map(({ interval }, i) => [i, interval.low, interval.high]),
        renderItem: (_: unknown, api: echarts.CustomSeriesRenderItemAPI) => {
          const [x, low] = api.coord([api.value(0), api.value(1)]) as [number, number];
          const [, high] = api.coord([api.value(0), api.value(2)]) as [number, number];
          const line = (x1: number, y1: number, x2: number, y2: number) => ({ type: 'line' as const, shape: { x1, y1, x2, y2 }, style: { stroke: '#222222', lineWidth: 1.5 } });
          return { type: 'group', children: [line(x, low, x, high), line(x - 6, low, x + 6, low), line(x - 6, high, x + 6, high)] };
        },
      },
      { type: 'bar', xAxisIndex: 1, yAxisIndex: 1, data: rows.map(({ saliencyIou }) => saliencyIou), itemStyle: { color: '#d55e00' } },
    ],
  });
  const text = chart.renderToSVGString();
  chart.dispose();
  return text;
}
