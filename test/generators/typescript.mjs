/**
 * Lets plain Node run the project's TypeScript: `node --import ./test/generators/typescript.mjs SCRIPT.ts`.
 * Types are stripped by swc, as jest and webpack do it; nothing is checked here.
 */
import { register } from 'node:module';

const hooks = `
  import { transformFile } from '${import.meta.resolve('@swc/core')}';
  import { fileURLToPath } from 'node:url';
  export async function load(url, context, next) {
    if (!/\\.tsx?$/.test(url)) return next(url, context);
    const { code } = await transformFile(fileURLToPath(url), {
      swcrc: false,
      jsc: { target: 'es2022', parser: { syntax: 'typescript', tsx: url.endsWith('x') } },
      module: { type: 'es6' },
    });
    return { format: 'module', source: code, shortCircuit: true };
  }`;
register(`data:text/javascript,${encodeURIComponent(hooks)}`);
