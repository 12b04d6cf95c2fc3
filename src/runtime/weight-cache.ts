const CACHE = 'overread-models';

/**
 * Verified files in the browser's Cache Storage, under their hash, so that a model is downloaded once. It is only a
 * short cut: where there is none, where the quota is spent or a private window forbids it, files are read again.
 * What comes out is not trusted either; the caller checks its hash.
 */
export async function cached(hash: string): Promise<Uint8Array | undefined> {
  try {
    const response = await (await caches.open(CACHE)).match(keyOf(hash));
    return response && new Uint8Array(await response.arrayBuffer());
  } catch {
    return undefined;
  }
}

export async function keep(hash: string, bytes: Uint8Array): Promise<void> {
  try {
    await (await caches.open(CACHE)).put(keyOf(hash), new Response(bytes as Uint8Array<ArrayBuffer>));
  } catch {
    // No Cache Storage, or no room in it.
  }
}

export async function forget(hash: string): Promise<void> {
  try {
    await (await caches.open(CACHE)).delete(keyOf(hash));
  } catch {
    // Nothing to forget.
  }
}

/** Cache Storage wants an http address as key; the reserved `.invalid` domain never resolves to anyone. */
function keyOf(hash: string): string {
  return `https://overread.invalid/sha256/${hash}`;
}
