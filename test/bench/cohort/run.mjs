/**
 * A cohort of 2,000 generated studies in a real Orthanc: killed twice and resumed; over Redis with one worker, and with four of which two are
 * killed. What must be true is asserted by test/pacs/cohort-job.mjs; this measures pace and memory.
 *
 *     node src/cli/bootstrap.mjs ensure-built && node test/bench/cohort/run.mjs [--studies 2000] [--out FILE]
 */
import { writeFileSync } from 'node:fs';
import os from 'node:os';
import { parseArgs } from 'node:util';
import { killedCohort, plainCohort, queuedCohort, sendStudies, startRedis } from '../../pacs/cohort-job.mjs';
import { startOrthanc } from '../../pacs/orthanc.mjs';

const { values: options } = parseArgs({ options: { studies: { type: 'string', default: '2000' }, out: { type: 'string' } } });
const count = Number(options.studies);
const say = line => console.log(`${new Date().toISOString().slice(11, 19)} ${line}`);

const orthanc = await startOrthanc();
if (orthanc.skipped) throw new Error(orthanc.skipped);
const redis = await startRedis();
if (redis.skipped) throw new Error(redis.skipped);
const results = { studies: count, machine: `${os.cpus()[0].model}, ${os.cpus().length} cores`, node: process.version, date: new Date().toISOString().slice(0, 10), rounds: [] };
try {
  const studies = await sendStudies(orthanc, count);
  say(`${count} studies are in Orthanc`);
  add('one process', await plainCohort(orthanc, studies));
  const one = await killedCohort(orthanc, studies);
  add('one process, killed twice', one);
  const rest = studies.filter(study => study !== one.gone);
  add('four workers, two killed', await queuedCohort(orthanc, redis, rest));
  add('one worker', await queuedCohort(orthanc, redis, rest, 1));
  if (options.out) writeFileSync(options.out, `${JSON.stringify(results, undefined, 1)}\n`);
} finally {
  await redis.stop();
  await orthanc.stop();
}
process.exit(0);

function add(name, { studiesPerSecond, runs, journal, killed = [] }) {
  // Before the first of the workers was killed: all of them at work.
  const until = killed[0]?.at ?? Infinity;
  const times = journal.map(({ at }) => Date.parse(at)).filter(at => at <= until).sort((a, b) => a - b);
  const whole = (1000 * (times.length - 1)) / (times.at(-1) - times[0]);
  const round = {
    name, done: journal.filter(({ outcome }) => outcome === 'done').length, refused: journal.filter(({ outcome }) => outcome === 'refused').length,
    studiesPerSecond: digits(studiesPerSecond), ...(killed.length && { studiesPerSecondBeforeKills: digits(whole), killedAfter: killed.map(({ after }) => after) }),
    loadAverage: os.loadavg()[0].toFixed(1), memory: runs.map(memory => memoryOf(memory)).filter(Boolean),
  };
  results.rounds.push(round);
  say(JSON.stringify(round));
}

/** Mean resident memory in MB of each quarter of a process's life, its first 5 s (loading) left out, and the most. */
function memoryOf(samples) {
  const working = samples.filter(([at]) => at - samples[0][0] > 5000).map(([, mb]) => mb);
  if (working.length < 20) return undefined;
  const quarter = q => working.slice(Math.floor((q * working.length) / 4), Math.floor(((q + 1) * working.length) / 4));
  const mean = of => Math.round(of.reduce((sum, mb) => sum + mb, 0) / of.length);
  return { seconds: Math.round((samples.at(-1)[0] - samples[0][0]) / 1000), quarters: [0, 1, 2, 3].map(q => mean(quarter(q))), most: Math.round(Math.max(...working)) };
}

function digits(value) {
  return Number(value.toPrecision(3));
}
