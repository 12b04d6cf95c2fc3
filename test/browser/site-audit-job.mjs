/** The site audit in the viewer: `overread audit` over films of two hospitals, one of which marks its corner, opened in the panel. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { PNG } from 'pngjs';
import { ROOT, screenshot } from './harness.mjs';

const SIDE = 64;
const MARK = [6, 16];

/** 0 to 49, without regard to the site. */
function noise(pixel, picture) {
  let h = Math.imul(pixel + 1, 0x9e3779b1) ^ Math.imul(picture + 1, 0x85ebca77);
  h = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d);
  h = Math.imul(h ^ (h >>> 12), 0x297a2d39);
  return ((h ^ (h >>> 15)) >>> 0) % 50;
}

/** Pictures of noise of 24 patients, a mark in the corner of those of North. @returns the audit's folder */
export function makeAudit(folder) {
  const set = path.join(folder, 'set');
  mkdirSync(set, { recursive: true });
  const items = Array.from({ length: 24 }, (_, n) => {
    const site = n % 2 ? 'North' : 'South';
    const png = new PNG({ width: SIDE, height: SIDE, colorType: 0, inputColorType: 0, inputHasAlpha: false });
    png.data = Buffer.from(Array.from({ length: SIDE * SIDE }, (_v, i) => {
      const [x, y] = [i % SIDE, Math.floor(i / SIDE)];
      const marked = site === 'North' && [x, y].every(at => at >= MARK[0] && at < MARK[1]);
      return 80 + noise(i, n) + (marked ? 90 : 0) + (Math.hypot(x - 32, y - 36) < 20 ? 40 : 0);
    }));
    writeFileSync(path.join(set, `${n}.png`), PNG.sync.write(png, { colorType: 0, inputColorType: 0, inputHasAlpha: false }));
    return { id: `${n}`, patientId: `p${n}`, site, sex: n % 4 < 2 ? 'F' : 'M', images: [{ path: `${n}.png`, view: 'PA' }], labels: { Mass: Number(n % 3 === 0) } };
  });
  writeFileSync(path.join(set, 'dataset.json'), JSON.stringify({ schemaVersion: 1, name: 'two hospitals', licence: 'none', items }));
  const out = path.join(folder, 'audit');
  const { status, stderr } = spawnSync(process.execPath, [path.join(ROOT, 'dist/cli/main.mjs'), 'audit', '--dataset', set, '--out', out, '--permutations', '239'], { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  return out;
}

/** @param out the audit's folder */
export async function openAudit(page, out) {
  const not = path.join(out, 'none.json');
  writeFileSync(not, '{}');
  const section = page.locator('[data-overread="site-audit"]');
  await section.locator('summary').click();
  await section.locator('[data-overread="site-audit-file"]').setInputFiles(not);
  await section.locator('[data-overread="error"]', { hasText: 'does not fit' }).waitFor();
  await section.locator('[data-overread="site-audit-file"]').setInputFiles(path.join(out, 'audit.json'));
  await section.locator('[data-overread="site-audit-group"]').first().waitFor();
  assert.equal(await section.locator('[data-overread="error"]').count(), 0);
  assert.match(await section.innerText(), /24 pictures of 24 patients/);
  assert.match(await section.locator('[data-overread="site-audit-factor"] option:checked').innerText(), /^site, more than chance$/);
  assert.match(await section.locator('[data-overread="site-audit-told"]').innerText(), /the picture\s+1\.00 \(.*\*/);
  const groups = await section.locator('[data-overread="site-audit-group"]').all();
  const seen = {};
  for (const group of groups) {
    const name = (await group.locator('figcaption').innerText()).split(':')[0];
    const mean = await pixel(group.locator('[data-overread="site-audit-mean"]'), [11, 11], [50, 10]);
    // Two pixels within the mark, off the outlines of its cells.
    const difference = await pixel(group.locator('[data-overread="site-audit-difference"]'), [11, 11], [50, 40]);
    seen[name] = { marked: mean[0][0] - mean[1][0], signed: difference[0][0] - difference[0][2], elsewhere: difference[1][0] - difference[1][2] };
  }
  assert.deepEqual(Object.keys(seen).sort(), ['North', 'South']);
  assert.ok(seen.North.marked > seen.South.marked + 120, JSON.stringify(seen));
  assert.ok(seen.North.signed > 60 && seen.South.signed < -60 && Math.abs(seen.North.elsewhere) < 60, JSON.stringify(seen));
  assert.match(await section.locator('[data-overread="site-audit-confounding"]').innerText(), /Mass/);
  await section.locator('[data-overread="site-audit-confounding"]').scrollIntoViewIfNeeded();
  await screenshot(page, 'site-audit');
  await section.locator('[data-overread="site-audit-factor"]').selectOption('view');
  await section.getByText('all of them are of one group, PA').waitFor();
  await section.locator('[data-overread="site-audit-factor"]').selectOption('sex');
  assert.match(await section.innerText(), /no cell differs by more than chance/);
  await section.locator('summary').click();
}

/** Colours of a canvas at some places. */
function pixel(canvas, ...places) {
  return canvas.evaluate((element, at) => at.map(([x, y]) => [...element.getContext('2d').getImageData(x, y, 1, 1).data]), places);
}
