/** Models of volumes made for another size, and the middle of a volume: what a machine without a GPU can run in a test. */
import { sha256 } from '../../../src/runtime/sha256.ts';
import type { Image } from '../../../src/image/image.ts';
import type { Placed } from '../../../src/image/resample.ts';
import type { ModelManifest } from '../../../src/manifest.ts';
import type { ModelFiles } from '../../../src/runtime/types.ts';

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const bytes = (json: unknown) => new TextEncoder().encode(JSON.stringify(json));

/** A folder's model with an input of `side`³ in place of its own; the weights, and all else, as they are. */
export async function sized(files: ModelFiles, side: number): Promise<ModelFiles> {
  const manifest = JSON.parse(text(await files.read('manifest.json'))) as ModelManifest;
  const { url } = manifest.graph;
  const [own] = manifest.input.shape;
  const graph = new TextEncoder().encode(text(await files.read(url)).replace(new RegExp(`\\[\\s*null\\s*,(\\s*${own}\\s*,){3}`), `[null, ${side}, ${side}, ${side},`));
  const changed = {
    ...manifest,
    graph: { ...manifest.graph, sha256: { ...manifest.graph.sha256, [url]: await sha256(graph) } },
    input: { ...manifest.input, shape: [side, side, side, 1] },
  };
  const replaced: Readonly<Record<string, Uint8Array>> = { [url]: graph, 'manifest.json': bytes(changed) };
  return { location: `${files.location} at ${side}³`, read: async (path, options) => replaced[path] ?? files.read(path, options) };
}

/** `side`³ voxels of a volume around an index, in place. */
export function cropped(image: Image & Placed, side: number, centre: readonly [number, number, number]): Image & Placed {
  const [columns, rows] = image.shape;
  const from = centre.map(index => index - Math.floor(side / 2)) as [number, number, number];
  const pixels = new Float32Array(side ** 3);
  for (let slice = 0; slice < side; slice++) {
    for (let row = 0; row < side; row++) {
      const start = ((from[2] + slice) * rows + from[1] + row) * columns + from[0];
      pixels.set(image.pixels.subarray(start, start + side), (slice * side + row) * side);
    }
  }
  const a = image.indexToPatient;
  const shifted = a.map((value, i) => (i % 4 === 3 && i < 12 ? value + a[i - 3]! * from[0] + a[i - 2]! * from[1] + a[i - 1]! * from[2] : value));
  return { ...image, shape: [side, side, side], sources: image.sources.slice(0, side), pixels, indexToPatient: shifted };
}
