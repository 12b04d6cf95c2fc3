/**
 * A viewer built from source takes the npm package: packs it, installs the tarball as npm would lay it out, writes the two
 * imports as OHIF's `writePluginImportsFile.js` does from pluginConfig.json, bundles them with webpack by the rules of
 * OHIF's own build (JavaScript as it is, peers from the host), and asks the bundle for extension and mode.
 * Some minutes: not part of npm test.
 *
 *   npm run build && node test/package/host.mjs
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import webpack from 'webpack';

const ROOT = path.resolve(import.meta.dirname, '../..');
const folder = mkdtempSync(path.join(tmpdir(), 'overread-host-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

const [{ filename, files }] = JSON.parse(execFileSync('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', folder], { cwd: ROOT, encoding: 'utf8', maxBuffer: 2 ** 26 }));
execFileSync('tar', ['-xzf', path.join(folder, filename), '-C', folder]);
const names = files.map(({ path: file }) => file);
const wanted = ['dist/package/extension/index.js', 'dist/package/extension/index.d.ts', 'dist/package/mode/index.js', 'dist/overread/extension.js', 'dist/overread/models/index.json'];
assert.deepEqual(wanted.filter(file => !names.includes(file)), []);
assert.deepEqual(names.filter(file => /\.(test\.\w+|py|npz)$|^(test|docs|shared)\//.test(file)), []);
console.log(`${filename}: ${names.length} files`);

// As npm would: the package under its name, its dependencies beside it, the peers as the host has them.
const modules = path.join(folder, 'node_modules');
mkdirSync(modules);
renameSync(path.join(folder, 'package'), path.join(modules, 'overread'));
const { dependencies, peerDependencies } = JSON.parse(readFileSync(path.join(modules, 'overread/package.json'), 'utf8'));
const have = name => {
  const from = path.join(ROOT, 'node_modules', name);
  if (!existsSync(from)) return;
  mkdirSync(path.dirname(path.join(modules, name)), { recursive: true });
  symlinkSync(from, path.join(modules, name));
};
for (const name of Object.keys({ ...dependencies, ...peerDependencies })) have(name);

// pluginImports.js: one loader a plugin, by its name.
const plugins = { extensions: [{ packageName: 'overread' }], modes: [{ packageName: 'overread/mode' }] };
const loaders = [...plugins.extensions, ...plugins.modes].map(({ packageName }) => `  if (module === "${packageName}") return (await import("${packageName}")).default;`);
writeFileSync(path.join(folder, 'index.js'), `export default async function loadModule(module) {\n${loaders.join('\n')}\n}\n`);

const stats = await new Promise((resolve, reject) => {
  const compiler = webpack({
    mode: 'production', context: folder, target: 'web', entry: './index.js', devtool: false,
    output: { path: path.join(folder, 'dist'), filename: '[name].js', publicPath: '/', library: { type: 'commonjs2' } },
    resolve: { fallback: { fs: false, path: false, zlib: false, crypto: false, os: false, util: false, url: false } },
    optimization: { minimize: false }, performance: false,
  });
  compiler.run((error, done) => compiler.close(() => (error ? reject(error) : resolve(done))));
});
assert.equal(stats.hasErrors(), false, stats.toString('errors-only'));
const bundled = stats.toJson({ all: false, modules: true, nestedModules: true, modulesSpace: 1e5, nestedModulesSpace: 1e5 }).modules.map(({ name }) => name ?? '');
// OHIF and Cornerstone are the host's: a second copy would have a state of its own.
assert.deepEqual(bundled.filter(name => /node_modules\/@(ohif|cornerstonejs)\//.test(name)), []);
const scripts = readdirSync(path.join(folder, 'dist')).filter(file => file.endsWith('.js'));
assert.ok(scripts.length > 3, 'the worker is a script of its own');
console.log(`bundled into ${scripts.length} scripts, ${Math.round(scripts.reduce((sum, file) => sum + readFileSync(path.join(folder, 'dist', file)).length, 0) / 1e6)} MB as they are`);
assert.ok(bundled.some(name => name.includes('dist/package/extension/index.js')) && bundled.some(name => name.includes('dist/package/mode/index.js')));
const code = scripts.map(file => readFileSync(path.join(folder, 'dist', file), 'utf8')).join('\n');
for (const word of ['preRegistration', 'getCommandsModule', 'getPanelModule', 'modeFactory']) assert.ok(code.includes(word), `no ${word} in the bundle`);
console.log('A source build takes the package: extension, mode and worker are in the bundle; OHIF and Cornerstone are not.');
