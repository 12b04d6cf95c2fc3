/** What a page hands out as a file, and its audit log. */

/** Presses what has this name, and reads the file that comes of it: { name, bytes } */
export async function fileFrom(page, name) {
  const [download] = await Promise.all([page.waitForEvent('download'), page.locator(`[data-overread="${name}"]`).first().click()]);
  const parts = [];
  for await (const part of await download.createReadStream()) parts.push(part);
  return { name: download.suggestedFilename(), bytes: Buffer.concat(parts) };
}

/** Every record of the browser's log; it is written a moment after what it tells of. @param until whether all is there */
export async function auditLog(page, until = () => true) {
  for (let attempt = 0; ; attempt++) {
    const { bytes } = await fileFrom(page, 'audit-download');
    const records = bytes.toString('utf8').trim().split('\n').map(line => JSON.parse(line));
    if (until(records) || attempt === 20) return records;
    await page.waitForTimeout(250);
  }
}
