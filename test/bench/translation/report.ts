/**
 * The table, the plot and the results of `experiment.py`'s outcomes:
 * `node --import ./test/generators/typescript.mjs test/bench/translation/report.ts OUTCOMES.jsonl [FOLDER]`.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import * as echarts from 'echarts';
import { spearman } from '../../../src/tasks/saliency/spearman.ts';

interface Outcome {
  readonly loss: 'adversarial' | 'l1';
  /** Of tumours on the target side. */
  readonly share: number;
  readonly seed: number;
  /** Shares of the test's heads. */
  readonly invented: number;
  readonly erased: number;
  readonly erasedByContrast: number;
  readonly contrastKept: number;
  /** Mean absolute, of the brain, in parts of the full scale. */
  readonly errorHealthy: number;
  readonly errorSick: number;
  readonly cpuSeconds: number;
}

const [file, folder = import.meta.dirname] = process.argv.slice(2);
if (file === undefined) throw new Error('Say which outcomes: report.ts OUTCOMES.jsonl');
const lines = readFileSync(file, 'utf8').trim().split('\n').map(line => JSON.parse(line) as Outcome | ({ readonly loss: 'real' } & Record<string, unknown>));
const real = lines.find(({ loss }) => loss === 'real');
const outcomes = lines.filter((line): line is Outcome => line.loss !== 'real');
const LOSSES = ['adversarial', 'l1'] as const;
const NAMES = { adversarial: 'CycleGAN (adversarial)', l1: 'L1 (paired)' } as const;
const COLOURS = { adversarial: '#d55e00', l1: '#0072b2' } as const;
const shares = [...new Set(outcomes.map(({ share }) => share))].sort((a, b) => a - b);

const mean = (of: readonly number[]) => of.reduce((a, b) => a + b, 0) / of.length;
const rows = LOSSES.flatMap(loss => shares.map(share => {
  const of = outcomes.filter(outcome => outcome.loss === loss && outcome.share === share).sort((a, b) => a.seed - b.seed);
  const by = (key: 'invented' | 'erased' | 'erasedByContrast' | 'contrastKept' | 'errorHealthy' | 'errorSick') => ({ mean: mean(of.map(outcome => outcome[key])), bySeed: of.map(outcome => outcome[key]) });
  return { loss, share, seeds: of.map(({ seed }) => seed), invented: by('invented'), erased: by('erased'), erasedByContrast: by('erasedByContrast'), contrastKept: by('contrastKept'), errorHealthy: by('errorHealthy'), errorSick: by('errorSick') };
}));

/**
 * How invention goes with the share: over each seed, Spearman's rank correlation of share and invented. Ties take the mean rank.
 */
function trend(loss: (typeof LOSSES)[number]): readonly number[] {
  const seeds = [...new Set(outcomes.map(({ seed }) => seed))].sort((a, b) => a - b);
  return seeds.map(seed => {
    const of = outcomes.filter(outcome => outcome.loss === loss && outcome.seed === seed);
    return spearman(of.map(({ share }) => share), of.map(({ invented }) => invented));
  });
}

const percent = (value: number) => `${(100 * value).toFixed(0)} %`;
const both = ({ mean: value, bySeed }: { readonly mean: number; readonly bySeed: readonly number[] }) => `${percent(value)} (${bySeed.map(v => (100 * v).toFixed(0)).join(', ')})`;
const table = [
  '| loss | tumours on the target side | invented in the healthy | erased in the sick | erased, by contrast at its place | mean error, healthy / sick |', '| --- | --- | --- | --- | --- | --- |',
  ...rows.map(row => `| ${NAMES[row.loss]} | ${percent(row.share)} | ${both(row.invented)} | ${both(row.erased)} | ${both(row.erasedByContrast)} | ${row.errorHealthy.mean.toFixed(3)} / ${row.errorSick.mean.toFixed(3)} |`),
].join('\n');

function plot(): string {
  const chart = echarts.init(null, null, { renderer: 'svg', ssr: true, width: 760, height: 320 });
  const axis = (gridIndex: number) => ({ gridIndex, type: 'value' as const, min: 0, max: 100, interval: 25, name: 'tumours on the target side, %', nameLocation: 'middle' as const, nameGap: 24, nameTextStyle: { fontSize: 11 }, axisLabel: { fontSize: 10 } });
  const lines = (key: 'invented' | 'erased', grid: number) => LOSSES.flatMap(loss => {
    const of = rows.filter(row => row.loss === loss);
    return [
      { type: 'line' as const, name: NAMES[loss], xAxisIndex: grid, yAxisIndex: grid, data: of.map(row => [100 * row.share, 100 * row[key].mean]), clip: false, symbol: 'none', lineStyle: { color: COLOURS[loss], width: 2, type: loss === 'l1' ? ('dashed' as const) : ('solid' as const) }, itemStyle: { color: COLOURS[loss] } },
      { type: 'scatter' as const, clip: false, xAxisIndex: grid, yAxisIndex: grid, data: of.flatMap(row => row[key].bySeed.map(value => [100 * row.share, 100 * value])), symbol: loss === 'l1' ? 'rect' : 'circle', symbolSize: 7, itemStyle: { color: COLOURS[loss], opacity: 0.7 } },
    ];
  });
  chart.setOption({
    animation: false, textStyle: { fontFamily: 'sans-serif' }, legend: { bottom: 0, itemGap: 48, data: LOSSES.map(loss => NAMES[loss]) },
    title: [{ text: 'Tumours invented in healthy heads, %', left: 40, textStyle: { fontSize: 13 } }, { text: 'Tumours erased in sick heads, %', left: 420, textStyle: { fontSize: 13 } }],
    grid: [{ left: 40, width: 320, top: 40, bottom: 70 }, { left: 420, width: 320, top: 40, bottom: 70 }],
    xAxis: [axis(0), axis(1)], yAxis: [{ gridIndex: 0, min: 0, max: 100 }, { gridIndex: 1, min: 0, max: 100 }],
    series: [...lines('invented', 0), ...lines('erased', 1)],
  });
  const text = chart.renderToSVGString();
  chart.dispose();
  return text;
}

const results = { setting: real, cpuSeconds: Math.round(outcomes.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0)), spearmanOfShareAndInvented: Object.fromEntries(LOSSES.map(loss => [loss, trend(loss)])), rows };
writeFileSync(path.join(folder, 'results.json'), `${JSON.stringify(results, undefined, 1)}\n`);
writeFileSync(path.join(folder, 'table.md'), `${table}\n`);
writeFileSync(path.join(folder, 'plot.svg'), plot());
console.log(table);
console.log(`Spearman of share and invented, by seed: ${LOSSES.map(loss => `${NAMES[loss]} ${trend(loss).map(v => v.toFixed(2)).join(', ')}`).join('; ')}`);
