import { pacsOf } from '../../../extension/storage/pacs.ts';
import type { HostContext } from '../../../extension/types/ohif.ts';
import { OverreadError } from '../../../src/errors.ts';

const OF = { studyInstanceUID: '1', seriesInstanceUID: '2', sopInstanceUID: '3' };
const QUICK = { tries: 5, pauseMs: 1 };

/** As OHIF's DICOMweb client rejects. */
const http = (status: number, response?: unknown) => Object.assign(new Error('request failed'), { status, response });

/** A data source that answers one after the other, and what it was sent. */
function source(...answers: (Error | ArrayBuffer)[]) {
  const sent: Record<string, string>[] = [];
  async function answer(this: { headers: Record<string, string> }): Promise<unknown> {
    sent.push(this.headers);
    const next = answers.shift();
    if (next instanceof Error) throw next;
    return next ?? [];
  }
  const client = { headers: { Accept: 'a' }, storeInstances: answer, retrieveInstance: answer, searchForInstances: answer };
  return { sent, client, extensionManager: { getActiveDataSource: () => [{ retrieve: { getWadoDicomWebClient: () => client } }] } as unknown as HostContext['extensionManager'] };
}

const signedIn = (tokens: string[]) => ({ userAuthenticationService: { getAuthorizationHeader: () => ({ Authorization: tokens.length > 1 ? tokens.shift()! : tokens[0]! }) } });

const failure = async (work: Promise<unknown>): Promise<OverreadError> => {
  const error = await work.then(() => undefined, (thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(OverreadError);
  return error as OverreadError;
};

test('every request has the authorisation that the viewer has now, and the client itself is left alone', async () => {
  const { sent, client, extensionManager } = source();
  const pacs = pacsOf(extensionManager, signedIn(['one', 'two']), QUICK);
  await pacs.list('1');
  await pacs.store('1', new Uint8Array(2));
  expect(sent).toEqual([{ Accept: 'a', Authorization: 'one' }, { Accept: 'a', Authorization: 'two' }]);
  expect(client.headers).toEqual({ Accept: 'a' });
});

test('a 401 in the middle waits for the viewer to have another token, and asks once more with it', async () => {
  const { sent, extensionManager } = source(http(401), new ArrayBuffer(1));
  await pacsOf(extensionManager, signedIn(['old', 'old', 'old', 'new']), QUICK).store('1', new Uint8Array(1));
  expect(sent.map(({ Authorization }) => Authorization)).toEqual(['old', 'new']);
});

test('a second 401 is told, with what to do; nothing is asked a third time', async () => {
  const { sent, extensionManager } = source(http(401), http(401), new ArrayBuffer(1));
  const error = await failure(pacsOf(extensionManager, signedIn(['old']), QUICK).retrieve(OF));
  expect(error).toMatchObject({ code: 'network/status', message: expect.stringContaining('Sign in again') });
  expect(sent).toHaveLength(2);
});

test.each([
  [http(409, '{"00081198":{"vr":"SQ","Value":[{"00081197":{"vr":"US","Value":[290]}}]}}'), 'network/status', '409 (it does not take objects of this class)'],
  [http(409, { '00081198': { Value: [{ '00081197': { vr: 'US', Value: [43264 + 5] } }] } }), 'network/status', '409 (the object does not match its class)'],
  [http(409, '<NativeDicomModel><DicomAttribute tag="00081197" vr="US"><Value number="1">273</Value></DicomAttribute></NativeDicomModel>'), 'network/status', '409 (it has an object with this UID)'],
  [http(409, new TextEncoder().encode('{"00081197":{"vr":"US","Value":[9]}}').buffer), 'network/status', '409 (failure reason 0009H)'],
  [http(409), 'network/status', 'HTTP status 409. Try again'],
  [http(403), 'network/status', 'right to store'],
  [http(503), 'network/status', 'HTTP status 503'],
  [http(0), 'network/unreachable', 'no answer'],
  [new TypeError('Failed to fetch'), 'network/unreachable', 'no answer'],
])('%s is told as %s', async (answer, code, words) => {
  const { sent, extensionManager } = source(answer);
  expect(await failure(pacsOf(extensionManager, {}, QUICK).store('1', new Uint8Array(1)))).toMatchObject({ code, message: expect.stringContaining(words) });
  expect(sent).toHaveLength(1);
});

test('a data source that cannot store is refused by what it is', async () => {
  expect(await failure(pacsOf({ getModuleEntry: () => undefined }, {}, QUICK).list('1'))).toMatchObject({ code: 'config/invalid', message: expect.stringContaining('DICOMweb') });
});
