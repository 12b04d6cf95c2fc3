import fs from 'node:fs';
import path from 'node:path';
import type { Command } from 'commander';
import { OverreadError } from '../errors.ts';
import { parseManifest, type ModelManifest, type RecalibrationRecord } from '../manifest.ts';
import { bootstrapIntervals } from '../metrics/bootstrap.ts';
import { reliability, type ReliabilityBin } from '../metrics/reliability.ts';
import { chooseOperatingPoint, rocPoints, type OperatingGoal, type RocPoint } from '../metrics/roc.ts';
import { readDatasetFolder, readIds } from './dataset-folder.ts';
import { evalItems } from '../evaluation/items.ts';
import type { EvalReport, ItemReport } from '../evaluation/report.ts';
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

/** Fewer positives or negatives than these make a point that means little. */
const FEW = 20;

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

interface Chosen {
  readonly label: string;
  readonly record: RecalibrationRecord['points'][string];
  readonly roc: readonly RocPoint[];
  readonly reliability: readonly ReliabilityBin[];
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
  const wanted = options.labels?.split(',').map(label => label.trim()) ?? Object.entries(report.labels).filter(([, { positives, n }]) => positives > 0 && positives < n).map(([label]) => label);
  const chosen = wanted.map(label => choose(label, scored, manifest, goal));
  if (chosen.length === 0) throw new OverreadError('dataset/invalid', 'Expected a label with positive and negative items, got none. Collect both.');
  for (const { label, record: { positives, negatives } } of chosen) if (Math.min(positives, negatives) < FEW) note(`Warning: ${label} has ${positives} positive and ${negatives} negative items; with fewer than ${FEW} a point means little.`);
  const record: RecalibrationRecord = {
    parent: { id: manifest.id, version: manifest.version, sha256: identity.sha256 },
    dataset: { name: folder.dataset.name, licence: folder.dataset.licence, items: scored.length, patients: new Set(scored.map(({ patientId }) => patientId)).size },
    points: Object.fromEntries(chosen.map(({ label, record: of }) => [label, of])),
    at: new Date().toISOString(),
  };
  const files = new Map(Object.keys(manifest.graph.sha256).map(file => [file, new Uint8Array(fs.readFileSync(path.join(location, file)))]));
  write(options.out, files, recalibrated(manifest, id, record), card(manifest, record));
  const whole = { ...record, curves: Object.fromEntries(chosen.map(({ label, roc, reliability: bins }) => [label, { roc, reliability: bins }])) };
  writeFile(path.join(options.out, 'report.json'), `${JSON.stringify(whole, undefined, 1)}\n`);
  if (options.json) print(JSON.stringify(whole, undefined, 2));
  else for (const line of rows(record)) print(line);
  return ExitStatus.ok;
}

function goalOf(text: string): OperatingGoal {
  const [, by, least] = /^(sensitivity|specificity|ppv)=(0?\.\d+|1(?:\.0+)?)$/.exec(text) ?? [];
  if (by === undefined) throw usage('--goal sensitivity=0.9, specificity=0.95 or ppv=0.8', text, 'Give a share above 0, up to 1');
  return { by: by as OperatingGoal['by'], least: Number(least) };
}

function choose(label: string, items: readonly ItemReport[], manifest: ModelManifest, goal: OperatingGoal): Chosen {
  const target = manifest.output.targets.find(of => of.label === label);
  if (!target) throw usage(`labels of ${manifest.id} (${manifest.output.targets.map(of => of.label).join(', ')})`, label, 'Mend --labels');
  const known = items.filter(({ truths }) => (truths as Record<string, number>)[label] !== undefined);
  const truths = known.map(item => (item.truths as Record<string, number>)[label] === 1);
  const shown = (item: ItemReport) => (item.probabilities as Record<string, number>)[label]!;
  const normalised = manifest.output.operatingPointNormalisation !== undefined && target.operatingPoint !== undefined;
  const scores = known.map(item => (normalised ? plain(shown(item), target.operatingPoint!) : shown(item)));
  const roc = rocPoints(scores, truths);
  const point = chooseOperatingPoint(roc, goal);
  if (!point) throw new OverreadError('dataset/invalid', `Expected a point of ${label} with a ${goal.by} of at least ${goal.least}, got none; the best is ${Math.max(...roc.map(of => of[goal.by] ?? 0)).toFixed(3)}. Ask for less.`, { expected: goal, got: label });
  const value = Math.min(1 - 1e-6, Math.max(1e-6, point.threshold));
  const groups = known.map(({ patientId }) => patientId);
  const [sensitivity, specificity, ppv] = bootstrapIntervals(groups, weights => {
    let [tp, fp, p, n] = [0, 0, 0, 0];
    truths.forEach((truth, i) => {
      const called = scores[i]! >= value;
      if (truth) p += weights[i]!;
      else n += weights[i]!;
      if (called && truth) tp += weights[i]!;
      if (called && !truth) fp += weights[i]!;
    });
    return [p > 0 ? tp / p : undefined, n > 0 ? 1 - fp / n : undefined, tp + fp > 0 ? tp / (tp + fp) : undefined];
  });
  const positives = truths.filter(Boolean).length;
  const several = new Set(groups).size > 1;
  return {
    label, roc, reliability: reliability(scores, truths),
    record: {
      by: goal.by, least: goal.least, value, ...(target.operatingPoint !== undefined && { before: target.operatingPoint }), positives, negatives: truths.length - positives,
      sensitivity: { value: point.sensitivity, ...(several && sensitivity) }, specificity: { value: point.specificity, ...(several && specificity) },
      ...(point.ppv !== undefined && { ppv: { value: point.ppv, ...(several && ppv) } }),
    },
  };
}

/** A probability before the old operating point was put at 0.5. */
function plain(shown: number, point: number): number {
  return shown < 0.5 ? 2 * point * shown : 1 - 2 * (1 - point) * (1 - shown);
}

function recalibrated(manifest: ModelManifest, id: string, record: RecalibrationRecord): ModelManifest {
  const [major, minor, patch] = manifest.version.split('.').map(Number) as [number, number, number];
  const targets = manifest.output.targets.map(target => (record.points[target.label] ? { ...target, operatingPoint: record.points[target.label]!.value } : target));
  return parseManifest({
    ...manifest, id, version: `${major}.${minor}.${patch + 1}`, output: { ...manifest.output, targets }, recalibration: record,
    notice: `Operating points chosen on ${record.dataset.patients} patients of '${record.dataset.name}'. ${manifest.notice}`,
  }, `of ${id}`);
}

function rows({ points }: RecalibrationRecord): string[] {
  const share = (of: { value: number; low?: number | undefined; high?: number | undefined } | undefined) => (of ? `${of.value.toFixed(3)}${of.low === undefined ? '' : ` (${of.low.toFixed(3)} to ${of.high!.toFixed(3)})`}` : '');
  return table([['LABEL', 'POINT', 'BEFORE', 'SENSITIVITY', 'SPECIFICITY', 'PPV', 'POSITIVE', 'NEGATIVE'],
    ...Object.entries(points).map(([label, p]) => [label, p.value.toFixed(4), p.before?.toFixed(4) ?? '', share(p.sensitivity), share(p.specificity), share(p.ppv), String(p.positives), String(p.negatives)])]);
}

function card({ name }: ModelManifest, record: RecalibrationRecord): string {
  return [
    `# ${name}, recalibrated`, '',
    `The weights of ${record.parent.id} ${record.parent.version} (SHA-256 ${record.parent.sha256}) with operating points chosen on ${record.dataset.items} items of ${record.dataset.patients} patients of '${record.dataset.name}' (${record.dataset.licence}).`,
    '**The figures are of the patients that the points were chosen on: they are too good. Research use only. Not for diagnosis.**', '', '```', ...rows(record), '```', '',
  ].join('\n');
}
