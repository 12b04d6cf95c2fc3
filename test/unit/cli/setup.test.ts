/** The plain scripts of src/cli/setup, run as Node runs them: jest cannot load them. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';

const SETUP = pathToFileURL(path.join(__dirname, '../../../src/cli/setup/')).href;
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'overread-setup-'));
afterAll(() => fs.rmSync(folder, { recursive: true, force: true }));

/** The value of an expression over a module's exports; an error is `{ error: message }`. */
function evaluate(module: string, expression: string, env: NodeJS.ProcessEnv = {}): unknown {
  const script = `import * as m from ${JSON.stringify(SETUP + module)}; import fs from 'node:fs';
    const v = await (async () => ${expression})().catch((e) => ({ error: e.message })); console.log(JSON.stringify(v ?? null));`;
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8', env: { ...process.env, ...env } });
  if (!stdout) throw new Error(stderr);
  return JSON.parse(stdout.trim().split('\n').at(-1)!);
}

function executable(name: string, script: string): string {
  const file = path.join(folder, name);
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return file;
}

/** A ustar archive of plain files. */
function tar(files: Record<string, string>): Buffer {
  const blocks = Object.entries(files).flatMap(([name, content]) => {
    const head = Buffer.alloc(512);
    head.write(name, 0);
    head.write(`${Buffer.byteLength(content).toString(8).padStart(11, '0')} `, 124);
    head.write('0', 156);
    const body = Buffer.alloc(Math.ceil(Buffer.byteLength(content) / 512) * 512);
    body.write(content);
    return [head, body];
  });
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}

describe('the browser', () => {
  it('is the one of CHROME_PATH, or none when that is wrong', () => {
    const chrome = executable('my-chrome', 'true');
    expect(evaluate('browser.mjs', 'm.findBrowser()', { CHROME_PATH: chrome })).toEqual({ path: chrome });
    expect(evaluate('browser.mjs', 'm.findBrowser()', { CHROME_PATH: '/nowhere' })).toEqual({ reason: expect.stringContaining('/nowhere') });
  });

  const onLinux = process.platform === 'linux' ? it : it.skip;
  onLinux('is one on the PATH, before the usual places', () => {
    const chrome = executable('bin/google-chrome-stable', 'true');
    expect(evaluate('browser.mjs', 'm.findBrowser()', { CHROME_PATH: '', PATH: path.dirname(chrome) })).toEqual({ path: chrome });
  });
});

describe('the viewer', () => {
  const root = path.join(folder, 'project');
  /** An npm whose registry holds this file. */
  const npm = (tarball: Buffer) => {
    const file = path.join(folder, `${createHash('sha1').update(tarball).digest('hex')}.tgz`);
    fs.writeFileSync(file, tarball);
    return { PATH: `${path.dirname(executable('npm-bin/npm', `cp ${file} "$5/ohif-app.tgz"`))}:${process.env.PATH}`, OVERREAD_CACHE: '' };
  };

  it('is refused when it is not the one that was asked for, and nothing is left of it', () => {
    const env = npm(gzipSync(tar({ 'package/dist/index.html': 'evil' })));
    expect(evaluate('ohif.mjs', `m.fetchOhif(${JSON.stringify(root)})`, env)).toEqual({ error: expect.stringMatching(/3\.13\.2.*expected sha512-WZdxmpmG.*got sha512-/) });
    expect(fs.readdirSync(path.join(root, '.cache/ohif'))).toEqual([]);
  });

  it('says what to do when npm cannot fetch it', () => {
    executable('npm-bin/npm', 'echo "npm error code ENOTFOUND"; echo "npm error network request to https://registry.npmjs.org failed"; exit 1');
    const env = { PATH: `${path.join(folder, 'npm-bin')}:${process.env.PATH}`, OVERREAD_CACHE: path.join(folder, 'elsewhere') };
    expect(evaluate('ohif.mjs', `m.fetchOhif(${JSON.stringify(root)})`, env)).toEqual({ error: expect.stringMatching(/could not be fetched.*network request to .* failed\. Check the network/) });
  });

  it('of another version has to be known by its hash', () => {
    expect(evaluate('ohif.mjs', `m.fetchOhif(${JSON.stringify(root)}, '9.9.9')`)).toEqual({ error: expect.stringContaining('9.9.9 is not known') });
  });

  it('is unpacked without tar, and never outside its folder', () => {
    const archive = path.join(folder, 'a.tar');
    const unpack = (files: Record<string, string>) => {
      fs.writeFileSync(archive, tar(files));
      return evaluate('ohif.mjs', `m.unpack(fs.readFileSync(${JSON.stringify(archive)}), ${JSON.stringify(path.join(folder, 'out'))})`);
    };
    expect(unpack({ 'package/dist/index.html': 'page', 'package/b.txt': 'x'.repeat(600) })).toBeNull();
    expect(fs.readFileSync(path.join(folder, 'out/package/b.txt'), 'utf8')).toBe('x'.repeat(600));
    expect(unpack({ '../escaped.txt': 'x' })).toEqual({ error: expect.stringContaining('outside its folder') });
    expect(fs.existsSync(path.join(folder, 'escaped.txt'))).toBe(false);
  });
});

describe('the packages', () => {
  it('are installed when what is there is what the lock names, but for those of other systems', () => {
    const root = path.join(folder, 'packages');
    fs.mkdirSync(path.join(root, 'node_modules'), { recursive: true });
    const lock = (file: string, packages: object) => fs.writeFileSync(path.join(root, file), JSON.stringify({ packages }));
    const installed = () => evaluate('build.mjs', `m.packagesAreInstalled(${JSON.stringify(root)})`);
    lock('package-lock.json', { '': {}, 'node_modules/a': { version: '1.0.0' }, 'node_modules/mac-only': { version: '1.0.0', optional: true } });
    expect(installed()).toBe(false);
    lock('node_modules/.package-lock.json', { 'node_modules/a': { version: '1.0.0' } });
    expect(installed()).toBe(true);
    lock('node_modules/.package-lock.json', { 'node_modules/a': { version: '0.9.0' } });
    expect(installed()).toBe(false);
  });
});
