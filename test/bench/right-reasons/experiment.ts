/**
 * Does a mask keep a classifier from learning the site's marker? Generated pictures, a baseline and ways to guide it, several seeds,
 * all by the trainer of `overread train`, on WebAssembly:
 *
 *     node --import ./test/generators/typescript.mjs test/bench/right-reasons/experiment.ts [--masks field] [--keep FILE] [--seeds 1,2,3] [--out FOLDER]
 *
 * In training the marker comes with the finding nearly always, in the test as often with as without. Masks are of the discs, where a
 * picture without the finding has none; or with --masks field of where discs can be, the same for every picture. The site of a
 * picture is whether it has the marker. Writes results.json, table.md and plot.svg (field-results.json, …). With --keep, each
 * training's outcome is kept in a file, and those that are there are not trained again.
 */
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { draw } from './pictures.ts';
import { writeReport } from './report.ts';
import { Trial, type Masks, type Method, type Outcome } from './trial.ts';

const { values: options } = parseArgs({ options: { masks: { type: 'string', default: 'finding' }, seeds: { type: 'string' }, keep: { type: 'string' }, methods: { type: 'string' }, weight: { type: 'string' }, agreement: { type: 'string', default: '0.985' }, 'test-seed': { type: 'string', default: '99' }, steps: { type: 'string', default: '250' }, out: { type: 'string', default: import.meta.dirname } } });
const masks: Masks = options.masks === 'field' ? 'field' : 'finding';
/** The field's methods differ more between seeds; 11 and 12 chose its weights. */
const SEEDS = (options.seeds ?? (masks === 'field' ? '1,2,3,4,5,6,7,8,9,10,13,14' : '1,2,3,4,5,6')).split(',').map(Number);
/** Of the baseline there is nothing to choose. */
const BASELINE: Method = { name: 'baseline' };
const METHODS: { readonly [M in Masks]: readonly Method[] } = {
  /** Weights: the best of three to six a method in a PyTorch twin, with other seeds and other test pictures; how hard the pictures are was set there too, by the baseline. */
  finding: [BASELINE, { name: 'RRR', guidance: { kind: 'rrr', weight: 1 } }, { name: 'GradMask', guidance: { kind: 'gradmask', weight: 0.01 } }, { name: 'ActivDiff', guidance: { kind: 'activdiff', weight: 0.3 } }, { name: 'reversal', guidance: { kind: 'reversal', weight: 0.3 } }],
  /** Weights: RRR's as above, ten times GradMask's; tried once each with seeds 11 and 12 and other test pictures (`--test-seed 98`). */
  field: [BASELINE, { name: 'RRR', guidance: { kind: 'rrr', weight: 1 } }, { name: 'GradMask', guidance: { kind: 'gradmask', weight: 0.1 } }],
};
const [TRAIN, VALIDATE, TEST] = [400, 60, 600];
const AGREEMENT = Number(options.agreement);

const asked = METHODS[masks].filter(({ name }) => !options.methods || options.methods.split(',').includes(name));
const trial = await Trial.open({ steps: Number(options.steps), test: draw(TEST, 0.5, Number(options['test-seed'])) });
const results = new Map<string, Outcome[]>(asked.map(({ name }) => [name, []]));
const known = new Map<string, Outcome>(options.keep && existsSync(options.keep) ? readFileSync(options.keep, 'utf8').trim().split('\n').map(line => JSON.parse(line) as [string, Outcome]) : []);
const start = performance.now();
for (const seed of SEEDS) {
  // Validation is of the training's site mix: what a developer who does not know of the marker has. The last weights are tested.
  const data = { train: draw(TRAIN, AGREEMENT, 1000 + seed), validation: draw(VALIDATE, AGREEMENT, 2000 + seed) };
  for (const method of asked) {
    const run = `${method.name}${masks === 'field' && method.guidance ? ', field' : ''} ${seed}`;
    const outcome = known.get(run) ?? await trial.run(options.weight && method.guidance ? { ...method, guidance: { ...method.guidance, weight: Number(options.weight) } } : method, masks, data, seed);
    if (options.keep && !known.has(run)) appendFileSync(options.keep, `${JSON.stringify([run, outcome])}\n`);
    results.get(method.name)!.push(outcome);
    console.log(`${method.name}, seed ${seed}: AUC ${outcome.auc.toFixed(3)}, of the marker ${outcome.aucOfMarker.toFixed(3)}, saliency IoU ${outcome.saliencyIou.toFixed(3)} (${((performance.now() - start) / 1000).toFixed(0)} s)`);
  }
}
trial.close();
if (!options.methods) {
  const setting = { masks, train: TRAIN, validation: VALIDATE, test: TEST, agreement: AGREEMENT, steps: Number(options.steps), seeds: SEEDS, machine: os.cpus()[0]?.model ?? 'unknown', backend: 'wasm', date: new Date().toISOString().slice(0, 10) };
  for (const [file, text] of writeReport(asked, results, trial.findings, setting)) writeFileSync(path.join(options.out, masks === 'field' ? `field-${file}` : file), text);
}
