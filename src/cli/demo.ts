import type { Command } from 'commander';
import { OverreadError } from '../errors.ts';
import { writeBrainStudy } from './demo/brain.ts';
import { writeChestStudies } from './demo/chest.ts';
import { writeDemoDataset, type DemoDatasetKind } from './demo/dataset.ts';
import { writeHistologyStudy } from './demo/histology.ts';
import { DemoOutput, type TruthEntry } from './demo/output.ts';
import { writeSlideStudy } from './demo/slide.ts';
import { terminal } from './terminal.ts';

export interface DemoOptions {
  readonly out: string;
  readonly seed: number;
  /** Quick and coarse, for tests. */
  readonly small?: boolean;
  /** Base-level columns and rows of the slide. */
  readonly slideSize?: number;
  /** Folders to write; all when left out. */
  readonly only?: readonly DemoStudy[];
  note?(line: string): void;
}

export const DEMO_STUDIES = ['chest', 'histology', 'slide', 'brain'] as const;
export type DemoStudy = (typeof DEMO_STUDIES)[number];

export interface DemoReport {
  /** DICOM and truth, relative to the folder. */
  readonly files: readonly string[];
  readonly truth: readonly TruthEntry[];
}

const DATASET_KINDS: readonly DemoDatasetKind[] = ['chest', 'histology'];

/**
 * Writes the demo studies, one a folder, and what is true of them in `truth/`, with `truth/truth.json` to tie the two.
 * The same seed and sizes give the same files.
 * @throws OverreadError `config/invalid` when the folder cannot be written
 */
export async function writeDemo(options: DemoOptions): Promise<DemoReport> {
  const { small = false, note = () => undefined, only = DEMO_STUDIES } = options;
  const slideSize = options.slideSize ?? (small ? 1536 : 8192);
  const output = new DemoOutput(options.out, options.seed, `${small ? 'small' : 'full'} ${slideSize}`);
  const step = async (study: DemoStudy, what: string, write: () => void | Promise<void>): Promise<void> => {
    if (!only.includes(study)) return;
    const start = performance.now();
    await write();
    note(`${what} (${((performance.now() - start) / 1000).toFixed(1)} s)`);
  };
  await step('chest', 'Chest radiographs of two patients', () => writeChestStudies(output, small ? 384 : 1024));
  await step('histology', 'Histology field', () => writeHistologyStudy(output, small ? 512 : 1024));
  await step('slide', `Histology slide of ${slideSize} × ${slideSize} pixels`, () => writeSlideStudy(output, slideSize));
  await step('brain', 'Brain MRI in four sequences', () => writeBrainStudy(output, small ? { columns: 64, slices: 24 } : { columns: 160, slices: 60 }));
  const truth = { schemaVersion: 1, seed: options.seed, truth: output.truth };
  output.put('truth/truth.json', `${JSON.stringify(truth, undefined, 1)}\n`);
  return { files: output.files, truth: output.truth };
}

/** The demo as the viewer's own store shows it when it has nothing else: seed 1, full size. */
export async function writeDemoStudies(folder: string, note?: (line: string) => void): Promise<DemoReport> {
  return writeDemo({ out: folder, seed: 1, note });
}

interface DemoFlags {
  readonly out: string;
  readonly seed: string;
  readonly small?: boolean;
  readonly slideSize?: string;
  readonly dataset?: string;
  readonly n?: string;
  readonly size?: string;
}

export function register(program: Command): void {
  program
    .command('demo')
    .description('write generated demo studies with their ground truth, or a generated data set')
    .requiredOption('--out <folder>', 'where to write')
    .option('--seed <number>', 'another seed, other patients', '1')
    .option('--small', 'small images, quickly')
    .option('--slide-size <pixels>', 'columns and rows of the histology slide (default: 8192)')
    .option('--dataset <kind>', `write a labelled data set instead: ${DATASET_KINDS.join(' or ')}`)
    .option('--n <number>', 'items of the data set (default: 100)')
    .option('--size <pixels>', 'columns and rows of the data set\'s images (default: 512)')
    .action((flags: DemoFlags) => runDemo(flags));
}

async function runDemo(flags: DemoFlags): Promise<void> {
  const seed = wholeNumber('--seed', flags.seed, 0, 2 ** 31 - 2);
  const { out } = flags;
  if (flags.dataset === undefined) {
    for (const flag of ['n', 'size'] as const) {
      if (flags[flag] !== undefined) throw new OverreadError('cli/usage', `--${flag} goes with --dataset only. Leave it out, or say which data set.`, { got: `--${flag}` });
    }
    const slideSize = flags.slideSize === undefined ? undefined : wholeNumber('--slide-size', flags.slideSize, 512, 200_000);
    const { files, truth } = await writeDemo({ out, seed, small: flags.small, slideSize, note: terminal.note });
    const studies = new Set(truth.map(({ study }) => study));
    terminal.print(`${studies.size} studies, ${files.filter((file) => file.endsWith('.dcm')).length} DICOM files in ${out}`);
    return;
  }
  const kind = DATASET_KINDS.find((known) => known === flags.dataset);
  if (!kind) throw new OverreadError('cli/usage', `Expected --dataset ${DATASET_KINDS.join(' or ')}, got '${flags.dataset}'.`, { expected: DATASET_KINDS, got: flags.dataset });
  const n = wholeNumber('--n', flags.n ?? '100', 1, 1_000_000);
  const size = wholeNumber('--size', flags.size ?? '512', 64, 4096);
  const dataset = writeDemoDataset({ kind, out, n, seed, size, onItem: (done) => done % 50 === 0 && terminal.note(`${done} of ${n}`) });
  terminal.print(`${dataset.items.length} items in ${out}/dataset.json`);
}

function wholeNumber(flag: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= min && value <= max) return value;
  throw new OverreadError('cli/usage', `Expected ${flag} to be a whole number from ${min} to ${max}, got '${text}'.`, { expected: [min, max], got: text });
}
