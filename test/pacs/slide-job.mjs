/** A slide of the PACS on the command line: the mask that its frames over DICOMweb give is the one that its files give. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { ROOT, temporaryFolder } from '../browser/harness.mjs';

/**
 * @param demo folder of the demo studies, which the PACS holds
 * @param url DICOMweb root
 * @param auth `user:password`, where the PACS asks for them
 */
export function slideJob({ demo, url, auth }) {
  const { truth } = JSON.parse(readFileSync(path.join(demo, 'truth/truth.json'), 'utf8'));
  const { studyInstanceUID, seriesInstanceUIDs: [series] } = truth.find(({ study }) => study === 'slide');
  const out = temporaryFolder('slide');
  const infer = (input, name) => {
    // The smallest level: a few tiles.
    const ran = spawnSync(process.execPath, [
      path.join(ROOT, 'dist/cli/main.mjs'), 'infer', '--model', 'nuclei-unet', '--level', '1', '--json', '--out', path.join(out, name), '--backend', 'wasm', input, ...(auth ? ['--dicomweb-auth', auth] : []),
    ], { encoding: 'utf8', maxBuffer: 2 ** 24 });
    assert.equal(ran.status, 0, ran.stderr);
    const [{ result }] = JSON.parse(ran.stdout);
    return { ...result, mask: readFileSync(result.file) };
  };
  const files = infer(path.join(demo, 'slide'), 'files');
  const web = infer(`${url}/studies/${studyInstanceUID}/series/${series}`, 'web');
  assert.deepEqual(web.slide, files.slide);
  assert.equal(web.slide.level.index, 1);
  assert.deepEqual(web.slide.unread, []);
  assert.ok(files.segments[0].pixels > 0, 'no nucleus was found');
  assert.deepEqual(web.segments, files.segments);
  assert.ok(web.mask.equals(files.mask), 'the masks differ');
}
