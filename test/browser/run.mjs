/**
 * Runs the browser tests one file after the other in real Chromium with WebGPU on SwiftShader, and closes with one line
 * `browser: N passed, N failed, N skipped`. Without a browser every test is reported as skipped, with how to get one.
 *
 *   node test/browser/run.mjs [--only WORD] [--ohif VERSION]   runs the files whose name holds WORD, in another version of the viewer
 */
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { findBrowser } from '../../src/cli/setup/browser.mjs';

const HERE = import.meta.dirname;
const option = name => (process.argv.includes(name) ? process.argv[process.argv.indexOf(name) + 1] : '');
const only = option('--only');
if (option('--ohif')) process.env.OVERREAD_OHIF = option('--ohif');
const files = [...list(HERE), ...list(path.join(HERE, '../pacs'))].filter(f => path.basename(f).includes(only));

const browser = await findBrowser({ install: true });
if (!browser.path) {
  console.log(`The browser tests are skipped: ${browser.reason}`);
  console.log(`browser: 0 passed, 0 failed, ${files.length} skipped`);
  process.exit(0);
}
console.log(`browser tests in ${browser.path}`);

const counts = { passed: 0, failed: 0, skipped: 0 };
process.env.OVERREAD_BROWSER = browser.path;
const stream = run({ files, concurrency: 1, timeout: 15 * 60_000 });
const leaf = event => event.details?.type !== 'suite' && !event.file?.endsWith(event.name);
stream.on('test:pass', event => { if (leaf(event)) event.skip !== undefined ? counts.skipped++ : counts.passed++; });
stream.on('test:fail', event => { if (leaf(event)) counts.failed++; });
stream.compose(spec).pipe(process.stdout);
stream.on('end', () => {
  setTimeout(() => {
    console.log(`browser: ${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
    process.exit(counts.failed > 0 || counts.passed + counts.skipped === 0 ? 1 : 0);
  }, 200);
});

function list(folder) {
  return readdirSync(folder).filter(f => f.endsWith('.test.mjs')).sort().map(f => path.join(folder, f));
}
