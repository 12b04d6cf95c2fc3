import { readFileSync } from 'node:fs';
import { declared, withThreadScript } from '../../../src/runtime/wasm-threads.ts';

/** What tfjs makes of the function in the installed version: the text between the IIFE's return and its end. */
function installedScript(): string {
  const text = readFileSync(require.resolve('@tensorflow/tfjs-backend-wasm/wasm-out/tfjs-backend-wasm-threaded-simd.js'), 'utf8');
  return `var WasmBackendModuleThreadedSimd = ${/return \(\n(function[\s\S]*)\n\);\n\}\)\(\);/.exec(text)![1]!}`;
}

describe('the script of tfjs\'s wasm threads', () => {
  test('the installed one has its outer variable declared', () => {
    expect(declared(installedScript())).toMatch(/^var _scriptDir;var WasmBackendModuleThreadedSimd = function/);
  });

  test('a minified one too, by whatever name', () => {
    const script = 'var WasmBackendModuleThreadedSimd = function(e){a&&(n=a);x.postMessage({urlOrBlob:e.mainScriptUrlOrBlob||a,wasmMemory:m})}';
    expect(declared(script)).toBe(`var a;${script}`);
    const quoted = 'var WasmBackendModuleThreadedSimd = function(M){p({"urlOrBlob":M["mainScriptUrlOrBlob"]||$b})}';
    expect(declared(quoted)).toBe(`var $b;${quoted}`);
  });

  test('one that is not known is refused, anything else is left alone', () => {
    expect(() => declared('var WasmBackendModuleThreadedSimd = function(){}')).toThrow('not known');
    expect(declared('var a = 1')).toBe('var a = 1');
    const bytes = new Uint8Array(3);
    expect(declared(bytes)).toBe(bytes);
  });

  test('Blob is itself again afterwards, whatever happened', async () => {
    const { Blob } = globalThis;
    const text = await withThreadScript(async () => {
      expect(globalThis.Blob).not.toBe(Blob);
      return new globalThis.Blob(['var WasmBackendModuleThreadedSimd = function(M){M.mainScriptUrlOrBlob||q}']).text();
    });
    expect(text).toMatch(/^var q;/);
    await expect(withThreadScript(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(globalThis.Blob).toBe(Blob);
  });
});
