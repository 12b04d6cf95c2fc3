import { createHash } from 'node:crypto';
import fs from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { checkPacs, parsePacs } from '../../../../src/cli/serve/proxy.ts';
import { embedded, fakeViewer, removeFolders, temporaryFolder, write, type Embedded } from './embedded.ts';
import { instance } from './part10.ts';

let server: Embedded | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});
afterAll(removeFolders);

/** As it is written, without the tidying that fetch does to addresses. */
function raw(port: number, target: string, headers: http.OutgoingHttpHeaders = {}): Promise<{ status: number; body: string; headers: http.IncomingHttpHeaders }> {
  return new Promise((resolve, reject) => {
    http.get({ port, path: target, headers: { host: `localhost:${port}`, ...headers } }, (response) => {
      let body = '';
      response.on('data', (chunk) => (body += chunk)).on('end', () => resolve({ status: response.statusCode!, body, headers: response.headers }));
    }).on('error', reject);
  });
}

describe('the viewer', () => {
  it('is served with a policy that knows its inline scripts, isolated, and with the right types', async () => {
    server = await embedded();
    const page = await raw(server.port, '/');
    expect(page.headers['content-type']).toBe('text/html; charset=utf-8');
    const hash = createHash('sha256').update('window.PUBLIC_URL="/"').digest('base64');
    const policy = page.headers['content-security-policy']!;
    expect(policy).toContain(`script-src 'self' 'wasm-unsafe-eval' 'sha256-${hash}';`);
    expect(policy).toMatch(/^default-src 'none';/);
    expect(policy).not.toContain("'unsafe-eval'");
    expect(page.headers['cross-origin-opener-policy']).toBe('same-origin');
    expect(page.headers['cross-origin-embedder-policy']).toBe('require-corp');
    expect((await raw(server.port, '/app.css')).headers['content-type']).toBe('text/css; charset=utf-8');
    expect((await raw(server.port, '/overread/extension.js')).headers['content-type']).toBe('text/javascript; charset=utf-8');
    expect((await raw(server.port, '/overread/extension.js')).headers['content-security-policy']).not.toContain("'unsafe-eval'");
  });

  it('answers routes with the page and missing files with 404', async () => {
    server = await embedded();
    for (const route of ['/viewer?StudyInstanceUIDs=1.2.3', '/overread', '/overread/dicomweb?StudyInstanceUIDs=1.2', '/local']) {
      expect([route, (await raw(server.port, route)).body]).toEqual([route, expect.stringContaining('<!doctype html>')]);
    }
    for (const file of ['/nothing.js', '/overread/nothing.js', '/overread/models/none/manifest.json']) {
      expect([file, (await raw(server.port, file)).status]).toEqual([file, 404]);
    }
  });

  it('keeps what carries a hash, and asks again for the rest', async () => {
    server = await embedded();
    expect((await raw(server.port, '/app.bundle.0f6159c501addfe9.js')).headers['cache-control']).toContain('immutable');
    expect((await raw(server.port, '/overread/chunks/12.0123456789.js')).headers['cache-control']).toContain('immutable');
    const first = await raw(server.port, '/overread/extension.js');
    expect(first.headers['cache-control']).toBe('no-cache');
    expect((await raw(server.port, '/overread/extension.js', { 'if-none-match': first.headers.etag })).status).toBe(304);
  });

  it('gives no file outside its folders', async () => {
    const parent = temporaryFolder();
    const secret = write(parent, 'secret.json', '"secret"');
    const models = path.join(parent, 'models');
    write(models, 'm/manifest.json', '{}');
    fs.symlinkSync(secret, path.join(models, 'm/link.json'));
    write(models, '.hidden/x.json', '"secret"');
    server = await embedded(undefined, { models, plugin: models });
    const names = ['../secret.json', '%2e%2e/secret.json', '..%2fsecret.json', '..%5csecret.json', 'm/../../secret.json', 'm/link.json', '.hidden/x.json', 'm/%00.json', '//secret.json'];
    for (const name of names) {
      for (const folder of ['/overread/models/', '/overread/', '/', '/dicom-web/studies/']) {
        const { body } = await raw(server.port, folder + name);
        expect([folder + name, body.includes('"secret"')]).toEqual([folder + name, false]);
      }
    }
    expect((await raw(server.port, '/%zz')).status).toBe(400);
    expect((await raw(server.port, '/overread/models/m/manifest.json')).body).toBe('{}');
  });

  it('has a configuration that names our two files, and a catalogue made from the folders', async () => {
    const models = temporaryFolder();
    write(models, 'b-model/manifest.json', '{}');
    write(models, 'a-model/manifest.json', '{}');
    write(models, 'no-model/readme.txt', '');
    server = await embedded(undefined, { models, allowSoftwareAdapter: true });
    const { body } = await raw(server.port, '/app-config.js');
    const window = { config: undefined as unknown };
    new Function('window', 'location', body)(window, { origin: 'http://localhost:1' });
    expect(window.config).toMatchObject({
      extensions: ['/overread/extension.js'], modes: ['/overread/mode.js'], routerBasename: null,
      overread: { models: '/overread/models/', allowSoftwareAdapter: true },
      dataSources: [
        { sourceName: 'dicomweb', configuration: { qidoRoot: 'http://localhost:1/dicom-web', wadoRoot: 'http://localhost:1/dicom-web' } },
        { sourceName: 'dicomlocal' }, { sourceName: 'dicomjson' },
      ],
    });
    expect(JSON.parse((await raw(server.port, '/overread/models/index.json')).body)).toEqual([{ id: 'a-model' }, { id: 'b-model' }]);
  });

  it('answers to loopback names only, while it listens there', async () => {
    server = await embedded(undefined, { allowedHosts: ['viewer.example'] });
    const at = async (host: string) => (await raw(server!.port, '/app-config.js', { host })).status;
    expect(await at('evil.example')).toBe(403);
    expect(await at('localhost.evil.example:3000')).toBe(403);
    expect([await at('localhost:3000'), await at('127.0.0.1'), await at('[::1]:3000'), await at('viewer.example:443')]).toEqual([200, 200, 200, 200]);
  });

  it('says so when its port is taken', async () => {
    server = await embedded();
    await expect(embedded(undefined, { port: server.port })).rejects.toMatchObject({ code: 'config/invalid', message: expect.stringContaining(`Port ${server.port} on 127.0.0.1 is taken`) });
  });
});

describe('under a sub-path', () => {
  it('rewrites what OHIF has for the root, and nothing on disk', async () => {
    const viewer = fakeViewer();
    server = await embedded(undefined, { basePath: '/sub/ohif/', viewer });
    const get = async (target: string) => (await raw(server!.port, target)).body;
    const page = await raw(server.port, '/sub/ohif/');
    expect(page.body).toContain('<meta content="/sub/ohif/assets/tile.png"><link href="/sub/ohif/app.css"><script>window.PUBLIC_URL="/sub/ohif/"</script><script src="/sub/ohif/app-config.js">');
    expect(page.headers['content-security-policy']).toContain(createHash('sha256').update('window.PUBLIC_URL="/sub/ohif/"').digest('base64'));
    expect(await get('/sub/ohif/app.css')).toBe('@font-face{src:url(/sub/ohif/a.woff2)}');
    expect(await get('/sub/ohif/app.bundle.0f6159c501addfe9.js')).toBe('__webpack_require__.p = "/sub/ohif/";import("https://example.com/");');
    expect(await get('/sub/ohif/app-config.js')).toContain('"/sub/ohif/overread/extension.js"');
    expect(await get('/sub/ohif/app-config.js')).toContain('location.origin + "/sub/ohif/dicom-web"');
    expect(fs.readFileSync(path.join(viewer, 'app.css'), 'utf8')).toBe('@font-face{src:url(/a.woff2)}');
    expect((await raw(server.port, '/')).headers.location).toBe('/sub/ohif/');
    expect((await raw(server.port, '/sub/ohif')).headers.location).toBe('/sub/ohif/');
    expect((await raw(server.port, '/elsewhere')).status).toBe(404);
    expect(server.url).toBe(`http://localhost:${server.port}/sub/ohif/`);
  });

  it('gives addresses of the store below it', async () => {
    const folder = temporaryFolder();
    write(folder, 'a.dcm', instance());
    server = await embedded(folder, { basePath: '/sub/' });
    const [set] = (await (await fetch(`${server.dicomWeb}/studies/1.2.3/metadata`)).json()) as { '7FE00010': { BulkDataURI: string } }[];
    expect(set!['7FE00010'].BulkDataURI).toBe(`http://localhost:${server.port}/sub/dicom-web/studies/1.2.3/series/1.2.3.1/instances/1.2.3.1.1/bulkdata/7FE00010`);
    expect([...new Uint8Array(await (await fetch(set!['7FE00010'].BulkDataURI)).arrayBuffer())]).toEqual([1, 2, 3, 4, 5, 6]);
  });
});

describe('a PACS behind it', () => {
  const seen: { method: string; url: string; authorization?: string; cookie?: string; body: string }[] = [];
  let pacs: http.Server;
  let address: string;
  let status = 200;
  beforeEach(async () => {
    seen.length = 0;
    status = 200;
    pacs = http.createServer((request, response) => {
      let body = '';
      request.on('data', (chunk) => (body += chunk)).on('end', () => {
        const { authorization, cookie } = request.headers;
        seen.push({ method: request.method!, url: request.url!, ...(authorization && { authorization }), ...(cookie && { cookie }), body });
        const json = !request.url!.includes('/frames/');
        response.writeHead(status, { 'content-type': json ? 'application/dicom+json' : 'multipart/related; type="application/octet-stream"; boundary=x', 'set-cookie': 'a=b', 'access-control-allow-origin': '*' });
        response.end(json ? JSON.stringify([{ '00081190': { vr: 'UR', Value: ['http://inner-name/pacs/dicom-web/studies/1.2'] }, '00081030': { vr: 'LO', Value: ['see http://inner-name/pacs/dicom-web/studies/'] } }]) : '\x00\xff raw /pacs/dicom-web/studies/');
      });
    });
    await new Promise<void>((resolve) => pacs.listen(0, '127.0.0.1', resolve));
    address = `http://127.0.0.1:${(pacs.address() as AddressInfo).port}/pacs/dicom-web/`;
  });
  afterEach(() => new Promise((resolve) => { pacs.closeAllConnections(); pacs.close(resolve); }));

  it('passes requests on below its own path, and turns its addresses into ours', async () => {
    server = await embedded(undefined, { source: parsePacs(address), basePath: '/sub/' });
    const response = await fetch(`${server.dicomWeb}/studies?PatientName=M%C3%BC*&limit=2`, { headers: { authorization: 'Bearer t', cookie: 'c=d' } });
    expect(seen).toEqual([{ method: 'GET', url: '/pacs/dicom-web/studies?PatientName=M%C3%BC*&limit=2', authorization: 'Bearer t', body: '' }]);
    const [set] = (await response.json()) as Record<string, { Value: string[] }>[];
    expect(set!['00081190']!.Value).toEqual([`${server.dicomWeb}/studies/1.2`]);
    expect(set!['00081030']!.Value).toEqual(['see http://inner-name/pacs/dicom-web/studies/']);
    expect([response.headers.get('set-cookie'), response.headers.get('access-control-allow-origin')]).toEqual([null, null]);
    expect(response.headers.get('cross-origin-resource-policy')).toBe('same-origin');
  });

  it('leaves pixel data as it is, and passes uploads through', async () => {
    server = await embedded(undefined, { source: parsePacs(address, 'me:se:cret') });
    const frame = await fetch(`${server.dicomWeb}/studies/1/series/2/instances/3/frames/1`);
    expect(await frame.text()).toBe('\x00\u00ff raw /pacs/dicom-web/studies/');
    await fetch(`${server.dicomWeb}/studies`, { method: 'POST', body: 'some bytes', headers: { 'content-type': 'multipart/related; type="application/dicom"; boundary=b' } });
    expect(seen[1]).toMatchObject({ method: 'POST', url: '/pacs/dicom-web/studies', body: 'some bytes', authorization: `Basic ${Buffer.from('me:se:cret').toString('base64')}` });
  });

  it('is checked at the start', async () => {
    await expect(checkPacs(parsePacs(address))).resolves.toBeUndefined();
    expect(seen[0]!.url).toBe('/pacs/dicom-web/studies?limit=1');
    status = 401;
    await expect(checkPacs(parsePacs(address))).resolves.toContain('--dicomweb-auth');
    await expect(checkPacs(parsePacs(address, 'a:b'))).rejects.toMatchObject({ code: 'network/status', message: expect.stringContaining('refuses the user') });
    status = 404;
    await expect(checkPacs(parsePacs(address))).rejects.toMatchObject({ code: 'network/status', fields: { got: 404 } });
    await expect(checkPacs(parsePacs('http://127.0.0.1:9/dicom-web'))).rejects.toMatchObject({ code: 'network/unreachable' });
  });

  it('gives 502 when it has gone', async () => {
    server = await embedded(undefined, { source: parsePacs('http://127.0.0.1:9/dicom-web') });
    const response = await fetch(`${server.dicomWeb}/studies`);
    expect([response.status, await response.text()]).toEqual([502, expect.stringContaining('http://127.0.0.1:9/dicom-web cannot be reached')]);
  });

  it.each(['nonsense', 'ftp://x/y', '//host/dicom-web'])('refuses %s as its address', (text) => {
    expect(() => parsePacs(text)).toThrow(expect.objectContaining({ code: 'cli/usage' }));
  });

  it('takes a user and a password from the address, and keeps them out of it', () => {
    const { url, authorization } = parsePacs('https://me:p%40ss@host/dicom-web/?x#y');
    expect([url.href, authorization]).toEqual(['https://host/dicom-web', `Basic ${Buffer.from('me:p@ss').toString('base64')}`]);
    expect(() => parsePacs('http://host/', 'no-colon')).toThrow(expect.objectContaining({ code: 'cli/usage' }));
  });
});
