import fs from 'node:fs';
import path from 'node:path';
import type { Command } from 'commander';
import { OverreadError } from '../errors.ts';
import { defaultModelsFolder, installedModels } from './installed-models.ts';
import { packageRoot } from './package-root.ts';
import { appConfig } from './serve/app-config.ts';
import { pagePolicy, workerPolicy } from './serve/policy.ts';
import { parseBasePath, stockViewerFolder } from './serve/index.ts';
import { rebase } from './serve/viewer.ts';
import { withoutEval } from './serve/without-eval.ts';
import { terminal, type Terminal } from './terminal.ts';

interface SiteOptions {
  readonly out: string;
  readonly basePath: string;
  readonly dicomweb: string;
  readonly settings?: string;
  readonly models: string;
  readonly ohif?: string;
}

export function register(program: Command): void {
  program.command('site')
    .description('the viewer with Overread in it as a folder of static files, for a web server of yours, and the headers that it has to send')
    .requiredOption('--out <folder>', 'where to write html/ and policy.conf (for nginx); it must not be there')
    .option('--base-path <path>', 'the path below which the server shows it', '/')
    .option('--dicomweb <path>', 'path or address of the DICOMweb root, as the browser sees it', '/dicom-web')
    .option('--settings <file>', 'a JSON file with the settings of Overread, as in overread: { … } of app-config.js')
    .option('--models <folder>', 'folder of models', defaultModelsFolder())
    .option('--ohif <version>', 'another version of the viewer: 3.11.1, 3.12.10 or 3.13.2')
    .action((options: SiteOptions) => writeSite(options, terminal));
}

/** @throws OverreadError `config/invalid`, `cli/usage`, `network/unreachable` */
export async function writeSite(options: SiteOptions, { print, note }: Terminal): Promise<void> {
  const out = path.resolve(options.out);
  if (fs.existsSync(out)) throw new OverreadError('cli/usage', `Expected --out to be a folder that is not there yet, got ${out}. A site is written whole; the server is pointed to it when it is.`, { got: out });
  const basePath = parseBasePath(options.basePath);
  const settings = readSettings(options.settings);
  const plugin = path.join(packageRoot().folder, 'dist/overread');
  if (!fs.existsSync(path.join(plugin, 'extension.js'))) throw new OverreadError('config/invalid', `Expected the built plugin in ${plugin}, found none. Run npm run build.`, { got: plugin });
  const viewer = await stockViewerFolder(packageRoot().folder, options.ohif, note);
  const html = path.join(out, 'html');
  const index = copyViewer(viewer, html, basePath);
  copy(plugin, path.join(html, 'overread'), file => path.relative(plugin, file).split(path.sep)[0] !== 'models');
  const ids = installedModels(options.models);
  for (const id of ids) copy(path.join(options.models, id), path.join(html, 'overread/models', id), file => !/[\\/](recipe|golden)$/.test(file));
  fs.writeFileSync(path.join(html, 'overread/models/index.json'), `${JSON.stringify(ids.map(id => ({ id })))}\n`);
  fs.writeFileSync(path.join(html, 'app-config.js'), appConfig({ basePath, allowSoftwareAdapter: false, source: 'pacs', dicomweb: options.dicomweb, settings }));
  fs.writeFileSync(path.join(out, 'policy.conf'), nginxPolicy(index, basePath));
  print(`${html} is to be served below ${basePath}, with the headers of ${path.join(out, 'policy.conf')}`);
}

function readSettings(file: string | undefined): Readonly<Record<string, unknown>> {
  if (file === undefined) return {};
  try {
    return JSON.parse(fs.readFileSync(file, 'utf8')) as Record<string, unknown>;
  } catch (cause) {
    throw new OverreadError('config/invalid', `Expected ${file} to be a JSON file: ${cause instanceof Error ? cause.message : String(cause)}.`, { got: file }, cause);
  }
}

/** Text is changed as `overread serve` does it while it serves. @returns the page */
function copyViewer(from: string, to: string, basePath: string): string {
  copy(from, to, file => !/\.map$|[\\/]app-config\.js$/.test(file));
  for (const name of fs.readdirSync(to, { recursive: true, encoding: 'utf8' })) {
    const extension = path.extname(name);
    if (!['.js', '.css', '.html'].includes(extension)) continue;
    const file = path.join(to, name);
    const text = fs.readFileSync(file, 'utf8');
    const changed = rebase(extension === '.js' ? withoutEval(text) : text, extension, basePath);
    if (changed !== text) fs.writeFileSync(file, changed);
  }
  return fs.readFileSync(path.join(to, 'index.html'), 'utf8');
}

function copy(from: string, to: string, wanted: (file: string) => boolean): void {
  fs.cpSync(from, to, { recursive: true, dereference: true, filter: wanted });
}

/** A policy by kind of file: scripts have one of their own for the workers that they are. */
function nginxPolicy(index: string, basePath: string): string {
  const quoted = (policy: string) => `"${policy}"`;
  return [
    '# Written by overread site: to be included in the http block. What each line is for: docs/deployment.',
    'map $uri $overread_policy {',
    `  ~^${basePath.replaceAll('.', '\\.')}overread/.*\\.m?js$ ${quoted(workerPolicy('plugin'))};`,
    `  ~\\.m?js$ ${quoted(workerPolicy('viewer'))};`,
    `  default ${quoted(pagePolicy(index))};`,
    '}',
    '',
  ].join('\n');
}
