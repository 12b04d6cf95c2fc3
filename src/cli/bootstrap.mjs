/**
 * What `npm start`, `npm test`, `npm run build` and `npm run bench` do, on a machine with node 20 and npm and nothing
 * else: each installs and builds what is missing first.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { build, buildPackage, ensureBuilt, ensurePackages } from './setup/build.mjs';
import { findBrowser } from './setup/browser.mjs';
import { fetchOhif, OHIF_VERSION, ohifDist } from './setup/ohif.mjs';
import { runCommand, SetupError, step } from './setup/steps.mjs';

const root = path.resolve(import.meta.dirname, '../..');
const [command, ...args] = process.argv.slice(2);

const commands = {
  async start() {
    await prepare(['cli', 'plugin']);
    await viewer();
    await overread('serve', args);
  },

  async build() {
    await ensurePackages(root);
    const mode = args.includes('development') || args.includes('--mode=development') ? 'development' : 'production';
    await build(root, ['cli', 'plugin'], mode);
    await buildPackage(root);
  },

  async bench() {
    await prepare(['cli', 'plugin']);
    await overread('bench', args);
  },

  async test() {
    const total = { passed: 0, failed: 0, skipped: 0 };
    const add = (counts) => Object.keys(total).forEach((key) => (total[key] += counts[key]));
    try {
      await ensurePackages(root);
      add(await check('Type check', 'npm', ['run', '--silent', 'typecheck']));
      add(await check('Lint and import fences', 'npm', ['run', '--silent', 'lint']));
      add(await check('Build', process.execPath, [path.join(root, 'src/cli/bootstrap.mjs'), 'ensure-built']));
      // Before the unit tests: the software GPU that some of them run on comes with it.
      await findBrowser({ install: true });
      add(await unitTests());
      add(await browserTests());
    } catch (error) {
      report(error);
      total.failed++;
    }
    console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
    process.exitCode = total.failed ? 1 : 0;
  },

  /** Used by `test`, which counts the build as one of its checks. */
  async 'ensure-built'() {
    await ensureBuilt(root, ['cli', 'plugin']);
  },
};

async function prepare(bundles) {
  await ensurePackages(root);
  await ensureBuilt(root, bundles);
}

async function viewer() {
  if (!ohifDist(root)) await step(`Fetched the OHIF viewer ${OHIF_VERSION}`, () => fetchOhif(root));
}

/** Hands over to the command line, in this process. */
async function overread(...words) {
  process.argv.splice(2, Infinity, ...words.flat());
  await import(pathToFileURL(path.join(root, 'dist/cli/main.mjs')).href);
}

/** A check counts as one test. */
async function check(name, program, words) {
  const { status, output } = await step(name, () => runCommand(program, words, { cwd: root }));
  if (status !== 0) console.log(`${output.trim()}\n${name}: failed`);
  return status === 0 ? { passed: 1, failed: 0, skipped: 0 } : { passed: 0, failed: 1, skipped: 0 };
}

async function unitTests() {
  const report = path.join(os.tmpdir(), `overread-jest-${process.pid}.json`);
  const jest = [path.join(root, 'node_modules/jest/bin/jest.js'), '--json', `--outputFile=${report}`];
  const { status, output } = await step('Unit, property and golden tests', () => runCommand(process.execPath, jest, { cwd: root }));
  try {
    const result = JSON.parse(fs.readFileSync(report, 'utf8'));
    const failed = result.numFailedTests + result.numRuntimeErrorTestSuites;
    if (failed || status) console.log(result.testResults.filter((t) => t.status === 'failed').map((t) => t.message).join('\n'));
    skipReasons(result);
    return { passed: result.numPassedTests, failed: failed || (status ? 1 : 0), skipped: result.numPendingTests + result.numTodoTests };
  } catch {
    console.log(output.trim());
    return { passed: 0, failed: 1, skipped: 0 };
  } finally {
    fs.rmSync(report, { force: true });
  }
}

/** A line a file: what was skipped is never silent, and never a hundred lines. */
function skipReasons({ testResults }) {
  for (const { name, assertionResults } of testResults) {
    const skipped = assertionResults.filter((t) => t.status === 'pending').map((t) => t.fullName);
    if (skipped.length) console.log(`  skipped: ${skipped.length} in ${path.relative(root, name)} (${skipped[0]}${skipped.length > 1 ? ', …' : ''})`);
  }
}

async function browserTests() {
  const runner = path.join(root, 'test/browser/run.mjs');
  if (!fs.existsSync(runner)) return { passed: 0, failed: 0, skipped: 0 };
  await viewer();
  const { status, output } = await step('Browser tests', () => runCommand(process.execPath, [runner], { cwd: root }));
  const line = /^browser: (\d+) passed, (\d+) failed, (\d+) skipped$/m.exec(output);
  console.log(output.trim());
  if (!line) return { passed: 0, failed: 1, skipped: 0 };
  const [passed, failed, skipped] = line.slice(1).map(Number);
  return { passed, failed: failed || (status ? 1 : 0), skipped };
}

function report(error) {
  console.error(error instanceof SetupError ? `overread: ${error.message}` : error);
}

if (!Object.hasOwn(commands, command ?? '')) {
  console.error(`overread: expected start, test, build or bench, got '${command ?? ''}'.`);
  process.exit(1);
}
const [major] = process.versions.node.split('.').map(Number);
if (major < 20) {
  console.error(`overread: expected Node 20 or newer, got ${process.version}. See https://nodejs.org.`);
  process.exit(1);
}
try {
  await commands[command]();
} catch (error) {
  report(error);
  process.exitCode = 1;
}
