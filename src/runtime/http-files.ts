import { OverreadError } from '../errors.ts';
import type { ModelFiles } from './types.ts';

/** Reads a model folder over HTTP; bytes are counted as they stream in. */
export function httpFiles(location: string): ModelFiles {
  const folder = location.endsWith('/') ? location : `${location}/`;
  return {
    location: folder,
    async read(path, { signal, onBytes } = {}) {
      const url = folder + path;
      let response: Response;
      try {
        // The browser asks the server whether its copy is still right: weights are kept under their hash elsewhere.
        response = await fetch(url, { cache: 'no-cache', ...(signal && { signal }) });
      } catch (error) {
        throw cancelled(signal, error) ?? unreachable(url, error);
      }
      if (response.status === 404) throw notFound(url);
      if (!response.ok) {
        throw new OverreadError(
          'network/status',
          `Expected the file ${url}, got HTTP status ${response.status}. Check that you may read it and try again.`,
          { expected: 200, got: response.status, url },
        );
      }
      try {
        return await readBody(response, onBytes);
      } catch (error) {
        throw cancelled(signal, error) ?? unreachable(url, error);
      }
    },
  };
}

async function readBody(response: Response, onBytes?: (received: number, total?: number) => void): Promise<Uint8Array> {
  if (!onBytes || !response.body) return new Uint8Array(await response.arrayBuffer());
  // A compressed body has another length than its header says.
  const length = response.headers.get('content-encoding') ? null : response.headers.get('content-length');
  const total = length === null ? undefined : Number(length);
  const chunks: Uint8Array[] = [];
  let received = 0;
  const reader = response.body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    chunks.push(value);
    received += value.byteLength;
    onBytes(received, total);
  }
  const bytes = new Uint8Array(received);
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.byteLength;
  }
  return bytes;
}

function notFound(url: string): OverreadError {
  return new OverreadError('model/not-found', `Expected a model file at ${url}, got none (404). Check the model's name and its folder.`, {
    expected: url,
    got: 404,
  });
}

function unreachable(url: string, cause: unknown): OverreadError {
  return new OverreadError('network/unreachable', `Expected the file ${url}, got no answer. Check the network and the address.`, { expected: url }, cause);
}

function cancelled(signal: AbortSignal | undefined, cause: unknown): OverreadError | undefined {
  return signal?.aborted ? new OverreadError('job/cancelled', 'The download was cancelled.', {}, cause) : undefined;
}
