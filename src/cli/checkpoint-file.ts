import fs from 'node:fs';
import path from 'node:path';
import { OverreadError } from '../errors.ts';

export interface CheckpointFile {
  /** For messages and the card. */
  readonly name: string;
  /** Path or address. */
  readonly from: string;
  readonly bytes: Uint8Array;
}

/**
 * Reads a checkpoint from disk, or from an http(s) address.
 * @throws OverreadError `cli/usage` for no address, `model/not-found`, `network/unreachable`, `network/status`, `input/truncated`
 */
export async function checkpointFile(from: string, note: (line: string) => void): Promise<CheckpointFile> {
  if (/^https?:\/\//.test(from) && !URL.canParse(from)) throw new OverreadError('cli/usage', `Expected an http(s) address, got ${from}. Check it for typing errors.`, { got: from });
  if (/^https?:\/\//.test(from)) return { name: path.posix.basename(new URL(from).pathname), from, bytes: await download(from, note) };
  try {
    return { name: path.basename(from), from, bytes: new Uint8Array(fs.readFileSync(from)) };
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new OverreadError('model/not-found', `Expected a checkpoint file at ${path.resolve(from)}, got ${code === 'ENOENT' ? 'none' : String(code)}. Check the path.`, { expected: from, got: code }, cause);
  }
}

async function download(address: string, note: (line: string) => void): Promise<Uint8Array> {
  note(`Downloading ${address}`);
  let response: Response;
  try {
    response = await fetch(address);
  } catch (cause) {
    throw unreachable(address, cause);
  }
  if (!response.ok || !response.body) {
    throw new OverreadError('network/status', `Expected the checkpoint at ${address}, got HTTP ${response.status} ${response.statusText}. Download it by hand and give its path.`, { expected: 200, got: response.status });
  }
  const total = Number(response.headers.get('content-length')) || undefined;
  note(total ? `  ${mebibytes(total)}` : '  The server does not say how large it is.');
  const parts: Uint8Array[] = [];
  let received = 0;
  let told = 0;
  try {
    for await (const part of response.body as unknown as AsyncIterable<Uint8Array>) {
      parts.push(part);
      received += part.length;
      // Without a size, each 10 MiB.
      const steps = Math.floor(total ? (10 * received) / total : received / (10 * 2 ** 20));
      if (steps > told) note(total ? `  ${10 * steps} % of ${mebibytes(total)}` : `  ${mebibytes(received)}`);
      told = steps;
    }
  } catch (cause) {
    throw new OverreadError('input/truncated', `The download of ${address} ended after ${received} of ${total ?? 'unknown many'} bytes. Try again, or download it by hand and give its path.`, { expected: total, got: received }, cause);
  }
  return new Uint8Array(Buffer.concat(parts));
}

function mebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}

function unreachable(address: string, cause: unknown): OverreadError {
  const reason = cause instanceof Error && cause.cause instanceof Error ? cause.cause.message : String(cause);
  return new OverreadError('network/unreachable', `Expected to reach ${address}, got: ${reason}. Without a network, copy the file here and give its path.`, { expected: address, got: reason }, cause);
}
