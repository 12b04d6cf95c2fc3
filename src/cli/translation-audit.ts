import path from 'node:path';
import { InvalidArgumentError, type Command } from 'commander';
import { OverreadError } from '../errors.ts';
import { CHANGE_RULE } from '../evaluation/translation-changes.ts';
import { auditTranslation, type PlacedChange, type TranslationAudit } from '../evaluation/translation.ts';
import { translationCsv, translationJson } from '../evaluation/translation-report.ts';
import type { Image } from '../image/image.ts';
import { nameOf } from '../tasks/modalities.ts';
import { groupedInputs } from './image-inputs.ts';
import { inputFiles } from './input-files.ts';
import { writeAudit } from './io/translation-files.ts';
import { checkFolder, writeFile } from './io/write-file.ts';
import { asModality, namedSeries } from './modality-inputs.ts';
import { modelOptions, openModel, type ModelOptions } from './open-model.ts';
import { ExitStatus, table, terminal, type Terminal } from './terminal.ts';

interface TranslationAuditOptions extends ModelOptions {
  readonly real: string;
  readonly translated: string;
  readonly asReal?: string;
  readonly asTranslated?: string;
  readonly label?: readonly string[];
  readonly tolerance: number;
  readonly minimumShare: number;
  readonly minimumSize: number;
  readonly minimumPeak: number;
  readonly minimumEvidence: number;
  readonly out?: string;
  readonly json?: boolean;
}

const HELP = `
The model is run on both series, and its second mask laid on the first series' grid: as it is where the grids are the same, by
geometry where the frames of reference are, else by rigid registration. A lesion of one side is on the other, too, when at least
--minimum-share of it lies within --tolerance of a lesion there; else it was erased (in the real series only) or invented (in the
translated one only). What of a lesion lies further out has shrunk or grown. The translated series is read although models refuse what
says that it was synthesised. Pictures without a place in the patient are compared pixel on pixel.

What only the model sees differently, while the pictures do not differ there (--minimum-evidence), is counted apart. The list says where to look:
what the model finds on neither of the two is not in it.

With --out: audit.json, changes.csv, the masks and the changes on the real series' grid (NIfTI, or PNG of a plane), and a picture a change, real
beside translated.

Exit status: 0 the audit was made, whatever it found; 1 it was not.`;

export function register(program: Command): void {
  modelOptions(program.command('translation-audit'))
    .description('what a translated series (MR to CT, T1 to FLAIR, a synthetic stain) erased and invented, by a lesion model on it and on the real one')
    .requiredOption('--real <path>', 'file, or folder, of the real series')
    .requiredOption('--translated <path>', 'file, or folder, of the translated series of the same patient')
    .option('--as-real <modality>', 'of a model of several MR series: what the real series is, where it does not say: T1, T1c, T2, FLAIR')
    .option('--as-translated <modality>', 'the same of the translated series')
    .option('--label <name...>', 'the model\'s labels that are lesions; all of them when left out')
    .option('--tolerance <mm>', 'masks this near to each other agree', atLeast0, CHANGE_RULE.toleranceMm)
    .option('--minimum-share <share>', 'of a lesion within the tolerance for it to be on the other side, too, 0 to 1', atLeast0, CHANGE_RULE.minimumShare)
    .option('--minimum-size <size>', 'what is smaller is no lesion: mm³, mm² of a plane, pixels without a spacing', atLeast0, CHANGE_RULE.minimumSize)
    .option('--minimum-peak <probability>', 'a lesion of which the model is nowhere as sure is not listed', atLeast0, CHANGE_RULE.minimumPeak)
    .option('--minimum-evidence <deviations>', 'by how much the pictures have to differ there from how one goes over into the other elsewhere; 0 takes the model\'s word', atLeast0, CHANGE_RULE.minimumEvidence)
    .option('--out <folder>', 'write the report, the masks and the pictures here')
    .option('--json', 'print the report as JSON')
    .addHelpText('after', HELP)
    .action(async (options: TranslationAuditOptions) => {
      process.exitCode = await translationAudit(options);
    });
}

/** @returns the exit status */
export async function translationAudit(options: TranslationAuditOptions, { print, note }: Terminal = terminal): Promise<number> {
  if (options.out !== undefined) checkFolder(options.out);
  const runner = await openModel(options, note);
  try {
    const named = (file: string, modality: string | undefined) => openOne(file, modality === undefined ? undefined : namedSeries([`${modality}=${file}`], runner.manifest)[0]!.modality);
    const [real, translated] = [await named(options.real, options.asReal), await named(options.translated, options.asTranslated)];
    const audit = await auditTranslation(runner, real, translated, {
      rule: { toleranceMm: options.tolerance, minimumShare: options.minimumShare, minimumSize: options.minimumSize, minimumPeak: options.minimumPeak, minimumEvidence: options.minimumEvidence },
      ...(options.label && { labels: options.label }), ...(options.register && { register: true }),
    });
    const json = JSON.stringify(translationJson(audit), undefined, 2);
    if (options.out !== undefined) {
      writeFile(path.join(options.out, 'audit.json'), `${json}\n`);
      writeFile(path.join(options.out, 'changes.csv'), translationCsv(audit));
      writeAudit(audit, real, options.out);
    }
    if (options.json) print(json);
    else for (const line of lines(audit, real, translated)) print(line);
    return ExitStatus.ok;
  } finally {
    await runner.close();
  }
}

async function openOne(given: string, modality: Parameters<typeof asModality>[1] | undefined): Promise<Image> {
  const inputs = await groupedInputs(inputFiles([given]).files);
  if (inputs.length !== 1) throw new OverreadError('input/refused', `Expected one series or picture in ${given}, got ${inputs.length}. Name the folder of one series.`, { expected: 1, got: inputs.length });
  const image = await inputs[0]!.open();
  return modality ? asModality(image, modality) : image;
}

function lines({ changes, unconfirmed, lesions, placement, rule, results }: TranslationAudit, real: Image, translated: Image): string[] {
  const { kind } = placement;
  const how = kind === 'registered' ? `registered, repeatable to ${placement.registration.repeatabilityMm.toFixed(1)} mm` : kind;
  const [first, second] = [results.real, results.translated].map(({ modalities }) => modalities?.used.map(({ modality }) => modality).join());
  const refused = results.translated.outOfDistribution?.refused ? [`Read although ${results.translated.outOfDistribution.reason ?? 'the model refuses it'}.`] : [];
  return [
    `${nameOf(translated)} against ${nameOf(real)} (${how}): of ${lesions.real} lesions ${lesions.kept} are there; ${lesions.translated} in the translation.`,
    ...(first !== undefined ? [`Read as ${first} and ${second}.`] : []),
    ...refused,
    ...(unconfirmed.length ? [`${unconfirmed.length} more only by the model: the pictures do not differ there.`] : []),
    ...(changes.length ? table(changes.map(row)) : [`Nothing was erased or invented by the rule (tolerance ${rule.toleranceMm} mm, minimum size ${rule.minimumSize}, probability ${rule.minimumPeak}).`]),
  ];
}

function row({ kind, voxels, volumeMm3, areaMm2, patientMm, index }: PlacedChange): string[] {
  const size = volumeMm3 !== undefined ? `${volumeMm3.toFixed(0)} mm³` : areaMm2 !== undefined ? `${areaMm2.toFixed(0)} mm²` : `${voxels} px`;
  return [kind, size, patientMm ? `at ${patientMm.map(v => v.toFixed(1)).join(', ')} mm (L, P, S)` : '', `column ${index[0]}, row ${index[1]}, slice ${index[2] + 1}`];
}

function atLeast0(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && value >= 0 && Number.isFinite(value)) return value;
  throw new InvalidArgumentError('Expected a number from 0.');
}
