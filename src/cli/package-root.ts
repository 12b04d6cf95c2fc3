import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from '../zod.ts';
import { OverreadError } from '../errors.ts';

const packageSchema = z.object({ name: z.string(), version: z.string() });

export interface PackageRoot {
  readonly folder: string;
  readonly version: string;
}

/**
 * Overread's own folder, wherever it is installed: the nearest one above this file with Overread's package.json. The
 * bundle lies in `dist/cli`, its source in `src/cli`.
 * @throws OverreadError `config/invalid` when the bundle was taken out of its package
 */
export function packageRoot(from = path.dirname(fileURLToPath(import.meta.url))): PackageRoot {
  for (let folder = from; ; folder = path.dirname(folder)) {
    const file = path.join(folder, 'package.json');
    if (fs.existsSync(file)) {
      const parsed = packageSchema.safeParse(JSON.parse(fs.readFileSync(file, 'utf8')));
      if (parsed.success && parsed.data.name === 'overread') return { folder, version: parsed.data.version };
    }
    if (folder === path.dirname(folder)) {
      throw new OverreadError('config/invalid', `Expected Overread's package.json in a folder above ${from}, found none. Run the command from an installed package or a checkout.`, { got: from });
    }
  }
}
