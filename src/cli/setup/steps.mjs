/** Steps of a set-up: one line each with the time it took, and what a command said only when it failed. */
import { spawn } from 'node:child_process';
import path from 'node:path';

/** What a person can act on; printed without a stack. */
export class SetupError extends Error {}

/** Runs `work` and prints `name … 1.2 s` when it is done. */
export async function step(name, work, log = console.log) {
  const start = performance.now();
  const value = await work();
  log(`${name} · ${((performance.now() - start) / 1000).toFixed(1)} s`);
  return value;
}

/**
 * Runs a command.
 * @param {{cwd?: string, env?: object, show?: boolean}} options `show` passes its output through
 * @returns {Promise<{status: number, output: string}>} status 127 when there is no such command
 */
export function runCommand(command, args, { show = false, ...options } = {}) {
  return new Promise((resolve) => {
    // npm is a script on Windows, which only a shell starts.
    const shell = process.platform === 'win32' && /^(npm|npx)$/.test(command);
    const child = spawn(command, args, { ...options, shell, stdio: show ? 'inherit' : ['ignore', 'pipe', 'pipe'] });
    let output = '';
    child.stdout?.on('data', (data) => (output += data));
    child.stderr?.on('data', (data) => (output += data));
    child.on('error', (error) => resolve({ status: 127, output: String(error.message) }));
    child.on('close', (code, signal) => resolve({ status: code ?? (signal ? 1 : 0), output }));
  });
}

/** {@link runCommand} that fails with what the command said of its error: npm begins with it, others end with it. */
export async function mustRun(what, command, args, options) {
  const { status, output } = await runCommand(command, args, options);
  if (status === 0) return output;
  const lines = output.trim().split('\n');
  const said = lines.some((line) => line.startsWith('npm error'))
    ? lines.filter((line) => /^npm error \S/.test(line)).slice(0, 12) : lines.slice(-15);
  throw new SetupError(`${what} failed (${path.basename(command)} ${args.join(' ')}, status ${status}).\n${said.join('\n')}`);
}
