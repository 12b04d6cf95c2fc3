import { InvalidArgumentError, Option, type Command } from 'commander';
import { OverreadError } from '../errors.ts';
import { COLOUR_TABLES, type ColourTableName } from '../results/heatmap-colours.ts';
import { taskOf } from '../tasks/index.ts';
import { checkRequest, SALIENCY_METHODS, type SaliencyRequest } from '../tasks/saliency/index.ts';
import { explainFiles, type ExplainEntry } from './explain-files.ts';
import { readingsOf } from './image-inputs.ts';
import { mark } from './infer.ts';
import { inputFiles } from './input-files.ts';
import { checkFolder } from './io/write-file.ts';
import { modelOptions, openModel, type ModelOptions } from './open-model.ts';
import { table, terminal, type Terminal } from './terminal.ts';

interface ExplainOptions extends ModelOptions {
  readonly target: string;
  readonly method: SaliencyRequest['method'];
  readonly out: string;
  readonly colours?: ColourTableName;
  readonly opacity: number;
  readonly json?: boolean;
}

const HELP = `
A heat map is a hint where to look, never a proof of why. Each has a randomisation check beside it: how alike the map is
that the same network makes with a random top layer. Above the threshold it shows the picture's edges and not what was learnt.
Methods but occlusion need derivatives: WebGPU, or --backend cpu, plain JavaScript, on which a DenseNet takes minutes.

Exit status: 0 every input gave its maps, 2 some were refused, 1 a fault.`;

export function register(program: Command): void {
  modelOptions(program.command('explain'))
    .description('show where in the pictures a score came from')
    .argument('<files...>', 'files, and folders to walk')
    .requiredOption('--target <label>', 'the score to explain')
    .addOption(new Option('--method <name>', 'how').choices([...SALIENCY_METHODS]).default('grad-cam'))
    .requiredOption('--out <folder>', 'write the pictures here, a PNG a map')
    .addOption(new Option('--colours <name>', 'colour table; inferno, or coolwarm for signed maps, when left out').choices([...COLOUR_TABLES.unsigned, ...COLOUR_TABLES.signed]))
    .option('--opacity <share>', 'of the largest values, 0 to 1', share, 0.7)
    .option('--json', 'print one JSON array, an object a map')
    .addHelpText('after', HELP)
    .action(async (paths: string[], options: ExplainOptions) => {
      process.exitCode = await explain(paths, options);
    });
}

/** @returns the exit status */
export async function explain(paths: readonly string[], options: ExplainOptions, { print, note }: Terminal = terminal): Promise<number> {
  const request: SaliencyRequest = { method: options.method, target: options.target };
  checkFolder(options.out);
  const { files, skipped } = inputFiles(paths);
  if (skipped.length) note(`Skipped ${skipped.length} file(s) that look like no image.`);
  const runner = await openModel(options, note);
  try {
    const { kind } = taskOf(runner.manifest);
    if (kind !== 'scores') throw new OverreadError('cli/usage', `Expected a model that gives scores, got ${kind} from ${runner.manifest.id}. explain says where a score came from; use infer.`, { expected: 'scores', got: kind });
    checkRequest(request, runner.manifest);
    if (runner.device.backend === 'wasm' && request.method !== 'occlusion') {
      throw new OverreadError('device/unavailable',
        `Expected a device with derivatives for ${request.method}, got WebAssembly (${runner.device.reason}). Choose --method occlusion, which works there, or --backend cpu, plain JavaScript, which takes minutes.`,
        { expected: ['webgpu', 'cpu'], got: 'wasm' });
    }
    const readings = await readingsOf(files, runner);
    const { entries, status } = await explainFiles(readings, {
      runner, request, out: options.out,
      look: ({ signed }) => ({ table: options.colours ?? COLOUR_TABLES[signed ? 'signed' : 'unsigned'][0]!, opacity: options.opacity }),
      onDone: (reading, of, index) => note(`[${index + 1}/${readings.length}] ${reading.files.join(' ')}${summary(of)}`),
    });
    if (options.json) print(JSON.stringify(entries, undefined, 2));
    else for (const line of table(entries.map(row))) print(line);
    return status;
  } finally {
    await runner.close();
  }
}

function share(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && value >= 0 && value <= 1) return value;
  throw new InvalidArgumentError('Expected a number from 0 to 1.');
}

function summary(entries: readonly ExplainEntry[]): string {
  const [error] = entries.flatMap(e => (e.error ? [e.error] : []));
  return error ? `: ${error.code}: ${error.message}` : '';
}

function row({ sources, result, error }: ExplainEntry): string[] {
  const [first] = sources;
  const name = first === undefined ? '' : 'file' in first ? first.file : first.sopInstanceUID;
  if (error || !result) return [name, 'refused', error?.code ?? ''];
  const { randomisation } = result;
  const check = 'unavailable' in randomisation ? 'no randomisation check' : `${randomisation.suspicious ? 'WARNING: ' : ''}${randomisation.similarity.toFixed(2)} like a random top layer's`;
  return [name, result.view ?? '', result.target, result.score.toFixed(3), result.peak ? `peak at ${result.peak.join(', ')}` : 'no peak', check, result.file, mark(result)];
}
