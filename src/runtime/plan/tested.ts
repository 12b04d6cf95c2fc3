const CACHE = 'overread-self-tests';
const passed = new Set<string>();

/**
 * Which plans have passed their self-test on this adapter, kept in the browser's Cache Storage: once is enough for each
 * model, adapter and version of the kernels. Where there is no storage, it is once a session.
 */
export async function hasPassed(name: string): Promise<boolean> {
  if (passed.has(name)) return true;
  try {
    return (await (await caches.open(CACHE)).match(keyOf(name))) !== undefined;
  } catch {
    return false;
  }
}

export async function keepPassed(name: string): Promise<void> {
  passed.add(name);
  try {
    await (await caches.open(CACHE)).put(keyOf(name), new Response('passed'));
  } catch {
    // No Cache Storage, or no room in it.
  }
}

function keyOf(name: string): string {
  return `https://overread.invalid/self-test/${encodeURIComponent(name)}`;
}
