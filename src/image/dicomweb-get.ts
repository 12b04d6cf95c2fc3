import { OverreadError, throwIfAborted } from '../errors.ts';

/** Sent with every request, such as `Authorization`. Asked anew for each where a token may run out. */
export type RequestHeaders = Readonly<Record<string, string>> | (() => Readonly<Record<string, string>> | Promise<Readonly<Record<string, string>>>);

/** It is asked again so often, with these pauses between, ms. */
const PAUSES = [200, 1000];

/**
 * One GET from a DICOMweb server, tried again where a moment may help.
 * @throws OverreadError `network/status`, `network/unreachable`, `job/cancelled`
 */
export async function getFrom(url: string, headers: RequestHeaders | undefined, accept: string, signal?: AbortSignal): Promise<{ bytes: Uint8Array; contentType: string }> {
  for (let attempt = 0; ; attempt++) {
    throwIfAborted(signal);
    try {
      const own = typeof headers === 'function' ? await headers() : headers;
      const response = await fetch(url, { headers: { ...own, Accept: accept }, ...(signal && { signal }) });
      if (response.ok) return { bytes: new Uint8Array(await response.arrayBuffer()), contentType: response.headers.get('content-type') ?? '' };
      throw new OverreadError('network/status', `Expected ${url}, got HTTP status ${response.status}. Check that the server has it and that you may read it.`, { expected: 200, got: response.status, url });
    } catch (error) {
      throwIfAborted(signal);
      const pause = PAUSES[attempt];
      if (pause === undefined || !passing(error)) throw known(error, url);
      await new Promise(resolve => setTimeout(resolve, pause));
    }
  }
}

/** What may be otherwise in a moment: no answer, a server that is busy or fails. */
function passing(error: unknown): boolean {
  return !(error instanceof OverreadError) || error.fields.got === 429 || Number(error.fields.got) >= 500;
}

function known(error: unknown, url: string): OverreadError {
  return error instanceof OverreadError ? error : new OverreadError('network/unreachable', `Expected ${url}, got no answer. Check the network and the address.`, { expected: url }, error);
}
