import { Command, CommanderError } from 'commander';
import { toOverreadError } from '../errors.ts';
import { packageRoot } from './package-root.ts';
import { ExitStatus, terminal } from './terminal.ts';
import { register as registerAudit } from './audit/index.ts';
import { register as registerBench } from './bench.ts';
import { register as registerCohort } from './cohort/index.ts';
import { register as registerCountClassic } from './count-classic.ts';
import { register as registerDemo } from './demo.ts';
import { register as registerDicomize } from './dicomize.ts';
import { register as registerEval } from './eval.ts';
import { register as registerExplain } from './explain.ts';
import { register as registerImport } from './import.ts';
import { register as registerInfer } from './infer.ts';
import { register as registerModels } from './models.ts';
import { register as registerRecalibrate } from './recalibrate.ts';
import { register as registerServe } from './serve/index.ts';
import { register as registerSite } from './site.ts';
import { register as registerTrain } from './train.ts';
import { register as registerTranslationAudit } from './translation-audit.ts';

/** The command `overread`, each sub-command from its own file. */
export function overread(): Command {
  const program = new Command('overread')
    .description('Deep-learning models in the radiologist\'s own browser, and here without one. Research use only.')
    .version(packageRoot().version)
    .showHelpAfterError('See overread --help, or overread COMMAND --help.')
    .exitOverride();
  for (const register of [registerServe, registerSite, registerDemo, registerInfer, registerCountClassic, registerExplain, registerEval, registerCohort, registerAudit, registerTranslationAudit, registerTrain, registerRecalibrate, registerModels, registerImport, registerDicomize, registerBench]) register(program);
  return program;
}

/**
 * Runs a command line. Every error ends here: as one line on stderr and an exit status.
 * @param argv without node and script
 * @returns the exit status
 */
export async function main(argv: readonly string[]): Promise<number> {
  try {
    await overread().parseAsync([...argv], { from: 'user' });
    return Number(process.exitCode ?? ExitStatus.ok);
  } catch (error) {
    // Commander has said it already; its 0 is --help and --version.
    if (error instanceof CommanderError) return error.exitCode === 0 ? ExitStatus.ok : ExitStatus.fault;
    const known = toOverreadError(error);
    terminal.note(`overread: ${known.message.replaceAll('\n', ' ')} [${known.code}]`);
    if (known.code === 'internal' && process.env.OVERREAD_DEBUG) console.error(known.cause);
    return ExitStatus.fault;
  }
}
