/** What tfjs puts before the text of its thread's function. */
const THREAD_SCRIPT = 'var WasmBackendModuleThreadedSimd = ';
/** Where that function mentions a variable from outside of it: `_scriptDir`, or what a minifier made of the name. */
const OUTER_NAME = /mainScriptUrlOrBlob["'\]]*\s*\|\|\s*([A-Za-z_$][\w$]*)/;

/**
 * Runs `start` with a cure for tfjs's wasm threads in minified bundles. tfjs sends the text of a function to its
 * threads as a Blob. The function reads an outer variable behind a `typeof` check, which minifiers drop since they see
 * the declaration; in the thread there is none, and every thread dies of a ReferenceError. Declaring it there is enough.
 * Where the text is another than we know, making the Blob throws, and the backend starts without threads.
 */
export async function withThreadScript<T>(start: () => Promise<T>): Promise<T> {
  const original = globalThis.Blob;
  class ThreadBlob extends original {
    constructor(parts?: BlobPart[], options?: BlobPropertyBag) {
      super(parts?.map(declared), options);
    }
  }
  globalThis.Blob = ThreadBlob;
  try {
    return await start();
  } finally {
    globalThis.Blob = original;
  }
}

/** The part as it is, but for the thread's script: that one with its outer variable declared. */
export function declared(part: BlobPart): BlobPart {
  if (typeof part !== 'string' || !part.startsWith(THREAD_SCRIPT)) return part;
  const name = OUTER_NAME.exec(part)?.[1];
  if (name === undefined) throw new Error('tfjs starts its wasm threads in a way that is not known here');
  return `var ${name};${part}`;
}
