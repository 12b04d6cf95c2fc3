/** Finds a Chrome or Chromium for the browser tests and the benchmark. */
import fs from 'node:fs';
import path from 'node:path';
import { runCommand } from './steps.mjs';

const NAMES = ['google-chrome-stable', 'google-chrome', 'chromium', 'chromium-browser', 'chrome', 'microsoft-edge-stable', 'microsoft-edge'];
const HOW = 'install Chrome or Chromium, or say where it is with CHROME_PATH=/path/to/chrome';

/** Where the three systems keep it. */
function usualPlaces(env = process.env) {
  if (process.platform === 'darwin') {
    const apps = ['/Applications', path.join(env.HOME ?? '', 'Applications')];
    const names = ['Google Chrome', 'Chromium', 'Microsoft Edge'];
    return apps.flatMap((folder) => names.map((name) => `${folder}/${name}.app/Contents/MacOS/${name}`));
  }
  if (process.platform === 'win32') {
    const roots = [env.PROGRAMFILES, env['PROGRAMFILES(X86)'], env.LOCALAPPDATA].filter(Boolean);
    const tails = ['Google\\Chrome\\Application\\chrome.exe', 'Chromium\\Application\\chrome.exe', 'Microsoft\\Edge\\Application\\msedge.exe'];
    return roots.flatMap((root) => tails.map((tail) => path.join(root, tail)));
  }
  const folders = (env.PATH ?? '').split(':').concat('/usr/bin', '/usr/local/bin', '/opt/google/chrome', '/snap/bin').filter(Boolean);
  return NAMES.flatMap((name) => folders.map((folder) => path.join(folder, name)));
}

function isExecutable(file) {
  try {
    fs.accessSync(file, fs.constants.X_OK);
    return fs.statSync(file).isFile();
  } catch {
    return false;
  }
}

/**
 * CHROME_PATH, else an installed one, else, with `install` and as root on Debian, the package `chromium`, with the Vulkan
 * loader through which Node reaches its software GPU.
 * @returns {Promise<{path?: string, reason?: string}>} `path`, or the reason why there is none and how to get one
 */
export async function findBrowser({ install = false, env = process.env } = {}) {
  if (env.CHROME_PATH) {
    return isExecutable(env.CHROME_PATH) ? { path: env.CHROME_PATH } : { reason: `CHROME_PATH is ${env.CHROME_PATH}, where there is no program; correct it or unset it.` };
  }
  const found = () => usualPlaces(env).find(isExecutable);
  const path = found();
  if (path) return { path };
  if (!install) return { reason: `no Chrome or Chromium was found: ${HOW}.` };
  if (process.getuid?.() !== 0 || !fs.existsSync('/usr/bin/apt-get')) {
    return { reason: `no Chrome or Chromium was found: ${HOW}${fs.existsSync('/usr/bin/apt-get') ? ' (Debian: apt-get install chromium)' : ''}.` };
  }
  const options = { env: { ...env, DEBIAN_FRONTEND: 'noninteractive' } };
  await runCommand('apt-get', ['update', '-q'], options);
  const installed = await runCommand('apt-get', ['install', '-y', '-q', '--no-install-recommends', 'chromium', 'libvulkan1'], options);
  const after = found();
  if (after) return { path: after };
  const why = installed.output.trim().split('\n').at(-1) ?? '';
  return { reason: `no Chrome or Chromium was found and apt-get install chromium did not work (${why}): ${HOW}.` };
}
