/**
 * Whole passes over generated slides that are mostly glass, served by the embedded store and by Orthanc: peak memory
 * against the slide's size, Cancel and --resume, and whether the stores' masks are equal. By hand, after a build, from the repository's folder:
 *
 *   node --import ./test/generators/typescript.mjs test/bench/slide-stores.mjs [--sizes 4000,40000] [--stores embedded,orthanc] [--json FILE]
 *
 * Every pass is `overread infer http…/studies/UID/series/UID` as a user runs it, a process of its own, whose peak resident
 * memory counts all that it did. The first pass over the largest slide is stopped by Ctrl-C at half of its tiles and
 * goes on by --resume. Slides are made tile by tile into `.cache/slides` and kept there.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { DemoOutput } from '../../src/cli/demo/output.ts';
import { writeSlideStudy } from '../../src/cli/demo/slide.ts';
import { slidesAmong } from '../../src/cli/slide-inputs.ts';
import { ROOT, serve, temporaryFolder } from '../browser/harness.mjs';
import { PASSWORD, startOrthanc, upload, USER } from '../pacs/orthanc.mjs';

const { values } = parseArgs({ options: {
  sizes: { type: 'string', default: '4000,40000' }, stores: { type: 'string', default: 'embedded,orthanc' }, model: { type: 'string', default: 'nuclei-unet' },
  json: { type: 'string' }, slides: { type: 'string', default: '.cache/slides' },
} });
const say = line => process.stderr.write(`${line}\n`);

/** Biopsies: on the large slide they are half a percent of it. */
function piecesOn(size) {
  if (size < 10_000) return [{ x: 0.375 * size, y: 0.35 * size, radius: 0.175 * size }, { x: 0.725 * size, y: 0.7 * size, radius: 0.1125 * size }];
  return [{ x: 0.225 * size, y: 0.3 * size, radius: 1000 }, { x: 0.575 * size, y: 0.475 * size, radius: 900 }, { x: 0.7875 * size, y: 0.7625 * size, radius: 700 }];
}

async function slideOf(size) {
  const folder = path.resolve(values.slides, `biopsies-${size}`);
  if (!fs.existsSync(path.join(folder, 'truth'))) {
    say(`making a slide of ${size} × ${size} pixels`);
    await writeSlideStudy(new DemoOutput(folder, 1, `biopsies ${size}`), size, piecesOn(size));
  }
  const { slides: [reading] } = await slidesAmong(fs.readdirSync(path.join(folder, 'slide')).map(name => path.join(folder, 'slide', name)));
  const { instances: [header], close } = await reading.open();
  await close();
  return { folder, address: `studies/${header['0020000D'].Value[0]}/series/${header['0020000E'].Value[0]}` };
}

/** Where the slide is served. @returns undefined where the store is not there */
async function store(name, folder) {
  if (name === 'embedded') {
    const server = await serve(['--store', folder]);
    return { url: `${server.origin}/dicom-web`, stop: server.stop };
  }
  const orthanc = await startOrthanc();
  if (orthanc.skipped) return void say(`${name}: ${orthanc.skipped}`);
  await upload(orthanc, path.join(folder, 'slide'));
  return { url: orthanc.url, auth: `${USER}:${PASSWORD}`, stop: orthanc.stop };
}

/** One process. @param stopAt part of the tiles after which it gets Ctrl-C */
function infer(url, auth, out, { resume = false, stopAt = 1 } = {}) {
  const peak = path.join(out, `peak-${process.hrtime.bigint()}`);
  const hook = `data:text/javascript,import fs from 'node:fs';process.on('exit',()=>fs.writeFileSync(${JSON.stringify(peak)},String(process.resourceUsage().maxRSS*1024)))`;
  const args = ['--import', hook.replaceAll(' ', '%20'), path.join(ROOT, 'dist/cli/main.mjs'), 'infer', '--model', values.model, '--backend', 'wasm', '--json', '--out', out, ...(resume ? ['--resume'] : []), url];
  return new Promise((resolve, reject) => {
    const start = performance.now();
    const child = spawn(process.execPath, args, { env: { ...process.env, ...(auth && { OVERREAD_DICOMWEB_AUTH: auth }) } });
    let [json, log, stopped, said] = ['', '', false, 0];
    child.stdout.on('data', data => (json += data));
    child.stderr.on('data', data => {
      log += data;
      const [, done, all] = [...log.matchAll(/(\d+)\/(\d+) tiles/g)].at(-1) ?? [];
      if (done && Number(done) - said >= 50) say(`  ${(said = Number(done))} of ${all} tiles`);
      if (done && !stopped && Number(done) >= stopAt * Number(all) && stopAt < 1) stopped = child.kill('SIGINT');
    });
    child.on('error', reject);
    child.on('exit', status => {
      const seconds = (performance.now() - start) / 1000;
      if (status !== (stopAt < 1 ? 130 : 0)) return reject(new Error(`overread infer ended with ${status}:\n${log}`));
      resolve({ seconds, peakBytes: Number(fs.readFileSync(peak, 'utf8')), ...(json && { entry: JSON.parse(json)[0] }) });
    });
  });
}

const rows = [];
const sizes = values.sizes.split(',').map(Number);
for (const size of sizes) {
  const { folder, address } = await slideOf(size);
  for (const [i, name] of values.stores.split(',').entries()) {
    const at = await store(name, folder);
    if (!at) continue;
    const url = `${at.url}/${address}`;
    const out = temporaryFolder('slide-stores');
    try {
      const stops = size === Math.max(...sizes) && i === 0;
      const first = await infer(url, at.auth, out, stops ? { stopAt: 0.5 } : {});
      const last = stops ? await infer(url, at.auth, out, { resume: true }) : first;
      const { result: { file, segments, slide }, backend } = last.entry;
      const seconds = first.seconds + (stops ? last.seconds : 0);
      const read = slide.tiles - slide.glass.tiles - slide.unread.length;
      const pixels = size * size - slide.glass.pixels;
      rows.push({
        size, store: name, backend, tiles: slide.tiles, glass: slide.glass.tiles, read, unread: slide.unread.length, ...(stops && { stoppedByCtrlC: true, resumed: slide.resumed }),
        readMegapixels: pixels / 1e6, seconds, readMegapixelsPerSecond: pixels / 1e6 / seconds, peakBytes: Math.max(first.peakBytes, last.peakBytes), nucleusPixels: segments[0].pixels,
        maskBytes: fs.statSync(file).size, maskSha256: createHash('sha256').update(fs.readFileSync(file)).digest('hex'), glassRule: slide.glass.reason,
      });
      console.log(JSON.stringify(rows.at(-1)));
    } finally {
      await at.stop();
    }
  }
}
const peaks = size => rows.filter(row => row.size === size).map(({ peakBytes }) => peakBytes);
const report = { peakRatio: Math.max(...peaks(Math.max(...sizes))) / Math.min(...peaks(Math.min(...sizes))), masksEqual: sizes.map(size => new Set(rows.filter(row => row.size === size).map(({ maskSha256 }) => maskSha256)).size === 1) };
console.log(JSON.stringify(report));
if (values.json) {
  const machine = { cpu: os.cpus()[0]?.model ?? 'unknown', cores: os.cpus().length, memoryBytes: os.totalmem(), node: process.version, load: os.loadavg()[0] };
  fs.writeFileSync(values.json, `${JSON.stringify({ at: new Date().toISOString(), machine, model: values.model, rows, ...report }, undefined, 2)}\n`);
}
process.exit(0);
