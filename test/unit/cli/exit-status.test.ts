/** The built command as a shell calls it; `npm test` builds it first. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

const ROOT = path.join(__dirname, '../../..');
const CLI = path.join(ROOT, 'dist/cli/main.mjs');
const built = fs.existsSync(CLI);
if (!built) console.warn(`Skipped: ${CLI} is not built (npm run build).`);

function overread(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [CLI, ...args], { encoding: 'utf8', cwd: ROOT });
  return { status, stdout, stderr: stderr.trim().split('\n') };
}
const MODEL = ['--model', 'tiny-bright', '--models', 'test/fixtures', '--backend', 'wasm'];

(built ? describe : describe.skip)('the command overread', () => {
  test('says its version and its commands', () => {
    const { version } = JSON.parse(fs.readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as { version: string };
    expect(overread('--version')).toMatchObject({ status: 0, stdout: `${version}\n` });
    const { status, stdout } = overread('--help');
    expect(status).toBe(0);
    for (const command of ['serve', 'infer', 'eval', 'models', 'demo', 'dicomize', 'bench']) expect(stdout).toMatch(new RegExp(`^  ${command}\\b`, 'm'));
  });

  test.each([
    ['a flag that is not there', ['infer', '--nonsense']],
    ['a missing required option', ['infer', 'x.png']],
    ['a backend that is not there', ['infer', '--model', 'x', '--backend', 'cuda', 'x.png']],
    ['a command that is not there', ['diagnose']],
  ])('%s is a usage error: 1, and nothing on stdout', (_, args) => {
    const { status, stdout, stderr } = overread(...args);
    expect(status).toBe(1);
    expect(stdout).toBe('');
    expect(stderr.join('\n')).toContain('error:');
  });

  test('a model that is not there gets one line and 1', () => {
    const { status, stdout, stderr } = overread('infer', '--model', 'nothing', '--models', 'test/fixtures', 'x.png');
    expect(status).toBe(1);
    expect(stdout).toBe('');
    expect(stderr).toHaveLength(1);
    expect(stderr[0]).toMatch(/^overread: .*tiny-bright.*\[model\/not-found\]$/);
  });

  test('an input that is refused gives 2, and stdout is JSON alone', () => {
    const { status, stdout } = overread('infer', ...MODEL, '--json', 'package.json');
    expect(status).toBe(2);
    expect(JSON.parse(stdout)).toMatchObject([{ sources: [{ file: 'package.json' }], error: { code: 'input/unreadable' } }]);
  });
});
