import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Command } from 'commander';
import { OverreadError } from '../../errors.ts';
import { defaultModelsFolder } from '../installed-models.ts';
import { packageRoot } from '../package-root.ts';
import { terminal, type Terminal } from '../terminal.ts';
import { checkPacs, parsePacs, type Pacs } from './proxy.ts';
import { startServer } from './server.ts';
import { InstanceStore, type LeftOut } from './store/instance-store.ts';

interface ServeOptions {
  readonly port: string;
  readonly host: string;
  readonly basePath: string;
  readonly dicomweb?: string;
  readonly dicomwebAuth?: string;
  readonly store?: string;
  readonly demo: boolean;
  readonly models?: string;
  readonly softwareGpu?: boolean;
  readonly ohif?: string;
  readonly allowHost?: readonly string[];
}

export function register(program: Command): void {
  program.command('serve')
    .description('the OHIF viewer with Overread in it, over an embedded DICOM store or a PACS')
    .option('--port <number>', 'port to listen on', '3000')
    .option('--host <address>', 'address to listen on; 0.0.0.0 opens it to the network, with no password', '127.0.0.1')
    .option('--allow-host <names...>', 'further names of this machine, when another server stands before it')
    .option('--base-path <path>', 'serve everything below this path', '/')
    .option('--dicomweb <url>', 'a PACS\'s DICOMweb root in place of the embedded store')
    .option('--dicomweb-auth <user:password>', 'for a PACS that asks for them; OVERREAD_DICOMWEB_AUTH keeps them out of the process list')
    .option('--store <folder>', 'folder of the embedded store; DICOM files in it are served', defaultStoreFolder())
    .option('--no-demo', 'do not put demo studies into an empty store')
    .option('--models <folder>', 'folder of models', defaultModelsFolder())
    .option('--software-gpu', 'let models run on a software WebGPU adapter; for tests, it is slower than wasm')
    .option('--ohif <version>', 'another version of the viewer: 3.11.1, 3.12.10 or 3.13.2')
    .action((options: ServeOptions) => serve(options, terminal));
}

/**
 * Serves until SIGINT or SIGTERM.
 * @throws OverreadError for whatever keeps it from starting
 */
export async function serve(options: ServeOptions, { print, note }: Terminal): Promise<void> {
  const port = parsePort(options.port);
  const basePath = parseBasePath(options.basePath);
  const models = modelsFolder(options.models ?? defaultModelsFolder());
  const auth = options.dicomwebAuth ?? process.env.OVERREAD_DICOMWEB_AUTH;
  const pacs = options.dicomweb === undefined ? undefined : parsePacs(options.dicomweb, auth || undefined);
  const { folder: root } = packageRoot();
  const plugin = path.join(root, 'dist/overread');
  if (!fs.existsSync(path.join(plugin, 'extension.js'))) {
    throw new OverreadError('config/invalid', `Expected the built plugin in ${plugin}, found none. Run npm run build.`, { got: plugin });
  }
  if (pacs) {
    const warning = await checkPacs(pacs);
    if (warning) note(warning);
  }
  const viewer = await stockViewerFolder(root, options.ohif, note);
  const source: Pacs | InstanceStore = pacs ?? (await openStore(options.store ?? defaultStoreFolder(), options.demo, note));
  const server = await startServer({
    host: options.host, port, basePath, viewer, plugin, models, source, note,
    allowSoftwareAdapter: options.softwareGpu ?? false,
    ...(options.allowHost && { allowedHosts: options.allowHost }),
  });
  print(`Overread is at ${server.url}`);
  await stopSignal();
  await server.close();
  if (source instanceof InstanceStore) await source.close();
}

/** Fetched when it is not there. @throws OverreadError `cli/usage` for a version that is not known, `network/unreachable` */
export async function stockViewerFolder(root: string, wanted: string | undefined, note: (line: string) => void): Promise<string> {
  const { fetchOhif, OHIF_VERSION, OHIF_VERSIONS, ohifDist } = await import('../setup/ohif.mjs');
  const version = wanted ?? OHIF_VERSION;
  if (!OHIF_VERSIONS.includes(version)) throw new OverreadError('cli/usage', `Expected --ohif to be one of ${OHIF_VERSIONS.join(', ')}, got '${version}'.`, { expected: OHIF_VERSIONS, got: version });
  if (!ohifDist(root, version)) note(`Fetching the OHIF viewer ${version} (50 MB) …`);
  return fetchOhif(root, version).catch((cause: unknown) => {
    throw new OverreadError('network/unreachable', cause instanceof Error ? cause.message : String(cause), {}, cause);
  });
}

async function openStore(folder: string, demo: boolean, note: (line: string) => void): Promise<InstanceStore> {
  const store = await InstanceStore.open(folder, leftOut(note));
  if (store.size > 0 || !demo) return store;
  note(`Drawing the demo studies into ${store.folder} …`);
  const { writeDemoStudies } = await import('../demo.ts');
  await writeDemoStudies(path.join(store.folder, 'demo'), note);
  return InstanceStore.open(folder);
}

/** Says which DICOM files are left out, the first ten one by one; files that never were DICOM (notes, pictures) only by their number. */
function leftOut(note: (line: string) => void): (lines: readonly LeftOut[]) => void {
  return (all) => {
    // The demo's ground truth lies beside its studies.
    const files = all.filter(({ file }) => !file.startsWith('demo/truth/'));
    const other = files.filter(({ file, error }) => error.code === 'input/unreadable' && /\.(?!dcm$)[a-z]{2,5}$/i.test(file));
    const dicom = files.filter((file) => !other.includes(file));
    for (const { file, error } of dicom.slice(0, 10)) note(`${file} is left out: ${error.message}`);
    if (dicom.length > 10) note(`… and ${dicom.length - 10} more files are left out.`);
    if (other.length) note(`${other.length} file${other.length > 1 ? 's' : ''} in the store's folder ${other.length > 1 ? 'are' : 'is'} no DICOM (${other[0]!.file}${other.length > 1 ? ', …' : ''}).`);
  };
}

/** What is stored belongs to the user, not to a checkout. */
function defaultStoreFolder(): string {
  const home = os.homedir();
  const data = process.platform === 'win32' ? process.env.LOCALAPPDATA ?? path.join(home, 'AppData/Local')
    : process.platform === 'darwin' ? path.join(home, 'Library/Application Support')
      : process.env.XDG_DATA_HOME || path.join(home, '.local/share');
  return path.join(data, 'overread/store');
}

function parsePort(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : NaN;
  if (port <= 65535) return port;
  throw new OverreadError('cli/usage', `Expected --port to be a number from 0 to 65535, got '${text}'.`, { got: text });
}

/** @throws OverreadError `cli/usage` */
export function parseBasePath(text: string): string {
  if (!/^\/?([\w.~-]+\/?)*$/.test(text) || text.split('/').some((part) => /^\.+$/.test(part))) {
    throw new OverreadError('cli/usage', `Expected --base-path to be a path such as /viewer/, got '${text}'.`, { got: text });
  }
  return `/${text.split('/').filter(Boolean).join('/')}/`.replace('//', '/');
}

function modelsFolder(folder: string): string {
  const absolute = path.resolve(folder);
  if (fs.statSync(absolute, { throwIfNoEntry: false })?.isDirectory()) return absolute;
  throw new OverreadError('model/not-found', `Expected --models to be a folder of models, got ${absolute}, which is not there.`, { got: absolute });
}

function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
  });
}
