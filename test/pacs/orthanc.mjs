/**
 * A real Orthanc with its DICOMweb plugin on loopback, for tests. Debian's packages are installed by apt-get when root;
 * where that cannot be, `startOrthanc` answers `{ skipped: reason }` and the test reports itself as skipped.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { freePort, startProcess, temporaryFolder } from '../browser/harness.mjs';

const PLUGIN = '/usr/share/orthanc/plugins/libOrthancDicomWeb.so';
export const USER = 'overread';
export const PASSWORD = 'test only';

export async function startOrthanc() {
  const missing = installOrthanc();
  if (missing) return { skipped: missing };
  const folder = temporaryFolder('orthanc');
  const port = await freePort();
  const configuration = path.join(folder, 'orthanc.json');
  writeFileSync(configuration, JSON.stringify({
    StorageDirectory: path.join(folder, 'storage'), IndexDirectory: path.join(folder, 'index'), Plugins: [PLUGIN],
    HttpPort: port, DicomServerEnabled: false, AuthenticationEnabled: true, RegisteredUsers: { [USER]: PASSWORD },
    DicomWeb: { Enable: true, Root: '/dicom-web/', StudiesMetadata: 'Full', SeriesMetadata: 'Full' },
  }));
  const { stop, log } = await startProcess('Orthanc', [configuration], 'Orthanc has started', { cwd: folder });
  return { url: `http://127.0.0.1:${port}/dicom-web`, origin: `http://127.0.0.1:${port}`, authorization: `Basic ${btoa(`${USER}:${PASSWORD}`)}`, stop, log };
}

/** Sends every .dcm file below a folder through Orthanc's own REST door. */
export async function upload(orthanc, folder) {
  const files = readdirSync(folder, { recursive: true }).filter(f => f.endsWith('.dcm'));
  for (const file of files) {
    const response = await fetch(`${orthanc.origin}/instances`, { method: 'POST', headers: { authorization: orthanc.authorization }, body: readFileSync(path.join(folder, file)) });
    if (!response.ok) throw new Error(`Orthanc answered ${response.status} to ${file}: ${await response.text()}`);
  }
  return files.length;
}

/**
 * Debian's Orthanc, and what else is named.
 * @param others further packages; @param there whether they are there
 * @returns why it cannot be had; undefined when it is there
 */
export function installOrthanc(others = [], there = () => true) {
  const packages = ['orthanc', 'orthanc-dicomweb', ...others].join(' ');
  const present = () => existsSync(PLUGIN) && spawnSync('Orthanc', ['--version']).status === 0 && there();
  if (present()) return undefined;
  if (process.getuid?.() !== 0 || spawnSync('apt-get', ['--version']).status !== 0) return `Not all of ${packages} is installed, and this user cannot install it: apt-get install ${packages}`;
  try {
    execFileSync('apt-get', ['update'], { stdio: 'ignore' });
    execFileSync('apt-get', ['install', '-y', '--no-install-recommends', ...packages.split(' ')], { stdio: 'ignore', env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } });
  } catch (error) {
    return `apt-get could not install ${packages}: ${error.message}`;
  }
  return present() ? undefined : `${packages} do not start after their installation`;
}
