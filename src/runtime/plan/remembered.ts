const CACHE = 'overread-devices';
const session = new Map<string, string>();

/**
 * What was found out about a device, kept in the browser's Cache Storage; where there is no storage, for the session.
 * @returns undefined where nothing is kept under the name
 */
export async function remembered(name: string): Promise<string | undefined> {
  const known = session.get(name);
  if (known !== undefined) return known;
  try {
    return await (await (await caches.open(CACHE)).match(keyOf(name)))?.text();
  } catch {
    return undefined;
  }
}

/** @param forGood false for what is to be found out again in the next session */
export async function remember(name: string, text: string, forGood = true): Promise<void> {
  session.set(name, text);
  if (!forGood) return;
  try {
    await (await caches.open(CACHE)).put(keyOf(name), new Response(text));
  } catch {
    // No Cache Storage, or no room in it.
  }
}

function keyOf(name: string): string {
  return `https://overread.invalid/device/${encodeURIComponent(name)}`;
}
