/** SHA-256 as 64 lower-case hexadecimal digits. Needs a secure context (https or localhost) in a browser. */
export async function sha256(bytes: Uint8Array): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>);
  return Array.from(new Uint8Array(digest), byte => byte.toString(16).padStart(2, '0')).join('');
}

/**
 * One identity for a model folder: SHA-256 over lines `<sha256>  <path>\n`, sorted by path, of manifest.json and every
 * file of the graph: `sha256sum manifest.json FILES | LC_ALL=C sort -k2 | sha256sum` gives the same.
 */
export async function identityOf(manifestSha256: string, files: Readonly<Record<string, string>>): Promise<string> {
  const lines = Object.entries({ ...files, 'manifest.json': manifestSha256 })
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([path, hash]) => `${hash}  ${path}\n`);
  return sha256(new TextEncoder().encode(lines.join('')));
}
