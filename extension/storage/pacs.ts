import type { DicomJson } from '../../src/dicom/dicomjson.ts';
import { OverreadError } from '../../src/errors.ts';
import type { HostContext, Services } from '../types/ohif.ts';

export interface InstanceUIDs {
  readonly studyInstanceUID: string;
  readonly seriesInstanceUID: string;
  readonly sopInstanceUID: string;
}

/** What is called of the DICOMweb client of OHIF's data source. */
interface StoringClient {
  headers?: Readonly<Record<string, string>>;
  storeInstances(of: { readonly studyInstanceUID: string; readonly datasets: readonly ArrayBuffer[] }): Promise<unknown>;
  retrieveInstance(of: InstanceUIDs): Promise<ArrayBuffer>;
  searchForInstances(of: { readonly studyInstanceUID: string; readonly queryParams?: Readonly<Record<string, string>> }): Promise<DicomJson[]>;
}

/** Where the study came from, and where results go. */
export interface Pacs {
  /** One instance a request: what is refused is told by its name. */
  store(studyInstanceUID: string, bytes: Uint8Array): Promise<void>;
  /** The whole object, as it is kept. */
  retrieve(of: InstanceUIDs): Promise<Uint8Array>;
  list(studyInstanceUID: string): Promise<readonly DicomJson[]>;
}

/** How long a 401 waits for the viewer to have another token: its silent renewal is on its way, or it is not. */
export interface Patience {
  readonly tries: number;
  readonly pauseMs: number;
}

const PATIENCE: Patience = { tries: 20, pauseMs: 250 };

/**
 * The viewer's own data source, with the authorisation that the viewer has at that moment. A 401 waits for the viewer's
 * next token and asks once more with it. The viewer is not told to sign in, which would leave the page in the middle of
 * the work: what is not stored is kept, and the message says what to do.
 * @throws OverreadError `network/*`; `config/invalid` for a data source that cannot store, such as local files
 */
export function pacsOf(extensionManager: HostContext['extensionManager'], services: Pick<Services, 'userAuthenticationService'>, patience = PATIENCE): Pacs {
  const authorization = (): Readonly<Record<string, string>> => services.userAuthenticationService?.getAuthorizationHeader() ?? {};
  const asked = async <T>(what: string, ask: (client: StoringClient) => Promise<T>): Promise<T> => {
    for (let attempt = 0; ; attempt++) {
      const sent = authorization();
      try {
        return await ask(clientOf(extensionManager, sent));
      } catch (error) {
        if (error instanceof OverreadError) throw error;
        if (statusOf(error) !== 401 || attempt > 0) throw refusal(what, error);
        for (let n = 0; n < patience.tries && JSON.stringify(authorization()) === JSON.stringify(sent); n++) await new Promise(resolve => setTimeout(resolve, patience.pauseMs));
      }
    }
  };
  return {
    store: async (studyInstanceUID, bytes) => {
      const dataset = bytes.slice().buffer;
      await asked('stored', client => client.storeInstances({ studyInstanceUID, datasets: [dataset] }));
    },
    retrieve: async of => new Uint8Array(await asked('read back', client => client.retrieveInstance(of))),
    list: async studyInstanceUID => (await asked('listed', client => client.searchForInstances({ studyInstanceUID }))) ?? [],
  };
}

function clientOf(extensionManager: HostContext['extensionManager'], authorization: Readonly<Record<string, string>>): StoringClient {
  const [source] = extensionManager.getActiveDataSource?.() ?? [];
  const client = source?.retrieve?.getWadoDicomWebClient?.() as StoringClient | undefined;
  if (!client) throw new OverreadError('config/invalid', 'The viewer reads this study from somewhere that cannot store, such as local files. Open it from a DICOMweb server.', { expected: 'a DICOMweb data source' });
  const ours = Object.create(client) as StoringClient;
  ours.headers = { ...client.headers, ...authorization };
  return ours;
}

/** The client rejects with an Error that has the request's status, 0 where there was no answer, and the answer. */
function statusOf(error: unknown): number {
  return ((error ?? {}) as { readonly status?: number }).status ?? 0;
}

function refusal(what: string, error: unknown): OverreadError {
  const status = statusOf(error);
  if (status === 0) return new OverreadError('network/unreachable', `It could not be ${what}: no answer from the server. Check the network and try again.`, { expected: what }, error);
  const todo = status === 401 ? 'The sign-in has ended. Sign in again in another tab, or reload this page: what is not stored is kept.'
    : status === 403 ? 'Ask who runs the server for the right to store.' : 'Try again, or ask who runs the server.';
  const reason = failureReason((error as { readonly response?: unknown }).response);
  return new OverreadError('network/status', `It could not be ${what}: the server answered with HTTP status ${status}${reason ? ` (${reason})` : ''}. ${todo}`, { expected: 200, got: status, ...(reason && { reason }) }, error);
}

/** Reasons of PS3.18 table I.2-2, as far as a server may have them for one object. */
const REASONS: Readonly<Record<string, string>> = {
  A700: 'it is out of resources', A900: 'the object does not match its class', C000: 'it cannot understand the object', C122: 'it does not take this transfer syntax',
  '0110': 'processing failed', '0111': 'it has an object with this UID', '0122': 'it does not take objects of this class', '0124': 'it does not let this user store',
};

/** Why an object was refused, from the answer to a store: DICOM JSON or XML, in which servers are free. */
function failureReason(response: unknown): string | undefined {
  const text = typeof response === 'string' ? response : response instanceof ArrayBuffer ? new TextDecoder().decode(response) : JSON.stringify(response ?? '');
  const value = Number(/"00081197"\s*:\s*\{[^}]*"Value"\s*:\s*\[\s*(\d+)/.exec(text)?.[1] ?? /tag="00081197"[^>]*>\s*<Value[^>]*>(\d+)/.exec(text)?.[1]);
  if (!Number.isFinite(value)) return undefined;
  const hex = value.toString(16).toUpperCase().padStart(4, '0');
  return REASONS[hex] ?? (/^A9/.test(hex) ? REASONS.A900 : /^C/.test(hex) ? REASONS.C000 : undefined) ?? `failure reason ${hex}H`;
}
