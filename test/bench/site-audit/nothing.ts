/**
 * False alarms: audits of generated cohorts in which nothing is planted, many of them.
 *
 *     node --import ./test/generators/typescript.mjs test/bench/site-audit/nothing.ts [--cohorts 200] [--patients 40] [--out test/bench/site-audit]
 *
 * Writes nothing.json: of each cohort the least adjusted p of all tests of site, scanner, view, sex and age, which is an alarm below 0.05.
 */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { auditSites } from '../../../src/evaluation/site-audit/audit.ts';
import { generated } from './generated.ts';

const { values: options } = parseArgs({ options: { cohorts: { type: 'string', default: '200' }, patients: { type: 'string', default: '40' }, out: { type: 'string', default: import.meta.dirname } } });
const [cohorts, patients] = [Number(options.cohorts), Number(options.patients)];
const FIRST_SEED = 1001;
const TESTS = { permutations: 239 };
const least: number[] = [];
const aucs: number[] = [];
for (let seed = FIRST_SEED; seed < FIRST_SEED + cohorts; seed++) {
  const { factors } = auditSites(generated(patients, seed), TESTS);
  least.push(Math.min(...factors.filter(({ kind }) => kind === 'acquisition').flatMap(({ pixels, fromPicture }) => [pixels, fromPicture]).map(test => test?.adjusted ?? 1)));
  aucs.push(factors.find(({ name }) => name === 'site')?.fromPicture?.mean.value ?? 0.5);
  if (least.length % 20 === 0) {
    const alarms = least.filter(p => p < 0.05).length;
    const meanAuc = aucs.reduce((a, b) => a + b, 0) / aucs.length;
    console.log(`${alarms} alarms in ${least.length} audits; mean site AUC ${meanAuc.toFixed(3)}`);
    writeFileSync(path.join(options.out, 'nothing.json'), `${JSON.stringify({ cohorts: least.length, patients, ...TESTS, firstSeed: FIRST_SEED, alarms, meanSiteAuc: Number(meanAuc.toFixed(4)), leastAdjustedP: least.map(p => Number(p.toFixed(4))) })}\n`);
  }
}
