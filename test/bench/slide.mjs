/**
 * Megapixels a second over a slide's tiles: our engine, stock tfjs and onnxruntime-web on the same tiles of the same model
 * in one browser, in turns. By hand, from the repository's folder:
 *
 *   node --import ./test/generators/typescript.mjs test/bench/slide.mjs [--side 1024] [--rounds 3] [--backends wasm,webgpu] [--model nuclei-unet] [--report FILE]
 *
 * The tiles are those of our plan, so that pixels in their overlaps count once for all; stock engines get them cut and
 * normalised before the clock starts. `whole` is our run from the picture to the mask, which the others have no word for.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { histologyRegion, histologySlide } from '../../src/phantoms/histology.ts';
import { launchBrowser } from './browser.mjs';
import { bundlePages, SLIDE_ENTRIES } from './bundle.mjs';
import { startServer } from './server.mjs';

const ROOT = path.resolve(import.meta.dirname, '../..');
const PAGES = path.join(ROOT, '.cache/bench', String(process.pid));
const { values } = parseArgs({ options: {
  side: { type: 'string', default: '1024' }, rounds: { type: 'string', default: '3' }, backends: { type: 'string', default: 'wasm' }, model: { type: 'string', default: 'nuclei-unet' }, report: { type: 'string' },
} });
const side = Number(values.side);
const say = line => process.stderr.write(`${line}\n`);

async function openPage(browser, origin, entry) {
  const page = await (await browser.newContext()).newPage();
  page.setDefaultTimeout(600_000);
  page.on('pageerror', error => say(`  [${entry}] ${error.message}`));
  await page.goto(`${origin}/${entry}.html`);
  await page.waitForFunction(() => window.slide || window.makeSlide);
  return page;
}

await bundlePages(PAGES, SLIDE_ENTRIES);
const model = path.join(ROOT, 'models', values.model);
const server = await startServer({
  '/pages/': PAGES, '/model/': model,
  '/tfjs-wasm/': path.join(ROOT, 'node_modules/@tensorflow/tfjs-backend-wasm/dist'), '/ort/': path.join(ROOT, 'node_modules/onnxruntime-web/dist'),
});
const { browser, version, adapter, software } = await launchBrowser(server.origin);
try {
  // From the middle of a slide of 40,000 × 40,000: tissue.
  const { rgb } = histologyRegion(histologySlide({ seed: 3, width: 40_000, height: 40_000 }), 1, 20_000, 20_000, side, side);
  await fetch(`${server.origin}/made/slide/region.bin`, { method: 'PUT', body: rgb });
  await fetch(`${server.origin}/made/slide/region.json`, { method: 'PUT', body: JSON.stringify({ columns: side, rows: side }) });
  const maker = await openPage(browser, server.origin, 'slide-make');
  const made = await maker.evaluate(() => window.makeSlide());
  await maker.context().close();
  say(`${side} × ${side} pixels in ${made.tiles} tiles of ${made.shape.join(' × ')}`);
  const contenders = [];
  for (const backend of values.backends.split(',')) {
    for (const engine of ['overread', 'tfjs', 'onnxruntime']) {
      const page = await openPage(browser, server.origin, `slide-${engine}`);
      const contender = { engine, backend, page, network: [], whole: [] };
      try {
        contender.device = await page.evaluate(b => window.slide.open(b), backend);
        say(`${engine} ${backend} (${contender.device}) is open`);
      } catch (error) {
        contender.error = error.message.split('\n')[0];
        say(`${engine} ${backend}: ${contender.error}`);
      }
      contenders.push(contender);
    }
  }
  for (let round = 0; round < Number(values.rounds); round++) {
    for (let i = 0; i < contenders.length; i++) {
      const contender = contenders[(i + round) % contenders.length];
      if (contender.error) continue;
      const passed = await contender.page.evaluate(() => window.slide.network());
      contender.network.push(passed.ms);
      contender.sum = passed.sum;
      if (contender.engine === 'overread') contender.whole.push((await contender.page.evaluate(() => window.slide.whole())).ms);
    }
    say(`round ${round + 1} of ${values.rounds}`);
  }
  const speed = ms => ms.length && { min: rate(Math.max(...ms)), median: rate(median(ms)), max: rate(Math.min(...ms)) };
  const rows = contenders.map(({ engine, backend, device, error, network, whole, sum }) => ({
    engine, backend, ...(error ? { error } : { device, sumOfOutputs: sum, megapixelsPerSecond: speed(network), ...(whole.length && { wholeMegapixelsPerSecond: speed(whole) }) }),
  }));
  for (const row of rows) console.log(JSON.stringify(row));
  if (values.report) {
    const machine = { cpu: os.cpus()[0]?.model ?? 'unknown', cores: os.cpus().length, memoryBytes: os.totalmem(), load: os.loadavg()[0] };
    const { version: modelVersion } = JSON.parse(readFileSync(path.join(model, 'manifest.json'), 'utf8'));
    mkdirSync(path.dirname(path.resolve(values.report)), { recursive: true });
    writeFileSync(values.report, `${JSON.stringify({ at: new Date().toISOString(), machine, browser: version, adapter, software, model: `${values.model} ${modelVersion}`, side, ...made, rounds: Number(values.rounds), rows }, undefined, 2)}\n`);
  }
} finally {
  await browser.close();
  server.close();
  rmSync(PAGES, { recursive: true, force: true });
}

function rate(ms) {
  return Number(((side * side) / 1e6 / (ms / 1000)).toFixed(4));
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
