/**
 * The stock, prebuilt OHIF viewer: the npm package @ohif/app, whose `dist/` is a whole viewer. It is fetched as a
 * tarball, since `npm install @ohif/app` fails (a dependency that the prebuilt viewer does not need was never
 * published), its SHA-512 is checked before anything is unpacked, and it is kept as it came.
 */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import zlib from 'node:zlib';
import { runCommand, SetupError } from './steps.mjs';

export const OHIF_VERSION = '3.13.2';

/** SHA-512 of each version's tarball, in base64, as the npm registry states it. */
const INTEGRITY = {
  '3.11.1': '0lJRyHguGuIR06PxeJ3rqnPWf1OAqsaXGuqT2kl5HkNjIOxBDnRTTMvyHnkn3ZyjcHlsIhY8gf0h7AhVORqsSQ==',
  '3.12.10': '0kuF66Mq9c9dMD++bUsTjMrJpXJwaZhz9B4uS244DawAjSkTwIYFU93pxPuRUQixaRi7QAHlF3Fe1qudBlZrmA==',
  '3.13.2': 'WZdxmpmG7rqFgW9ZJLcbgr3XCtLi1KDNPoMaeY5PPe6j4G4fjEjjkycZM6C6Zk2F87BKxFfpq+jd5xXZB9E8EA==',
};

/** Those that are known, the one that is served by itself last. */
export const OHIF_VERSIONS = Object.keys(INTEGRITY);

/** `.cache` of the project, or OVERREAD_CACHE, which several checkouts can share. */
export function cacheFolder(root, env = process.env) {
  return env.OVERREAD_CACHE ? path.resolve(env.OVERREAD_CACHE) : path.join(root, '.cache');
}

/** Where the viewer is or will be; whether it is there is for `ohifDist` to see. */
export function ohifFolder(root, version = OHIF_VERSION, env = process.env) {
  return path.join(cacheFolder(root, env), 'ohif', version);
}

/** `dist/` of the viewer, or undefined where it has not been fetched. */
export function ohifDist(root, version = OHIF_VERSION, env = process.env) {
  const dist = path.join(ohifFolder(root, version, env), 'package/dist');
  return fs.existsSync(path.join(dist, 'index.html')) ? dist : undefined;
}

/**
 * Fetches, checks and unpacks the viewer unless it is there.
 * @returns {Promise<string>} its `dist/`
 */
export async function fetchOhif(root, version = OHIF_VERSION, env = process.env) {
  const present = ohifDist(root, version, env);
  if (present) return present;
  const expected = INTEGRITY[version];
  if (!expected) throw new SetupError(`OHIF ${version} is not known here; known are ${Object.keys(INTEGRITY).join(', ')}.`);
  const folder = ohifFolder(root, version, env);
  const work = `${folder}.${process.pid}.part`;
  fs.rmSync(work, { recursive: true, force: true });
  fs.mkdirSync(work, { recursive: true });
  try {
    const tarball = await download(version, work);
    const bytes = fs.readFileSync(tarball);
    const got = createHash('sha512').update(bytes).digest('base64');
    if (got !== expected) {
      throw new SetupError(`The OHIF ${version} that came is not the one that was asked for: expected sha512-${expected}, got sha512-${got}.`);
    }
    const tar = await runCommand('tar', ['-xzf', tarball, '-C', work]);
    if (tar.status !== 0) unpack(zlib.gunzipSync(bytes), work);
    fs.rmSync(tarball);
    if (!fs.existsSync(path.join(work, 'package/dist/index.html'))) throw new SetupError(`The OHIF ${version} package has no dist/index.html.`);
    fs.mkdirSync(path.dirname(folder), { recursive: true });
    try {
      fs.renameSync(work, folder);
    } catch (error) {
      // Another process was quicker, or an earlier one left half of it behind.
      if (!ohifDist(root, version, env)) {
        fs.rmSync(folder, { recursive: true, force: true });
        fs.renameSync(work, folder);
      } else if (!['ENOTEMPTY', 'EEXIST', 'EPERM'].includes(error.code)) throw error;
    }
  } finally {
    fs.rmSync(work, { recursive: true, force: true });
  }
  return ohifDist(root, version, env);
}

async function download(version, folder) {
  const spec = `@ohif/app@${version}`;
  const { status, output } = await runCommand('npm', ['pack', spec, '--loglevel=error', '--pack-destination', folder], { cwd: folder });
  const file = fs.readdirSync(folder).find((name) => name.endsWith('.tgz'));
  if (status === 0 && file) return path.join(folder, file);
  const said = output.split('\n').map((line) => line.replace(/^npm (error|ERR!) ?/i, '').trim()).filter((line) => line && !/^(code|errno|A complete log)/i.test(line));
  const why = said.find((line) => /request|registry|network|ENOTFOUND|ECONN|ETIMEDOUT|404|403|407/i.test(line)) ?? said[0] ?? `npm pack ended with ${status}`;
  throw new SetupError(`The OHIF viewer (${spec}, 50 MB) could not be fetched from the npm registry: ${why}. ` +
    'Check the network and npm\'s registry and proxy settings, and try again.');
}

/** A ustar archive, for systems without `tar`: files and folders only, nothing outside `folder`. */
export function unpack(archive, folder) {
  const text = (from, to) => archive.toString('utf8', from, to).replace(/\0.*$/s, '');
  let longName;
  for (let at = 0; at + 512 <= archive.length && archive[at] !== 0; ) {
    const size = Number.parseInt(text(at + 124, at + 136).trim() || '0', 8);
    const type = String.fromCharCode(archive[at + 156]);
    const prefix = text(at + 345, at + 500);
    const name = longName ?? (prefix ? `${prefix}/` : '') + text(at, at + 100);
    const body = archive.subarray(at + 512, at + 512 + size);
    longName = undefined;
    if (type === 'x') longName = /\d+ path=([^\n]+)\n/.exec(body.toString('utf8'))?.[1];
    else if (type === 'L') longName = body.toString('utf8').replace(/\0.*$/s, '');
    else if (type === '0' || type === '\0') {
      const file = path.resolve(folder, name);
      if (!file.startsWith(path.resolve(folder) + path.sep)) throw new SetupError(`The archive has a file outside its folder: ${name}.`);
      fs.mkdirSync(path.dirname(file), { recursive: true });
      fs.writeFileSync(file, body);
    }
    at += 512 + Math.ceil(size / 512) * 512;
  }
}
