/**
 * The whole experiment: films, six networks, figures, the shipped model. Run from the repository's root; see README.md.
 *
 *     node test/bench/fusion/run.mjs [--steps N] [--python PATH] [--out DIR]
 */
import { existsSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';

const { values } = parseArgs({ options: {
  steps: { type: 'string', default: '1600' }, python: { type: 'string', default: 'python3' }, out: { type: 'string', default: 'models/phantom-chest-fusion' },
} });
const DATA = '.cache/fusion';
const START = `${DATA}/start`;
const NETWORKS = `${DATA}/networks`;
const HERE = 'test/bench/fusion';
/** Parts of so many patients; seeds of the parts never meet. */
const PART = 200;
const PARTS = { train: [100000, 16], tune: [200000, 3], test: [300000, 4] };

function run(command, args) {
  const { status, error } = spawnSync('nice', ['-n', '10', command, ...args], { stdio: 'inherit', env: { ...process.env, OMP_NUM_THREADS: '1' } });
  if (error) throw error;
  if (status !== 0) process.exit(status ?? 1);
}
const typescript = (...args) => run(process.execPath, ['--max-semi-space-size=128', '--import', './test/generators/typescript.mjs', ...args]);

for (const [part, [first, count]] of Object.entries(PARTS)) {
  for (let i = 0; i < count; i++) {
    const out = `${DATA}/${part}/${first + i * PART}`;
    if (!existsSync(`${out}/labels.json`)) typescript(`${HERE}/phantoms.ts`, '--first', `${first + i * PART}`, '--count', `${PART}`, '--out', out);
  }
}
if (!existsSync(`${DATA}/golden/400004/labels.json`)) typescript(`${HERE}/phantoms.ts`, '--first', '400004', '--count', '2', '--size', '160', '--out', `${DATA}/golden/400004`);
for (const kind of ['PA', 'L']) {
  if (!existsSync(`${START}/${kind}.json`)) run(values.python, [`${HERE}/train.py`, '--data', DATA, '--kind', kind, '--steps', '1600', '--out', START]);
}
// All six from there, the networks of one view too.
for (const kind of ['PA', 'L', 'stacked', 'hemis', 'dualnet', 'auxloss']) {
  // All but the first layer of stacked begins at random.
  const steps = kind === 'stacked' ? '9000' : values.steps;
  if (!existsSync(`${NETWORKS}/${kind}.json`)) run(values.python, [`${HERE}/train.py`, '--data', DATA, '--kind', kind, '--steps', steps, '--start', START, '--out', NETWORKS]);
}
// AuxLoss goes on so that its maps point at what they are of.
if (!existsSync(`${NETWORKS}/located.json`)) run(values.python, [`${HERE}/train.py`, '--data', DATA, '--kind', 'located', '--steps', '3000', '--start', NETWORKS, '--out', NETWORKS]);
run(values.python, [`${HERE}/evaluate.py`, '--data', DATA, '--networks', NETWORKS, '--out', values.out]);
run(values.python, [`${HERE}/export.py`, '--kind', 'located', '--data', DATA, '--networks', NETWORKS, '--out', values.out]);
typescript(`${HERE}/export.ts`, '--networks', NETWORKS, '--out', values.out);
