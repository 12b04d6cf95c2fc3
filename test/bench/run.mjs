/**
 * The benchmark: `npm run bench`, or `node test/bench/run.mjs --help`. It is no test: nothing fails on a time.
 * Every engine has a page of its own in one browser, so that no two share a tfjs; warm rounds go round all of them.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { launchBrowser } from './browser.mjs';
import { bundlePages } from './bundle.mjs';
import { countMemory } from './memory.mjs';
import { parseOptions } from './options.mjs';
import { startServer } from './server.mjs';
import { describe, summarise, table } from './table.mjs';

const ROOT = path.resolve(import.meta.dirname, '../..');
const PAGES = path.join(ROOT, '.cache/bench', String(process.pid));
const ROUNDS = { real: 20, software: 2 };
const say = line => process.stderr.write(`${line}\n`);

async function main() {
  const options = parseOptions(process.argv.slice(2));
  if (!options) return 0;
  await bundlePages(PAGES);
  const server = await startServer({
    '/pages/': PAGES,
    '/tfjs-wasm/': path.join(ROOT, 'node_modules/@tensorflow/tfjs-backend-wasm/dist'),
    '/ort/': path.join(ROOT, 'node_modules/onnxruntime-web/dist'),
  });
  const { browser, version, adapter, software } = await launchBrowser(server.origin);
  try {
    const rounds = options.rounds ?? (software ? ROUNDS.software : ROUNDS.real);
    say(describe({ version, adapter, software, rounds }));
    const rows = [];
    const best = adapter === 'none' ? undefined : await ceilingsOf(browser, server.origin);
    if (best) say(`Ceilings of the adapter: copies ${(best.copyBytesPerSecond / 1e9).toFixed(1)} GB/s, matrix product ${(best.multiplyAddsPerSecond / 1e9).toFixed(1)} G multiply-adds/s`);
    const size = options.size ?? (software && !options.full ? 'small' : undefined);
    const machine = { cpu: os.cpus()[0]?.model ?? 'unknown', cores: os.cpus().length, memoryBytes: os.totalmem(), system: `${os.type()} ${os.release()}` };
    for (const network of options.networks) {
      const of = await benchNetwork(browser, server.origin, network, { ...options, size, rounds, adapter, best });
      rows.push(...of);
      for (const line of table(of)) console.log(line);
      // After each network: a run on a software adapter is long, and may be stopped.
      if (options.json) write(options.json, rows);
      if (options.report) {
        write(options.report, { at: new Date().toISOString(), machine, browser: version, adapter, software, rounds, size: size ?? 'default', ceilings: best, rows });
        if (options.plot) await drawn(options.report, options.plot);
      }
    }
    return rows.some(row => row.error === undefined) ? 0 : 1;
  } finally {
    await browser.close();
    server.close();
    rmSync(PAGES, { recursive: true, force: true });
  }
}

async function benchNetwork(browser, origin, network, { engines, backends, rounds, size, adapter, best }) {
  const maker = await openPage(browser, origin, 'make');
  const made = await maker.evaluate(([n, s]) => window.make(n, s), [network, size]);
  await maker.context().close();
  say(`${network}: ${made.batch > 1 ? `${made.batch} of ` : ''}${made.stream > 1 ? `a stream of ${made.stream} of ` : ''}${made.shape.join(' × ')}, ${made.parameters.toLocaleString('en')} parameters`);

  const contenders = [];
  for (const backend of backends) {
    for (const engine of engines) {
      const contender = { network, engine, backend, warm: [] };
      contenders.push(contender);
      if (backend === 'webgpu' && adapter === 'none') {
        contender.error = 'this browser has no WebGPU';
        continue;
      }
      await attempt(contender, async () => {
        contender.page = await openPage(browser, origin, engine);
        contender.cold = await contender.page.evaluate(([n, b]) => window.bench.cold(n, b), [network, backend]);
        say(`  ${engine} ${backend} (${contender.cold.device}): cold ${Math.round(contender.cold.ms)} ms`);
      });
    }
  }
  for (let round = 0; round < rounds; round++) {
    // Each round starts with another engine, so that none is always the one after a slow one.
    for (let i = 0; i < contenders.length; i++) {
      const contender = contenders[(i + round) % contenders.length];
      if (contender.error) continue;
      await attempt(contender, async () => contender.warm.push(await contender.page.evaluate(() => window.bench.warm())));
    }
    say(`  round ${round + 1} of ${rounds}`);
  }
  for (const contender of contenders) {
    if (!contender.error) contender.peakBytes = await contender.page.evaluate(() => globalThis.peakBytes());
    await contender.page?.context().close();
  }
  return summarise(contenders, made, best);
}

async function ceilingsOf(browser, origin) {
  const page = await openPage(browser, origin, 'ceilings');
  try {
    return await page.evaluate(() => window.ceilings());
  } finally {
    await page.context().close();
  }
}

/** By a process of its own: the plot is TypeScript. */
async function drawn(report, plot) {
  const { execFileSync } = await import('node:child_process');
  execFileSync(process.execPath, ['--import', path.join(ROOT, 'test/generators/typescript.mjs'), path.join(import.meta.dirname, 'plot.ts'), report, plot], { stdio: 'inherit' });
}

/** An engine that fails is reported as such, and the others go on. */
async function attempt(contender, work) {
  try {
    await work();
  } catch (error) {
    contender.error = error.message.split('\n')[0];
    say(`  ${contender.engine} ${contender.backend} failed: ${contender.error}`);
  }
}

async function openPage(browser, origin, entry) {
  const context = await browser.newContext();
  const page = await context.newPage();
  page.on('pageerror', error => say(`  [${entry}] ${error.message}`));
  await page.addInitScript(countMemory);
  await page.goto(`${origin}/${entry}.html`);
  await page.waitForFunction(() => window.bench || window.make || window.ceilings);
  return page;
}

function write(file, value) {
  mkdirSync(path.dirname(path.resolve(file)), { recursive: true });
  writeFileSync(file, `${JSON.stringify(value, undefined, 2)}\n`);
  say(`Wrote ${file}`);
}

try {
  process.exitCode = await main();
} catch (error) {
  say(`bench: ${error.message}`);
  process.exitCode = 1;
}
