/** Steps of a set-up: one line each with the time it took, and what a command said only when it failed. */
import { spawn } from 'node:child_process';

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

/** {@link runCommand} that fails with the last lines of what the command said. */
export async function mustRun(what, command, args, options) {
  const { status, output } = await runCommand(command, args, options);
  if (status === 0) return output;
  const last = output.trim().split('\n').slice(-15).join('\n');
  throw new SetupError(`${what} failed (${command} ${args.join(' ')}, status ${status}).${last ? `\n${last}` : ''}`);
}
