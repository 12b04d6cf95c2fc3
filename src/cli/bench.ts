import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Command } from 'commander';
import { OverreadError } from '../errors.ts';
import { packageRoot } from './package-root.ts';
import { ExitStatus } from './terminal.ts';

export function register(program: Command): void {
  program
    .command('bench')
    .description('time our engine, stock tfjs and onnxruntime-web on the same networks in a browser; with --device on WebGPU in Node')
    .helpOption(false)
    .allowUnknownOption()
    .argument('[options...]', 'as test/bench/run.mjs takes them; see overread bench --help')
    .action(async (options: string[]) => {
      process.exitCode = await bench(options);
    });
}

/** Starts the benchmark, which lives in the repository only; with `--device` the one that needs no browser. @returns its exit status */
async function bench(options: readonly string[]): Promise<number> {
  const { folder } = packageRoot();
  const device = options.includes('--device');
  const script = path.join(folder, device ? 'test/bench/device.ts' : 'test/bench/run.mjs');
  if (!fs.existsSync(script)) {
    throw new OverreadError('cli/usage', `Expected the benchmark at ${script}, found none: it is not in the published package. Run it from a checkout.`, { expected: script });
  }
  // It is TypeScript that is run as it stands.
  const loader = device ? ['--import', pathToFileURL(path.join(folder, 'test/generators/typescript.mjs')).href] : [];
  const child = spawn(process.execPath, [...loader, script, ...options.filter(option => option !== '--device')], { stdio: 'inherit' });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', code => resolve(code ?? ExitStatus.fault));
  });
}
