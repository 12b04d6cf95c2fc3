import { z } from '../src/zod.ts';
import { OverreadError, throwIfAborted } from '../src/errors.ts';
import { parseManifest, type ModelManifest } from '../src/manifest.ts';

/** A model that can be run: its folder's address, with a trailing slash, and its manifest. */
export interface CatalogueEntry {
  readonly location: string;
  readonly manifest: ModelManifest;
}

/** What was found, and what was refused, in words. */
export interface Catalogue {
  readonly entries: readonly CatalogueEntry[];
  readonly problems: readonly OverreadError[];
}

const indexSchema = z.array(z.looseObject({ id: z.string().regex(/^[a-z0-9][a-z0-9-]*$/) }));

/**
 * Reads the manifests of every catalogue folder. One that is broken does not hide the others: it becomes a problem. A
 * gate is not listed: it judges pictures for other models, and the engine finds it beside them.
 * @param folders addresses with a trailing slash; the first that has an id wins
 * @param allowed ids that may be run; all when left out
 */
export async function loadCatalogue(folders: readonly string[], allowed?: readonly string[], signal?: AbortSignal): Promise<Catalogue> {
  const problems: OverreadError[] = [];
  const note = (error: unknown) => {
    throwIfAborted(signal);
    if (!(error instanceof OverreadError)) throw error;
    problems.push(error);
  };
  const entries = new Map<string, CatalogueEntry>();
  for (const folder of folders) {
    const ids = await idsIn(folder, signal).catch(note);
    const wanted = (ids ?? []).filter(id => !allowed || allowed.includes(id));
    const found = await Promise.all(wanted.map(id => entryAt(folder, id, signal).catch(note)));
    for (const entry of found) if (entry && !entry.manifest.gate && !entries.has(entry.manifest.id)) entries.set(entry.manifest.id, entry);
  }
  return { entries: [...entries.values()], problems };
}

async function idsIn(folder: string, signal?: AbortSignal): Promise<string[]> {
  const url = `${folder}index.json`;
  const parsed = indexSchema.safeParse(await readJson(url, signal));
  if (parsed.success) return parsed.data.map(model => model.id);
  throw new OverreadError(
    'model/manifest',
    `Expected a list of models such as [{"id": "lung-unet"}] at ${url}, got something else. Build the catalogue again.`,
    { expected: '[{ id }]', got: parsed.error.issues.map(i => `${i.path.join('.')}: ${i.message}`), url },
  );
}

async function entryAt(folder: string, id: string, signal?: AbortSignal): Promise<CatalogueEntry> {
  const location = `${folder}${id}/`;
  const manifest = parseManifest(await readJson(`${location}manifest.json`, signal), `${location}manifest.json`);
  if (manifest.id === id) return { location, manifest };
  throw new OverreadError(
    'model/manifest',
    `Expected the manifest in folder ${id} to have that id, got ${manifest.id}. Rename the folder or mend the manifest.`,
    { expected: id, got: manifest.id },
  );
}

async function readJson(url: string, signal?: AbortSignal): Promise<unknown> {
  let response: Response;
  try {
    response = await fetch(url, { cache: 'no-cache', ...(signal && { signal }) });
  } catch (cause) {
    throw new OverreadError('network/unreachable', `Could not reach ${url}. Check the connection and the address of the models, then reload.`, { url }, cause);
  }
  // What a server sends on to is not what the site configured; made up responses have no address.
  if (response.redirected && new URL(response.url).origin !== new URL(url).origin) {
    throw new OverreadError('config/invalid', `Expected models from ${new URL(url).origin}, which overread.models names, but ${url} sends on to ${new URL(response.url).origin}. Name that address in overread.models, or have the server hold the models itself.`, { expected: url, got: response.url });
  }
  if (response.status === 404) {
    throw new OverreadError('model/not-found', `Expected a file at ${url}, got none (404). Check overread.models in app-config.js.`, { expected: url, got: 404 });
  }
  if (!response.ok) {
    throw new OverreadError('network/status', `Expected ${url} to be readable, got HTTP ${response.status}. Check the server that holds the models.`, { url, got: response.status });
  }
  try {
    return await response.json();
  } catch (cause) {
    // A viewer's server often answers any unknown address with its own page.
    throw new OverreadError('model/not-found', `Expected JSON at ${url}, got something else. Check overread.models in app-config.js.`, { expected: 'application/json', got: response.headers.get('content-type') }, cause);
  }
}
