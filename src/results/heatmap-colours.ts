/**
 * Colours of heat maps. `inferno` and `viridis` (van der Walt, Smith, Firing 2015, CC0: bids.github.io/colormap) rise
 * evenly in lightness; `coolwarm` (Moreland 2009, "Diverging Color Maps for Scientific Visualization") goes from blue over
 * grey to red. Kept as 33 colours each, as matplotlib 3.6 has them; between them is linear, within 2 of 255 of matplotlib's 256.
 */
const NODES = {
  inferno:
    '0000040403120b0724150b37210c4a2f0a5b3d09654a0c6b56106e63156e70196e7d1e6d89226a962766a32c61af315bbb3654c63d4dd14545' +
    'da4f3ce35932eb6529f1721ef67f14f98c0afb9b06fcaa0ffbba1ff9c932f5d949f2e865f3f586fcffa4',
  viridis:
    '440154470d6048186a482374472d7b4537814240863e49893b528b375b8d33638d2f6b8e2c728e297a8e26828e23898e21908c1f978b1f9f88' +
    '21a68527ad8131b57b3ebc744dc26c5cc8636ece5882d34d95d840aadc32c0df25d5e21aeae51afde725',
  coolwarm:
    '3b4cc0445acc4e68d85875e16282ea6c8ff1779af782a6fb8db0fe98b9ffa3c2feaec9fcb8d0f9c2d5f4ccd9edd5dbe5dcdcdce4d9d2ebd3c6' +
    'f1cdb9f4c5adf7bba0f7b194f7a687f49a7bf18d6fec7f63e57058de614dd55042cb3e38c0282fb40426',
} as const;

export type ColourTableName = keyof typeof NODES;

/** For maps from 0 upwards, and for maps on both sides of 0; the first of each is what to begin with. */
export const COLOUR_TABLES: { readonly unsigned: readonly ColourTableName[]; readonly signed: readonly ColourTableName[] } = {
  unsigned: ['inferno', 'viridis'],
  signed: ['coolwarm'],
};

const STEPS = 256;

/** 256 colours, red, green, blue (sRGB 0..255) one after the other, from the lowest value to the highest. */
export function colourTable(name: ColourTableName): Uint8Array {
  const nodes = NODES[name].match(/../g)!.map(hex => parseInt(hex, 16));
  const last = nodes.length / 3 - 1;
  const table = new Uint8Array(3 * STEPS);
  for (let i = 0; i < STEPS; i++) {
    const position = (i / (STEPS - 1)) * last;
    const lower = Math.min(last - 1, Math.floor(position));
    for (let c = 0; c < 3; c++) {
      const [a, b] = [nodes[3 * lower + c]!, nodes[3 * lower + 3 + c]!];
      table[3 * i + c] = Math.round(a + (position - lower) * (b - a));
    }
  }
  return table;
}

export interface HeatmapColours {
  readonly table: ColourTableName;
  /** What the table spans, as `HeatmapResult.range`. A table for signed maps is laid evenly to both sides of 0. */
  readonly range: readonly [min: number, max: number];
  /** Values whose magnitude is below this share (0..1) of the range's largest magnitude are not drawn; 0 when left out. */
  readonly threshold?: number;
  /** 0..1, of the largest magnitude; 1 when left out. */
  readonly opacity?: number;
  /** True: the smaller the magnitude, the more the picture shows through. False, or left out: `opacity` for all. */
  readonly fade?: boolean;
}

/**
 * Values as colours: red, green, blue, alpha (0..255, not premultiplied), four bytes a value. Beyond the range, the
 * range's ends; what is not a number is not drawn.
 * @param into of 4 · values.length bytes, written in place of a new array
 */
export function heatmapRgba(
  values: ArrayLike<number>, { table: name, range: [min, max], threshold = 0, opacity = 1, fade = false }: HeatmapColours,
  into = new Uint8ClampedArray(4 * values.length),
): Uint8ClampedArray {
  const table = colourTable(name);
  const largest = Math.max(Math.abs(min), Math.abs(max)) || 1;
  const [low, high] = COLOUR_TABLES.signed.includes(name) ? [-largest, largest] : [min, max];
  const scale = high > low ? (STEPS - 1) / (high - low) : 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    const share = Math.min(1, Math.abs(value) / largest);
    if (!(share >= threshold)) {
      into.fill(0, 4 * i, 4 * i + 4);
      continue;
    }
    const at = 3 * Math.min(STEPS - 1, Math.max(0, Math.round((value - low) * scale)));
    into[4 * i] = table[at]!;
    into[4 * i + 1] = table[at + 1]!;
    into[4 * i + 2] = table[at + 2]!;
    into[4 * i + 3] = Math.round(255 * opacity * (fade ? share : 1));
  }
  return into;
}
