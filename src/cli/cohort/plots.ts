import * as echarts from 'echarts';
import type { LabelAgreement } from './agreement.ts';
import { rocOf } from './agreement.ts';

const [WIDTH, HEIGHT] = [420, 320];
/** Told apart by colour-blind people too (Okabe and Ito 2008). */
const [BLUE, ORANGE, GREY] = ['#0072b2', '#d55e00', '#666666'];

function svg(option: echarts.EChartsOption): string {
  const chart = echarts.init(null, null, { renderer: 'svg', ssr: true, width: WIDTH, height: HEIGHT });
  chart.setOption({ animation: false, grid: { left: 60, right: 20, top: 40, bottom: 50 }, textStyle: { fontFamily: 'sans-serif' }, ...option });
  const text = chart.renderToSVGString();
  chart.dispose();
  return text;
}

const axis = (name: string, more: object = {}) => ({ type: 'value' as const, name, nameLocation: 'middle' as const, nameGap: 32, scale: true, splitLine: { show: false }, ...more });

/** Difference against mean, with bias and limits (Bland and Altman 1986). */
export function blandAltmanPlot({ values, limits, measure }: LabelAgreement, [a, b]: readonly [string, string]): string {
  if (!limits) return '';
  const line = (value: number, name: string, type: 'solid' | 'dashed') => ({ yAxis: value, name, lineStyle: { color: GREY, type }, label: { formatter: `${name} ${value.toPrecision(3)}`, position: 'insideEndTop' as const } });
  // Lines beyond the points must lie within the axis.
  const reach = (side: 'min' | 'max') => ({ min, max }: { min: number; max: number }) => {
    const pad = 0.1 * (Math.max(max, limits.upper.value) - Math.min(min, limits.lower.value) || 1);
    return side === 'min' ? Math.min(min, limits.lower.value) - pad : Math.max(max, limits.upper.value) + pad;
  };
  return svg({
    title: { text: 'Bland–Altman', textStyle: { fontSize: 13 } },
    xAxis: axis(`mean of both, ${measure}`), yAxis: axis(`${a} − ${b}`, { min: reach('min'), max: reach('max'), axisLabel: { formatter: (v: number) => v.toPrecision(2) } }),
    series: [{
      type: 'scatter', symbolSize: 5, itemStyle: { color: BLUE, opacity: 0.6 }, data: values.map(v => [(v.a + v.b) / 2, v.a - v.b]),
      markLine: { symbol: 'none', silent: true, data: [line(limits.bias.value, 'bias', 'solid'), line(limits.upper.value, '+1.96 s', 'dashed'), line(limits.lower.value, '−1.96 s', 'dashed')] },
    }],
  });
}

/** One model's number against the other's. */
export function scatterPlot({ values, measure }: LabelAgreement, [a, b]: readonly [string, string]): string {
  const all = values.flatMap(v => [v.a, v.b]);
  const [low, high] = [Math.min(...all), Math.max(...all)];
  return svg({
    title: { text: 'One against the other', textStyle: { fontSize: 13 } },
    xAxis: axis(`${a}, ${measure}`), yAxis: axis(b),
    series: [
      { type: 'line', data: [[low, low], [high, high]], showSymbol: false, lineStyle: { color: GREY, type: 'dashed' } },
      { type: 'scatter', symbolSize: 5, itemStyle: { color: BLUE, opacity: 0.6 }, data: values.map(v => [v.a, v.b]) },
    ],
  });
}

/** ROC curves of both, where truths are known. */
export function rocPlot({ values }: LabelAgreement, [a, b]: readonly [string, string]): string {
  const known = values.filter(v => v.truth !== undefined);
  const truths = known.map(v => v.truth!);
  const curves = [[a, 'a', BLUE], [b, 'b', ORANGE]] as const;
  const drawn = curves.flatMap(([name, of, color]) => {
    const points = rocOf(known.map(v => v[of]), truths);
    return points ? [{ type: 'line' as const, name, showSymbol: false, data: points.map(p => [...p]), lineStyle: { color }, itemStyle: { color } }] : [];
  });
  if (drawn.length === 0) return '';
  const unit = { min: 0, max: 1, scale: false };
  return svg({
    title: { text: 'ROC', textStyle: { fontSize: 13 } }, legend: { right: 10, top: 5 },
    xAxis: axis('1 − specificity', unit), yAxis: axis('sensitivity', unit),
    series: [{ type: 'line', data: [[0, 0], [1, 1]], showSymbol: false, lineStyle: { color: GREY, type: 'dashed' } }, ...drawn],
  });
}

/** Lines of points, x and y from 0 to 1. */
export function lineChart(title: string, x: string, y: string, lines: readonly { readonly name: string; readonly dashed: boolean; readonly points: readonly (readonly [number, number])[] }[]): string {
  const unit = { min: 0, max: 1, scale: false };
  return svg({
    title: { text: title, textStyle: { fontSize: 13 } }, legend: { right: 10, top: 5 }, xAxis: axis(x, unit), yAxis: axis(y, unit),
    series: lines.map(({ name, dashed, points }) => {
      const color = dashed ? GREY : BLUE;
      return { type: 'line' as const, name, showSymbol: false, data: points.map(p => [...p]), lineStyle: { color, type: dashed ? 'dashed' as const : 'solid' as const }, itemStyle: { color } };
    }),
  });
}
