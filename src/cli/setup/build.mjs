/** Installs the packages and builds the bundles where they are missing or older than what they are made of. */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { mustRun, step } from './steps.mjs';

/** The two bundles of webpack.config.js: where they lie and what they are made of. */
const BUNDLES = {
  cli: { folder: 'dist/cli', main: 'main.mjs', inputs: ['src', 'package-lock.json', 'webpack.config.js'] },
  plugin: { folder: 'dist/overread', main: 'extension.js', inputs: ['src', 'extension', 'mode', 'models', 'package-lock.json', 'webpack.config.js'] },
};
const NOT_AN_INPUT = /(^|[\\/])(recipe|golden|__pycache__|README\.md)$/;

/** True where this is a checkout that can be built; an installed package has its bundles and no sources to build. */
export function isCheckout(root) {
  return fs.existsSync(path.join(root, 'webpack.config.js'));
}

/** What is installed is what package-lock.json names; packages for other systems may be absent. */
export function packagesAreInstalled(root) {
  const read = (file) => {
    try {
      return JSON.parse(fs.readFileSync(path.join(root, file), 'utf8')).packages;
    } catch {
      return undefined;
    }
  };
  const wanted = read('package-lock.json');
  const present = read('node_modules/.package-lock.json');
  if (!wanted || !present) return false;
  return Object.entries(wanted).every(([name, { version, optional, peer, devOptional }]) =>
    name === '' || present[name]?.version === version || (!present[name] && (optional || peer || devOptional)));
}

/** Runs `npm ci` where needed. */
export async function ensurePackages(root, log = console.log) {
  if (packagesAreInstalled(root)) return;
  await step('Installed the packages', () => mustRun('Installing the packages', 'npm', ['ci', '--no-audit', '--no-fund'], { cwd: root }), log);
}

/** SHA-256 over names and contents of everything that a bundle is made of. */
function fingerprint(root, inputs, mode) {
  const hash = createHash('sha256').update(mode);
  const add = (file) => {
    const stat = fs.statSync(file, { throwIfNoEntry: false });
    if (!stat || NOT_AN_INPUT.test(file)) return;
    if (stat.isDirectory()) for (const name of fs.readdirSync(file).sort()) add(path.join(file, name));
    else hash.update(`${path.relative(root, file)}\0${stat.size}\0`).update(fs.readFileSync(file));
  };
  for (const input of inputs) add(path.join(root, input));
  return hash.digest('hex');
}

const stampOf = (root, { folder }) => path.join(root, folder, '.built-from');

export function isStale(root, name, mode = 'production') {
  const bundle = BUNDLES[name];
  const stamp = stampOf(root, bundle);
  if (!fs.existsSync(path.join(root, bundle.folder, bundle.main)) || !fs.existsSync(stamp)) return true;
  return fs.readFileSync(stamp, 'utf8') !== fingerprint(root, bundle.inputs, mode);
}

/** Builds these bundles, stale or not. */
export async function build(root, names, mode = 'production', log = console.log) {
  const before = names.map((name) => fingerprint(root, BUNDLES[name].inputs, mode));
  const webpack = path.join(root, 'node_modules/webpack/bin/webpack.js');
  const args = [webpack, '--mode', mode, ...names.flatMap((name) => ['--config-name', name])];
  await step(`Built ${names.join(' and ')}`, () => mustRun('The build', process.execPath, args, { cwd: root }), log);
  names.forEach((name, i) => fs.writeFileSync(stampOf(root, BUNDLES[name]), before[i]));
}

export async function ensureBuilt(root, names, log = console.log) {
  const stale = names.filter((name) => isStale(root, name));
  if (stale.length) await build(root, stale, 'production', log);
}

/** The npm package's modules for source builds of OHIF: dist/package, one a source file, with types. */
export async function buildPackage(root, log = console.log) {
  const folder = path.join(root, 'dist/package');
  fs.rmSync(folder, { recursive: true, force: true });
  const tsc = path.join(root, 'node_modules/typescript/bin/tsc');
  const config = path.join(root, 'src/cli/setup/tsconfig.package.json');
  await step('Built the npm package', () => mustRun('Building the npm package', process.execPath, [tsc, '-p', config], { cwd: root }), log);
  // tsc rewrites the endings of imports, not of a worker's address.
  for (const name of fs.readdirSync(folder, { recursive: true }).filter((file) => file.endsWith('.js'))) {
    const file = path.join(folder, name);
    const code = fs.readFileSync(file, 'utf8');
    const rewritten = code.replace(/(new URL\((['"])\.[^'"]*)\.tsx?\2/g, '$1.js$2');
    if (rewritten !== code) fs.writeFileSync(file, rewritten);
  }
}
