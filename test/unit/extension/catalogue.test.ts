import { loadCatalogue } from '../../../extension/catalogue.ts';
import { manifest } from './made.ts';

type Files = Record<string, unknown>;

/** Answers like a server: text as it is, objects as JSON, numbers as a status, the rest with 404. */
function serve(files: Files) {
  jest.spyOn(globalThis, 'fetch').mockImplementation(async input => {
    const file = files[String(input)];
    if (file instanceof Error) throw file;
    if (typeof file === 'number') return new Response('', { status: file });
    if (file === undefined) return new Response('', { status: 404 });
    return new Response(typeof file === 'string' ? file : JSON.stringify(file));
  });
}
afterEach(() => jest.restoreAllMocks());

const A = 'https://a/';

describe('the catalogue of models', () => {
  it('reads the manifests that the index names', async () => {
    serve({ [`${A}index.json`]: [{ id: 'lung-unet', more: 1 }], [`${A}lung-unet/manifest.json`]: manifest() });
    const { entries, problems } = await loadCatalogue([A]);
    expect(problems).toEqual([]);
    expect(entries).toEqual([{ location: 'https://a/lung-unet/', manifest: manifest() }]);
  });

  it('lets the first folder win, and leaves out what is not allowed', async () => {
    serve({
      [`${A}index.json`]: [{ id: 'lung-unet' }, { id: 'other' }], [`${A}lung-unet/manifest.json`]: manifest(), [`${A}other/manifest.json`]: manifest({ id: 'other' }),
      'https://b/index.json': [{ id: 'lung-unet' }], 'https://b/lung-unet/manifest.json': manifest({ version: '9.0.0' }),
    });
    expect((await loadCatalogue([A, 'https://b/'])).entries.map(e => `${e.location} ${e.manifest.version}`)).toEqual(['https://a/lung-unet/ 1.0.0', 'https://a/other/ 1.0.0']);
    expect((await loadCatalogue([A], ['other'])).entries.map(e => e.manifest.id)).toEqual(['other']);
  });

  it('takes no models from where a server sends on to, unless that is the same origin', async () => {
    const from = (to: string) => jest.spyOn(globalThis, 'fetch').mockImplementation(async input => {
      const body = String(input).endsWith('index.json') ? [{ id: 'lung-unet' }] : manifest();
      return Object.defineProperties(Response.json(body), { redirected: { value: true }, url: { value: String(input).replace(A, to) } });
    });
    from('https://elsewhere/');
    expect((await loadCatalogue([A])).problems).toMatchObject([{ code: 'config/invalid', message: expect.stringContaining('https://elsewhere') }]);
    from('https://a/moved/');
    expect((await loadCatalogue([A])).entries).toHaveLength(1);
  });

  it('does not list a gate, which judges pictures for other models', async () => {
    const { output } = manifest();
    const labels = ['frontal', 'lateral', 'other'].map(label => ({ ...output.targets[0]!, label }));
    const gate = manifest({
      id: 'gate', task: 'classify', output: { activation: 'softmax', gives: 'logits', targets: labels },
      gate: { frontal: 'frontal', lateral: 'lateral', faults: { other: 'not a chest radiograph' }, threshold: 0.5, distanceThreshold: 1 },
    });
    serve({ [`${A}index.json`]: [{ id: 'gate' }, { id: 'lung-unet' }], [`${A}gate/manifest.json`]: gate, [`${A}lung-unet/manifest.json`]: manifest() });
    const { entries, problems } = await loadCatalogue([A]);
    expect(entries.map(e => e.manifest.id)).toEqual(['lung-unet']);
    expect(problems).toEqual([]);
  });

  it('shows the good ones beside the broken ones', async () => {
    serve({
      [`${A}index.json`]: [{ id: 'good' }, { id: 'broken' }, { id: 'missing' }, { id: 'misnamed' }],
      [`${A}good/manifest.json`]: manifest({ id: 'good' }),
      [`${A}broken/manifest.json`]: { ...manifest({ id: 'broken' }), version: undefined },
      [`${A}misnamed/manifest.json`]: manifest({ id: 'another' }),
    });
    const { entries, problems } = await loadCatalogue([A]);
    expect(entries.map(e => e.manifest.id)).toEqual(['good']);
    expect(problems.map(p => p.code).sort()).toEqual(['model/manifest', 'model/manifest', 'model/not-found']);
    expect(problems.map(p => p.message).join()).toContain('version');
  });

  it.each([
    ['a viewer\'s page in place of a file', '<!doctype html>', 'model/not-found'],
    ['no file', undefined, 'model/not-found'],
    ['a broken server', 500, 'network/status'],
    ['no server', new TypeError('Failed to fetch'), 'network/unreachable'],
    ['no list', { models: [] }, 'model/manifest'],
    ['an id that is a path', [{ id: '../../etc' }], 'model/manifest'],
  ])('names %s', async (_, index, code) => {
    serve({ [`${A}index.json`]: index });
    const { entries, problems } = await loadCatalogue([A]);
    expect(entries).toEqual([]);
    expect(problems).toEqual([expect.objectContaining({ code, message: expect.stringContaining(A) })]);
  });
});
