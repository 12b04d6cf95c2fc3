/** Cohorts over a real Orthanc. 2,000 studies of it, and workers over a real Redis that die, are in test/bench/cohort. */
import { test } from 'node:test';
import { killedCohort, sendStudies } from './cohort-job.mjs';
import { startOrthanc } from './orthanc.mjs';

test('a cohort that is killed twice is whole after the third start, each study once, though one vanished on the way', async t => {
  const orthanc = await startOrthanc();
  if (orthanc.skipped) return t.skip(orthanc.skipped);
  try {
    await killedCohort(orthanc, await sendStudies(orthanc, 24));
  } finally {
    await orthanc.stop();
  }
});
