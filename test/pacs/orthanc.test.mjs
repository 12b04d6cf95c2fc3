/** The main job over a real Orthanc with its DICOMweb plugin, passwords on. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { test } from 'node:test';
import { openBrowser, ROOT, serve, temporaryFolder } from '../browser/harness.mjs';
import { mainJob, readTruth } from '../browser/main-job.mjs';
import { readingJob } from '../browser/reading-job.mjs';
import { readingStudies } from '../browser/reading-studies.mjs';
import { PASSWORD, startOrthanc, upload, USER } from './orthanc.mjs';
import { slideStoreJob } from '../browser/slide-store-job.mjs';
import { derived, storeJob, storeStudies } from '../browser/store-job.mjs';
import { slideJob } from './slide-job.mjs';

test('the main job over Orthanc', async t => {
  const orthanc = await startOrthanc();
  if (orthanc.skipped) return t.skip(orthanc.skipped);
  const demo = temporaryFolder('demo');
  const made = spawnSync(process.execPath, [path.join(ROOT, 'dist/cli/main.mjs'), 'demo', '--small', '--out', demo], { encoding: 'utf8' });
  assert.equal(made.status, 0, made.stderr);
  await upload(orthanc, demo);
  const server = await serve(['--dicomweb', orthanc.url, '--dicomweb-auth', `${USER}:${PASSWORD}`]);
  const window = await openBrowser(server.origin);
  try {
    await mainJob(t, { page: window.page, seen: window.seen, origin: server.origin, truth: readTruth(demo), name: 'orthanc' });
    await t.test('a slide frame by frame', () => slideJob({ demo, url: orthanc.url, auth: `${USER}:${PASSWORD}` }));
  } finally {
    await window.close();
    await server.stop();
    await orthanc.stop();
  }
});

test('a chest study is read from both views, over Orthanc', async t => {
  const orthanc = await startOrthanc();
  if (orthanc.skipped) return t.skip(orthanc.skipped);
  const demo = temporaryFolder('reading');
  const studies = readingStudies(demo);
  await upload(orthanc, demo);
  const server = await serve(['--dicomweb', orthanc.url, '--dicomweb-auth', `${USER}:${PASSWORD}`]);
  const window = await openBrowser(server.origin);
  try {
    await readingJob(t, { page: window.page, seen: window.seen, origin: server.origin, truth: readTruth(demo), studies: await studies(server.origin), name: 'reading-orthanc' });
  } finally {
    await window.close();
    await server.stop();
    await orthanc.stop();
  }
});

test('results go to Orthanc and come back', async t => {
  const orthanc = await startOrthanc();
  if (orthanc.skipped) return t.skip(orthanc.skipped);
  const { studies, models, frontal, cells, slide } = storeStudies();
  await upload(orthanc, studies);
  const server = await serve(['--dicomweb', orthanc.url, '--dicomweb-auth', `${USER}:${PASSWORD}`, '--models', models], { softwareGpu: false });
  const window = await openBrowser(server.origin, { webgpu: false });
  try {
    await storeJob(t, { ...window, origin: server.origin, frontal, cells, name: 'store-orthanc' });
    await t.test('a mask and a count of a slide too', () => slideStoreJob(t, {
      ...window, origin: server.origin, studyInstanceUID: slide, name: 'store-orthanc', masks: 'tiny-dark', counts: 'tiny-count', derived: study => derived(window.page, server.origin, study),
    }));
  } finally {
    await window.close();
    await server.stop();
    await orthanc.stop();
  }
});
