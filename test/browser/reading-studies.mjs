/** The demo's chest studies, and one whose film is inverted without saying so. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { PNG } from 'pngjs';
import { ROOT } from './harness.mjs';
import { readTruth } from './main-job.mjs';
import { listStudies } from './studies.mjs';

function cli(...args) {
  const done = spawnSync(process.execPath, [path.join(ROOT, 'dist/cli/main.mjs'), ...args], { encoding: 'utf8' });
  assert.equal(done.status, 0, done.stderr);
  return done.stdout;
}

/**
 * Writes them into a folder, whatever will serve it.
 * @returns a function that finds their UIDs: (origin) => { both, frontal, refused }
 */
export function readingStudies(folder) {
  cli('demo', '--small', '--out', folder);
  const set = path.join(folder, 'truth/inverted');
  cli('demo', '--dataset', 'chest', '--n', '1', '--size', '384', '--seed', '7', '--out', set);
  const { items: [{ images: [{ path: picture }] }] } = JSON.parse(readFileSync(path.join(set, 'dataset.json'), 'utf8'));
  const png = PNG.sync.read(readFileSync(path.join(set, picture)));
  for (let i = 0; i < png.data.length; i++) if (i % 4 !== 3) png.data[i] = 255 - png.data[i];
  writeFileSync(path.join(set, 'inverted.png'), PNG.sync.write(png));
  cli('dicomize', '--view', 'PA', '--modality', 'DX', '--spacing', '0.9', '--patient-id', 'INVERTED-1', '--patient-name', 'Demo^Inverted', '--out', path.join(folder, 'inverted'), path.join(set, 'inverted.png'));
  const { frontal, other } = readTruth(folder);
  return async (origin, headers) => {
    const inverted = (await listStudies(origin, headers)).find(study => /Inverted/.test(study.patientName));
    return { both: frontal.studyInstanceUID, frontal: other.studyInstanceUID, refused: inverted.uid };
  };
}
