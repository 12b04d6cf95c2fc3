import path from 'node:path';
import { InvalidArgumentError, Option, type Command } from 'commander';
import { OverreadError, toOverreadError } from '../../errors.ts';
import { auditSites } from '../../evaluation/site-audit/audit.ts';
import { taskOf } from '../../tasks/index.ts';
import { SALIENCY_METHODS, type SaliencyRequest } from '../../tasks/saliency/index.ts';
import { dicomwebStudies } from '../cohort/dicomweb-studies.ts';
import { headersOf } from '../cohort/headers.ts';
import type { CohortStudy } from '../cohort/study.ts';
import { readTruths } from '../cohort/truths.ts';
import { readDatasetFolder } from '../dataset-folder.ts';
import { wholeNumber } from '../eval.ts';
import { inputFile } from '../image-inputs.ts';
import { inputFiles } from '../input-files.ts';
import { checkFolder, writeFile } from '../io/write-file.ts';
import type { ExplainingRunner } from '../model-runner.ts';
import { deviceOptions, openModels, type ModelOptions } from '../open-model.ts';
import { ExitStatus, table, terminal, type Terminal } from '../terminal.ts';
import { Attribution } from './attribution.ts';
import { attributionCsv, confoundingCsv, factorsCsv, outcomesCsv, type AuditFile, type RepairReport } from './audit-file.ts';
import { cohortScores } from './cohort-scores.ts';
import { collect } from './collect.ts';
import { repaired } from './repair.ts';
import { auditHtml } from './report.ts';
import { datasetPictures, filePictures, readAttributes, type SourcePicture, type Tables } from './sources.ts';

export interface AuditOptions extends Omit<ModelOptions, 'model'> {
  readonly model?: string;
  readonly dataset?: string;
  readonly dicomweb?: string;
  readonly query?: string;
  readonly dicomwebAuth?: string;
  readonly cohort?: string;
  readonly of?: string;
  readonly labels?: string;
  readonly attributes?: string;
  readonly explain?: string;
  readonly method?: SaliencyRequest['method'];
  readonly inside?: string;
  readonly masks?: string;
  readonly curves?: number;
  readonly viewer?: string;
  readonly repair?: RepairReport['kind'];
  readonly reference?: string;
  readonly dimensions?: number;
  readonly out: string;
  readonly permutations?: number;
  readonly seed: number;
}

const HELP = `
What tells the pictures of one site, scanner, view, sex or age from the others, and may be learnt in place of a disease: mean pictures and
where they differ, how well a classifier tells the groups from the picture and, with --model, from what the model's last layer reads; the
model's scores and errors by group; labels that come with each other or with any of these.

Of DICOM files these are InstitutionName, Manufacturer and ManufacturerModelName, ViewPosition, PatientSex and PatientAge; of a data set its site,
scanner, sex, age and images[].view. --attributes adds to it and counts for more.

OUT has report.html, audit.json (the viewer opens it), factors.csv, outcomes.csv and confounding.csv, with --explain also attribution.csv: no patient's name or ID, and no picture of one patient.

Exit status: 0 every picture was read, 2 some were refused, 1 a fault.`;

export function register(program: Command): void {
  deviceOptions(program.command('audit'))
    .description('find what tells sites, scanners and patients apart in pictures, and whether a model may know it')
    .argument('[files...]', 'files and folders')
    .option('--dataset <folder>', 'a folder with a dataset.json, in place of files')
    .option('--dicomweb <url>', 'root of a DICOMweb service, in place of files')
    .option('--query <parameters>', 'which of its studies, as of overread cohort')
    .option('--dicomweb-auth <user:password>', 'for a DICOMweb server that asks for them; OVERREAD_DICOMWEB_AUTH keeps them out of the process list')
    .option('--model <id>', 'id of an installed model of scores, or the folder of one')
    .option('--cohort <folder>', 'take the scores that overread cohort wrote there')
    .option('--of <id>', 'whose, where the cohort was read by several models')
    .option('--labels <csv>', 'truths, with the columns study, label and value (0 or 1)')
    .option('--attributes <csv>', 'with the columns study, and any of site, scanner, view, sex, age')
    .option('--explain <label>', "with --model: where the heat maps of this score lie, by label and group, beside its AUC")
    .addOption(new Option('--method <name>', 'how, with --explain').choices([...SALIENCY_METHODS]).default('occlusion'))
    .option('--inside <model>', 'with --explain: the share of each map within what this model of masks finds, such as lung-unet')
    .option('--masks <folder>', "with --explain: the share within a mask, a PNG with the picture's name; a data set has its own")
    .option('--curves <n>', 'with --explain: of how many pictures insertion and deletion curves are made', wholeOrNone, 20)
    .addOption(new Option('--repair <name>', 'audit again after this was done to each picture: range, its percentiles at the ends of its range; subspace, sites aligned (Fernando 2013)').choices(['range', 'subspace']))
    .option('--reference <site>', 'with --repair subspace: the site that the others are aligned with; default: the largest')
    .option('--dimensions <n>', 'with --repair subspace: of the subspaces', wholeNumber, 10)
    .option('--viewer <url>', 'root of the viewer that opens a case from the report')
    .requiredOption('--out <folder>', 'folder for the report')
    .option('--permutations <n>', 'orders of the patients that chance is known by; default: 999, more for many labels', wholeNumber)
    .option('--seed <n>', 'of these orders and of the folds', wholeOrNone, 1)
    .addHelpText('after', HELP)
    .action(async (paths: string[], options: AuditOptions) => {
      process.exitCode = await audit(paths, options);
    });
}

function wholeOrNone(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('Expected a whole number.');
  return Number(text);
}

/** @returns the exit status */
export async function audit(paths: readonly string[], options: AuditOptions, { print, note }: Terminal = terminal): Promise<number> {
  const { out, permutations, seed } = options;
  if ([paths.length > 0, options.dataset, options.dicomweb].filter(Boolean).length !== 1) throw new OverreadError('cli/usage', 'Expected one of files, --dataset FOLDER and --dicomweb URL. Name the pictures in one way.');
  if (options.query !== undefined && options.dicomweb === undefined) throw new OverreadError('cli/usage', 'Expected --dicomweb URL with --query, got none.');
  checkFolder(out);
  const tables: Tables = { ...(options.labels !== undefined && { truths: readTruths(options.labels) }), ...(options.attributes !== undefined && { attributes: readAttributes(options.attributes) }) };
  const known = options.cohort === undefined ? undefined : cohortScores(options.cohort, options.of);
  const explained = options.explain !== undefined;
  if (explained !== (options.explain !== undefined && options.model !== undefined) || (!explained && (options.inside ?? options.masks) !== undefined)) throw new OverreadError('cli/usage', 'Expected --explain LABEL together with --model, and --inside and --masks only with them. Name the model whose score is explained.');
  const [runner, inside] = options.model === undefined ? [] : await openModels([options.model, ...(options.inside === undefined ? [] : [options.inside])], options, note);
  try {
    if (runner) checkModel(runner, known?.model.id);
    const labels = runner?.manifest.output.targets.map(({ label }) => label) ?? known?.labels ?? [];
    const sources = () => sourcesOf(paths, options, tables, labels);
    const attribution = runner && options.explain !== undefined ? new Attribution({
      runner, request: { method: options.method ?? 'occlusion', target: options.explain }, curves: options.curves ?? 0, ...(inside && { inside }), ...(options.masks !== undefined && { masks: options.masks }),
    }) : undefined;
    const { pictures, refused } = await collect(await sources(), { note, ...(runner && { runner }), ...(known && { scores: known.scores }), ...(attribution && { onPicture: (opened, kept) => attribution.look(opened, kept) }) });
    const tests = { seed, ...(permutations !== undefined && { permutations }) };
    const model = runner?.identity ?? known?.model;
    const file: AuditFile = {
      overread: 'audit', source: options.dataset ?? options.dicomweb ?? (paths.length === 1 ? paths[0]! : `${paths.length} files and folders`), madeAt: new Date().toISOString(),
      ...(model && { model: { id: model.id, version: model.version, sha256: model.sha256 } }), audit: auditSites(pictures, tests), refused,
      ...(options.repair && { repair: await repaired(pictures, await sources(), { kind: options.repair, reference: options.reference, dimensions: options.dimensions ?? 10, tests, note, ...(runner && { runner }) }) }),
      ...(attribution && { attribution: attribution.finish() }),
    };
    const write = (name: string, content: string) => {
      writeFile(path.join(out, name), content);
      note(path.join(out, name));
    };
    write('audit.json', `${JSON.stringify(file)}\n`);
    write('factors.csv', factorsCsv(file.audit));
    write('outcomes.csv', outcomesCsv(file.audit.outcomes));
    write('confounding.csv', confoundingCsv(file.audit));
    if (file.attribution) write('attribution.csv', attributionCsv(file.attribution));
    write('report.html', auditHtml(file, options.viewer));
    for (const line of summary(file)) print(line);
    return refused.length ? ExitStatus.refused : ExitStatus.ok;
  } finally {
    await runner?.close();
  }
}

/** A line a factor and what it was told from. */
function summary({ audit: { factors } }: AuditFile): string[] {
  const lines = factors.flatMap(({ name, pixels, fromPicture, fromFeatures, remarks }) => {
    if (!pixels) return [[name, remarks[0] ?? '']];
    const auc = ({ mean: { value, low, high } }: NonNullable<typeof fromPicture>) => `AUC ${value.toFixed(3)}${low === undefined ? '' : ` (${low.toFixed(3)} to ${high!.toFixed(3)})`}`;
    const line = (what: string, said: string, { adjusted }: { readonly adjusted: number }) => [name, what, said, `p ${adjusted.toFixed(3)}`, adjusted < 0.05 ? 'MORE THAN CHANCE' : ''];
    return [
      line('mean pictures', '', pixels), ...(fromPicture ? [line('from the picture', auc(fromPicture), fromPicture)] : []), ...(fromFeatures ? [line('from the features', auc(fromFeatures), fromFeatures)] : []),
    ];
  });
  return table(lines);
}

function checkModel({ manifest, identity }: ExplainingRunner, cohort: string | undefined): void {
  const { kind } = taskOf(manifest);
  if (kind !== 'scores' || manifest.input.fusion) throw new OverreadError('cli/usage', `Expected a model that gives scores of one picture, got ${manifest.input.fusion ? 'one of several views' : kind} from ${manifest.id}. Leave --model away to audit the pictures only.`, { expected: 'scores', got: kind });
  if (cohort !== undefined && cohort !== identity.id) throw new OverreadError('cli/usage', `Expected the model whose scores are in --cohort, ${cohort}, got ${identity.id}. Give --of ${identity.id}, or leave one of them away.`, { expected: cohort, got: identity.id });
}

async function sourcesOf(paths: readonly string[], options: AuditOptions, tables: Tables, labels: readonly string[]): Promise<readonly SourcePicture[] | AsyncIterable<SourcePicture>> {
  const { dataset, dicomweb, query } = options;
  if (dataset !== undefined) return datasetPictures(readDatasetFolder(dataset), labels);
  if (dicomweb === undefined) return filePictures(inputFiles(paths).files.map(inputFile), tables);
  const headers = headersOf(options);
  return studyPictures(dicomwebStudies({ url: dicomweb, ...(query !== undefined && { query }), ...(headers && { headers }) }), tables);
}

/** One study's pictures after the other's: only one study is in memory. */
async function* studyPictures(studies: AsyncIterable<CohortStudy>, tables: Tables): AsyncGenerator<SourcePicture, void> {
  for await (const study of studies) {
    try {
      yield* filePictures(await study.files(), tables, study.id);
    } catch (error) {
      const known = toOverreadError(error);
      if (!known.code.startsWith('input/')) throw error;
      yield { id: study.id, open: () => Promise.reject(known) };
    }
  }
}
