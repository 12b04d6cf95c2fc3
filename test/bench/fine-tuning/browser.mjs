/**
 * Fine-tunes the fluorescence-only U-Net of `base.py` on stained sections in the real viewer, through its panel: labels come as a
 * zip, the panel trains, measures both models on the sections that are held back, keeps and runs the new one.
 *
 *   node test/bench/fine-tuning/browser.mjs --base FOLDER/nuclei-fluorescence --data ../shared/data [--items 21] [--steps 30] [--webgpu]
 *
 * Of 21 sections 5 are held back and 16 are learnt from. Without --webgpu it runs on WebAssembly, with it on SwiftShader, which is slower.
 * The page's frames are timed before and while it trains. Prints a JSON report.
 */
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { zipSync } from 'fflate';
import { writeStudy } from '../../browser/cell-studies.mjs';
import { openBrowser, openStudy, screenshot, serve, state, temporaryFolder } from '../../browser/harness.mjs';
import { poll, runByPanel } from '../../browser/main-job.mjs';

const { values: options } = parseArgs({ options: {
  base: { type: 'string' }, data: { type: 'string', default: '../shared/data' }, items: { type: 'string', default: '21' }, steps: { type: 'string', default: '30' },
  batch: { type: 'string', default: '3' }, patch: { type: 'string', default: '96' }, rate: { type: 'string', default: '0.002' }, webgpu: { type: 'boolean', default: false },
} });
const HOUR = 3_600_000;
const set = path.join(options.data, 'histology/open/dsb2018-he/dev');
const dataset = JSON.parse(readFileSync(path.join(set, 'dataset.json'), 'utf8'));
const items = dataset.items.filter(item => item.instances !== undefined && item.images[0].path.endsWith('.png')).slice(0, Number(options.items) + 1);
const [shown, ...labelled] = items;

const folder = temporaryFolder('fine-tuning');
const id = path.basename(options.base);
cpSync(options.base, path.join(folder, 'models', id), { recursive: true });
mkdirSync(path.join(folder, 'store'));
const [study] = writeStudy(path.join(folder, 'store'), { patientId: 'S-1', patientName: 'Section^One', pictures: [{ name: 'section', png: readFileSync(path.join(set, shown.images[0].path)), spacing: 0.0005 }] });
const zip = path.join(folder, 'labels.zip');
const named = labelled.flatMap(({ images: [{ path: picture }], instances }) => [picture, instances]);
writeFileSync(zip, zipSync({
  'dataset.json': new TextEncoder().encode(JSON.stringify({ schemaVersion: 1, name: dataset.name, licence: dataset.licence, items: labelled.map(({ id: item, patientId, images: [image], instances }) => ({ id: item, patientId, images: [{ ...image, modality: 'SM' }], instances })) })),
  ...Object.fromEntries(named.map(file => [file, new Uint8Array(readFileSync(path.join(set, file)))])),
}, { level: 0 }));

const server = await serve(['--store', path.join(folder, 'store'), '--models', path.join(folder, 'models')], { softwareGpu: options.webgpu });
const window = await openBrowser(server.origin, { webgpu: options.webgpu });
const { page } = window;
page.setDefaultTimeout(300_000);
const training = async () => (await state(page)).training;
const control = name => page.locator(`[data-overread="${name}"]`);

/** Milliseconds between frames of the page, over some seconds: [median, 95th percentile, longest]. */
const frames = seconds => page.evaluate(ms => new Promise(resolve => {
  const gaps = [];
  const start = performance.now();
  let last = start;
  const look = now => {
    gaps.push(now - last);
    last = now;
    if (now - start < ms) return requestAnimationFrame(look);
    gaps.sort((a, b) => a - b);
    resolve([0.5, 0.95, 1].map(q => gaps[Math.min(gaps.length - 1, Math.floor(q * gaps.length))]));
  };
  requestAnimationFrame(look);
}), 1000 * seconds);

try {
  await openStudy(page, server.origin, study.studyInstanceUID);
  const before = await runByPanel(page, id);
  if (before.lastError) throw new Error(before.lastError.message);
  await page.locator('[data-overread="training"] summary').click();
  await control('import-labels').setInputFiles(zip);
  await poll(async () => (await training()).labels === labelled.length, 'the labels', 300_000);
  for (const [name, value] of [['steps', options.steps], ['batch', options.batch], ['rate', options.rate], ['patch', options.patch]]) await control(`train-${name}`).fill(value);
  await control('allow-slow').check();
  const idle = await frames(5);
  const started = performance.now();
  await control('train-start').click();
  await poll(async () => (await training()).run?.step >= 2, 'two steps', HOUR);
  const busy = await frames(10);
  await poll(async () => { const { run, error } = await training(); if (error) throw new Error(error.message); return run?.phase === 'done'; }, 'its end', 2 * HOUR);
  const seconds = (performance.now() - started) / 1000;
  await control('outcome').scrollIntoViewIfNeeded();
  await screenshot(page, 'fine-tuning-report');
  await control('keep').click();
  await poll(async () => (await training()).versions.length === 1, 'the version', 60_000);
  const record = await page.evaluate(async () => {
    const database = await new Promise((resolve, reject) => Object.assign(indexedDB.open('overread-kept-models'), { onsuccess: e => resolve(e.target.result), onerror: reject }));
    const [{ manifest }] = await new Promise((resolve, reject) => Object.assign(database.transaction('models').objectStore('models').getAll(), { onsuccess: e => resolve(e.target.result), onerror: reject }));
    database.close();
    return manifest.training;
  });
  const after = await runByPanel(page, `${id}-tuned-1`);
  if (after.lastError) throw new Error(after.lastError.message);
  await screenshot(page, 'fine-tuning-mask');
  console.log(JSON.stringify({ ...record, secondsWithMeasuring: seconds, framesMs: { idle, training: busy, of: ['median', '95 %', 'longest'] } }, undefined, 1));
} finally {
  await window.close();
  await server.stop();
}
