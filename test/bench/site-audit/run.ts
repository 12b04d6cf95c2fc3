/**
 * Does the site audit find what is planted, and nothing where nothing is? Generated cohorts of two sites, many seeds:
 *
 *     node --import ./test/generators/typescript.mjs test/bench/site-audit/run.ts [--seeds 24] [--patients 80] [--out test/bench/site-audit]
 *
 * Writes results.json and, for the README, table.md. A false alarm is any attribute that is told apart, by pictures or by a classifier, after all adjustments.
 */
import { writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { auditSites } from '../../../src/evaluation/site-audit/audit.ts';
import { AUDIT_SIDE, type AuditedPicture } from '../../../src/evaluation/site-audit/audited.ts';
import { firstHalf } from '../../../src/evaluation/site-audit/groups.ts';
import { subspaceRepair } from '../../../src/evaluation/site-audit/repair.ts';
import { rangeNormalised } from '../../../src/image/range-normalisation.ts';
import { thumbnail } from '../../../src/image/thumbnail.ts';
import { ridgeSeparation } from '../../../src/metrics/ridge-separation.ts';
import { imageOf, shareOnMarker, spotRunner } from './attribution.ts';
import { generated, MARKER, type Planted } from './generated.ts';

const { values: options } = parseArgs({ options: { seeds: { type: 'string', default: '24' }, patients: { type: 'string', default: '80' }, out: { type: 'string', default: import.meta.dirname } } });
const [seeds, patients] = [Number(options.seeds), Number(options.patients)];
const TESTS = { permutations: 399 };
const begun = performance.now();
const say = (line: string) => console.log(`${((performance.now() - begun) / 1000).toFixed(0)} s ${line}`);
const mean = (of: readonly number[]) => of.reduce((a, b) => a + b, 0) / of.length;
const range = (of: readonly number[]) => `${mean(of).toFixed(3)} (${Math.min(...of).toFixed(3)} to ${Math.max(...of).toFixed(3)})`;

interface Found {
  readonly alarms: readonly string[];
  readonly siteAuc: number;
  readonly siteFound: { readonly pixels: boolean; readonly picture: boolean };
  /** Brightness of site B less that of A where the marker is. */
  readonly difference: number;
  /** Cells that differ, and how many of them are the marker's or touch it. */
  readonly cells: number;
  readonly onMarker: number;
}

function auditOnce(planted: Planted, seed: number): Found {
  const { factors } = auditSites(generated(patients, seed, planted), TESTS);
  const site = factors.find(({ name }) => name === 'site')!;
  const b = site.groups.find(({ name }) => name === 'B')!;
  const half = AUDIT_SIDE / 2;
  const inMarker = (cell: number) => [cell % half, Math.floor(cell / half)].every(at => 2 * at >= MARKER.from - 2 && 2 * at < MARKER.to + 2);
  const marker = b.difference.filter((_, i) => [i % AUDIT_SIDE, Math.floor(i / AUDIT_SIDE)].every(at => at >= MARKER.from && at < MARKER.to));
  return {
    alarms: factors.filter(({ kind, pixels, fromPicture }) => kind === 'acquisition' && [pixels, fromPicture].some(test => test && test.adjusted < 0.05)).map(({ name }) => name),
    siteAuc: site.fromPicture!.mean.value, siteFound: { pixels: site.pixels!.adjusted < 0.05, picture: site.fromPicture!.adjusted < 0.05 },
    difference: mean(marker), cells: b.significant.length, onMarker: b.significant.filter(inMarker).length,
  };
}

const rounds: { name: string; found: Found[] }[] = [];
for (const [name, planted] of [['nothing', {}], ['a marker, 1 deviation', { marker: true, strength: 1 }], ['a marker, 2 deviations', { marker: true, strength: 2 }], ['a marker, 4 deviations', { marker: true, strength: 4 }]] as const) {
  const found: Found[] = [];
  for (let seed = 1; seed <= seeds; seed++) found.push(auditOnce(planted, seed));
  rounds.push({ name, found });
  say(`${name}: alarms ${found.filter(({ alarms }) => alarms.length).length} of ${seeds}, site AUC ${range(found.map(({ siteAuc }) => siteAuc))}`);
}

const runner = await spotRunner();
const maps = { marked: [] as { a: number; b: number }[], plain: [] as { a: number; b: number }[] };
for (let seed = 1; seed <= Math.min(seeds, 10); seed++) {
  maps.marked.push(await shareOnMarker(runner, generated(24, seed, { marker: true, strength: 4 })));
  maps.plain.push(await shareOnMarker(runner, generated(24, seed)));
}
await runner.close();
say(`share on the marker: ${range(maps.marked.map(({ b }) => b))} with it, ${range(maps.marked.map(({ a }) => a))} without`);

const told = (pictures: readonly AuditedPicture[]) => ridgeSeparation(pictures.map(({ thumbnail: of }) => thumbnail(imageOf(of, ''), AUDIT_SIDE / 2)), pictures.map(({ groups }) => Number(groups.site === 'B')), pictures.map(({ patient }) => patient), { permutations: 1, standardise: false }).mean.value;
const repairs: { name: string; before: number[]; range: number[]; subspace: number[] }[] = [];
for (const [name, planted] of [['a marker, 3 deviations', { marker: true, strength: 3 }], ['exposure × 0.8', { exposure: 0.8 }]] as const) {
  const round = { name, before: [] as number[], range: [] as number[], subspace: [] as number[] };
  for (let seed = 1; seed <= Math.min(seeds, 10); seed++) {
    const all = generated(160, seed, planted);
    const learnt = firstHalf(all);
    const held = all.filter(({ patient }) => !learnt.has(patient));
    const { repair } = subspaceRepair(all.filter(({ patient }) => learnt.has(patient)), 'A', 10);
    round.before.push(told(held));
    round.range.push(told(held.map(of => ({ ...of, thumbnail: rangeNormalised(imageOf(of.thumbnail, '')).pixels }))));
    round.subspace.push(told(held.map(of => ({ ...of, thumbnail: repair(imageOf(of.thumbnail, ''), of.groups.site).pixels }))));
  }
  repairs.push(round);
  say(`${name}: ${mean(round.before).toFixed(3)}, range ${mean(round.range).toFixed(3)}, subspace ${mean(round.subspace).toFixed(3)}`);
}

const lines = [
  '| planted | audits with any alarm | site by mean pictures | site by a classifier | site AUC: mean (least to most) | brighter at the marker | cells that differ, a mean | of them at the marker |',
  '| --- | --- | --- | --- | --- | --- | --- | --- |',
  ...rounds.map(({ name, found }) => `| ${name} | ${found.filter(({ alarms }) => alarms.length).length} of ${seeds} | ${found.filter(({ siteFound }) => siteFound.pixels).length} | ${found.filter(({ siteFound }) => siteFound.picture).length} | ${range(found.map(({ siteAuc }) => siteAuc))} | ${mean(found.map(({ difference }) => difference)).toFixed(4)} | ${mean(found.map(({ cells }) => cells)).toFixed(1)} | ${found.reduce((sum, { onMarker }) => sum + onMarker, 0)} of ${found.reduce((sum, { cells }) => sum + cells, 0)} |`),
  '', '| Grad-CAM of a network that answers to bright spots | share on the marker’s place, site A | site B |', '| --- | --- | --- |',
  ...([['marked', 'site B has the marker, 4 deviations'], ['plain', 'no marker']] as const).map(([key, name]) => `| ${name} | ${range(maps[key].map(({ a }) => a))} | ${range(maps[key].map(({ b }) => b))} |`),
  '', '| site AUC from the picture, patients held back | before | range normalisation | subspace alignment, 10 dimensions |', '| --- | --- | --- | --- |',
  ...repairs.map(({ name, before, range: ranged, subspace }) => `| ${name} | ${range(before)} | ${range(ranged)} | ${range(subspace)} |`), '',
];
writeFileSync(path.join(options.out, 'table.md'), lines.join('\n'));
writeFileSync(path.join(options.out, 'results.json'), `${JSON.stringify({ seeds, patients, ...TESTS, machine: os.cpus()[0]?.model, seconds: Math.round((performance.now() - begun) / 1000), date: new Date().toISOString().slice(0, 10), rounds, maps, repairs })}\n`);
