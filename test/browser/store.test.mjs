/** Results stored in the embedded store, and brought back; what is audited of it, and that no name and no token gets anywhere else. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { auditLog } from './audit-log.mjs';
import { watchCanaries } from './canary.mjs';
import { openBrowser, serve } from './harness.mjs';
import { storeJob, storeStudies } from './store-job.mjs';

test('results go to the embedded store and come back', async t => {
  const { studies, models, frontal, cells } = storeStudies();
  const server = await serve(['--store', studies, '--models', models], { softwareGpu: false });
  const window = await openBrowser(server.origin, { webgpu: false });
  const { page } = window;
  try {
    const canaries = await watchCanaries(page, { names: ['Demo^Chest', 'Demo, Chest', 'DEMO-CHEST-1'], token: 'canary-token-5c1e' });
    const audited = await auditTo(page);
    let drafts;
    await storeJob(t, { ...window, origin: server.origin, frontal, cells, name: 'store', reload: true, onKept: async () => { drafts = await canaries.leaks(); } });
    await t.test('all of it is audited', async () => {
      const wanted = ['run', 'run', 'explain', 'run', 'verdict', 'store', 'store', 'store', 'store', 'store'];
      assert.deepEqual(audited.map(({ subtype: [{ code }] }) => code), wanted);
      assert.ok(audited.every(({ outcome, agent: [{ who }] }) => outcome === '0' && who.display === 'Reader^Rita'));
      assert.match(audited[0].entity[0].detail.map(({ type, valueString }) => `${type}=${valueString}`).join(), /model=lung-unet [\d.]+,modelSha256=[0-9a-f]{64}/);
      assert.deepEqual(audited[0].entity.map(({ what }) => what.identifier.value), [frontal.studyInstanceUID, frontal.sopInstanceUID].map(uid => `urn:oid:${uid}`));
      assert.deepEqual((await auditLog(page)).map(({ action }) => action), wanted);
    });
    await t.test('no name and no token in any log, address, storage or request beside the PACS, before it is stored and after', async () => {
      assert.ok(canaries.carried() > 10, `${canaries.carried()} requests to the PACS carried the token`);
      assert.deepEqual([drafts, await canaries.leaks()], [[], []]);
    });
  } catch (error) {
    console.log(window.seen);
    throw error;
  } finally {
    await window.close();
    await server.stop();
  }
});

/** Configures an audit endpoint as a site would, and answers for it. @returns what it got */
async function auditTo(page) {
  const got = [];
  await page.route('**/app-config.js', async route => {
    const config = await (await route.fetch()).text();
    await route.fulfill({ contentType: 'text/javascript', body: `${config}\nwindow.config.overread.audit = { endpoint: '/audit', format: 'fhir' };\n` });
  });
  await page.route('**/audit', route => {
    got.push(route.request().postDataJSON());
    return route.fulfill({ status: 201 });
  });
  return got;
}
