/**
 * A report of the benchmark as a plot: warm medians of each network, in parts of stock tfjs's on the same backend.
 *
 *     node --import ./test/generators/typescript.mjs test/bench/plot.ts REPORT.json PLOT.svg
 */
import { readFileSync, writeFileSync } from 'node:fs';
import * as echarts from 'echarts';

interface Row {
  readonly network: string;
  readonly engine: 'overread' | 'tfjs' | 'onnxruntime';
  readonly backend: 'webgpu' | 'wasm';
  readonly warmMs?: { readonly median: number };
}
interface Report {
  readonly at: string;
  readonly machine: { readonly cpu: string; readonly cores: number };
  readonly adapter: string;
  readonly software: boolean;
  readonly size: string | number;
  readonly rows: readonly Row[];
}

/** Told apart by colour-blind people too (Okabe and Ito 2008). */
const ENGINES = [['overread', 'Overread', '#0072b2'], ['tfjs', 'tfjs', '#999999'], ['onnxruntime', 'onnxruntime-web', '#d55e00']] as const;
const [from, to] = process.argv.slice(2);
if (!from || !to) throw new Error('expected REPORT.json PLOT.svg');
const { at, machine, adapter, software, size, rows } = JSON.parse(readFileSync(from, 'utf8')) as Report;
const backends = [...new Set(rows.map(({ backend }) => backend))];
const networks = [...new Set(rows.map(({ network }) => network))];
const share = (network: string, backend: string, engine: string) => {
  const of = (name: string) => rows.find(row => row.network === network && row.backend === backend && row.engine === name)?.warmMs?.median;
  const [own, stock] = [of(engine), of('tfjs')];
  return own === undefined || stock === undefined ? null : Math.round((1000 * own) / stock) / 1000;
};
const [width, panel] = [720, 230];
const height = 70 + panel * backends.length;
const chart = echarts.init(null, null, { renderer: 'svg', ssr: true, width, height });
const where = software ? `${adapter.split(' ').slice(0, 2).join(' ')}: a software adapter, which is no GPU` : adapter;
chart.setOption({
  animation: false, textStyle: { fontFamily: 'sans-serif' },
  title: [
    { text: 'Warm run, stock tfjs = 1 (less is quicker)', subtext: `${where}; ${machine.cpu}, ${machine.cores} cores; ${at.slice(0, 10)}${size === 'small' ? '; small inputs' : ''}`, textStyle: { fontSize: 14 } },
    ...backends.map((backend, i) => ({ text: backend === 'wasm' ? 'WebAssembly' : 'WebGPU', left: 60, top: 62 + i * panel, textStyle: { fontSize: 12 } })),
  ],
  legend: { right: 10, top: 45, data: ENGINES.filter(([engine]) => rows.some(row => row.engine === engine && row.warmMs)).map(([, name]) => name) },
  grid: backends.map((_, i) => ({ left: 60, right: 20, top: 88 + i * panel, height: panel - 75 })),
  xAxis: backends.map((_, i) => ({ type: 'category' as const, gridIndex: i, data: networks, axisLabel: { interval: 0, fontSize: 10 } })),
  yAxis: backends.map((_, i) => ({ type: 'value' as const, gridIndex: i })),
  series: backends.flatMap((backend, i) => ENGINES.map(([engine, name, color]) => ({
    type: 'bar' as const, name, xAxisIndex: i, yAxisIndex: i, itemStyle: { color }, data: networks.map(network => share(network, backend, engine)),
    label: { show: true, position: 'top' as const, fontSize: 9 },
  }))),
});
writeFileSync(to, chart.renderToSVGString());
chart.dispose();
