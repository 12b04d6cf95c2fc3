/** The recipe of docs/deployment as it is written: a static site under a sub-path behind nginx, over Orthanc, with the strict policy; upgrade and roll-back. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { dice, freePort, openBrowser, openStudy, ROOT, screenshot, startProcess, temporaryFolder } from '../browser/harness.mjs';
import { masksShown, readTruth, runByPanel, show } from '../browser/main-job.mjs';
import { installOrthanc, upload } from './orthanc.mjs';

const SCRIPT = path.join(ROOT, 'docs/deployment/site.sh');

test('stock OHIF as static files behind nginx under a sub-path, over Orthanc', async t => {
  const missing = installOrthanc(['nginx-light'], () => spawnSync('nginx', ['-v']).status === 0);
  if (missing) return t.skip(missing);
  const demo = temporaryFolder('demo');
  const made = spawnSync(process.execPath, [path.join(ROOT, 'dist/cli/main.mjs'), 'demo', '--small', '--out', demo], { encoding: 'utf8' });
  assert.equal(made.status, 0, made.stderr);
  const { frontal } = readTruth(demo);
  const folder = temporaryFolder('site');
  const settings = path.join(folder, 'overread.json');
  writeFileSync(settings, JSON.stringify({ defaultModel: 'lung-unet', store: { results: ['labelmap'] } }));
  const [port, orthancPort] = [await freePort(), await freePort()];
  const env = { ...process.env, PORT: String(port), ORTHANC_PORT: String(orthancPort), BASE: '/hospital/viewer/', SETTINGS: settings, OVERREAD: `${process.execPath} ${path.join(ROOT, 'dist/cli/main.mjs')}` };
  const server = await startProcess('sh', [SCRIPT, 'up', folder], 'Overread is at', { env });
  const origin = `http://127.0.0.1:${port}`;
  const window = await openBrowser(origin, { webgpu: false });
  const { page, seen } = window;
  try {
    const password = readFileSync(path.join(folder, 'password'), 'utf8');
    await upload({ origin: `http://127.0.0.1:${orthancPort}`, authorization: `Basic ${btoa(`overread:${password}`)}` }, path.join(demo, 'chest'));
    await openStudy(page, `${origin}/hospital/viewer`, frontal.studyInstanceUID);
    await show(page, frontal.seriesInstanceUID);
    const ran = await runByPanel(page, 'lung-unet');
    assert.equal(ran.lastError, null, ran.lastError?.message);
    const [mask] = await masksShown(page, 1);
    assert.ok(dice(mask.labels, frontal.mask) >= 0.85);
    await page.locator('[data-overread="store"]').first().click();
    await page.locator('[data-overread="store-row"][data-status="stored"]').first().waitFor({ timeout: 60_000 });
    await screenshot(page, 'site');
    assert.equal(await page.evaluate(() => window.crossOriginIsolated), true);
    assert.deepEqual([seen.pageErrors, seen.policy, seen.external], [[], [], []]);
    // nginx's own log has no search in it.
    assert.doesNotMatch(readFileSync(path.join(folder, 'run/access.log'), 'utf8'), /\?/);
    await t.test('a release is switched to, and back', () => {
      const first = readlinkSync(path.join(folder, 'current'));
      // What it writes was seen above; here it is the switch that counts.
      const next = path.join(folder, 'next.sh');
      writeFileSync(next, 'mkdir -p "$3/html" && cp "$(dirname "$3")/current/policy.conf" "$3"\n');
      execFileSync('sh', [SCRIPT, 'release', folder], { env: { ...env, OVERREAD: `sh ${next}` } });
      assert.notEqual(readlinkSync(path.join(folder, 'current')), first);
      execFileSync('sh', [SCRIPT, 'back', folder], { env });
      assert.equal(readlinkSync(path.join(folder, 'current')), first);
      assert.ok(existsSync(path.join(folder, 'www/hospital/viewer/index.html')));
    });
  } finally {
    await window.close();
    await server.stop();
  }
});
