/**
 * A cohort of 2,000 generated studies in a real Orthanc: killed twice and resumed; over Redis with one worker, and with four of which two are
 * killed. What must be true is asserted by test/pacs/cohort-job.mjs; this measures pace and memory.
 *
 *     node src/cli/bootstrap.mjs ensure-built && node test/bench/cohort/run.mjs [--studies 2000] [--out FILE]
 */
import { writeFileSync } from 'node:fs';
import os from 'node:os';
import { parseArgs } from 'node:util';
import { killedCohort, queuedCohort, sendStudies, startRedis } from '../../pacs/cohort-job.mjs';
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

/** Megabytes at the start of the work (a fifth in), at the end, and at most; how many MB an hour the second half of the run rises, by least squares. */
function memoryOf(samples) {
  if (samples.length < 10) return undefined;
  const mb = samples.map(([, m]) => m);
  const half = samples.slice(samples.length >> 1);
  const [mx, my] = [0, 1].map(i => half.reduce((sum, s) => sum + s[i], 0) / half.length);
  const slope = half.reduce((sum, [x, y]) => sum + (x - mx) * (y - my), 0) / half.reduce((sum, [x]) => sum + (x - mx) ** 2, 0);
  return { seconds: Math.round((samples.at(-1)[0] - samples[0][0]) / 1000), early: Math.round(mb[Math.floor(mb.length / 5)]), late: Math.round(mb.at(-1)), most: Math.round(Math.max(...mb)), mbPerMinute: digits(60_000 * slope) };
}

function digits(value) {
  return Number(value.toPrecision(3));
}
