import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import type { Command } from 'commander';
import { OverreadError } from '../errors.ts';
import { packageRoot } from './package-root.ts';
import { ExitStatus } from './terminal.ts';

export function register(program: Command): void {
  program
    .command('bench')
    .description('time our engine, stock tfjs and onnxruntime-web on the same networks in a browser')
    .helpOption(false)
    .allowUnknownOption()
    .argument('[options...]', 'as test/bench/run.mjs takes them; see overread bench --help')
    .action(async (options: string[]) => {
      process.exitCode = await bench(options);
    });
}

/** Starts the benchmark, which lives in the repository only. @returns its exit status */
async function bench(options: readonly string[]): Promise<number> {
  const script = path.join(packageRoot().folder, 'test/bench/run.mjs');
  if (!fs.existsSync(script)) {
    throw new OverreadError('cli/usage', `Expected the benchmark at ${script}, found none: it is not in the published package. Run it from a checkout.`, { expected: script });
  }
  const child = spawn(process.execPath, [script, ...options], { stdio: 'inherit' });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', code => resolve(code ?? ExitStatus.fault));
  });
}
