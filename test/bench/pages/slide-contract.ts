/** What slide.mjs calls in each page: the same tiles of one region of a slide, by each engine. */
export interface SlideBench {
  /** Opens the device, loads the model, runs one tile. @returns what it runs on */
  open(backend: 'webgpu' | 'wasm'): Promise<string>;
  /** The network over all tiles: input from the CPU's memory, output back in it. */
  network(): Promise<Passed>;
  /** Only ours: all that a slide takes but the decoding of frames: reading, normalising, the network, labels. */
  whole?(): Promise<Passed>;
}

export interface Passed {
  readonly ms: number;
  /** Sum of the outputs' absolute values over all tiles (of `whole`: labelled pixels), so that engines can be compared. */
  readonly sum: number;
}

/** The region, as the bench's server holds it under /made/slide/: `region.bin` is RGB, `inputs.bin` the tiles' NHWC inputs. */
export interface SlideTiles {
  readonly columns: number;
  readonly rows: number;
  readonly tiles: number;
  /** [rows, columns, channels] of one. */
  readonly shape: readonly [number, number, number];
}

declare global {
  interface Window {
    slide: SlideBench;
    makeSlide(): Promise<SlideTiles>;
  }
}

export async function fetched(path: string): Promise<ArrayBuffer> {
  const response = await fetch(path);
  if (!response.ok) throw new Error(`${path} answers ${response.status}.`);
  return response.arrayBuffer();
}

export async function description(): Promise<SlideTiles> {
  return JSON.parse(new TextDecoder().decode(await fetched('/made/slide/tiles.json'))) as SlideTiles;
}

/** The inputs one by one. */
export async function inputs({ tiles, shape: [rows, columns, channels] }: SlideTiles): Promise<Float32Array[]> {
  const all = new Float32Array(await fetched('/made/slide/inputs.bin'));
  const size = rows * columns * channels;
  return Array.from({ length: tiles }, (_, i) => all.slice(i * size, (i + 1) * size));
}

export function absoluteSum(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += Math.abs(values[i]!);
  return sum;
}

/** The region as a picture in memory. */
export async function region({ columns, rows }: Pick<SlideTiles, 'columns' | 'rows'>) {
  return {
    sources: [{ file: 'region' }], modality: 'OT', shape: [columns, rows, 1], channels: 3, attributes: {},
    pixels: Float32Array.from(new Uint8Array(await fetched('/made/slide/region.bin'))), representableRange: [0, 255],
  } as const;
}
