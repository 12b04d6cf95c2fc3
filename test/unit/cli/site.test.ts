import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { writeSite } from '../../../src/cli/site.ts';
import { packageRoot } from '../../../src/cli/package-root.ts';

const built = fs.existsSync(path.join(packageRoot().folder, 'dist/overread/extension.js'));
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'overread-site-'));
const said: string[] = [];
const terminal = { print: (line: string) => void said.push(line), note: () => undefined };
const mockDist = path.join(folder, 'viewer');
jest.mock('../../../src/cli/setup/ohif.mjs', () => ({ OHIF_VERSION: '3.13.2', OHIF_VERSIONS: ['3.12.10', '3.13.2'], ohifDist: () => mockDist, fetchOhif: async () => mockDist }));

beforeAll(() => {
  // A viewer of three files where the real one would be.
  const dist = mockDist;
  fs.mkdirSync(dist);
  fs.writeFileSync(path.join(dist, 'index.html'), '<script>window.PUBLIC_URL="/"</script><link href="/app.css"><script src="/app.js"></script>');
  fs.writeFileSync(path.join(dist, 'app.js'), '__webpack_require__.p = "/";');
  fs.writeFileSync(path.join(dist, 'app.js.map'), '{}');
  fs.mkdirSync(path.join(folder, 'models/tiny/golden'), { recursive: true });
  fs.writeFileSync(path.join(folder, 'models/tiny/manifest.json'), '{}');
});
afterAll(() => fs.rmSync(folder, { recursive: true, force: true }));

const options = { basePath: '/a/b/', dicomweb: '/dicom-web', models: path.join(folder, 'models') };

(built ? test : test.skip)('a folder of static files for a sub-path: the page, the plugin, models, settings and the policy', async () => {
  const settings = path.join(folder, 'settings.json');
  fs.writeFileSync(settings, '{"defaultModel":"tiny"}');
  const out = path.join(folder, 'site');
  await writeSite({ ...options, out, settings }, terminal);
  const read = (file: string) => fs.readFileSync(path.join(out, file), 'utf8');
  expect(read('html/index.html')).toContain('src="/a/b/app.js"');
  expect(read('html/app.js')).toBe('__webpack_require__.p = "/a/b/";');
  expect(fs.existsSync(path.join(out, 'html/app.js.map'))).toBe(false);
  expect(read('html/overread/models/index.json')).toBe('[{"id":"tiny"}]\n');
  expect(fs.existsSync(path.join(out, 'html/overread/models/tiny/golden'))).toBe(false);
  const host = { location: { origin: 'https://host' } } as { location: { origin: string }; config?: { routerBasename: string; overread: object; dataSources: { configuration: { wadoRoot?: string } }[] } };
  new Function('window', 'location', read('html/app-config.js'))(host, host.location);
  expect(host.config).toMatchObject({ routerBasename: '/a/b/', overread: { models: '/a/b/overread/models/', defaultModel: 'tiny' } });
  expect(host.config!.dataSources[0]!.configuration.wadoRoot).toBe('https://host/dicom-web');
  // The hash is of this very page.
  expect(read('policy.conf')).toMatch(/~\^\/a\/b\/overread\/[\s\S]*script-src 'self' 'wasm-unsafe-eval' 'sha256-[\w+/=]+'/);
  await expect(writeSite({ ...options, out }, terminal)).rejects.toMatchObject({ code: 'cli/usage' });
});

test.each([
  [{ basePath: '/../' }, 'cli/usage'],
  [{ ohif: '9.9.9' }, built ? 'cli/usage' : 'config/invalid'],
  [{ settings: path.join(folder, 'nothing.json') }, 'config/invalid'],
])('%j is refused, and nothing is written', async (change, code) => {
  const out = path.join(folder, 'refused');
  await expect(writeSite({ ...options, out, ...change }, terminal)).rejects.toMatchObject({ code });
  expect(fs.existsSync(out)).toBe(false);
});
