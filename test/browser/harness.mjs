/** What every browser test needs: a server of ours on a free port, a Chromium with WebGPU, and words for OHIF. */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { chromium } from 'playwright-core';

export const ROOT = path.resolve(import.meta.dirname, '../..');
export const SHARED = path.resolve(ROOT, '../shared');
export const SCREENSHOTS = path.join(ROOT, '.cache/screenshots');

/** No GPU here: WebGPU on SwiftShader, and nothing that looks for a network. */
const FLAGS = [
  '--no-sandbox', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--no-first-run',
  '--disable-quic', '--use-gl=angle', '--use-angle=swiftshader', '--enable-unsafe-swiftshader',
];
const WEBGPU = ['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader'];

export function temporaryFolder(name) {
  const folder = mkdtempSync(path.join(tmpdir(), `overread-${name}-`));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer().on('error', reject).listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

/** Starts a process and waits for a line on its output; its end before that line is the error. */
export function startProcess(command, args, ready, { timeoutMs = 120_000, ...options } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
    let log = '';
    const timer = setTimeout(() => { child.kill(); reject(new Error(`${command} ${args.join(' ')} gave no "${ready}" in ${timeoutMs} ms:\n${log}`)); }, timeoutMs);
    const onData = data => {
      log += data;
      if (log.includes(ready)) { clearTimeout(timer); resolve({ child, log: () => log, stop: () => stop(child) }); }
    };
    child.stdout.on('data', onData);
    child.stderr.on('data', onData);
    child.on('error', reject);
    child.on('exit', code => { clearTimeout(timer); reject(new Error(`${command} ended with ${code}:\n${log}`)); });
    process.on('exit', () => child.kill('SIGKILL'));
  });
}

function stop(child) {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise(resolve => { child.on('exit', resolve); child.kill('SIGTERM'); setTimeout(() => child.kill('SIGKILL'), 5000).unref(); });
}

/** `overread serve` as a user runs it, on a free port; `--software-gpu` because there is no other here. OVERREAD_OHIF is another version of the viewer. */
export async function serve(args = [], { softwareGpu = true } = {}) {
  const port = await freePort();
  const all = ['serve', '--port', String(port), ...(softwareGpu ? ['--software-gpu'] : []), ...(process.env.OVERREAD_OHIF ? ['--ohif', process.env.OVERREAD_OHIF] : []), ...args];
  const server = await startProcess(process.execPath, [path.join(ROOT, 'dist/cli/main.mjs'), ...all], 'http://localhost:');
  return { ...server, port, origin: `http://localhost:${port}` };
}

/** A page that collects what must not happen: page errors, policy violations, requests to other origins. */
export async function openBrowser(origin, { webgpu = true, width = 1600, height = 900 } = {}) {
  const browser = await chromium.launch({ executablePath: process.env.OVERREAD_BROWSER, headless: true, args: [...FLAGS, ...(webgpu ? WEBGPU : [])] });
  const context = await browser.newContext({ viewport: { width, height } });
  // Beside the console, which does not tell of what a library tries and does without.
  await context.addInitScript(() => document.addEventListener('securitypolicyviolation', ({ effectiveDirective, blockedURI, sourceFile, lineNumber }) => {
    console.warn(`Content Security Policy: ${effectiveDirective} forbids ${blockedURI} (${sourceFile}:${lineNumber})`);
  }));
  const page = await context.newPage();
  const seen = { pageErrors: [], policy: [], external: [], console: [] };
  page.on('pageerror', e => seen.pageErrors.push(e.message));
  page.on('console', m => {
    if (m.type() === 'error') seen.console.push(m.text());
    if (/Content Security Policy/i.test(m.text())) seen.policy.push(m.text());
  });
  page.on('request', r => { if (!/^(blob|data):/.test(r.url()) && !r.url().startsWith(origin)) seen.external.push(r.url()); });
  page.setDefaultTimeout(45_000);
  return { browser, page, seen, close: () => browser.close() };
}

/** Keeps a picture for a person to look at. */
export async function screenshot(page, name) {
  mkdirSync(SCREENSHOTS, { recursive: true });
  // SwiftShader on a busy machine takes a minute for a frame.
  await page.screenshot({ path: path.join(SCREENSHOTS, `${name}.png`), timeout: 180_000 });
}

/** Waits until `n` viewports show a picture that is in the cache. */
export async function viewportsReady(page, n = 1) {
  await page.waitForFunction(count => {
    const services = window.services;
    if (!services?.cornerstoneViewportService) return false;
    let grid;
    // getState throws until OHIF's React providers have mounted.
    try { grid = services.viewportGridService.getState(); } catch { return false; }
    const viewports = [...grid.viewports.keys()].map(id => services.cornerstoneViewportService.getCornerstoneViewport(id)).filter(Boolean);
    return viewports.length >= count && viewports.every(v => v.getCurrentImageId?.() && window.cornerstone.cache.getImage(v.getCurrentImageId()));
  }, n, { timeout: 120_000 });
}

/** Opens a study in our mode by its address. */
export async function openStudy(page, origin, studyInstanceUID, viewports = 1) {
  await page.goto(`${origin}/overread?StudyInstanceUIDs=${studyInstanceUID}`);
  await viewportsReady(page, viewports);
}

export function command(page, name, options = {}) {
  return page.evaluate(([n, o]) => window.commandsManager.runCommand(n, o), [name, options]);
}

export function state(page) {
  return command(page, 'overreadState');
}

/** Waits until nothing runs and the state answers `accept`. */
export async function settled(page, accept = () => true, timeoutMs = 240_000) {
  const end = Date.now() + timeoutMs;
  let last;
  while (Date.now() < end) {
    last = await state(page);
    if (last && !last.running && accept(last)) return last;
    await page.waitForTimeout(100);
  }
  throw new Error(`The panel did not settle in ${timeoutMs} ms: ${JSON.stringify(last)}`);
}

/** Labels that OHIF's segmentation service holds for what the active viewport shows: one array a segmentation. */
export function shownLabelmaps(page) {
  return page.evaluate(() => {
    const { viewportGridService, segmentationService, cornerstoneViewportService } = window.services;
    const id = viewportGridService.getActiveViewportId();
    const imageId = cornerstoneViewportService.getCornerstoneViewport(id).getCurrentImageId();
    return segmentationService.getSegmentationRepresentations(id).map(r => {
      const segmentation = segmentationService.getSegmentation(r.segmentationId);
      const images = segmentation.representationData.Labelmap.imageIds.map(i => window.cornerstone.cache.getImage(i));
      const image = images.find(i => i.referencedImageId === imageId) ?? images[0];
      return {
        segmentationId: r.segmentationId, label: segmentation.label, visible: r.visible,
        referencedImageId: image.referencedImageId, currentImageId: imageId,
        columns: image.columns, rows: image.rows, labels: Array.from(image.voxelManager.getScalarData()),
      };
    });
  });
}

/** Dice of two masks given as arrays; two empty masks agree. */
export function dice(a, b) {
  if (a.length !== b.length) throw new Error(`Masks differ in size: ${a.length} and ${b.length} pixels.`);
  let both = 0, sum = 0;
  for (let i = 0; i < a.length; i++) { const x = a[i] > 0, y = b[i] > 0; both += x && y; sum += x + y; }
  return sum === 0 ? 1 : (2 * both) / sum;
}

/** Tests of which each stands on the one before: the first failure ends the session, with a picture. */
export function inOrder(each, name, current, onFailure = () => undefined) {
  let failed = false;
  return (title, run) => each(title, async t => {
    if (failed) return t.skip('an earlier step failed');
    try {
      await run(t);
    } catch (error) {
      failed = true;
      await onFailure();
      await screenshot(current(), `${name}-failed`);
      throw error;
    }
  });
}
