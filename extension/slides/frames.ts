import type { DicomJson } from '../../src/dicom/dicomjson.ts';
import { OverreadError, throwIfAborted } from '../../src/errors.ts';
import type { FrameReader } from '../../src/image/slide/frames.ts';
import type { Cornerstone, Services } from '../types/ohif.ts';
import type { SlideDisplaySet } from './target.ts';

/** What is called of the DICOMweb client that OHIF's data source hands to its whole slide viewport. */
export interface WebClient {
  headers?: Readonly<Record<string, string>>;
  retrieveSeriesMetadata(of: { readonly studyInstanceUID: string; readonly seriesInstanceUID: string }): Promise<DicomJson[]>;
  retrieveInstanceFrames(of: {
    readonly studyInstanceUID: string;
    readonly seriesInstanceUID: string;
    readonly sopInstanceUID: string;
    readonly frameNumbers: readonly number[];
    readonly mediaTypes: readonly { readonly mediaType: string; readonly transferSyntaxUID: string }[];
  }): Promise<readonly (ArrayBuffer | Uint8Array)[]>;
}

/** As it is stored, whatever that is: nothing is expanded or compressed again on the way. */
const AS_STORED = [{ mediaType: 'application/octet-stream', transferSyntaxUID: '*' }];
/** A frame is asked for so often, with these pauses between, ms. */
const PAUSES = [200, 1000];

/**
 * A slide's headers and frames, through the client of the viewer's own data source: as the viewer reads them, with the
 * user's authorisation of that moment.
 * @throws OverreadError `input/no-pixels` for a data source without a DICOMweb client, such as local files
 */
export function slideReader(services: Services, cornerstone: Cornerstone, { StudyInstanceUID, SeriesInstanceUID, imageIds }: SlideDisplaySet) {
  const client = cornerstone.metaData.get('wadoWebClient', imageIds?.[0] ?? '') as WebClient | undefined;
  if (!client) {
    throw new OverreadError('input/no-pixels', 'Expected a slide on a DICOMweb server, got one that the viewer reads from elsewhere. Store it on the server and open it from there.', { expected: 'DICOMweb' });
  }
  const of = { studyInstanceUID: StudyInstanceUID, seriesInstanceUID: SeriesInstanceUID };
  const authorised = (): WebClient => {
    const ours = Object.create(client) as WebClient;
    ours.headers = { ...client.headers, ...services.userAuthenticationService?.getAuthorizationHeader() };
    return ours;
  };
  const frames: FrameReader = {
    frame: (sopInstanceUID, frameNumber, signal) => asked(`frame ${frameNumber} of ${sopInstanceUID}`, signal, async () => {
      const [frame] = await authorised().retrieveInstanceFrames({ ...of, sopInstanceUID, frameNumbers: [frameNumber], mediaTypes: AS_STORED });
      if (!frame) throw new OverreadError('network/status', `Expected frame ${frameNumber} of ${sopInstanceUID}, got an answer without it. Check that the server has all of the slide.`, { expected: frameNumber });
      return { bytes: frame instanceof Uint8Array ? frame : new Uint8Array(frame) };
    }),
  };
  return { frames, instances: (signal?: AbortSignal) => asked(`the slide's headers (series ${SeriesInstanceUID})`, signal, () => authorised().retrieveSeriesMetadata(of)) };
}

async function asked<T>(what: string, signal: AbortSignal | undefined, ask: () => Promise<T>): Promise<T> {
  for (let attempt = 0; ; attempt++) {
    throwIfAborted(signal);
    try {
      return await ask();
    } catch (error) {
      throwIfAborted(signal);
      if (error instanceof OverreadError) throw error;
      // The client rejects with an Error that has the request's status, 0 where there was no answer.
      const { status = 0 } = (error ?? {}) as { readonly status?: number };
      const pause = PAUSES[attempt];
      if (pause !== undefined && (status === 0 || status === 429 || status >= 500)) {
        await new Promise(resolve => setTimeout(resolve, pause));
        continue;
      }
      if (status === 0) throw new OverreadError('network/unreachable', `Expected ${what}, got no answer from the server. Check the network.`, { expected: what }, error);
      throw new OverreadError('network/status', `Expected ${what}, got HTTP status ${status}. Check that the server has it and that you may read it.`, { expected: 200, got: status }, error);
    }
  }
}
