import { OverreadError } from '../errors.ts';
import { referenceOf, type Image, type ImageReference } from './image.ts';

/** Whole pixels of one plane; x and y count from the plane's first pixel. */
export interface Region {
  readonly x: number;
  readonly y: number;
  readonly columns: number;
  readonly rows: number;
}

/** One plane that is read piece by piece, so that it need never be whole in memory. */
export interface TileSource {
  /** What a result lives on; shape is [columns, rows, 1]. */
  readonly reference: ImageReference;
  /** As of {@link Image}. */
  readonly representableRange: readonly [min: number, max: number];
  /**
   * Modality values of a region that lies inside the plane, row by row, channels interleaved.
   * @throws OverreadError `input/*`, `network/*` when this region cannot be read
   */
  read(region: Region, signal?: AbortSignal): Promise<Float32Array>;
  /** The whole plane, at a resolution at which it fits in memory: for what judges pictures, and for statistics where there is no `sample`. */
  overview(signal?: AbortSignal): Promise<Image>;
  /** Pixels of the plane as they are, chosen evenly from all of it, or from its tissue, in any shape: for statistics. */
  sample?(signal?: AbortSignal, tissue?: TissueMap): Promise<Image>;
  /** Where a slide shows tissue. @param marginMm about it */
  tissue?(marginMm: number, signal?: AbortSignal): Promise<TissueMap>;
}

/** Where a slide shows tissue, or what might be some. */
export interface TissueMap {
  /** False where nothing is taken for glass: everything shows. */
  readonly glass: boolean;
  /** How glass was told from tissue, or why not: for the user. */
  readonly reason: string;
  /** Equal for equal maps. */
  readonly digest: string;
  /** Whether a region, with the margin about it, shows anything but glass; `exactly` leaves the margin out. */
  shows(region: Region, exactly?: boolean): boolean;
}

/** A plane in memory as a {@link TileSource}; it is its own overview. */
export function tileSourceOf(image: Image): TileSource {
  const [columns] = image.shape;
  const { pixels, channels } = image;
  return {
    reference: referenceOf(image),
    representableRange: image.representableRange,
    overview: async () => image,
    read: async region => {
      const values = new Float32Array(region.columns * region.rows * channels);
      for (let row = 0; row < region.rows; row++) {
        const from = ((region.y + row) * columns + region.x) * channels;
        values.set(pixels.subarray(from, from + region.columns * channels), row * region.columns * channels);
      }
      return values;
    },
  };
}

/** What a plan needs to know of a network along one axis; the runtime's `AxisField` says what each number means. */
export interface TileAxis {
  readonly input: number;
  readonly output: number;
  readonly stride: number;
  readonly alignment: number;
  readonly lost: { readonly before: number; readonly after: number };
}

export interface Tile {
  /** Place in the plan, row by row; the same in every plan of this image and network. */
  readonly index: number;
  /** What the network reads, in pixels of the padded plane: at the end it may reach over the image. */
  readonly input: Region;
  /** What is kept, in outputs of the whole. */
  readonly output: Region;
  /** Of the output that the network gives for this tile, the index of the first kept one. */
  readonly kept: { readonly x: number; readonly y: number };
  /** The image's pixels that the kept outputs stand for. */
  readonly covers: Region;
}

export interface TilePlan {
  /** The plane that the tiles cut up: the image, continued at its right and bottom. */
  readonly padded: { readonly columns: number; readonly rows: number };
  /** Of the network run on the whole padded plane. */
  readonly output: { readonly columns: number; readonly rows: number };
  readonly tiles: readonly Tile[];
}

/**
 * Cuts a plane into tiles of the network's input size whose kept outputs make up the output of the whole, each output
 * once and as the whole would have it. Why that holds:
 *
 * - The whole is the network run on the plane continued at its end to `input` + m · `alignment` pixels: other sizes would
 *   be padded otherwise within the network, or not run at all (a U-Net's levels must meet again).
 * - Tiles begin at multiples of `alignment`. So every layer cuts its maps at the same places as in the whole, and its
 *   'same' padding, which depends on the size's remainder by the stride, has the same share before and after.
 * - Within a tile, only the `lost` outputs at an end depend on the padding there, directly or by the layers between. They
 *   are dropped, except where the tile's end is the plane's own: there the whole has that padding too. So the outermost
 *   tiles lie flush with the plane's borders, none reaches over one, and none shows a border where there is none.
 *
 * What is left of every tile is a stretch; stretches of neighbours overlap and are parted in the middle.
 * @param image in pixels
 * @param halo outputs around the kept ones that shall be right as well, for interpolation between them
 * @throws OverreadError `model/graph` when the network's input is too small for its receptive field
 */
export function planTiles(image: { readonly columns: number; readonly rows: number }, field: { readonly columns: TileAxis; readonly rows: TileAxis }, halo = 0): TilePlan {
  const across = planAxis(image.columns, field.columns, halo, 'columns');
  const down = planAxis(image.rows, field.rows, halo, 'rows');
  const tiles: Tile[] = [];
  down.parts.forEach((y, row) => across.parts.forEach((x, column) => {
    const tile = new PlannedTile(row * across.parts.length + column, x, y);
    if (tile.shows) tiles.push(tile);
  }));
  return { padded: { columns: across.padded, rows: down.padded }, output: { columns: across.output, rows: down.output }, tiles };
}

/** A tile by its column and row of the plan: a slide has tens of thousands of them. */
class PlannedTile implements Tile {
  constructor(readonly index: number, private readonly x: Part, private readonly y: Part) {}

  get input(): Region {
    return { x: this.x.start, y: this.y.start, columns: this.x.input, rows: this.y.input };
  }

  get output(): Region {
    return { x: this.x.from, y: this.y.from, columns: this.x.to - this.x.from, rows: this.y.to - this.y.from };
  }

  get kept(): { x: number; y: number } {
    return { x: this.x.kept, y: this.y.kept };
  }

  get covers(): Region {
    const [{ covers: [left, right] }, { covers: [top, bottom] }] = [this.x, this.y];
    return { x: left, y: top, columns: right - left, rows: bottom - top };
  }

  get shows(): boolean {
    return this.x.covers[1] > this.x.covers[0] && this.y.covers[1] > this.y.covers[0];
  }
}

interface Part {
  readonly input: number;
  readonly start: number;
  readonly from: number;
  readonly to: number;
  readonly kept: number;
  readonly covers: readonly [from: number, to: number];
}

function planAxis(size: number, axis: TileAxis, halo: number, name: string): { padded: number; output: number; parts: readonly Part[] } {
  const { input, output, stride, alignment, lost } = axis;
  const padded = input + Math.ceil(Math.max(0, size - input) / alignment) * alignment;
  // A whole number wherever it is asked for; rounded, since a stride of 1/3 is none in floats.
  const outputsIn = (pixels: number) => Math.round(pixels / stride);
  const outputs = output + outputsIn(padded - input);
  const dropped = lost.before + lost.after + 2 * halo;
  const step = Math.floor((output - dropped) / outputsIn(alignment)) * alignment;
  if (padded > input && step < alignment) {
    const needed = input + alignment - step;
    throw new OverreadError(
      'model/graph',
      `Expected a network whose input is larger than its receptive field, got one of ${input} ${name} whose tiles lose ${dropped} of ${output} outputs at their borders. Give it an input of at least ${needed} ${name}.`,
      { expected: needed, got: input },
    );
  }
  const count = padded === input ? 1 : Math.ceil((padded - input) / step) + 1;
  const starts = Array.from({ length: count }, (_, i) => Math.min(i * step, padded - input));
  const sound = starts.map((start, i) => ({
    from: i === 0 ? 0 : outputsIn(start) + lost.before + halo,
    to: i === count - 1 ? outputs : outputsIn(start) + output - lost.after - halo,
  }));
  // Between the first output that the next tile has right and the last that this one has.
  const bounds = [0, ...sound.slice(1).map(({ from }, i) => Math.floor((from + sound[i]!.to) / 2)), outputs];
  const parts = starts.map((start, i) => {
    const [from, to] = [bounds[i]!, bounds[i + 1]!];
    const pixels = (bound: number) => Math.min(size, Math.round(bound * stride));
    // Without padding within the network the outputs end before the plane does: what is left has none of its own.
    return { input, start, from, to, kept: from - outputsIn(start), covers: [pixels(from), pixels(to)] as const };
  });
  return { padded, output: outputs, parts };
}

/**
 * The tiles in the order in which they are wanted: those that show the region first, from its middle outwards, then
 * the others by their distance to it.
 */
export function outwardsFrom(tiles: readonly Tile[], focus: Region): Tile[] {
  const [x, y] = [focus.x + focus.columns / 2, focus.y + focus.rows / 2];
  const gaps = new Float64Array(tiles.length);
  const ways = new Float64Array(tiles.length);
  for (const [i, { covers }] of tiles.entries()) {
    const gapX = Math.max(0, covers.x - (focus.x + focus.columns), focus.x - (covers.x + covers.columns));
    const gapY = Math.max(0, covers.y - (focus.y + focus.rows), focus.y - (covers.y + covers.rows));
    gaps[i] = gapX ** 2 + gapY ** 2;
    ways[i] = (covers.x + covers.columns / 2 - x) ** 2 + (covers.y + covers.rows / 2 - y) ** 2;
  }
  const order = Uint32Array.from(tiles.keys()).sort((a, b) => gaps[a]! - gaps[b]! || ways[a]! - ways[b]! || tiles[a]!.index - tiles[b]!.index);
  return Array.from(order, i => tiles[i]!);
}
