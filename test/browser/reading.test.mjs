/** Reading a chest study over the embedded store. */
import { test } from 'node:test';
import { openBrowser, serve, temporaryFolder } from './harness.mjs';
import { readTruth } from './main-job.mjs';
import { readingJob } from './reading-job.mjs';
import { readingStudies } from './reading-studies.mjs';

test('a chest study is read from both views, over the embedded store', async t => {
  const store = temporaryFolder('reading');
  const studies = readingStudies(store);
  const server = await serve(['--store', store]);
  const window = await openBrowser(server.origin);
  try {
    await readingJob(t, { page: window.page, seen: window.seen, origin: server.origin, truth: readTruth(store), studies: await studies(server.origin), name: 'reading', compare: true });
  } finally {
    await window.close();
    await server.stop();
  }
});
