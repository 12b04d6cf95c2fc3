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

/**
 * The viewer's own data source, with the authorisation that the viewer has at that moment. A 401 asks the viewer once for
 * another.
 * @throws OverreadError `network/*`; `config/invalid` for a data source that cannot store, such as local files
 */
export function pacsOf(extensionManager: HostContext['extensionManager'], services: Pick<Services, 'userAuthenticationService'>): Pacs {
  const clientNow = (): StoringClient => {
    const [source] = extensionManager.getActiveDataSource?.() ?? [];
    const client = source?.retrieve?.getWadoDicomWebClient?.() as StoringClient | undefined;
    if (!client) throw new OverreadError('config/invalid', 'The viewer reads this study from somewhere that cannot store, such as local files. Open it from a DICOMweb server.', { expected: 'a DICOMweb data source' });
    const ours = Object.create(client) as StoringClient;
    ours.headers = { ...client.headers, ...services.userAuthenticationService?.getAuthorizationHeader() };
    return ours;
  };
  return {
    store: async (studyInstanceUID, bytes) => {
      const dataset = bytes.slice().buffer;
      await asked('stored', () => clientNow().storeInstances({ studyInstanceUID, datasets: [dataset] }));
    },
    retrieve: async of => new Uint8Array(await asked('read back', () => clientNow().retrieveInstance(of))),
    list: async studyInstanceUID => (await asked('listed', () => clientNow().searchForInstances({ studyInstanceUID }))) ?? [],
  };
}

async function asked<T>(what: string, ask: () => Promise<T>): Promise<T> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await ask();
    } catch (error) {
      if (error instanceof OverreadError) throw error;
      // The client rejects with an Error that has the request's status, 0 where there was no answer.
      const { status = 0 } = (error ?? {}) as { readonly status?: number };
      if (status === 401 && attempt === 0) continue;
      if (status === 0) throw new OverreadError('network/unreachable', `It could not be ${what}: no answer from the server. Check the network and try again.`, { expected: what }, error);
      throw new OverreadError('network/status', `It could not be ${what}: the server answered with HTTP status ${status}. ${status === 401 || status === 403 ? 'Sign in again, or ask who runs the server for the right to store.' : 'Try again, or ask who runs the server.'}`, { expected: 200, got: status }, error);
    }
  }
}
