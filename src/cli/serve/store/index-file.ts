import fs from 'node:fs/promises';
import path from 'node:path';
import type { StoredInstance } from './instance-store.ts';

/** Raised when what is kept of an instance changes: an older index is then read as an empty one. */
const FORMAT = 1;

/**
 * What was known of each file when the store was last open. An index that is absent, older, or broken is no index: the
 * files are read again.
 */
export async function readIndexFile(file: string): Promise<Map<string, StoredInstance>> {
  const known = new Map<string, StoredInstance>();
  try {
    const [head, ...lines] = (await fs.readFile(file, 'utf8')).split('\n');
    if ((JSON.parse(head ?? '') as { overreadIndex?: number }).overreadIndex !== FORMAT) return known;
    for (const line of lines) {
      if (!line) continue;
      const instance = JSON.parse(line) as StoredInstance;
      known.set(instance.file, instance);
    }
  } catch {
    return new Map();
  }
  return known;
}

export async function writeIndexFile(file: string, instances: Iterable<StoredInstance>): Promise<void> {
  const lines = [JSON.stringify({ overreadIndex: FORMAT })];
  for (const instance of instances) lines.push(JSON.stringify(instance));
  await fs.mkdir(path.dirname(file), { recursive: true });
  const part = `${file}.part`;
  await fs.writeFile(part, `${lines.join('\n')}\n`);
  await fs.rename(part, file);
}
