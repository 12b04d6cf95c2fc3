import { createHash } from 'node:crypto';
import path from 'node:path';
import type { Command } from 'commander';
import { OverreadError } from '../../errors.ts';
import { checkFolder, writeFile } from '../io/write-file.ts';
import type { ModelRunner } from '../model-runner.ts';
import { deviceOptions, openModels, type ModelOptions } from '../open-model.ts';
import { ExitStatus, terminal, type Terminal } from '../terminal.ts';
import { agreementOf, type Truths } from './agreement.ts';
import { dicomwebStudies, type StudyQuery } from './dicomweb-studies.ts';
import { folderStudies } from './folder-studies.ts';
import { headersOf } from './headers.ts';
import { Journal } from './journal.ts';
import { runCohort } from './loop.ts';
import { queueCohort } from './queue.ts';
import { reportHtml } from './report.ts';
import { rowsOf } from './rows.ts';
import type { CohortStudy } from './study.ts';
import { rowsCsv, rowsParquet } from './tables.ts';
import { readTruths } from './truths.ts';
import { modalitiesOf, startWorker } from './worker.ts';

interface SharedOptions extends Omit<ModelOptions, 'model'> {
  readonly model: readonly string[];
  readonly redis?: string;
  readonly dicomwebAuth?: string;
}

export interface CohortOptions extends SharedOptions {
  readonly dicomweb?: string;
  readonly query?: string;
  readonly out: string;
  readonly labels?: string;
  readonly viewer?: string;
}

const HELP = `
Each study is on disk (OUT/journal.jsonl) before the next begins: after Ctrl-C, or a crash, the same command goes on where it
was. What is refused is listed by reason; what failed is tried again, three times in all. At the end stand results.csv,
results.parquet, agreement.json and report.html.

With --redis the studies wait in a queue, and 'overread worker' with the same models takes them, on any number of machines.

Exit status: 0 every study gave a result, 2 some were refused or failed, 1 a fault, 130 stopped.`;

const AUTH = 'for a DICOMweb server that asks for them; OVERREAD_DICOMWEB_AUTH keeps them out of the process list';

export function register(program: Command): void {
  deviceOptions(program.command('cohort'))
    .description('run models over the studies of a PACS or a folder, and compare them')
    .argument('[files...]', 'files and folders, in place of --dicomweb')
    .requiredOption('--model <id>', 'id of an installed model, or the folder of one; several: --model A --model B', collect, [])
    .option('--dicomweb <url>', 'root of a DICOMweb service')
    .option('--query <parameters>', "which of its studies, as QIDO-RS asks: 'ModalitiesInStudy=DX&StudyDate=20260101-'")
    .option('--dicomweb-auth <user:password>', AUTH)
    .requiredOption('--out <folder>', 'folder for results, or of a run to go on with')
    .option('--labels <csv>', 'truths, with the columns study, label and value (0 or 1): areas under the curve and calibration')
    .option('--viewer <url>', 'root of the viewer that opens a case from the report: https://pacs/viewer')
    .option('--redis <url>', 'have the workers of this Redis server do it')
    .addHelpText('after', HELP)
    .action(async (paths: string[], options: CohortOptions) => {
      process.exitCode = await cohort(paths, options);
    });
  deviceOptions(program.command('worker'))
    .description("take studies that 'overread cohort --redis' put into a queue")
    .requiredOption('--model <id>', 'as given to the cohort, in the same order', collect, [])
    .requiredOption('--redis <url>', 'redis://host:port')
    .option('--dicomweb-auth <user:password>', AUTH)
    .action(async (options: SharedOptions & { redis: string }) => {
      process.exitCode = await work(options);
    });
}

function collect(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}

/** @returns the exit status */
export async function cohort(paths: readonly string[], options: CohortOptions, { print, note }: Terminal = terminal): Promise<number> {
  const { dicomweb, query, out, redis } = options;
  if ((paths.length === 0) === (dicomweb === undefined)) throw new OverreadError('cli/usage', 'Expected files and folders, or --dicomweb URL, got neither or both. Name the studies in one way.');
  if (query !== undefined && dicomweb === undefined) throw new OverreadError('cli/usage', 'Expected --dicomweb URL with --query, got none.');
  checkFolder(out);
  const truths = options.labels === undefined ? undefined : readTruths(options.labels);
  const runners = await openModels(options.model, options, note);
  try {
    checkTwice(runners);
    const studies = dicomweb === undefined ? await folderStudies(paths) : await listed(dicomwebStudies(asked(options, runners)));
    if (studies.length === 0) note('No study matches.');
    const journal = new Journal(out, runners.map(({ identity }) => identity));
    let stop = false;
    const onStop = () => {
      stop = true;
      note('Stopping after the study at hand.');
    };
    process.once('SIGINT', onStop);
    try {
      const common = { journal, note, stopped: () => stop };
      const identities = runners.map(({ identity: { id, version, sha256 } }) => ({ id, version, sha256 }));
      const whole = redis === undefined
        ? await runCohort(studies, { ...common, runners })
        : await queueCohort(studies.map(({ id, paths: files }) => ({ study: id, models: identities, ...(dicomweb !== undefined ? { dicomweb } : { files: (files ?? []).map(file => path.resolve(file)) }) })), { ...common, redis, queue: queueName(runners) });
      writeResults(journal, options, runners, truths, print);
      if (!whole) return ExitStatus.stopped;
      const wanted = new Set(studies.map(({ id }) => id));
      return journal.records().every(({ study, outcome }) => !wanted.has(study) || outcome === 'done') ? ExitStatus.ok : ExitStatus.refused;
    } finally {
      process.removeListener('SIGINT', onStop);
      journal.close();
    }
  } finally {
    await runners[0]?.close();
  }
}

/** Works until it is stopped. @returns the exit status */
async function work(options: SharedOptions & { readonly redis: string }, { note }: Terminal = terminal): Promise<number> {
  const runners = await openModels(options.model, options, note);
  checkTwice(runners);
  const headers = headersOf(options);
  const close = startWorker({ redis: options.redis, queue: queueName(runners), runners, note, ...(headers && { headers }) });
  note('Waiting for studies; Ctrl-C ends after the one at hand.');
  await new Promise<void>(resolve => ['SIGINT', 'SIGTERM'].forEach(signal => process.once(signal, () => resolve())));
  await close();
  await runners[0]?.close();
  return ExitStatus.ok;
}

/** The same for a cohort and its workers: they have the same weights. */
function queueName(runners: readonly ModelRunner[]): string {
  const models = runners.map(({ identity: { id, version, sha256 } }) => [id, version, sha256]);
  return `overread-cohort-${createHash('sha256').update(JSON.stringify(models)).digest('hex').slice(0, 16)}`;
}

/** Results are told apart by the model's id. */
function checkTwice(runners: readonly ModelRunner[]): void {
  const ids = runners.map(({ identity }) => identity.id);
  const twice = ids.find((id, i) => ids.indexOf(id) < i);
  if (twice !== undefined) throw new OverreadError('cli/usage', `Expected models with different ids, got ${twice} twice. Give another version another id.`, { got: twice });
}

function asked(options: CohortOptions, runners: readonly ModelRunner[]): StudyQuery {
  const headers = headersOf(options);
  return { url: options.dicomweb!, modalities: modalitiesOf(runners), ...(options.query !== undefined && { query: options.query }), ...(headers && { headers }) };
}

async function listed(studies: AsyncIterable<CohortStudy>): Promise<CohortStudy[]> {
  const all: CohortStudy[] = [];
  for await (const study of studies) all.push(study);
  return all;
}

function writeResults(journal: Journal, { out, viewer }: CohortOptions, runners: readonly ModelRunner[], truths: Truths | undefined, print: (line: string) => void): void {
  const records = journal.records();
  const rows = records.flatMap(rowsOf);
  const pairs = records.flatMap(record => record.pairs ?? []);
  const ids = runners.map(({ identity }) => identity.id);
  const normalised = new Set(runners.filter(({ manifest }) => manifest.output.operatingPointNormalisation !== undefined).map(({ identity }) => identity.id));
  const agreements = ids.flatMap((a, i) => ids.slice(i + 1).map(b => agreementOf(rows, pairs, [a, b], truths, normalised)));
  const write = (name: string, bytes: string | Uint8Array) => {
    writeFile(path.join(out, name), bytes);
    print(path.join(out, name));
  };
  write('results.csv', rowsCsv(rows));
  write('results.parquet', rowsParquet(rows));
  if (agreements.length) write('agreement.json', `${JSON.stringify(agreements, undefined, 2)}\n`);
  write('report.html', reportHtml({ title: `Cohort: ${ids.join(', ')}`, records, rows, agreements, madeAt: new Date().toISOString(), ...(viewer !== undefined && { viewer }) }));
}
