import fs from 'node:fs';
import path from 'node:path';
import type { Command } from 'commander';
import type { RecalibrationRecord } from '../manifest.ts';
import type { OperatingGoal } from '../metrics/roc.ts';
import { readDatasetFolder, readIds } from './dataset-folder.ts';
import { evalItems } from '../evaluation/items.ts';
import { chosenPoints, FEW_ITEMS, pointRows, recalibratedManifest, recalibrationCard } from '../evaluation/recalibration.ts';
import type { EvalReport } from '../evaluation/report.ts';
import { checkFolder, idOf, usage, write } from './import-folder.ts';
import { defaultModelsFolder, modelFolder } from './installed-models.ts';
import { writeFile } from './io/write-file.ts';
import { modelOptions, openModel, type ModelOptions } from './open-model.ts';
import { ExitStatus, table, terminal, type Terminal } from './terminal.ts';

export interface RecalibrateOptions extends ModelOptions {
  readonly dataset: string;
  readonly patients?: string;
  readonly split?: string;
  readonly goal: string;
  readonly labels?: string;
  readonly out: string;
  readonly replace?: boolean;
  readonly json?: boolean;
}

export function register(program: Command): void {
  modelOptions(program.command('recalibrate'))
    .description('choose a model\'s operating points on labelled pictures of your own site; nothing is trained')
    .requiredOption('--dataset <folder>', 'folder with a dataset.json that has labels')
    .option('--patients <file>', 'only these patients, as for eval')
    .option('--split <name>', 'the array of the --patients file to take')
    .requiredOption('--goal <what=least>', 'sensitivity=0.9, specificity=0.95 or ppv=0.8: what each point is to reach at least')
    .option('--labels <names>', 'only these, separated by commas; all that the data set has when left out')
    .requiredOption('--out <folder>', 'the model with the new points, as a folder; its name is the new id')
    .option('--replace', 'replace a model folder at --out')
    .option('--json', 'print the report, with ROC and reliability, as JSON')
    .addHelpText('after', '\nThe weights stay the same files; the manifest has the points and where they came from, and report.json the curves.\nPoints that were chosen on these patients look better on them than they are elsewhere.')
    .action(async (options: RecalibrateOptions) => {
      process.exitCode = await recalibrate(options);
    });
}

/** @returns the exit status */
export async function recalibrate(options: RecalibrateOptions, { print, note }: Terminal = terminal): Promise<number> {
  const id = idOf(options.out);
  checkFolder(options.out, options.replace ?? false);
  const goal = goalOf(options.goal);
  const location = modelFolder(options.model, path.resolve(options.models ?? defaultModelsFolder()));
  const folder = readDatasetFolder(options.dataset);
  const patients = options.patients === undefined ? undefined : readIds(options.patients, options.split);
  const runner = await openModel(options, note);
  let report: EvalReport;
  try {
    report = (await evalItems({ runner, folder, patients, keepWorst: 0, onDone: (item, i, n, said) => note(`[${i}/${n}] ${item}: ${said}`) })).report;
  } finally {
    await runner.close();
  }
  const { manifest, identity } = runner;
  if (!report.labels) throw usage('a model that gives scores', `${manifest.id}, which gives masks`, 'Choose a classifier');
  const scored = report.perItem.filter(item => !item.error);
  const items = scored.map(({ patientId, probabilities, truths }) => ({ patientId, probabilities: probabilities as Record<string, number>, truths: asBooleans(truths as Record<string, number>) }));
  const chosen = chosenPoints(items, manifest, goal, options.labels?.split(',').map(label => label.trim()));
  for (const { label, record: { positives, negatives } } of chosen) if (Math.min(positives, negatives) < FEW_ITEMS) note(`Warning: ${label} has ${positives} positive and ${negatives} negative items; with fewer than ${FEW_ITEMS} a point means little.`);
  const record: RecalibrationRecord = {
    parent: { id: manifest.id, version: manifest.version, sha256: identity.sha256 },
    dataset: { name: folder.dataset.name, licence: folder.dataset.licence, items: scored.length, patients: new Set(scored.map(({ patientId }) => patientId)).size },
    points: Object.fromEntries(chosen.map(({ label, record: of }) => [label, of])),
    at: new Date().toISOString(),
  };
  const files = new Map(Object.keys(manifest.graph.sha256).map(file => [file, new Uint8Array(fs.readFileSync(path.join(location, file)))]));
  write(options.out, files, recalibratedManifest(manifest, id, record), recalibrationCard(manifest, record));
  const whole = { ...record, curves: Object.fromEntries(chosen.map(({ label, roc, reliability: bins }) => [label, { roc, reliability: bins }])) };
  writeFile(path.join(options.out, 'report.json'), `${JSON.stringify(whole, undefined, 1)}\n`);
  if (options.json) print(JSON.stringify(whole, undefined, 2));
  else for (const line of table(pointRows(record))) print(line);
  return ExitStatus.ok;
}

function goalOf(text: string): OperatingGoal {
  const [, by, least] = /^(sensitivity|specificity|ppv)=(0?\.\d+|1(?:\.0+)?)$/.exec(text) ?? [];
  if (by === undefined) throw usage('--goal sensitivity=0.9, specificity=0.95 or ppv=0.8', text, 'Give a share above 0, up to 1');
  return { by: by as OperatingGoal['by'], least: Number(least) };
}

function asBooleans(truths: Readonly<Record<string, number>>): Record<string, boolean> {
  return Object.fromEntries(Object.entries(truths).map(([label, truth]) => [label, truth === 1]));
}
