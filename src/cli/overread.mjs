#!/usr/bin/env node
/** The command `overread`. In a checkout it installs and builds first what is missing; notes go to stderr. */
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { ensureBuilt, ensurePackages, isCheckout } from './setup/build.mjs';

const root = path.resolve(import.meta.dirname, '../..');
try {
  if (isCheckout(root)) {
    await ensurePackages(root, console.error);
    await ensureBuilt(root, ['cli'], console.error);
    if (process.argv[2] === 'serve') await ensureBuilt(root, ['plugin'], console.error);
  }
} catch (error) {
  console.error(`overread: ${error.message}`);
  process.exit(1);
}
await import(pathToFileURL(path.join(root, 'dist/cli/main.mjs')).href);
